//! Frames that were seen at ports, past the filters there: whatever way they took in between.

use super::Fabric;
use crate::clock::Millis;
use crate::inventory::{Inventory, Object};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::values::{IpElement, MacText};
use dataplane::{
    AddressRange, Direction, Frame, MacAddr, Packet, Path, Time, Transit, Verdict, VnicId,
};
use std::net::IpAddr;

/// A port where frames were seen, and what tells whether it sent them.
#[derive(Clone, Debug)]
pub struct Post {
    vnic: VnicId,
    addresses: Vec<AddressRange>,
    macs: Vec<MacAddr>,
}

impl Post {
    /// The way of a packet seen at the port: out with an address of it as source, in with one as
    /// destination; where no IP address tells, its MAC addresses do; else in if it is for many. None
    /// where it is nobody's here.
    fn path(&self, packet: &Packet) -> Option<Path> {
        let own = |address: IpAddr| self.addresses.iter().any(|range| range.contains(address));
        let (src, dst) = packet.ip.map_or((None, None), |ip| (Some(ip.src), Some(ip.dst)));
        let mut ways = (src.is_some_and(own), dst.is_some_and(own));
        if ways == (false, false) {
            ways = (self.macs.contains(&packet.src_mac), self.macs.contains(&packet.dst_mac));
        }
        if ways == (false, false) {
            ways.1 = packet.dst_mac.0[0] & 1 == 1 || dst.is_some_and(is_for_many);
        }
        let (from, to) = (ways.0.then_some(self.vnic), ways.1.then_some(self.vnic));
        (from.is_some() || to.is_some()).then_some(Path { from, to })
    }
}

fn is_for_many(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}

impl Fabric {
    /// A port where frames were seen; none if it has no vNIC.
    pub fn post(&self, inventory: &Inventory, port: &str) -> Option<Post> {
        let vnic = self.realization.vnic(port)?;
        let object = inventory.find(logical_port::KIND.name, port);
        let body = object.as_deref().and_then(Object::body::<LogicalPort>);
        let bindings = || body.into_iter().flat_map(|own| own.address_bindings.iter());
        let spans = bindings().filter_map(|own| own.ip_address.as_ref()).map(IpElement::span);
        let macs = bindings().filter_map(|own| own.mac_address.as_ref()).map(MacText::octets);
        Some(Post {
            vnic,
            addresses: spans.filter_map(|(one, last)| AddressRange::new(one, last).ok()).collect(),
            macs: macs.map(MacAddr).collect(),
        })
    }

    /// The filters that a packet met: those at one port, or else those of the ports that have its
    /// addresses. None where there is no such port.
    pub fn met(&self, post: Option<&Post>, packet: &Packet) -> Option<Path> {
        if let Some(post) = post {
            return post.path(packet);
        }
        let ip = packet.ip?;
        let vnic = |address| self.realization.vnic(self.port_at(address)?);
        let (from, to) = (vnic(ip.src), vnic(ip.dst));
        (from.is_some() || to.is_some()).then_some(Path { from, to })
    }

    /// Sends a frame past filters, with connections and the counters of rules.
    pub fn replay(&mut self, now: Millis, path: Path, frame: &Frame) -> Transit {
        let vnics = [path.from, path.to].into_iter().flatten();
        let ports: Vec<String> =
            vnics.filter_map(|vnic| self.port_of(vnic).map(str::to_owned)).collect();
        for port in ports {
            self.wind(&port);
        }
        self.plane.transit_frame(Time(now), path, frame)
    }

    /// The verdict on a packet at filters as if no connection existed: the last one met, which is
    /// the one that keeps it if one does.
    pub fn foresee(&self, path: Path, packet: &Packet) -> Option<Verdict> {
        let judge = |vnic: VnicId, direction| self.plane.judge(vnic, direction, packet);
        let outbound = path.from.map(|vnic| judge(vnic, Direction::Out));
        match (outbound, path.to) {
            (Some(verdict), _) if !verdict.allows() => Some(verdict),
            (_, Some(vnic)) => Some(judge(vnic, Direction::In)),
            (outbound, None) => outbound,
        }
    }
}
