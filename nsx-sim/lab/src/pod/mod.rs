//! What runs in a pod: a shell with its tools, and the network that they see.
//!
//! Nothing here is a process. A command is a function that reads its cluster through [`Host`] and
//! sends its packets through [`Wire`]; so what `kubectl exec … -- curl` prints follows from objects
//! and verdicts alone, and tests put doubles in place of both.

pub mod exec;
mod forward;
pub mod host;
mod image;
mod manager;
mod network;
pub mod outside;
mod probe;
mod runtime;
mod shell;
mod store_host;
#[cfg(test)]
mod testing;
mod tools;
pub mod wire;

pub use host::Host;
pub use manager::ManagerWire;
pub use runtime::{Containers, Dns, Runtime};
pub use store_host::StoreHost;
pub use wire::Wire;

use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{OwnedPermit, Sender};

/// Room for a piece that waits for its receiver; where none waits, this never ends.
async fn room<T>(receiver: Option<Sender<T>>) -> Result<OwnedPermit<T>, SendError<()>> {
    match receiver {
        Some(receiver) => receiver.reserve_owned().await,
        None => std::future::pending().await,
    }
}
