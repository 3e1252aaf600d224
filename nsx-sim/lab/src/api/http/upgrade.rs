//! A call becomes a conversation: over a WebSocket, or over SPDY as kubectl before 1.31 asks for it.

use crate::api::Socket;
use crate::api::error::Error;
use crate::spdy::{self, Session};
use axum::body::Body;
use axum::extract::FromRequestParts as _;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::BytesMut;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Where clients of SPDY say what shall be spoken over it, and servers which of it.
const VERSION: HeaderName = HeaderName::from_static("x-stream-protocol-version");
/// Room for what is on its way through a tunnel.
const TUNNEL: usize = 64 * 1024;

/// What may be spoken, the best first.
pub struct Protocols {
    /// As subprotocols of a WebSocket.
    pub websocket: &'static [&'static str],
    /// Over SPDY.
    pub spdy: &'static [&'static str],
}

/// Answers that the protocol changes, and hands the connection to `serve`.
pub async fn upgrade<F: Future<Output = ()> + Send + 'static>(
    parts: &mut Parts,
    protocols: &Protocols,
    serve: impl FnOnce(Socket) -> F + Send + 'static,
) -> Result<Response, Error> {
    let asked = parts.headers.get(header::UPGRADE).and_then(|v| v.to_str().ok());
    if asked.is_some_and(|name| name.eq_ignore_ascii_case(spdy::NAME)) {
        return over_spdy(parts, protocols.spdy, serve);
    }
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(parts, &()).await else {
        return Err(Error::bad_request("Upgrade request required"));
    };
    let upgrade = upgrade.protocols(protocols.websocket.iter().copied());
    if upgrade.selected_protocol().is_none() {
        return Err(unknown("", protocols.websocket));
    }
    Ok(upgrade.on_upgrade(move |socket| serve(Socket::WebSocket(socket))))
}

fn over_spdy<F: Future<Output = ()> + Send + 'static>(
    parts: &mut Parts,
    spoken: &'static [&'static str],
    serve: impl FnOnce(Socket) -> F + Send + 'static,
) -> Result<Response, Error> {
    let offered = offered(&parts.headers);
    let Some(chosen) = spoken.iter().find(|own| offered.contains(own)) else {
        return Err(unknown(&offered.join(" "), spoken));
    };
    let Some(ready) = parts.extensions.remove::<OnUpgrade>() else {
        return Err(Error::bad_request("unable to upgrade: this connection cannot change"));
    };
    tokio::spawn(async move {
        match ready.await {
            Ok(connection) => {
                serve(Socket::Spdy(Session::new(TokioIo::new(connection)))).await;
            }
            Err(error) => tracing::debug!(%error, "no upgrade to SPDY"),
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in
        [(header::CONNECTION, "Upgrade"), (header::UPGRADE, spdy::NAME), (VERSION, chosen)]
    {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn offered(headers: &HeaderMap) -> Vec<&str> {
    let all = headers.get_all(VERSION).iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|v| v.split(',')).map(str::trim).collect()
}

fn unknown(offered: &str, spoken: &[&str]) -> Error {
    let spoken = spoken.join(" ");
    Error::bad_request(format!(
        "unable to upgrade: unable to negotiate protocol: client supports [{offered}], server \
         accepts [{spoken}]"
    ))
}

/// A SPDY connection inside of a WebSocket, as newer clients forward ports.
pub fn tunnelled(socket: WebSocket) -> Session {
    let (near, far) = tokio::io::duplex(TUNNEL);
    tokio::spawn(async move {
        let (mut out, mut inward) = socket.split();
        let (mut reader, mut writer) = tokio::io::split(far);
        let arriving = async {
            while let Some(Ok(message)) = inward.next().await {
                match message {
                    Message::Binary(bytes) if writer.write_all(&bytes).await.is_ok() => {}
                    Message::Binary(_) | Message::Close(_) => break,
                    _ => {}
                }
            }
            // The session is told that there is no more.
            let _ = writer.shutdown().await;
        };
        let leaving = async {
            let mut buffer = BytesMut::with_capacity(TUNNEL);
            while reader.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) {
                if out.send(Message::Binary(buffer.split().freeze())).await.is_err() {
                    return;
                }
            }
            // A client that is gone needs no farewell.
            let _ = out.send(Message::Close(None)).await;
        };
        tokio::join!(arriving, leaving);
    });
    Session::new(near)
}
