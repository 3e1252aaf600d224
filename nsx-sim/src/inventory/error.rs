//! What can go wrong with an object, free of HTTP: the data of a refusal, not its wording.

use crate::wire::{Fault, FaultKind};

/// A refusal. One `match` in `http::error` makes status and NSX body of it.
#[allow(
    missing_docs,
    reason = "the members are the object's kind and id, and what each variant says"
)]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No object of that kind has that id.
    #[error("{kind}/{id} not found")]
    NotFound { kind: &'static str, id: String },
    /// A body names an object that does not exist.
    #[error("reference to missing {kind}/{id}")]
    MissingReference { kind: String, id: String },
    /// The id is taken.
    #[error("{kind}/{id} exists")]
    AlreadyExists { kind: &'static str, id: String },
    /// `_revision` is missing or is not the object's current one.
    #[error("{kind}/{id} is at revision {current}")]
    StaleRevision { kind: &'static str, id: String, current: u32, conflict: bool },
    /// Members whose values break a limit or contradict each other.
    #[error("invalid: {0:?}")]
    InvalidFields(Vec<String>),
    /// A member that the type does not have.
    #[error("unknown field {0}")]
    UnknownField(String),
    /// The body is not JSON, or not a JSON object.
    #[error("malformed body: {0}")]
    Malformed(String),
    /// Other objects name this one.
    #[error("{kind}/{id} is used by {by:?}")]
    InUse { kind: &'static str, id: String, by: Vec<String> },
    /// The port still has its attachment.
    #[error("logical port {id} is attached")]
    PortAttached { id: String },
    /// A router's attachment is managed through the router.
    #[error("logical port {id} belongs to a router")]
    RouterAttachment { id: String },
    /// A pool can not give, take back or be changed as it is asked to; `what` is the address or
    /// number in question.
    #[error("pool {pool}: {fault:?} {what}")]
    Pool { pool: String, fault: PoolFault, what: String },
    /// A bridge's port still stands on the bridge endpoint.
    #[error("bridge endpoint {id} is attached to {port}")]
    BridgeAttached { id: String, port: String },
    /// A router has no NAT rule of that number.
    #[error("logical router {router} has no NAT rule {id}")]
    NoSuchNatRule { id: String, router: String },
    /// The object belongs to a principal and the caller did not ask to overwrite it.
    #[error("{kind} belongs to {owner}")]
    Protected { kind: &'static str, owner: String, caller: String, role: String },
    /// System objects, default sections and the like do not take this change.
    #[error("{kind}/{id} is not modifiable: {why}")]
    NotModifiable { kind: &'static str, id: String, why: &'static str },
    /// What is asked for needs another state than there is; the text says which.
    #[error("{0}")]
    NotNow(String),
    /// Somebody else holds the section's lock.
    #[error("section {id} is locked by {by}")]
    Locked { id: String, by: String },
    /// Part of the product's API that this simulator does not model.
    #[error("{0} is not modelled")]
    Unsupported(String),
}

/// Why a pool refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolFault {
    /// All that it has is taken.
    Exhausted,
    /// What is asked for is taken.
    Allocated,
    /// What is given back was not taken, or what is asked for is not in the pool.
    NotAllocated,
    /// A range goes from which something is taken.
    RangeDeleted,
    /// A range ends before something that is taken.
    RangeShrunk,
    /// A range begins elsewhere and leaves out something that is taken.
    RangeChanged,
    /// The block no longer holds a subnet that is carved out of it.
    BlockTooSmall,
}

impl Error {
    /// One member that is not as it should be: `field problem`.
    pub fn field(name: impl AsRef<str>, problem: impl AsRef<str>) -> Self {
        Self::InvalidFields(vec![format!("{} {}", name.as_ref(), problem.as_ref())])
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Unknown => Self::UnknownField(fault.path),
            FaultKind::Missing | FaultKind::Invalid(_) => {
                Self::InvalidFields(vec![fault.to_string()])
            }
        }
    }
}
