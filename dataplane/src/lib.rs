//! A packet filter in front of every vNIC: rule programs, address sets, flows and verdicts.
//!
//! The crate is a value with methods. It holds no clock (time is an argument, [`Time`]), does no
//! I/O, takes no lock and starts no thread, so the same calls always give the same answers.
//!
//! ```text
//!   slow lane   RuleProgram ──load──► one rule list per set of vNICs that share it
//!   fast lane   add_member / join ──► AddressSets, applied-to scopes   (no rule is touched)
//!                                          │
//!   bytes ──Frame::parse──► Frame: a Packet, its part of a datagram, what it reports on
//!   Packet ──transit──► filter OUT at the sender, filter IN at the receiver ──► Transit
//! ```
//!
//! Others may ask while one changes: [`Publisher`] shows a plane to [`Reader`]s, who wait for nobody.
//!
//! Laws:
//!
//! 1. A vNIC's list is what [`AppliedTo`] says of the current program and scopes, however the
//!    plane came to that state: the fast lane always equals a build from scratch.
//! 2. The first matching rule decides. Ethernet rules come before IP rules; non-IP frames meet
//!    Ethernet rules only.
//! 3. Every decision carries its [`Evidence`]; nobody has to evaluate a packet again to explain it.
//! 4. [`Dataplane::judge`] and [`Dataplane::explain`] are pure; only [`Dataplane::transit`] counts
//!    and keeps flows.
//! 5. Nothing that arrives in a packet can make the plane panic, and state is bounded.
//!
//! Left out: TCP sequence windows; reassembly of fragments, which fare as the first of them; and
//! filtering of the answer to a rejected packet.

mod address;
mod address_set;
mod batch;
mod counters;
mod edit;
pub mod engine;
mod explain;
mod filter;
mod flow;
mod fragments;
mod frame;
mod icmp;
mod id;
mod list;
mod mac;
mod matching;
mod packet;
mod plane;
mod publisher;
mod reload;
mod rule;
mod rule_edits;
mod ruling;
mod seats;
mod session;
mod timers;
mod verdict;

pub use address::{AddressRange, ParseRangeError};
pub use address_set::{AddressSet, AddressSets, Member};
pub use counters::RuleCounters;
pub use edit::Edit;
pub use engine::EngineKind;
pub use explain::{Explanation, Step};
pub use flow::{FlowView, Tally};
pub use frame::{Fault, Fragment, Frame, FrameError, FrameLayer};
pub use id::{Action, Direction, Family, RuleId, ScopeId, SetId, Time, VnicId};
pub use mac::{MacAddr, ParseMacError};
pub use matching::{Field, Key};
pub use packet::{IpHeader, Packet, TcpFlags, Transport, ethertype};
pub use plane::{Config, Dataplane};
pub use publisher::{Publisher, Reader, Shown};
pub use reload::Replacement;
pub use rule::{
    AppliedTo, Layer, ParsePortsError, Peer, PortRange, Ports, Rule, RuleProgram, Service,
    ServiceMatch, Term,
};
pub use session::{ExchangeSide, SessionState, TcpSide};
pub use timers::{ExchangeTimers, IcmpTimers, TcpTimers, Timers};
pub use verdict::{Answer, Evidence, Guard, Outcome, Path, Transit, Verdict};
