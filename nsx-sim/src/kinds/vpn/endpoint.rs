//! The two ends of an IPsec session [spec IPSecVPNLocalEndpoint, IPSecVPNPeerEndpoint].

use super::profile::{DEFAULTS, DPD, IKE, TUNNEL};
use super::service::{self, IPSecVPNService};
use crate::inventory::{
    Error, Filter, Header, Inventory, Kind, Object, Reference, Resource, Transaction,
};
use crate::kinds::reference::ResourceReference;
use crate::kinds::values::Formed;
use crate::wire::{self, Fields, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// The declaration of local ends.
pub static LOCAL: Kind = Kind {
    forceable: true,
    filters: &[
        Filter {
            name: "ipsec_vpn_service_id",
            words: None,
            passes: |_, object, id| local(object).and_then(|own| own.service()) == Some(id),
        },
        Filter {
            name: "logical_router_id",
            words: None,
            passes: |inventory, object, id| {
                local(object).is_some_and(|own| own.router(inventory).as_deref() == Some(id))
            },
        },
    ],
    ..Kind::of::<IPSecVPNLocalEndpoint>("IPSecVPNLocalEndpoint", "/vpn/ipsec/local-endpoints")
};

/// The declaration of remote ends.
pub static PEER: Kind = Kind {
    forceable: true,
    ..Kind::of::<IPSecVPNPeerEndpoint>("IPSecVPNPeerEndpoint", "/vpn/ipsec/peer-endpoints")
};

fn local(object: &Object) -> Option<&IPSecVPNLocalEndpoint> {
    object.body()
}

/// The end on a router of this manager.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IPSecVPNLocalEndpoint {
    ipsec_vpn_service_id: ResourceReference,
    local_address: Formed<Ipv4Addr>,
    local_id: Option<String>,
    certificate_id: Option<String>,
    trust_ca_ids: Option<Vec<String>>,
    trust_crl_ids: Option<Vec<String>>,
}

/// The end on another site.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IPSecVPNPeerEndpoint {
    peer_address: Formed<Ipv4Addr>,
    /// How the peer names itself.
    pub peer_id: String,
    #[serde(default)]
    authentication_mode: Authentication,
    /// Printed only where it is asked for.
    #[serde(skip_serializing)]
    psk: Option<Text<128>>,
    #[serde(default)]
    connection_initiation_mode: Initiation,
    ike_profile_id: Option<String>,
    ipsec_tunnel_profile_id: Option<String>,
    dpd_profile_id: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Authentication {
    #[default]
    Psk,
    Certificate,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Initiation {
    #[default]
    Initiator,
    RespondOnly,
    OnDemand,
}

impl IPSecVPNLocalEndpoint {
    /// The id of the service that it belongs to.
    pub fn service(&self) -> Option<&str> {
        self.ipsec_vpn_service_id.target_id.as_deref()
    }

    /// The id of the router that it stands on.
    pub fn router(&self, inventory: &Inventory) -> Option<String> {
        let service = inventory.find(service::KIND.name, self.service()?)?;
        Some(service.body::<IPSecVPNService>()?.logical_router_id.clone())
    }
}

impl Resource for IPSecVPNLocalEndpoint {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        let service = self.ipsec_vpn_service_id.fields(inventory);
        fields.insert("ipsec_vpn_service_id".into(), service.into());
        fields
    }

    fn references(&self) -> Vec<Reference> {
        self.service().map(|id| Reference::new(service::KIND.name, id)).into_iter().collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let id = self.service().unwrap_or_default();
        if id.is_empty() {
            return Err(Error::field("ipsec_vpn_service_id.target_id", "is required"));
        }
        // The type goes without saying.
        self.ipsec_vpn_service_id = ResourceReference::to_object(service::KIND.name, id);
        Ok(())
    }
}

impl IPSecVPNPeerEndpoint {
    /// The wire form with the shared key.
    pub fn with_key(&self) -> Fields {
        let mut fields = wire::fields_of(self);
        if let Some(key) = &self.psk {
            fields.insert("psk".into(), (**key).into());
        }
        fields
    }
}

impl Resource for IPSecVPNPeerEndpoint {
    fn references(&self) -> Vec<Reference> {
        let named = [
            (&IKE, &self.ike_profile_id),
            (&TUNNEL, &self.ipsec_tunnel_profile_id),
            (&DPD, &self.dpd_profile_id),
        ];
        named
            .into_iter()
            .filter_map(|(kind, id)| Some(Reference::new(kind.name, id.as_deref()?)))
            .collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if self.psk.is_none() {
            // A caller that puts back what it read can not send what it was not shown.
            self.psk = before.and_then(|before| before.psk.clone());
        }
        if self.authentication_mode == Authentication::Psk && self.psk.is_none() {
            return Err(Error::field("psk", "is required where authentication_mode is PSK"));
        }
        for (kind, default, _) in &DEFAULTS {
            let own = match kind.name {
                name if name == IKE.name => &mut self.ike_profile_id,
                name if name == TUNNEL.name => &mut self.ipsec_tunnel_profile_id,
                _ => &mut self.dpd_profile_id,
            };
            own.get_or_insert_with(|| (*default).to_owned());
        }
        Ok(())
    }
}
