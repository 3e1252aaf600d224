//! What the walk sees and does: two public APIs, and the learner's own files.

use serde_json::Value;

/// What kubectl and pks keep on this machine.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// The host that pks is logged in to.
    pub logged_in: Option<String>,
    /// The contexts of kubectl.
    pub contexts: Vec<String>,
    /// The current one.
    pub current: Option<String>,
}

/// What a command in a container left.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Its exit code.
    pub code: i32,
}

/// A method of Kubernetes' API with what goes with it.
#[derive(Clone, Debug)]
pub enum Verb {
    /// Read.
    Get,
    /// Make.
    Post(Value),
    /// Change by a merge patch.
    Merge(Value),
}

/// The two APIs and the desk. A call blocks until it is answered.
pub trait Apis {
    /// What the learner's commands keep.
    fn desk(&self) -> anyhow::Result<Desk>;
    /// Does what `pks login` and `pks get-kubeconfig` do.
    fn pks(&self, words: &[&str]) -> anyhow::Result<()>;
    /// Does what `kubectl config use-context` does.
    fn use_context(&self, name: &str) -> anyhow::Result<()>;
    /// A call to Kubernetes' API; nothing where there is no such object.
    fn kube(&self, verb: Verb, path: &str) -> anyhow::Result<Option<Value>>;
    /// Runs a command in a container.
    fn exec(&self, namespace: &str, pod: &str, command: &[&str]) -> anyhow::Result<Output>;
    /// Fetches a page from outside the cluster.
    fn outside(&self, url: &str) -> anyhow::Result<Output>;
    /// All of a list of the manager's.
    fn nsx_list(&self, path: &str) -> anyhow::Result<Vec<Value>>;
    /// One object of the manager's.
    fn nsx_get(&self, path: &str) -> anyhow::Result<Value>;
    /// Makes an object of the manager's.
    fn nsx_post(&self, path: &str, body: &Value) -> anyhow::Result<Value>;
}
