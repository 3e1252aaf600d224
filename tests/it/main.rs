//! The one integration binary.

mod api;
mod concurrency;
mod flow;
mod http;
mod realize;
mod tidy;
