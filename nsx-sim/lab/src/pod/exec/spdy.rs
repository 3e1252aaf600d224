//! A command's streams in one SPDY connection: Kubernetes' `v4.channel.k8s.io`, which clients before
//! kubectl 1.31 speak.
//!
//! The client opens a stream for each of the command's, and one for how it ended; a header of each says
//! which it is.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tokio::time::timeout;

use super::carrier::{Carrier, FAREWELL, Gone, Message};
use super::{Chunk, Stream};
use crate::api::ExecRequest;
use crate::spdy::{Event, Session};

/// How long the client may take to open its streams, as long as a kubelet gives it.
const PATIENCE: Duration = Duration::from_secs(30);
/// A message about the terminal's size is shorter.
const LONGEST: usize = 1024;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Stdin,
    Stdout,
    Stderr,
    Status,
    Resize,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "stdin" => Self::Stdin,
            "stdout" => Self::Stdout,
            "stderr" => Self::Stderr,
            "error" => Self::Status,
            "resize" => Self::Resize,
            _ => return None,
        })
    }

    /// What the client opens for this command. A terminal has one output.
    fn wanted(request: &ExecRequest) -> Vec<Self> {
        let all = [
            (Self::Status, true),
            (Self::Stdin, request.stdin),
            (Self::Stdout, request.stdout),
            (Self::Stderr, request.stderr && !request.tty),
            (Self::Resize, request.tty),
        ];
        all.into_iter().filter(|(_, wanted)| *wanted).map(|(kind, _)| kind).collect()
    }
}

/// A session whose streams are a command's.
pub(super) struct Spdy {
    session: Session,
    streams: BTreeMap<Kind, u32>,
    /// Sizes of the terminal, as far as they have arrived.
    sizes: BytesMut,
    /// What came before all streams were there.
    early: Vec<Event>,
}

impl Spdy {
    /// Waits until the client has opened the streams of this command.
    ///
    /// # Errors
    /// Where it does not.
    pub(super) async fn open(session: Session, request: &ExecRequest) -> Result<Self, Gone> {
        let mut spdy =
            Self { session, streams: BTreeMap::new(), sizes: BytesMut::new(), early: Vec::new() };
        let wanted = Kind::wanted(request);
        timeout(PATIENCE, spdy.meet(&wanted)).await.map_err(|_| Gone)??;
        spdy.early.reverse();
        Ok(spdy)
    }

    async fn meet(&mut self, wanted: &[Kind]) -> Result<(), Gone> {
        while !wanted.iter().all(|kind| self.streams.contains_key(kind)) {
            let Ok(Some(event)) = self.session.next().await else { return Err(Gone) };
            let Event::Opened { stream, headers } = event else {
                self.early.push(event);
                continue;
            };
            let name = headers.iter().find(|(name, _)| name == "streamtype");
            let kind = name.and_then(|(_, name)| Kind::named(name));
            let told = match kind.filter(|own| wanted.contains(own)) {
                Some(kind) => {
                    self.streams.insert(kind, stream);
                    self.session.accept(stream).await
                }
                None => self.session.reset(stream).await,
            };
            told.map_err(|_| Gone)?;
        }
        Ok(())
    }

    fn is(&self, kind: Kind, stream: u32) -> bool {
        self.streams.get(&kind) == Some(&stream)
    }

    fn read(&mut self, event: Event) -> Message {
        match event {
            Event::Data { stream, bytes } if self.is(Kind::Stdin, stream) => {
                Message::Input(bytes.into())
            }
            Event::Finished { stream } | Event::Reset { stream }
                if self.is(Kind::Stdin, stream) =>
            {
                Message::End
            }
            Event::Data { stream, bytes } if self.is(Kind::Resize, stream) => {
                self.sizes.extend_from_slice(&bytes);
                self.size().unwrap_or(Message::Other)
            }
            _ => Message::Other,
        }
    }

    /// The last size that has arrived whole: lines of JSON, cut wherever it was convenient.
    fn size(&mut self) -> Option<Message> {
        let end = self.sizes.iter().rposition(|byte| *byte == b'\n');
        let Some(end) = end else {
            if self.sizes.len() > LONGEST {
                self.sizes.clear();
            }
            return None;
        };
        let lines = self.sizes.split_to(end + 1);
        let last = lines.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
        serde_json::from_slice(last).ok().map(Message::Size)
    }
}

impl Carrier for Spdy {
    async fn send(&mut self, chunk: Chunk) -> Result<(), Gone> {
        let kind = match chunk.stream {
            Stream::Stdout => Kind::Stdout,
            Stream::Stderr => Kind::Stderr,
        };
        let Some(&stream) = self.streams.get(&kind) else { return Ok(()) };
        self.session.data(stream, chunk.bytes.into(), false).await.map_err(|_| Gone)
    }

    async fn receive(&mut self) -> Result<Message, Gone> {
        let event = match self.early.pop() {
            Some(event) => event,
            None => self.session.next().await.ok().flatten().ok_or(Gone)?,
        };
        Ok(self.read(event))
    }

    async fn farewell(mut self, status: Value) {
        let told = async {
            for (kind, stream) in std::mem::take(&mut self.streams) {
                let last = match kind {
                    Kind::Status => Bytes::from(status.to_string()),
                    _ => Bytes::new(),
                };
                self.session.data(stream, last, true).await?;
            }
            // The client leaves once it has read all of it.
            while self.session.next().await?.is_some() {}
            self.session.close().await
        };
        // A client that does not answer is left alone.
        let _ = timeout(FAREWELL, told).await;
    }
}
