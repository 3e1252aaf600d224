//! The tunnels between hosts and edges.
//!
//! Each tunnel endpoint has one to every endpoint of the other machines in one of its overlay zones,
//! whether or not guests need it (docs/fidelity.md).

use super::machine::{Endpoint, HostSwitch, Machine};
use super::machines::Machines;
use std::net::IpAddr;

/// A tunnel as one of its ends sees it.
#[derive(Clone, Copy, Debug)]
pub struct Tunnel<'a> {
    /// The machine that sees it.
    pub near: &'a Machine,
    /// The host switch that it begins at.
    pub switch: &'a HostSwitch,
    /// Where it begins.
    pub local: &'a Endpoint,
    /// The machine that it leads to.
    pub far: &'a Machine,
    /// Where it ends.
    pub remote: &'a Endpoint,
}

/// How one end of a tunnel finds the other [spec BFDProperties].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// Packets come.
    Up,
    /// No packet comes.
    Down,
    /// It was told not to send any.
    AdminDown,
}

impl Session {
    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "UP",
            Self::Down => "DOWN",
            Self::AdminDown => "ADMIN_DOWN",
        }
    }
}

/// Why a tunnel is not up, in the numbers and words of RFC 5880.
const NEIGHBOR_DOWN: (u8, &str) = (3, "NEIGHBOR_SIGNALED_SESSION_DOWN");
const ADMIN_DOWN: (u8, &str) = (7, "ADMINISTRATIVELY_DOWN");
const NOTHING: (u8, &str) = (0, "NO_DIAGNOSTIC");

impl Tunnel<'_> {
    /// Its name: what wraps the frames, and the other end's address as a number. Where a machine has
    /// several endpoints its further ones add their label.
    pub fn name(&self) -> String {
        let number = match self.remote.address {
            IpAddr::V4(own) => u128::from(u32::from(own)),
            IpAddr::V6(own) => u128::from(own),
        };
        let first = self.near.endpoints().next() == Some(self.local);
        let label = if first { String::new() } else { format!("-{}", self.local.label) };
        format!("{}{number}{label}", format!("{:?}", self.switch.encapsulation).to_lowercase())
    }

    /// How each end finds the other: its own, and the other's.
    pub fn sessions(&self) -> (Session, Session) {
        match (self.near.forwards(), self.far.forwards()) {
            (true, true) => (Session::Up, Session::Up),
            (true, false) => (Session::Down, Session::AdminDown),
            (false, true) => (Session::AdminDown, Session::Down),
            (false, false) => (Session::AdminDown, Session::AdminDown),
        }
    }

    /// Whether frames pass.
    pub fn is_up(&self) -> bool {
        self.sessions().0 == Session::Up
    }

    /// Why they do not, as each end says: number and word.
    pub fn diagnostics(&self) -> ((u8, &'static str), (u8, &'static str)) {
        let of = |session| match session {
            Session::Up => NOTHING,
            Session::Down => NEIGHBOR_DOWN,
            Session::AdminDown => ADMIN_DOWN,
        };
        let (own, other) = self.sessions();
        (of(own), of(other))
    }
}

impl Machines {
    /// The tunnels of a machine, by the order in which the others came.
    pub fn tunnels<'a>(&'a self, near: &'a Machine) -> impl Iterator<Item = Tunnel<'a>> {
        let others = move || self.all().filter(move |far| far.id != near.id);
        near.switches.iter().flat_map(move |switch| {
            switch.endpoints.iter().flat_map(move |local| {
                others().flat_map(move |far| {
                    let shared = |own: &&HostSwitch| {
                        own.overlays.iter().any(|zone| switch.overlays.contains(zone))
                    };
                    let ends = far.switches.iter().filter(shared).flat_map(|own| &own.endpoints);
                    ends.map(move |remote| Tunnel { near, switch, local, far, remote })
                })
            })
        })
    }
}
