//! The load balancer: services, the virtual servers that they carry, and all that those name
//! [spec LbService and what it leads to].
//!
//! A service stands on a logical router and names virtual servers; a virtual server names a pool,
//! profiles and rules; a pool names members and monitors. Packets feel services, virtual servers,
//! pools, monitors, source address persistence and those rules that look at addresses and ports
//! only; everything else is kept and checked (docs/fidelity.md).

pub mod action;
pub mod application_profile;
pub mod condition;
pub mod monitor;
pub mod persistence_profile;
pub mod pool;
pub mod pool_members;
pub mod rule;
pub mod service;
pub mod ssl;
pub mod tcp_profile;
pub mod virtual_server;
pub mod with_rules;

use crate::inventory::{Error, Filter, Object, Transaction, Words};
use crate::wire::Int;

/// The most of most numbers here.
const MAX: i64 = 2_147_483_647;

/// A number of connections, seconds or tries: at least one.
type Count = Int<1, MAX>;

/// A number that may be none.
type CountOrNone = Int<0, MAX>;

/// The `type` filter of a collection with several concrete types.
const fn by_type(words: &'static [&'static str]) -> Filter {
    let passes = |_: &_, object: &Object, word: &str| object.resource_type() == word;
    Filter { name: "type", words: Some(Words::Of(words)), passes }
}

/// Refuses a named object that is there and is of another sort than the member takes. One that is
/// not there is told by the check of references.
fn must_be<T: crate::inventory::Body>(
    transaction: &Transaction<'_>,
    (field, kind, id): (&str, &str, &str),
    wanted: &str,
    fits: impl Fn(&T) -> bool,
) -> Result<(), Error> {
    let found = transaction.find(kind, id);
    match found.as_deref().and_then(Object::body::<T>) {
        Some(body) if !fits(body) => Err(Error::field(field, format!("must name {wanted}"))),
        _ => Ok(()),
    }
}
