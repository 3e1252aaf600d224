//! The PKS API: the clusters that there are, and how to get at them.

use super::server::Cluster;
use super::uaa::Uaa;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;

/// The release that the guide's cluster runs.
const PKS_VERSION: &str = "1.7.0-build.26";

/// What the API knows.
struct Shared {
    uaa: Arc<Uaa>,
    clusters: Vec<Cluster>,
}

/// The routes.
pub(super) fn router(uaa: Arc<Uaa>, clusters: Vec<Cluster>) -> Router {
    let shared = Arc::new(Shared { uaa, clusters });
    let guarded = Router::new()
        .route("/v1/clusters", get(list))
        .route("/v1/clusters/{name}", get(one))
        .route("/v1/clusters/{name}/binds", post(bind))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), admit));
    Router::new()
        .route("/actuator/health", get(|| async { Json(json!({"status": "UP"})) }))
        .route("/actuator/info", get(|| async { Json(json!({"build": {"version": PKS_VERSION}})) }))
        .merge(guarded)
        .with_state(shared)
}

async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if shared.uaa.admits(request.headers()) {
        return next.run(request).await;
    }
    let told = json!({"error": "invalid_token", "error_description": "Invalid access token"});
    (StatusCode::UNAUTHORIZED, Json(told)).into_response()
}

async fn list(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.clusters.iter().map(entry).collect())
}

async fn one(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    shared.answer(&name, |cluster| (StatusCode::OK, entry(cluster)))
}

/// A kubeconfig of its own for who may administer the cluster.
async fn bind(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    shared.answer(&name, |cluster| (StatusCode::CREATED, kubeconfig(cluster)))
}

impl Shared {
    fn answer(&self, name: &str, tell: impl Fn(&Cluster) -> (StatusCode, Value)) -> Response {
        let (status, told) = self.clusters.iter().find(|own| own.name == name).map_or_else(
            || (StatusCode::NOT_FOUND, json!({"body": format!("Cluster {name} not found.")})),
            tell,
        );
        (status, Json(told)).into_response()
    }
}

fn entry(cluster: &Cluster) -> Value {
    json!({
        "name": cluster.name,
        "uuid": cluster.uuid,
        "plan_name": "small",
        "pks_version": PKS_VERSION,
        "k8s_version": cluster.kubernetes,
        "last_action": "CREATE",
        "last_action_state": "succeeded",
        "last_action_description": "Instance provisioning completed",
        "kubernetes_master_ips": [cluster.master_host],
        "parameters": {
            "kubernetes_master_host": cluster.master_host,
            "kubernetes_master_port": cluster.master_port,
            "kubernetes_worker_instances": cluster.workers,
        },
    })
}

fn kubeconfig(cluster: &Cluster) -> Value {
    let user = &cluster.uuid;
    json!({
        "apiVersion": "v1", "kind": "Config", "preferences": {},
        "current-context": cluster.name,
        "clusters": [{"name": cluster.name, "cluster": {
            "server": format!("https://{}:{}", cluster.master_host, cluster.master_port),
            "certificate-authority-data": cluster.certificate_data()}}],
        "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": user}}],
        "users": [{"name": user, "user": {"token": cluster.token}}],
    })
}
