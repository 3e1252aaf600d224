//! The one integration binary.
#![allow(clippy::cast_possible_truncation, reason = "limits in the table of facts are small")]
#![allow(clippy::cast_sign_loss, reason = "and not negative")]
#![allow(clippy::format_collect, reason = "shorter, and nothing waits for it")]
#![allow(clippy::unwrap_used, reason = "a test that finds nothing fails where it looked")]
#![allow(clippy::needless_pass_by_value, reason = "calls read better with json! in place")]

mod api;
mod concurrency;
mod conformance;
mod coverage;
mod flow;
mod http;
mod lab;
mod realize;
mod schema;
mod tidy;
