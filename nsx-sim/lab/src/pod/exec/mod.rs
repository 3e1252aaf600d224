//! A command in a container: what `kubectl exec` and `kubectl attach` ask for.

mod carrier;
mod session;
mod spdy;
mod streams;
#[cfg(test)]
mod tests;
mod websocket;

use std::sync::Arc;

pub(super) use session::{INTERRUPTED, PATH, Session};
pub use streams::{Chunk, Stream, Streams, TerminalSize};

use self::carrier::carry;
use self::spdy::Spdy;
use super::Runtime;
use crate::api::{ExecRequest, Socket};

/// Runs a command to its end and gives its exit code.
pub async fn run(request: ExecRequest, streams: Streams, runtime: Arc<Runtime>) -> u8 {
    session::run(request, streams, runtime).await
}

/// Runs the command that `request` asks for, its streams being those of `socket`. Gives its exit code;
/// nothing if the client went first, and the command with it.
pub async fn serve(socket: Socket, request: ExecRequest, runtime: Arc<Runtime>) -> Option<u8> {
    let (streams, client) = Streams::pair();
    let running = run(request.clone(), streams, runtime);
    match socket {
        Socket::WebSocket(socket) => carry(socket, &request, client, running).await,
        Socket::Spdy(session) => {
            let spdy = Spdy::open(session, &request).await.ok()?;
            carry(spdy, &request, client, running).await
        }
    }
}
