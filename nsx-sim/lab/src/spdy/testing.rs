//! A client that writes frames by hand.

use super::{Frame, Headers};
use bytes::{Bytes, BytesMut};
use listener::Stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The client's end.
pub struct Client {
    io: Box<dyn Stream>,
    headers: Headers,
    arrived: BytesMut,
}

impl Client {
    /// A client on this connection.
    pub fn new(io: impl Stream + 'static) -> Client {
        Client { io: Box::new(io), headers: Headers::default(), arrived: BytesMut::new() }
    }

    /// A client of a server without TLS that agrees to this protocol; else what it answers.
    pub async fn connect(url: &str, path: &str, protocol: &str) -> Result<Client, String> {
        let host = url.trim_start_matches("http://");
        let mut io = TcpStream::connect(host).await.unwrap();
        let call = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\
             X-Stream-Protocol-Version: {protocol}\r\n\r\n"
        );
        io.write_all(call.as_bytes()).await.unwrap();
        let mut answer = BytesMut::new();
        loop {
            assert!(io.read_buf(&mut answer).await.unwrap() > 0, "the server hung up");
            let text = String::from_utf8_lossy(&answer).into_owned();
            let Some(end) = text.find("\r\n\r\n") else { continue };
            if !text.starts_with("HTTP/1.1 101 ") {
                return Err(text);
            }
            let agreed = format!("x-stream-protocol-version: {protocol}\r\n");
            assert!(text.to_lowercase().contains(&agreed), "{text}");
            let mut client = Client::new(io);
            client.arrived = answer.split_off(end + 4);
            return Ok(client);
        }
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Frame) {
        let mut wire = BytesMut::new();
        frame.put(&mut wire);
        self.io.write_all(&wire).await.unwrap();
    }

    /// Opens a stream.
    pub async fn open(&mut self, stream: u32, headers: &[(&str, &str)]) {
        let headers: Vec<_> =
            headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let headers = self.headers.write(&headers);
        self.send(Frame::Open { stream, last: false, headers }).await;
    }

    /// Sends the last bytes of a stream.
    pub async fn data(&mut self, stream: u32, text: &str) {
        let bytes = Bytes::from(text.to_owned());
        self.send(Frame::Data { stream, last: true, bytes }).await;
    }

    /// The next frame; nothing at the end.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = Frame::take(&mut self.arrived).unwrap() {
                return Some(frame);
            }
            if self.io.read_buf(&mut self.arrived).await.unwrap() == 0 {
                return None;
            }
        }
    }

    /// What comes on the first `count` streams until all have ended.
    pub async fn read(&mut self, count: usize) -> Vec<String> {
        let mut all = vec![Vec::new(); count];
        let mut left = count;
        while left > 0 {
            match self.next().await.expect("streams that are open") {
                Frame::Data { stream, last, bytes } => {
                    all[stream as usize / 2].extend_from_slice(&bytes);
                    left -= usize::from(last);
                }
                Frame::Reply { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        all.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
    }
}
