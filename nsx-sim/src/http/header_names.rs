//! Headers' names as the product writes them: `X-XSRF-TOKEN` and not `X-Xsrf-Token`.
//!
//! To HTTP a name is one in any case, yet the product's own examples search a file of headers for
//! `X-XSRF-TOKEN` letter by letter [doc CreateAuthenticatedSession]. The HTTP library writes names as a
//! table beside the answer has them, and makes such a table only of a message that it reads. So it
//! reads one, once, that comes from nowhere.

use axum::body::Body;
use axum::http::{Extensions, Response};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::service_fn;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

/// The names that are not words with a capital each [miq].
const MESSAGE: &[u8] = b"GET / HTTP/1.1\r\nConnection: close\r\nX-NSX-REQUESTID: 1\r\n\
    X-XSRF-TOKEN: 1\r\nX-XSS-Protection: 1\r\n\r\n";

/// What stands beside an answer whose headers are to be named so.
pub async fn as_written() -> Extensions {
    let names = OnceLock::new();
    let keep = service_fn(|request: hyper::Request<Incoming>| {
        names.get_or_init(|| request.extensions().clone());
        std::future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    let mut reader = hyper::server::conn::http1::Builder::new();
    let reader = reader.preserve_header_case(true).half_close(true);
    let read = reader.serve_connection(Nowhere(MESSAGE), keep).await;
    if let Err(error) = read {
        tracing::warn!(%error, "names of headers are written with a capital for each word");
    }
    names.into_inner().unwrap_or_default()
}

/// A connection that gives some bytes and takes any.
struct Nowhere(&'static [u8]);

impl Read for Nowhere {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, later) = self.0.split_at(self.0.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.0 = later;
        Poll::Ready(Ok(()))
    }
}

impl Write for Nowhere {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
