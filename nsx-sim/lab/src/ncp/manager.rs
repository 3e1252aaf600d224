//! The manager's API for tasks: the blocking client on threads of its own, few at once.

use nsx_client::Client;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Why something was not done; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manager did not do it.
    #[error(transparent)]
    Manager(#[from] nsx_client::Error),
    /// The cluster's API did not do it.
    #[error("the cluster's API: {0}")]
    Cluster(Box<kube::Error>),
    /// Something that is needed is not there, in words.
    #[error("{0}")]
    Missing(String),
    /// The process ends.
    #[error("stopped")]
    Stopped,
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        Self::Cluster(Box::new(error))
    }
}

impl Error {
    /// Whether the manager refused with that status.
    pub fn is(&self, status: u16) -> bool {
        matches!(self, Self::Manager(error) if error.status() == Some(status))
    }

    /// Whether the manager understood and said no.
    pub fn is_refusal(&self) -> bool {
        self.is(400) || self.is(409) || self.is(412)
    }

    /// Whether what was asked about is not there, at the manager or in the cluster.
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Cluster(error) => {
                matches!(&**error, kube::Error::Api(status) if status.code == 404)
            }
            _ => self.is(404),
        }
    }
}

/// What is done, or why not.
pub type Result<T> = std::result::Result<T, Error>;

/// The manager.
#[derive(Clone)]
pub struct Manager {
    client: Client,
    permits: Arc<Semaphore>,
}

impl Manager {
    /// The manager of a client, with as many calls at once.
    pub fn new(client: Client, calls: usize) -> Self {
        Self { client, permits: Arc::new(Semaphore::new(calls)) }
    }

    /// Returns once no call is on its way, of however many there can be.
    pub async fn is_quiet(&self, calls: usize) {
        let all = u32::try_from(calls).unwrap_or(u32::MAX);
        // Nobody closes it.
        let _ = self.permits.acquire_many(all).await;
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Client) -> std::result::Result<T, nsx_client::Error> + Send + 'static,
    ) -> Result<T> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| Error::Stopped)?;
        let client = self.client.clone();
        let task = tokio::task::spawn_blocking(move || {
            let done = work(&client);
            drop(permit);
            done
        });
        Ok(task.await.map_err(|_| Error::Stopped)??)
    }

    /// Reads an object.
    pub async fn get(&self, path: String) -> Result<Value> {
        self.call(move |client| client.get(&path)).await
    }

    /// Reads an object that may not be there.
    pub async fn find(&self, path: String) -> Result<Option<Value>> {
        match self.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a whole collection.
    pub async fn list(&self, path: String) -> Result<Vec<Value>> {
        self.call(move |client| client.list_all(&path)).await
    }

    /// Makes an object, or does something.
    pub async fn post(&self, path: String, body: Value) -> Result<Value> {
        self.call(move |client| client.post(&path, &body)).await
    }

    /// Changes an object.
    pub async fn put(&self, path: String, body: Value) -> Result<Value> {
        self.call(move |client| client.put(&path, &body)).await
    }

    /// Deletes an object; that it is gone already is as good.
    pub async fn delete(&self, path: String) -> Result<()> {
        match self.call(move |client| client.delete(&path)).await {
            Err(error) if error.is(404) => Ok(()),
            done => done,
        }
    }
}

/// The id of an object that the manager printed.
pub fn id_of(object: &Value) -> String {
    text_of(object, "id")
}

/// A member of an object that the manager printed; empty where it is no text.
pub fn text_of(object: &Value, member: &str) -> String {
    object[member].as_str().unwrap_or_default().to_owned()
}
