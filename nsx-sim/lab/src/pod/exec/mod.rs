//! A command in a container: what `kubectl exec` asks for.

mod session;
mod streams;
#[cfg(test)]
mod tests;
mod websocket;

use std::sync::Arc;

pub(super) use session::{INTERRUPTED, PATH, Session};
pub use streams::{Chunk, Stream, Streams, TerminalSize};
pub use websocket::serve;

use super::Runtime;
use crate::api::ExecRequest;

/// Runs a command to its end and gives its exit code.
pub async fn run(request: ExecRequest, streams: Streams, runtime: Arc<Runtime>) -> u8 {
    session::run(request, streams, runtime).await
}
