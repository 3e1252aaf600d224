//! A call: who calls, what it is about, and the answer.

mod answer;
mod apply;
mod body;
mod collection;
mod discovery;
mod form;
mod openapi_v2;
mod pods;
mod read;
mod reviews;
mod scale;
mod upgrade;
mod watch;
mod write;

use super::error::Error;
use super::path::Target;
use super::query::Query;
use super::{Exec, Options, Store};
use answer::{json_answer, refusal};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use parking_lot::Mutex;
use std::sync::Arc;

/// The largest body that is read.
const LARGEST: usize = 3 * 1024 * 1024;

/// What every call may need.
pub(super) struct App {
    pub store: Store,
    pub exec: Option<Arc<dyn Exec>>,
    token: Option<String>,
    version: String,
    /// Held while a write is admitted that takes something scarce, such as an address.
    pub scarce: Mutex<()>,
}

/// A call, taken apart.
pub(super) struct Call {
    pub method: Method,
    pub target: Target,
    pub query: Query,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl App {
    pub(super) fn new(store: Store, options: &Options) -> Arc<App> {
        let Options { exec, token, version, .. } = options.clone();
        Arc::new(App { store, exec, token, version, scarce: Mutex::new(()) })
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let shown = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        shown.and_then(|v| v.strip_prefix("Bearer ")).is_some_and(|v| v.trim() == token)
    }
}

impl Call {
    /// A header as text; empty when there is none.
    pub fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}

pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .fallback(handle)
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST))
        .with_state(app)
}

async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    match answer(app, request).await {
        Ok(answer) => answer,
        Err(error) => refusal(&error),
    }
}

async fn answer(app: Arc<App>, request: Request) -> Result<Response, Error> {
    let path = request.uri().path().trim_end_matches('/').to_owned();
    match path.as_str() {
        "/readyz" | "/healthz" | "/livez" => return Ok(answer::text_answer("ok")),
        "/version" => return Ok(json_answer(200, &answer::version(&app.version))),
        _ => {}
    }
    if !app.admits(request.headers()) {
        return Err(Error::unauthorized());
    }
    let accept = request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok());
    if request.method() == Method::GET {
        let accept = accept.unwrap_or_default();
        if let Some((media, body)) = discovery::answer(&path, accept, &app.version) {
            return Ok(answer::typed_answer(media, &body));
        }
        if let Some(document) = openapi_v2::answer(&path, accept, &app.version) {
            return Ok(document);
        }
    }
    let target = Target::parse(&path);
    let (mut parts, body) = request.into_parts();
    let query = Query::parse(parts.uri.query());
    let (method, headers) = (parts.method.clone(), parts.headers.clone());
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &())
        .await
        .map_err(|_| Error::too_large())?;
    if let Some(review) = reviews::at(&path).filter(|_| method == Method::POST) {
        return reviews::answer(review, &headers, &body);
    }
    let target = target.ok_or_else(|| Error::no_path(&path))?;
    let call = Call { method, target, query, headers, body };
    match call.target.subresource.as_deref() {
        Some("attach") => pods::attach(&app, &call, &mut parts).await,
        Some("exec") => pods::exec(&app, &call, &mut parts).await,
        Some("portforward") => pods::forward(&app, &call, &mut parts).await,
        _ => collection::answer(&app, &call),
    }
}
