//! The one integration binary.
#![allow(clippy::unwrap_used, reason = "a test that finds nothing fails where it looked")]
#![allow(clippy::needless_pass_by_value, reason = "calls read better with json! in place")]

mod api;
mod concurrency;
mod conformance;
mod coverage;
mod flow;
mod http;
mod realize;
mod schema;
mod tidy;
