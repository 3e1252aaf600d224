//! One connection: which streams are open, and what came on them.

use super::{Frame, Header, Headers, Malformed};
use bytes::{Bytes, BytesMut};
use listener::Stream;
use std::collections::BTreeSet;
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How many streams a client has at once: kubectl five for a command, two for each connection that it
/// forwards.
const MOST: usize = 1024;
/// How much is read at a time.
const READ: usize = 32 * 1024;

/// Reasons of a stream's end [SPDY 3.1, 2.6.3].
mod status {
    pub(super) const PROTOCOL_ERROR: u32 = 1;
    pub(super) const INVALID_STREAM: u32 = 2;
    pub(super) const REFUSED_STREAM: u32 = 3;
    pub(super) const INTERNAL_ERROR: u32 = 6;
}

/// What the client did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It opened a stream.
    Opened {
        /// The stream's number.
        stream: u32,
        /// What it is for.
        headers: Vec<Header>,
    },
    /// It sent bytes.
    Data {
        /// The stream's number.
        stream: u32,
        /// The bytes.
        bytes: Bytes,
    },
    /// It sends nothing more on a stream.
    Finished {
        /// The stream's number.
        stream: u32,
    },
    /// It gave a stream up.
    Reset {
        /// The stream's number.
        stream: u32,
    },
}

/// The server's end of a connection.
pub struct Session {
    io: Box<dyn Stream>,
    headers: Headers,
    arrived: BytesMut,
    leaving: BytesMut,
    /// An event that follows from a frame of which the first was told already.
    next: Option<Event>,
    /// The streams on which the client may still send.
    open: BTreeSet<u32>,
    /// The client's newest stream.
    newest: u32,
}

impl Session {
    /// A session over a connection on which the client begins.
    pub fn new(io: impl Stream + 'static) -> Session {
        Session {
            io: Box::new(io),
            headers: Headers::default(),
            arrived: BytesMut::new(),
            leaving: BytesMut::new(),
            next: None,
            open: BTreeSet::new(),
            newest: 0,
        }
    }

    /// What the client does next; nothing once it is gone. Nothing is lost where the future is dropped.
    ///
    /// # Errors
    /// Where the connection breaks or the client does not speak the protocol.
    pub async fn next(&mut self) -> io::Result<Option<Event>> {
        loop {
            if let Some(event) = self.next.take() {
                return Ok(Some(event));
            }
            while let Some(frame) = Frame::take(&mut self.arrived).map_err(told)? {
                if matches!(frame, Frame::GoAway { .. }) {
                    return Ok(None);
                }
                if let Some(event) = self.take(frame).map_err(told)? {
                    return Ok(Some(event));
                }
            }
            self.flush().await?;
            self.arrived.reserve(READ);
            if self.io.read_buf(&mut self.arrived).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Takes a stream that the client opened.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub async fn accept(&mut self, stream: u32) -> io::Result<()> {
        let headers = self.headers.write(&[]);
        self.send(&Frame::Reply { stream, headers }).await
    }

    /// Gives a stream up, which the client learns.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub async fn reset(&mut self, stream: u32) -> io::Result<()> {
        self.open.remove(&stream);
        self.send(&Frame::Reset { stream, status: status::INTERNAL_ERROR }).await
    }

    /// Sends bytes on a stream, the last ones perhaps.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub async fn data(&mut self, stream: u32, bytes: Bytes, last: bool) -> io::Result<()> {
        self.send(&Frame::Data { stream, last, bytes }).await
    }

    /// Ends the session: the client learns that there is no more.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub async fn close(&mut self) -> io::Result<()> {
        self.send(&Frame::GoAway { last: self.newest }).await?;
        self.io.shutdown().await
    }

    async fn send(&mut self, frame: &Frame) -> io::Result<()> {
        frame.put(&mut self.leaving);
        self.flush().await
    }

    async fn flush(&mut self) -> io::Result<()> {
        while !self.leaving.is_empty() {
            if self.io.write_buf(&mut self.leaving).await? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        self.io.flush().await
    }

    /// Takes a frame in. Answers that it calls for leave with the next flush.
    fn take(&mut self, frame: Frame) -> Result<Option<Event>, Malformed> {
        match frame {
            Frame::Open { stream, last, headers } => {
                // All blocks must be read, or those that follow cannot be.
                let headers = self.headers.read(&headers)?;
                let refused = if stream % 2 == 0 || stream <= self.newest {
                    Some(status::PROTOCOL_ERROR)
                } else {
                    self.newest = stream;
                    (self.open.len() >= MOST).then_some(status::REFUSED_STREAM)
                };
                if let Some(status) = refused {
                    Frame::Reset { stream, status }.put(&mut self.leaving);
                    return Ok(None);
                }
                self.open.insert(stream);
                self.finish(stream, last);
                Ok(Some(Event::Opened { stream, headers }))
            }
            Frame::Data { stream, last, bytes } => {
                if !self.open.contains(&stream) {
                    let status = status::INVALID_STREAM;
                    Frame::Reset { stream, status }.put(&mut self.leaving);
                    return Ok(None);
                }
                self.finish(stream, last);
                let event = (!bytes.is_empty()).then_some(Event::Data { stream, bytes });
                Ok(event.or_else(|| self.next.take()))
            }
            Frame::More { stream, last, headers } => {
                self.headers.read(&headers)?;
                if self.open.contains(&stream) {
                    self.finish(stream, last);
                }
                Ok(self.next.take())
            }
            Frame::Reset { stream, .. } => {
                self.open.remove(&stream);
                Ok(Some(Event::Reset { stream }))
            }
            Frame::Ping(number) => {
                // An even number would be an answer to this side, which asks nothing.
                if number % 2 == 1 {
                    Frame::Ping(number).put(&mut self.leaving);
                }
                Ok(None)
            }
            Frame::Reply { headers, .. } => self.headers.read(&headers).map(|_| None),
            Frame::GoAway { .. } | Frame::Other => Ok(None),
        }
    }

    fn finish(&mut self, stream: u32, last: bool) {
        if last && self.open.remove(&stream) {
            self.next = Some(Event::Finished { stream });
        }
    }
}

fn told(why: Malformed) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Client;
    use super::*;

    fn pair() -> (Client, Session) {
        let (near, far) = tokio::io::duplex(1 << 16);
        (Client::new(near), Session::new(far))
    }

    async fn finished(client: &mut Client, stream: u32, kind: &str) {
        client.open(stream, &[("streamtype", kind)]).await;
        client.send(Frame::Data { stream, last: true, bytes: Bytes::new() }).await;
    }

    fn opened(stream: u32, kind: &str) -> Event {
        let headers = vec![("streamtype".to_owned(), kind.to_owned())];
        Event::Opened { stream, headers }
    }

    #[tokio::test]
    async fn streams_open_carry_bytes_and_finish() {
        let (mut client, mut session) = pair();
        finished(&mut client, 1, "error").await;
        client.open(3, &[("streamtype", "stdin")]).await;
        let bytes = Bytes::from_static(b"ls");
        client.send(Frame::Data { stream: 3, last: true, bytes: bytes.clone() }).await;
        assert_eq!(session.next().await.unwrap(), Some(opened(1, "error")));
        assert_eq!(session.next().await.unwrap(), Some(Event::Finished { stream: 1 }));
        assert_eq!(session.next().await.unwrap(), Some(opened(3, "stdin")));
        assert_eq!(
            session.next().await.unwrap(),
            Some(Event::Data { stream: 3, bytes: bytes.clone() })
        );
        assert_eq!(session.next().await.unwrap(), Some(Event::Finished { stream: 3 }));
        session.accept(1).await.unwrap();
        session.data(1, bytes.clone(), true).await.unwrap();
        session.close().await.unwrap();
        assert!(matches!(client.next().await, Some(Frame::Reply { stream: 1, .. })));
        assert_eq!(client.next().await, Some(Frame::Data { stream: 1, last: true, bytes }));
        assert_eq!(client.next().await, Some(Frame::GoAway { last: 3 }));
        assert_eq!(client.next().await, None);
    }

    #[tokio::test]
    async fn pings_come_back_and_what_no_stream_takes_is_reset() {
        let (mut client, mut session) = pair();
        client.send(Frame::Ping(1)).await;
        client.send(Frame::Other).await;
        client.send(Frame::Data { stream: 9, last: false, bytes: Bytes::from_static(b"x") }).await;
        client.open(2, &[("streamtype", "stdin")]).await;
        client.send(Frame::GoAway { last: 0 }).await;
        assert_eq!(session.next().await.unwrap(), None);
        session.close().await.unwrap();
        assert_eq!(client.next().await, Some(Frame::Ping(1)));
        assert_eq!(client.next().await, Some(Frame::Reset { stream: 9, status: 2 }));
        assert_eq!(client.next().await, Some(Frame::Reset { stream: 2, status: 1 }));
    }

    #[tokio::test]
    async fn bytes_that_are_no_frames_end_the_session() {
        let (mut near, far) = tokio::io::duplex(64);
        near.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert!(Session::new(far).next().await.is_err());
        let (mut client, mut session) = pair();
        client
            .send(Frame::Open { stream: 1, last: false, headers: Bytes::from_static(b"x") })
            .await;
        assert_eq!(session.next().await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
