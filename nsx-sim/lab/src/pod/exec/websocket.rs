//! A command's streams in one WebSocket: Kubernetes' subprotocols `v4.channel.k8s.io` and
//! `v5.channel.k8s.io`.
//!
//! Each message begins with the number of its channel. Version 5 adds that a client may close a
//! channel, which it must to end the input [KEP-4006].

use std::{pin::pin, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    Chunk, ExecRequest, Runtime, Stream, Streams, TerminalSize, run, streams::ClientStreams,
};

/// Channels of the subprotocols.
mod channel {
    /// Input.
    pub(super) const STDIN: u8 = 0;
    /// Output.
    pub(super) const STDOUT: u8 = 1;
    /// Errors.
    pub(super) const STDERR: u8 = 2;
    /// How the command ended, as a `Status`.
    pub(super) const STATUS: u8 = 3;
    /// The terminal's size.
    pub(super) const RESIZE: u8 = 4;
    /// In version 5: the channel that follows is closed.
    pub(super) const CLOSE: u8 = 255;
}

/// How long the client may take to answer the end of the conversation.
const FAREWELL: Duration = Duration::from_secs(5);

/// Runs the command that `request` asks for, its streams being the channels of `socket`.
///
/// Returns when the command has ended and the client knows it, or the client has gone: then the
/// command is stopped where it is.
pub async fn serve(mut socket: WebSocket, request: ExecRequest, runtime: Arc<Runtime>) {
    let (streams, mut client) = Streams::pair();
    if !request.stdin {
        client.stdin = None;
    }
    let (stdout, stderr) = (request.stdout, request.stderr);
    let wanted = move |stream| if stream == Stream::Stdout { stdout } else { stderr };
    let mut running = pin!(run(request, streams, runtime));
    // Input that the command has not room for yet: nothing more is read until it has.
    let mut waiting = None;
    let code = loop {
        let stdin = client.stdin.clone().filter(|_| waiting.is_some());
        let room = async {
            match stdin {
                Some(stdin) => stdin.reserve_owned().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(chunk) = client.output.recv() => {
                if wanted(chunk.stream) && socket.send(frame(&chunk)).await.is_err() {
                    return;
                }
            }
            code = &mut running => break code,
            room = room => match (room, waiting.take()) {
                (Ok(room), Some(bytes)) => drop(room.send(bytes)),
                _ => client.stdin = None,
            },
            message = socket.recv(), if waiting.is_none() => match message {
                Some(Ok(Message::Binary(bytes))) => waiting = take(&bytes, &mut client),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                // Pings are answered below us, and text is no part of the subprotocols.
                Some(Ok(_)) => {}
            },
        }
    };
    while let Ok(chunk) = client.output.try_recv() {
        if wanted(chunk.stream) && socket.send(frame(&chunk)).await.is_err() {
            return;
        }
    }
    farewell(socket, code).await;
}

/// Takes one message in; gives back input that is on its way to the command.
fn take(message: &[u8], client: &mut ClientStreams) -> Option<Vec<u8>> {
    match message.split_first()? {
        (&channel::STDIN, bytes) if !bytes.is_empty() => {
            client.stdin.is_some().then(|| bytes.to_vec())
        }
        (&channel::RESIZE, bytes) => {
            // What is no size changes none.
            if let Ok(size) = serde_json::from_slice::<TerminalSize>(bytes) {
                client.size.send_replace(Some(size));
            }
            None
        }
        (&channel::CLOSE, [channel::STDIN]) => {
            client.stdin = None;
            None
        }
        _ => None,
    }
}

fn frame(chunk: &Chunk) -> Message {
    let channel = match chunk.stream {
        Stream::Stdout => channel::STDOUT,
        Stream::Stderr => channel::STDERR,
    };
    tagged(channel, &chunk.bytes)
}

fn tagged(channel: u8, bytes: &[u8]) -> Message {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(channel);
    message.extend_from_slice(bytes);
    Message::Binary(message.into())
}

/// Tells the client how the command ended, and ends the conversation.
async fn farewell(mut socket: WebSocket, code: u8) {
    let status = tagged(channel::STATUS, status(code).to_string().as_bytes());
    let normal = CloseFrame { code: close_code::NORMAL, reason: "".into() };
    if socket.send(status).await.is_ok() && socket.send(Message::Close(Some(normal))).await.is_ok()
    {
        let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
        // A client that does not answer is left alone.
        let _ = timeout(FAREWELL, answered).await;
    }
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

    #[test]
    fn messages_are_told_apart_by_their_first_byte() {
        let (streams, mut client) = Streams::pair();
        assert_eq!(take(b"\x00ls\n", &mut client), Some(b"ls\n".to_vec()));
        assert_eq!(take(b"\x04{\"Width\":80,\"Height\":24}\n", &mut client), None);
        assert_eq!(*streams.size.borrow(), Some(TerminalSize { width: 80, height: 24 }));
        for nonsense in [&b""[..], b"\x04{", b"\x09x", b"\xff", b"\xff\x01"] {
            assert_eq!(take(nonsense, &mut client), None);
        }
        assert!(client.stdin.is_some());
        take(b"\xff\x00", &mut client);
        assert!(client.stdin.is_none(), "the end of the input");
        assert_eq!(take(b"\x00more", &mut client), None);
    }
}
