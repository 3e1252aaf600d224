//! What can be seen of the fabric: traceflows. (Counters are read from the fabric itself.)

mod observation;
mod packet;
mod trace;
mod traceflow;
mod transport;

pub use packet::TraceRequest;
pub use traceflow::{Traceflow, Traceflows};
