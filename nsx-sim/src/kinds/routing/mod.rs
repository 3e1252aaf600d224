//! Logical routers: their ports, their routes, how they exchange them, and their translations of
//! addresses.

pub mod bgp;
pub mod config;
pub mod filters;
pub mod ipv6;
pub mod links;
pub mod nat;
pub mod placement;
pub mod port;
pub mod redistribution;
pub mod router;
mod service_binding;
pub mod static_route;
pub mod subnet;
pub mod table;

use super::values::{Form, Formed};
use crate::inventory::{Header, Parent};
use crate::wire::Told;
use std::net::IpAddr;

/// What parts of a router are part of.
const ROUTER: Option<Parent> = Some(Parent::of("LogicalRouter"));

/// The id of the router that an object is part of, for the member that tells it.
fn of_router(header: &Header) -> Told<String> {
    Told(header.parent.clone())
}

/// The address that a text of the API stands for.
fn address(text: &Formed<IpAddr>) -> IpAddr {
    *text.value()
}

/// A text that the program itself states in one of the API's forms; none where it is not of it.
fn stated<T: Form>(text: &str) -> Option<Formed<T>> {
    Formed::parse(text)
}
