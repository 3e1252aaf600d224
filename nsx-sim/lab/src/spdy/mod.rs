//! The server's side of SPDY/3.1, as far as Kubernetes uses it: streams that the client opens over one
//! connection, for commands in containers and for forwarded ports.
//!
//! Nobody keeps a library for this protocol any more, and kubectl before 1.31 speaks nothing else there.
//! Clients of Kubernetes keep no flow control, so neither does this side: it reads no more than its
//! caller asks for, and leaves the rest to TCP. [SPDY 3.1]

mod frame;
mod headers;
mod session;
#[cfg(test)]
pub mod testing;

pub use frame::{Frame, Malformed};
pub use headers::{Header, Headers};
pub use session::{Event, Session};

/// What clients call the protocol in `Upgrade`.
pub const NAME: &str = "SPDY/3.1";
