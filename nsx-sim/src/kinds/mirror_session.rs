//! Port mirroring: copies of packets for those who watch [spec PortMirroringSession].
//!
//! Configuration only: no packet is copied (docs/fidelity.md).

use super::values::{Formed, IpElement, PortElement};
use crate::inventory::{Error, Header, Kind, Reference, Resource, Transaction};
use crate::wire::{Int, Items, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The declaration.
pub static KIND: Kind =
    Kind::of::<PortMirroringSession>("PortMirroringSession", "/mirror-sessions");

/// One or more of anything.
type Some1<T> = Items<T, { usize::MAX }, 1>;

/// What is copied, and where to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortMirroringSession {
    #[serde(default)]
    session_type: SessionType,
    direction: MirrorDirection,
    mirror_sources: Some1<MirrorSource>,
    mirror_destination: MirrorDestination,
    port_mirroring_filters: Option<Vec<MirrorFilter>>,
    /// Bytes; none is the whole packet.
    snap_length: Option<Int<60, 65_535>>,
    encapsulation_vlan_id: Option<i64>,
    #[serde(default)]
    preserve_original_vlan: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum SessionType {
    LogicalPortMirrorSession,
    UplinkPortMirrorSession,
    RspanSrcMirrorSession,
    RspanDstMirrorSession,
    #[default]
    LocalPortMirrorSession,
    LogicalLocalPortMirrorSession,
    L3PortMirrorSession,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum MirrorDirection {
    Ingress,
    Egress,
    Bidirectional,
}

#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum MirrorSource {
    LogicalPortMirrorSource(Ports),
    PnicMirrorSource(PnicSource),
    VlanMirrorSource(VlanSource),
    LogicalSwitchMirrorSource(SwitchSource),
}

polymorphic!(MirrorSource {
    LogicalPortMirrorSource,
    PnicMirrorSource,
    VlanMirrorSource,
    LogicalSwitchMirrorSource,
});

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ports {
    port_ids: Some1<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PnicSource {
    node_id: String,
    #[serde(default)]
    encapsulated: bool,
    source_pnics: Some1<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VlanSource {
    vlan_ids: Some1<i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SwitchSource {
    switch_id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum MirrorDestination {
    LogicalPortMirrorDestination(PortDestination),
    PnicMirrorDestination(PnicDestination),
    IPMirrorDestination(IpDestination),
}

polymorphic!(MirrorDestination {
    LogicalPortMirrorDestination,
    PnicMirrorDestination,
    IPMirrorDestination,
});

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PortDestination {
    port_ids: Items<String, 3, 1>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PnicDestination {
    node_id: String,
    dest_pnics: Items<String, 3, 1>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IpDestination {
    destination_ips: Items<Formed<IpAddr>, 3, 1>,
    #[serde(default)]
    encapsulation_type: Encapsulation,
    erspan_id: Option<Int<0, 1023>>,
    gre_key: Option<i32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Encapsulation {
    #[default]
    Gre,
    ErspanTwo,
    ErspanThree,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MirrorFilter {
    #[serde(default)]
    filter_action: FilterAction,
    ip_protocol: Option<FilterProtocol>,
    src_ips: Option<Addresses>,
    dst_ips: Option<Addresses>,
    src_ports: Option<PortElement>,
    dst_ports: Option<PortElement>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Addresses {
    ip_addresses: Option<Some1<IpElement>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum FilterAction {
    #[default]
    Mirror,
    DoNotMirror,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum FilterProtocol {
    Tcp,
    Udp,
}

/// Where a session's packets are met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Participant<'a> {
    /// On the host of a logical port.
    Port(&'a str),
    /// On a transport node itself.
    Node(&'a str),
}

impl PortMirroringSession {
    /// Ports and nodes among the sources and the destination.
    pub fn participants(&self) -> Vec<Participant<'_>> {
        let mut found = Vec::new();
        for source in self.mirror_sources.iter() {
            match source {
                MirrorSource::LogicalPortMirrorSource(own) => {
                    found.extend(own.port_ids.iter().map(|id| Participant::Port(id)));
                }
                MirrorSource::PnicMirrorSource(own) => found.push(Participant::Node(&own.node_id)),
                MirrorSource::VlanMirrorSource(_) | MirrorSource::LogicalSwitchMirrorSource(_) => {}
            }
        }
        match &self.mirror_destination {
            MirrorDestination::LogicalPortMirrorDestination(own) => {
                found.extend(own.port_ids.iter().map(|id| Participant::Port(id)));
            }
            MirrorDestination::PnicMirrorDestination(own) => {
                found.push(Participant::Node(&own.node_id));
            }
            MirrorDestination::IPMirrorDestination(_) => {}
        }
        found
    }
}

impl Resource for PortMirroringSession {
    fn references(&self) -> Vec<Reference> {
        let ports = self.participants().into_iter().filter_map(|own| match own {
            Participant::Port(id) => Some(Reference::new("LogicalPort", id)),
            Participant::Node(_) => None,
        });
        let switches = self.mirror_sources.iter().filter_map(|source| match source {
            MirrorSource::LogicalSwitchMirrorSource(own) => {
                Some(Reference::new("LogicalSwitch", &own.switch_id))
            }
            _ => None,
        });
        ports.chain(switches).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.session_type != self.session_type) {
            return Err(Error::field("session_type", "can not be changed"));
        }
        Ok(())
    }
}
