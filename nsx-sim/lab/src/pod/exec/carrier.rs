//! A command's streams between it and its client, whatever carries them.

use std::pin::pin;
use std::time::Duration;

use serde_json::{Value, json};

use super::streams::{Chunk, ClientStreams, Stream, TerminalSize};
use crate::api::ExecRequest;
use crate::pod::room;

/// How long the client may take to answer the end of the conversation.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

/// The client is gone, and with it whoever wanted to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// Input for the command.
    Input(Vec<u8>),
    /// There is no more input.
    End,
    /// Its terminal has another size.
    Size(TerminalSize),
    /// Nothing that concerns the command.
    Other,
}

/// Carries a command's streams.
pub(super) trait Carrier: Send {
    /// Sends output.
    fn send(&mut self, chunk: Chunk) -> impl Future<Output = Result<(), Gone>> + Send;
    /// What the client sends next. Nothing is lost where the future is dropped.
    fn receive(&mut self) -> impl Future<Output = Result<Message, Gone>> + Send;
    /// Tells the client how the command ended, and ends the conversation.
    fn farewell(self, status: Value) -> impl Future<Output = ()> + Send;
}

/// Carries the streams of `running` until it has ended and the client knows it. Gives its exit code, or
/// nothing if the client went first: then the command is stopped where it is.
pub(super) async fn carry(
    mut carrier: impl Carrier,
    request: &ExecRequest,
    mut client: ClientStreams,
    running: impl Future<Output = u8> + Send,
) -> Option<u8> {
    if !request.stdin {
        client.stdin = None;
    }
    let wanted = |chunk: &Chunk| match chunk.stream {
        Stream::Stdout => request.stdout,
        Stream::Stderr => request.stderr,
    };
    let mut running = pin!(running);
    // Input that the command has not room for yet: nothing more is read until it has.
    let mut waiting = None;
    let code = loop {
        let stdin = client.stdin.clone().filter(|_| waiting.is_some());
        tokio::select! {
            biased;
            Some(chunk) = client.output.recv() => if wanted(&chunk) {
                carrier.send(chunk).await.ok()?;
            },
            code = &mut running => break code,
            room = room(stdin) => match (room, waiting.take()) {
                (Ok(room), Some(bytes)) => drop(room.send(bytes)),
                _ => client.stdin = None,
            },
            message = carrier.receive(), if waiting.is_none() => match message.ok()? {
                Message::Input(bytes) => waiting = client.stdin.is_some().then_some(bytes),
                Message::End => client.stdin = None,
                Message::Size(size) => drop(client.size.send_replace(Some(size))),
                Message::Other => {}
            },
        }
    };
    while let Ok(chunk) = client.output.try_recv() {
        if wanted(&chunk) {
            carrier.send(chunk).await.ok()?;
        }
    }
    // A kubelet tells nobody how a process ended that is the container's own: the pod's status does.
    let told = if request.command.is_empty() { 0 } else { code };
    carrier.farewell(status(told)).await;
    Some(code)
}

/// The `Status` that says how a command ended: its exit code as the cause of a failure.
fn status(code: u8) -> Value {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {},
        "status": "Failure",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_success_or_the_exit_code() {
        assert_eq!(status(0), json!({"metadata": {}, "status": "Success"}));
        let failure = status(7);
        assert_eq!(failure["reason"], "NonZeroExitCode");
        assert_eq!(failure["details"]["causes"][0], json!({"reason": "ExitCode", "message": "7"}));
    }
}
