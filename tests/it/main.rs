//! The one integration binary.

mod api;
mod concurrency;
mod conformance;
mod coverage;
mod flow;
mod http;
mod realize;
mod schema;
mod tidy;
