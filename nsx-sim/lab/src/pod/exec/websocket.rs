//! A command's streams in one WebSocket: Kubernetes' subprotocols `v4.channel.k8s.io` and
//! `v5.channel.k8s.io`.
//!
//! Each message begins with the number of its channel. Version 5 adds that a client may close a
//! channel, which it must to end the input [KEP-4006].

use axum::extract::ws::{self, CloseFrame, WebSocket, close_code};
use serde_json::Value;
use tokio::time::timeout;

use super::carrier::{Carrier, FAREWELL, Gone, Message};
use super::{Chunk, Stream};

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

impl Carrier for WebSocket {
    async fn send(&mut self, chunk: Chunk) -> Result<(), Gone> {
        let channel = match chunk.stream {
            Stream::Stdout => channel::STDOUT,
            Stream::Stderr => channel::STDERR,
        };
        WebSocket::send(self, tagged(channel, &chunk.bytes)).await.map_err(|_| Gone)
    }

    async fn receive(&mut self) -> Result<Message, Gone> {
        match self.recv().await {
            Some(Ok(ws::Message::Binary(bytes))) => Ok(read(&bytes)),
            Some(Ok(ws::Message::Close(_)) | Err(_)) | None => Err(Gone),
            // Pings are answered below us, and text is no part of the subprotocols.
            Some(Ok(_)) => Ok(Message::Other),
        }
    }

    async fn farewell(mut self, status: Value) {
        let status = tagged(channel::STATUS, status.to_string().as_bytes());
        let normal = CloseFrame { code: close_code::NORMAL, reason: "".into() };
        let normal = ws::Message::Close(Some(normal));
        if WebSocket::send(&mut self, status).await.is_ok()
            && WebSocket::send(&mut self, normal).await.is_ok()
        {
            let answered = async { while let Some(Ok(_)) = self.recv().await {} };
            // A client that does not answer is left alone.
            let _ = timeout(FAREWELL, answered).await;
        }
    }
}

/// What one message of the client's says.
fn read(message: &[u8]) -> Message {
    match message.split_first() {
        Some((&channel::STDIN, bytes)) if !bytes.is_empty() => Message::Input(bytes.to_vec()),
        // What is no size changes none.
        Some((&channel::RESIZE, bytes)) => {
            serde_json::from_slice(bytes).map_or(Message::Other, Message::Size)
        }
        Some((&channel::CLOSE, [channel::STDIN])) => Message::End,
        _ => Message::Other,
    }
}

fn tagged(channel: u8, bytes: &[u8]) -> ws::Message {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(channel);
    message.extend_from_slice(bytes);
    ws::Message::Binary(message.into())
}

#[cfg(test)]
mod tests {
    use super::super::TerminalSize;
    use super::*;

    #[test]
    fn messages_are_told_apart_by_their_first_byte() {
        assert_eq!(read(b"\x00ls\n"), Message::Input(b"ls\n".to_vec()));
        let size = TerminalSize { width: 80, height: 24 };
        assert_eq!(read(b"\x04{\"Width\":80,\"Height\":24}\n"), Message::Size(size));
        assert_eq!(read(b"\xff\x00"), Message::End);
        for nonsense in [&b""[..], b"\x00", b"\x04{", b"\x09x", b"\xff", b"\xff\x01"] {
            assert_eq!(read(nonsense), Message::Other);
        }
    }
}
