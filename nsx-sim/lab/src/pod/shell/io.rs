//! Where a command's input comes from and its output goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::pod::exec::{Chunk, Stream};

/// Why nothing more is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pod) enum Closed {
    /// The reader has gone: a process would get SIGPIPE.
    Gone,
    /// The file has no room.
    Full,
}

/// There is more input than a command can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pod) struct TooMuch;

/// How much of its input a command holds that needs all of it.
pub(in crate::pod) const MOST_HELD: usize = 16 << 20;

/// How much a file may hold.
const FILE_LIMIT: usize = 1 << 20;
/// How many files there may be.
const FILES_LIMIT: usize = 64;

/// The files that a session has written; they go with it.
#[derive(Clone, Debug, Default)]
pub(in crate::pod) struct Files(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Files {
    /// What a file holds.
    pub(in crate::pod) fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.0.lock().get(path).cloned()
    }

    /// The paths of all files.
    pub(in crate::pod) fn paths(&self) -> Vec<String> {
        self.0.lock().keys().cloned().collect()
    }

    /// Makes a file empty, be it new or not. Whether there was room for it.
    pub(in crate::pod) fn create(&self, path: &str) -> bool {
        let mut files = self.0.lock();
        let room = files.len() < FILES_LIMIT || files.contains_key(path);
        if room {
            files.insert(path.to_owned(), Vec::new());
        }
        room
    }

    /// Removes a file. Whether there was one.
    pub(in crate::pod) fn remove(&self, path: &str) -> bool {
        self.0.lock().remove(path).is_some()
    }

    /// Writes at a file's end, as far as there is room. Whether there was room for all.
    pub(in crate::pod) fn append(&self, path: &str, bytes: &[u8]) -> bool {
        let mut files = self.0.lock();
        if files.len() >= FILES_LIMIT && !files.contains_key(path) {
            return false;
        }
        let file = files.entry(path.to_owned()).or_default();
        let room = FILE_LIMIT.saturating_sub(file.len()).min(bytes.len());
        file.extend_from_slice(&bytes[..room]);
        room == bytes.len()
    }
}

/// What shows an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pod) enum Screen {
    /// A file or pipe of the client's.
    None,
    /// A terminal that makes lines of new lines by itself.
    Cooked,
    /// A terminal that needs a return for each new line.
    Raw,
}

/// An output of a command.
#[derive(Clone)]
pub(in crate::pod) enum Output {
    /// The client.
    Client {
        /// Where its pieces go.
        sender: mpsc::Sender<Chunk>,
        /// Which stream they are of.
        stream: Stream,
        /// What shows it.
        screen: Screen,
    },
    /// The next command of a pipeline.
    Pipe(mpsc::Sender<Vec<u8>>),
    /// A file.
    File(Files, String),
    /// Nowhere.
    Null,
}

impl Output {
    /// Writes; waits while the reader has no room.
    pub(in crate::pod) async fn write(&self, bytes: impl AsRef<[u8]>) -> Result<(), Closed> {
        let bytes = bytes.as_ref();
        if bytes.is_empty() {
            return Ok(());
        }
        match self {
            Self::Client { sender, stream, screen } => {
                let raw = *screen == Screen::Raw;
                let bytes = if raw { returned(bytes) } else { bytes.to_vec() };
                let chunk = Chunk { stream: *stream, bytes };
                sender.send(chunk).await.map_err(|_| Closed::Gone)
            }
            Self::Pipe(sender) => sender.send(bytes.to_vec()).await.map_err(|_| Closed::Gone),
            Self::File(files, path) => files.append(path, bytes).then_some(()).ok_or(Closed::Full),
            Self::Null => Ok(()),
        }
    }

    /// Writes a line.
    pub(in crate::pod) async fn line(&self, text: impl AsRef<str>) -> Result<(), Closed> {
        self.write(format!("{}\n", text.as_ref())).await
    }

    /// Whether it is a terminal.
    pub(in crate::pod) fn is_terminal(&self) -> bool {
        matches!(self, Self::Client { screen: Screen::Raw | Screen::Cooked, .. })
    }
}

/// What a terminal gets for new lines: a return before each.
fn returned(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(bytes.len() + 8);
    for &byte in bytes {
        if byte == b'\n' {
            all.push(b'\r');
        }
        all.push(byte);
    }
    all
}

/// The input of a command; commands that share it take turns.
#[derive(Clone)]
pub(in crate::pod) struct Input(Arc<tokio::sync::Mutex<Source>>);

struct Source {
    pieces: mpsc::Receiver<Vec<u8>>,
    /// What came and was not read; a line is taken off without moving the others.
    rest: BytesMut,
}

impl Input {
    /// Input that comes in pieces, to its end.
    pub(in crate::pod) fn new(pieces: mpsc::Receiver<Vec<u8>>) -> Self {
        Self(Arc::new(tokio::sync::Mutex::new(Source { pieces, rest: BytesMut::new() })))
    }

    /// Input that is there as a whole.
    pub(in crate::pod) fn of(bytes: Vec<u8>) -> Self {
        let (_, pieces) = mpsc::channel(1);
        Self(Arc::new(tokio::sync::Mutex::new(Source { pieces, rest: Bytes::from(bytes).into() })))
    }

    /// What comes next; nothing at the end. An empty piece ends the input of one reader, as ^D does.
    pub(in crate::pod) async fn read(&self) -> Option<Vec<u8>> {
        let mut source = self.0.lock().await;
        if !source.rest.is_empty() {
            return Some(source.rest.split().into());
        }
        source.pieces.recv().await.filter(|piece| !piece.is_empty())
    }

    /// The next line with its end; the last may have none.
    pub(in crate::pod) async fn line(&self) -> Option<String> {
        /// A line longer than this is cut.
        const LONGEST: usize = 1 << 17;
        let mut source = self.0.lock().await;
        loop {
            let end = source.rest.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
            if let Some(end) = end.or((source.rest.len() > LONGEST).then_some(LONGEST)) {
                let line = source.rest.split_to(end);
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            match source.pieces.recv().await.filter(|piece| !piece.is_empty()) {
                Some(piece) => source.rest.extend_from_slice(&piece),
                None if source.rest.is_empty() => return None,
                None => {
                    let line = source.rest.split();
                    return Some(String::from_utf8_lossy(&line).into_owned());
                }
            }
        }
    }

    /// All of it, if that is not too much to hold.
    pub(in crate::pod) async fn all(&self) -> Result<Vec<u8>, TooMuch> {
        let mut all = Vec::new();
        while let Some(piece) = self.read().await {
            if all.len() + piece.len() > MOST_HELD {
                return Err(TooMuch);
            }
            all.extend(piece);
        }
        Ok(all)
    }

    /// Takes all of it and keeps nothing.
    pub(in crate::pod) async fn drain(&self) {
        while self.read().await.is_some() {}
    }
}
