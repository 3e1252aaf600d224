//! Input and output of a command, whatever carries them.

use tokio::sync::{mpsc, watch};

/// How many pieces of input or output wait for the other side.
const WAITING: usize = 64;

/// An output of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// What it tells.
    Stdout,
    /// What it complains of.
    Stderr,
}

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Which output it belongs to.
    pub stream: Stream,
    /// What was written.
    pub bytes: Vec<u8>,
}

/// Columns and rows of the client's terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TerminalSize {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// The command's ends of its streams.
pub struct Streams {
    /// Input; closed at its end.
    pub stdin: mpsc::Receiver<Vec<u8>>,
    /// Both outputs, in the order of writing.
    pub output: mpsc::Sender<Chunk>,
    /// The terminal's size, as the client last told it.
    pub size: watch::Receiver<Option<TerminalSize>>,
}

/// The client's ends of a command's streams.
pub struct ClientStreams {
    /// Input; dropped at its end.
    pub stdin: Option<mpsc::Sender<Vec<u8>>>,
    /// Both outputs; closed once the command and all that it started are gone.
    pub output: mpsc::Receiver<Chunk>,
    /// The terminal's size.
    pub size: watch::Sender<Option<TerminalSize>>,
}

impl Streams {
    /// Both ends of new streams.
    pub fn pair() -> (Self, ClientStreams) {
        let (stdin_writer, stdin) = mpsc::channel(WAITING);
        let (output, output_reader) = mpsc::channel(WAITING);
        let (size_writer, size) = watch::channel(None);
        let client =
            ClientStreams { stdin: Some(stdin_writer), output: output_reader, size: size_writer };
        (Self { stdin, output, size }, client)
    }
}
