//! `kubectl port-forward`: connections of the client's machine to ports of a pod.
//!
//! For each connection the client opens two streams: one for its bytes, one for what went wrong. They
//! arrive inside of the pod, at its loopback address, and so pass no firewall.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::image::Libc;
use super::network::{ConnectError, Connection, Network, Request};
use super::{Runtime, room};
use crate::spdy::{Event, Header, Session};

/// How many pieces wait for the other side.
const WAITING: usize = 16;
/// How many bytes one connection keeps on their way.
const ROOM: usize = 64 * 1024;

/// Something for the client: a stream, bytes, and whether they are its last.
type Piece = (u32, Bytes, bool);

/// The streams of one connection, as far as they are there.
#[derive(Default)]
struct Pair {
    data: Option<u32>,
    error: Option<u32>,
}

struct Forward {
    network: Network,
    pod: String,
    /// Connections of which a stream is missing, by the number that the client gave them.
    halves: BTreeMap<String, Pair>,
    /// Where bytes of a stream go.
    inputs: BTreeMap<u32, mpsc::Sender<Bytes>>,
    out: mpsc::Sender<Piece>,
    /// Ended with the client.
    connections: JoinSet<()>,
}

/// Serves one client until it goes.
pub(super) async fn serve(mut session: Session, namespace: &str, pod: &str, runtime: Arc<Runtime>) {
    let (out, mut pieces) = mpsc::channel(WAITING);
    let mut forward = Forward {
        network: Network::new(runtime, namespace, pod, Libc::Gnu),
        pod: pod.to_owned(),
        halves: BTreeMap::new(),
        inputs: BTreeMap::new(),
        out,
        connections: JoinSet::new(),
    };
    // Bytes for which a connection has no room yet: nothing more is read until it has.
    let mut waiting: Option<(mpsc::Sender<Bytes>, Bytes)> = None;
    loop {
        let input = waiting.as_ref().map(|(input, _)| input.clone());
        let done = tokio::select! {
            Some((stream, bytes, last)) = pieces.recv() => {
                session.data(stream, bytes, last).await.is_err()
            }
            room = room(input) => {
                if let (Ok(room), Some((_, bytes))) = (room, waiting.take()) {
                    room.send(bytes);
                }
                false
            }
            Some(_) = forward.connections.join_next() => false,
            event = session.next(), if waiting.is_none() => match event {
                Ok(Some(Event::Opened { stream, headers })) => {
                    let told = if forward.open(stream, &headers) {
                        session.accept(stream).await
                    } else {
                        session.reset(stream).await
                    };
                    told.is_err()
                }
                Ok(Some(Event::Data { stream, bytes })) => {
                    waiting = forward.inputs.get(&stream).map(|input| (input.clone(), bytes));
                    false
                }
                Ok(Some(Event::Finished { stream } | Event::Reset { stream })) => {
                    forward.inputs.remove(&stream);
                    false
                }
                Ok(None) | Err(_) => true,
            },
        };
        if done {
            break;
        }
    }
    // Who is gone needs no farewell.
    let _ = session.close().await;
}

impl Forward {
    /// Notes a stream; a connection begins with its second one. Whether the stream is one of a
    /// connection.
    fn open(&mut self, stream: u32, headers: &[Header]) -> bool {
        let of = |name: &str| headers.iter().find(|(own, _)| own == name).map(|(_, v)| v.as_str());
        let (Some(kind), Some(port)) = (of("streamtype"), of("port")) else { return false };
        let Some(port) = port.parse().ok().filter(|port: &u16| *port > 0) else { return false };
        let id = of("requestid").unwrap_or_default().to_owned();
        let pair = self.halves.entry(id.clone()).or_default();
        let half = match kind {
            "data" => &mut pair.data,
            "error" => &mut pair.error,
            _ => return false,
        };
        if half.replace(stream).is_some() {
            return false;
        }
        if let (Some(data), Some(error)) = (pair.data, pair.error) {
            self.halves.remove(&id);
            let (input, bytes) = mpsc::channel(WAITING);
            self.inputs.insert(data, input);
            let (network, out) = (self.network.clone(), self.out.clone());
            let pod = self.pod.clone();
            self.connections.spawn(async move {
                let told = match connection(network, port, bytes, data, &out).await {
                    Ok(()) => Bytes::new(),
                    Err(why) => format!(
                        "error forwarding port {port} to pod {pod}, uid : exit status 1: socat: E \
                         connect(5, AF=2 127.0.0.1:{port}, 16): {}",
                        why.words()
                    )
                    .into(),
                };
                for piece in [(data, Bytes::new(), true), (error, told, true)] {
                    // The client may be gone.
                    let _ = out.send(piece).await;
                }
            });
        }
        true
    }
}

/// Carries one connection to its end.
async fn connection(
    network: Network,
    port: u16,
    mut input: mpsc::Receiver<Bytes>,
    stream: u32,
    out: &mpsc::Sender<Piece>,
) -> Result<(), ConnectError> {
    let connection = network.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let (near, far) = tokio::io::duplex(ROOM);
    let (mut reader, mut writer) = tokio::io::split(near);
    let arriving = async {
        while let Some(bytes) = input.recv().await {
            if writer.write_all(&bytes).await.is_err() {
                break;
            }
        }
        // The other side may have closed already.
        let _ = writer.shutdown().await;
        std::future::pending::<Infallible>().await
    };
    let leaving = async {
        let mut buffer = BytesMut::with_capacity(ROOM);
        while reader.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) {
            if out.send((stream, buffer.split().freeze(), false)).await.is_err() {
                break;
            }
        }
    };
    let served = async {
        tokio::join!(answer(network, connection, far), leaving);
    };
    tokio::select! {
        () = served => Ok(()),
        never = arriving => match never {},
    }
}

/// What listens in the container answers. Where that speaks no HTTP that is known, it hangs up.
async fn answer(network: Network, connection: Connection, stream: DuplexStream) {
    if !connection.answers() {
        return;
    }
    let page = async move |request: axum::extract::Request| {
        let target = request.uri().path_and_query().map_or("/", |own| own.as_str()).to_owned();
        let request = Request { method: request.method().to_string(), target };
        // It has just been seen that it answers.
        network.request(&connection, &request).map(printed).ok_or(StatusCode::BAD_GATEWAY)
    };
    listener::serve_stream(stream, Router::new().fallback(page)).await;
}

fn printed(own: super::network::Response) -> Response {
    let mut response = Response::new(Body::from(own.body));
    *response.status_mut() = StatusCode::from_u16(own.status).unwrap_or_default();
    // Whether the connection stays open is between the two who hold it.
    for (name, value) in own.headers.into_iter().filter(|(name, _)| *name != "Connection") {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
