//! Principals: programs that prove who they are by a certificate [spec PrincipalIdentity].

use super::certificate;
use super::role_binding::{self, Holder};
use crate::inventory::{
    Error, Header, Incoming, IndexKey, Inventory, Kind, Level, Object, Query, Reference, Resource,
    Role, Transaction, Verbs,
};
use crate::wire::{self, Fields, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The declaration. Callers make them by [`create`] and [`create_with_certificate`] and change them
/// by [`update_certificate`]; there is no `PUT` [spec PrincipalIdentity].
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs { list: true, create: false, update: false, delete: true },
    ..Kind::of::<PrincipalIdentity>("PrincipalIdentity", "/trust-management/principal-identities")
};

/// The index of principals by their certificate's id.
const BY_CERTIFICATE: &str = "principal-certificate";

/// One principal.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrincipalIdentity {
    /// The name in which it acts; several may share it, and then what they made.
    pub name: Text<255, 1>,
    node_id: Text<255, 1>,
    role: Option<Role>,
    /// The older way to say the role.
    permission_group: Option<Group>,
    certificate_id: Option<String>,
    /// Whether others are kept from changing what it makes.
    #[serde(default = "yes")]
    pub is_protected: bool,
}

/// Roles by their older names [spec PrincipalIdentity.permission_group].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Group {
    ReadOnlyApiUsers,
    ReadWriteApiUsers,
    Superusers,
    Undefined,
}

/// A principal with its certificate in one [spec PrincipalIdentityWithCertificate].
#[derive(Deserialize, JsonSchema)]
struct Enclosed {
    certificate_pem: String,
}

/// Which principal gets which certificate [spec UpdatePrincipalIdentityCertificateRequest].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CertificateUpdate {
    principal_identity_id: Text<255, 1>,
    certificate_id: String,
}

fn yes() -> bool {
    true
}

impl PrincipalIdentity {
    fn first_role(&self) -> Option<Role> {
        let of_group = |group| match group {
            Group::ReadOnlyApiUsers => Some(Role::ReadOnlyApiUsers),
            Group::ReadWriteApiUsers => Some(Role::ReadWriteApiUsers),
            Group::Superusers => Some(Role::EnterpriseAdmin),
            Group::Undefined => None,
        };
        self.role.or_else(|| self.permission_group.and_then(of_group))
    }
}

impl Resource for PrincipalIdentity {
    /// The role is the one that its binding has now.
    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        let mut shown = self.clone();
        let bound = role_binding::roles_of(inventory, Holder::PrincipalIdentity, &header.id);
        if self.role.is_some() {
            shown.role = bound.first().copied().or(self.role);
        }
        wire::fields_of(&shown)
    }

    fn references(&self) -> Vec<Reference> {
        let certificate = self.certificate_id.iter();
        certificate.map(|id| Reference::new(certificate::KIND.name, id)).collect()
    }

    fn keys(&self) -> Vec<IndexKey> {
        self.certificate_id.iter().map(|id| (BY_CERTIFICATE, id.clone())).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let Some(certificate) = self.certificate_id.as_deref() else {
            return Err(Error::field("certificate_id", "is required"));
        };
        let others = tx.all(&KIND);
        let others = others.iter().filter(|object| object.header.id != header.id);
        for other in others.filter_map(|object| object.body::<Self>()) {
            if other.certificate_id.as_deref() == Some(certificate) {
                return Err(Error::field("certificate_id", "is another principal's"));
            }
            if other.name == self.name && other.node_id == self.node_id {
                return Err(Error::field("node_id", "is one that the name has already"));
            }
        }
        if before.is_none() {
            let role = self.first_role().ok_or_else(|| Error::field("role", "is required"))?;
            header.display_name.get_or_insert_with(|| Text::cut(&*self.name));
            role_binding::bind_principal(tx, &header.id, &self.name, role)?;
        }
        Ok(())
    }

    /// The binding goes with it, the certificate stays [spec DeletePrincipalIdentity].
    fn retire(object: &Object, tx: &mut Transaction<'_>, _: &Query) -> Result<(), Error> {
        role_binding::release_principal(tx, &object.header.id)
    }
}

/// Makes a principal of a certificate that is stored already.
///
/// # Errors
/// What is wrong with it.
pub fn create(tx: &mut Transaction<'_>, fields: Fields) -> Result<Arc<Object>, Error> {
    let incoming = Incoming::read(&KIND, fields)?;
    tx.create(&KIND, incoming)
}

/// Makes a principal and stores the certificate that comes with it.
///
/// # Errors
/// What is wrong with either.
pub fn create_with_certificate(
    tx: &mut Transaction<'_>,
    mut fields: Fields,
) -> Result<Arc<Object>, Error> {
    let mut enclosed = Fields::new();
    if let Some(pem) = fields.shift_remove("certificate_pem") {
        enclosed.insert("certificate_pem".into(), pem);
    }
    let Enclosed { certificate_pem } = wire::read(enclosed.into())?;
    if fields.get("certificate_id").is_some_and(|id| !id.is_null()) {
        return Err(Error::field("certificate_id", "can not stand beside certificate_pem"));
    }
    let name = fields.get("name").and_then(|name| name.as_str()).unwrap_or_default().to_owned();
    let id = certificate::import_one(tx, &name, &certificate_pem)?;
    fields.insert("certificate_id".into(), id.into());
    create(tx, fields)
}

/// Gives a principal another certificate.
///
/// # Errors
/// [`Error::NotFound`], [`Error::MissingReference`], or that it is another principal's.
pub fn update_certificate(
    tx: &mut Transaction<'_>,
    mut fields: Fields,
) -> Result<Arc<Object>, Error> {
    crate::inventory::HeaderFields::take(&mut fields)?;
    fields.shift_remove("resource_type");
    let sent: CertificateUpdate = wire::read(fields.into())?;
    tx.edit(&KIND, &sent.principal_identity_id, |own: &mut PrincipalIdentity, _| {
        own.certificate_id = Some(sent.certificate_id);
        Ok(())
    })
}

/// The id of the principal whose certificate has these bytes, if it is valid at a time.
pub fn of_certificate(inventory: &Inventory, der: &[u8], now: u64) -> Option<String> {
    let certificates = certificate::of_bytes(inventory, der, now);
    let mut principals =
        certificates.iter().flat_map(|id| inventory.by_key(BY_CERTIFICATE, id).into_iter());
    principals.next().map(|principal| principal.header.id.clone())
}
