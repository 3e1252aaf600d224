//! Switching profiles: six classes under one path [spec BaseSwitchingProfile].

mod bindings;
mod classes;

use super::bindings::ProfileClass;
use super::logical_port::{self, LogicalPort};
use super::logical_switch::LogicalSwitch;
use crate::inventory::{
    Error, Filter, Header, Inventory, Kind, Object, Query, Resource, Transaction,
};
use crate::wire::{self, Fields, polymorphic};
pub use bindings::ProfileBindings;
pub use classes::{IpDiscovery, MacManagement, PortMirroring, Qos, SpoofGuard, SwitchSecurity};
use serde::Deserialize;

/// The declaration.
pub static KIND: Kind = Kind {
    polymorphic: true,
    system_owned_hidden: true,
    read_only: &["required_capabilities"],
    filters: &[Filter {
        name: "switching_profile_type",
        words: None,
        passes: |_, object, classes| {
            classes.split(',').any(|class| class.trim() == object.resource_type())
        },
    }],
    ..Kind::of::<SwitchingProfile>("SwitchingProfile", "/switching-profiles")
};

/// One profile of any class.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum SwitchingProfile {
    /// See [`ProfileClass`]; so with the others.
    SwitchSecuritySwitchingProfile(SwitchSecurity),
    #[allow(missing_docs)]
    SpoofGuardSwitchingProfile(SpoofGuard),
    #[allow(missing_docs)]
    IpDiscoverySwitchingProfile(IpDiscovery),
    #[allow(missing_docs)]
    MacManagementSwitchingProfile(MacManagement),
    #[allow(missing_docs)]
    PortMirroringSwitchingProfile(PortMirroring),
    #[allow(missing_docs)]
    QosSwitchingProfile(Qos),
}

polymorphic!(SwitchingProfile {
    SwitchSecuritySwitchingProfile,
    SpoofGuardSwitchingProfile,
    IpDiscoverySwitchingProfile,
    MacManagementSwitchingProfile,
    PortMirroringSwitchingProfile,
    QosSwitchingProfile,
});

/// The profiles that a port or a switch has unless told otherwise, in the order of real output.
/// Ids as seen on managers of 2.4 and later [nsxlib15 mocks, psnsxt, apnex].
pub const DEFAULTS: [(ProfileClass, &str, &str); 6] = [
    (
        ProfileClass::SwitchSecuritySwitchingProfile,
        "47ffda0e-035f-4900-83e4-0a2086813ede",
        "nsx-default-switch-security-vif-profile",
    ),
    (
        ProfileClass::SpoofGuardSwitchingProfile,
        "fad98876-d7ff-11e4-b9d6-1681e6b88ec1",
        "nsx-default-spoof-guard-vif-profile",
    ),
    (
        ProfileClass::IpDiscoverySwitchingProfile,
        "0c403bc9-7773-4680-a5cc-847ed0f9f52e",
        "nsx-default-ip-discovery-overlay-profile",
    ),
    (
        ProfileClass::MacManagementSwitchingProfile,
        "1e7101c8-cfef-415a-9c8c-ce3d8dd078fb",
        "nsx-default-mac-profile",
    ),
    (
        ProfileClass::PortMirroringSwitchingProfile,
        "93b4b7e8-f116-415d-a50c-3364611b5d09",
        "nsx-default-port-mirroring-profile",
    ),
    (
        ProfileClass::QosSwitchingProfile,
        "f313290b-eba8-4262-bd93-fab5026e9495",
        "nsx-default-qos-switching-profile",
    ),
];

impl SwitchingProfile {
    /// The class, as bindings name it.
    pub fn class(&self) -> ProfileClass {
        match self {
            Self::SwitchSecuritySwitchingProfile(_) => ProfileClass::SwitchSecuritySwitchingProfile,
            Self::SpoofGuardSwitchingProfile(_) => ProfileClass::SpoofGuardSwitchingProfile,
            Self::IpDiscoverySwitchingProfile(_) => ProfileClass::IpDiscoverySwitchingProfile,
            Self::MacManagementSwitchingProfile(_) => ProfileClass::MacManagementSwitchingProfile,
            Self::PortMirroringSwitchingProfile(_) => ProfileClass::PortMirroringSwitchingProfile,
            Self::QosSwitchingProfile(_) => ProfileClass::QosSwitchingProfile,
        }
    }
}

impl Resource for SwitchingProfile {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn fields(&self, _: &Header, _: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        fields.shift_remove("resource_type");
        fields.insert("required_capabilities".into(), serde_json::json!([]));
        fields
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.variant() != self.variant()) {
            return Err(Error::field("resource_type", "can not be changed"));
        }
        match self {
            Self::QosSwitchingProfile(qos) => qos.complete(),
            _ => Ok(()),
        }
    }

    /// A profile in use goes only with `unbind=true`; its users fall back to the default of the
    /// class [spec DeleteSwitchingProfile].
    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        if !query.flag("unbind")? {
            return transaction.refuse_if_used(object, |_| true);
        }
        let id = object.header.id.clone();
        for user in transaction.referrers(KIND.name, &id) {
            if user.kind.name == logical_port::KIND.name {
                unbind(transaction, &user, &id, |port: &mut LogicalPort| {
                    &mut port.switching_profile_ids
                })?;
            } else {
                unbind(transaction, &user, &id, |switch: &mut LogicalSwitch| {
                    &mut switch.switching_profile_ids
                })?;
            }
        }
        Ok(())
    }
}

/// Takes a profile from one of its users.
fn unbind<T: Resource + Clone>(
    transaction: &mut Transaction<'_>,
    user: &Object,
    id: &str,
    bindings: fn(&mut T) -> &mut ProfileBindings,
) -> Result<(), Error> {
    transaction.edit(user.kind, &user.header.id, |user: &mut T, _| {
        bindings(user).unbind(id);
        Ok(())
    })?;
    Ok(())
}
