//! Cipher suites and protocols, and the profiles that choose among them
//! [spec LbClientSslProfile, LbServerSslProfile].
//!
//! Which suites belong to which group, are on by default and count as secure is not published; the
//! table below is this simulator's choice (docs/fidelity.md).

use super::{Count, MAX};
use crate::inventory::{Error, Header, Kind, Reference, Resource, Transaction};
use crate::kinds::certificate;
use crate::wire::{Int, Told, int, yes};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The declaration of profiles for the clients' side.
pub static CLIENT: Kind =
    Kind::of::<LbClientSslProfile>("LbClientSslProfile", "/loadbalancer/client-ssl-profiles");

/// The declaration of profiles for the members' side.
pub static SERVER: Kind =
    Kind::of::<LbServerSslProfile>("LbServerSslProfile", "/loadbalancer/server-ssl-profiles");

/// The cipher suites that the load balancer knows, by name, in the API's order, and the narrowest
/// group that each is in. Those of the narrower groups are in the wider ones, too.
const SUITES: [(&str, Group); 31] = [
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Group::HighSecurity),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Group::HighSecurity),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", Group::Balanced),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Group::Balanced),
    ("TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA", Group::HighCompatibility),
    ("TLS_ECDH_RSA_WITH_AES_256_CBC_SHA", Group::HighCompatibility),
    ("TLS_RSA_WITH_AES_256_CBC_SHA", Group::Balanced),
    ("TLS_RSA_WITH_AES_128_CBC_SHA", Group::Balanced),
    (TRIPLE_DES, Group::Custom),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", Group::Balanced),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Group::Balanced),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", Group::Balanced),
    ("TLS_RSA_WITH_AES_128_CBC_SHA256", Group::Balanced),
    ("TLS_RSA_WITH_AES_128_GCM_SHA256", Group::Balanced),
    ("TLS_RSA_WITH_AES_256_CBC_SHA256", Group::Balanced),
    ("TLS_RSA_WITH_AES_256_GCM_SHA384", Group::Balanced),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Group::Balanced),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Group::Balanced),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Group::HighSecurity),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", Group::Balanced),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Group::HighSecurity),
    ("TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", Group::HighCompatibility),
    ("TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256", Group::HighCompatibility),
    ("TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256", Group::HighCompatibility),
    ("TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA384", Group::HighCompatibility),
    ("TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384", Group::HighCompatibility),
    ("TLS_ECDH_RSA_WITH_AES_128_CBC_SHA", Group::HighCompatibility),
    ("TLS_ECDH_RSA_WITH_AES_128_CBC_SHA256", Group::HighCompatibility),
    ("TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256", Group::HighCompatibility),
    ("TLS_ECDH_RSA_WITH_AES_256_CBC_SHA384", Group::HighCompatibility),
    ("TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384", Group::HighCompatibility),
];

/// The one suite that is broken by the size of its blocks (CVE-2016-2183).
const TRIPLE_DES: &str = "TLS_RSA_WITH_3DES_EDE_CBC_SHA";

/// A cipher suite of `SUITES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cipher(&'static (&'static str, Group));

impl Cipher {
    fn all() -> impl Iterator<Item = Self> {
        SUITES.iter().map(Self)
    }

    fn is_in(self, group: Group) -> bool {
        self.0.1 <= group
    }

    fn is_secure(self) -> bool {
        self.0.0 != TRIPLE_DES
    }
}

impl Serialize for Cipher {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.0)
    }
}

impl<'de> Deserialize<'de> for Cipher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Self::all().find(|cipher| cipher.0.0 == name);
        known.ok_or_else(|| D::Error::custom(format_args!("has value {name}, which is no cipher")))
    }
}

impl JsonSchema for Cipher {
    fn schema_name() -> Cow<'static, str> {
        "LbSslCipher".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": SUITES.map(|(name, _)| name) })
    }
}

/// A group of cipher suites, as the user interface offers them; from the narrowest on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Group {
    HighSecurity,
    Balanced,
    HighCompatibility,
    /// Whatever the caller lists.
    Custom,
}

/// A version of the protocol; from the oldest on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Protocol {
    #[serde(rename = "SSL_V2")]
    Ssl2,
    #[serde(rename = "SSL_V3")]
    Ssl3,
    #[serde(rename = "TLS_V1")]
    Tls1,
    #[serde(rename = "TLS_V1_1")]
    Tls11,
    #[serde(rename = "TLS_V1_2")]
    Tls12,
}

impl Protocol {
    const ALL: [Self; 5] = [Self::Ssl2, Self::Ssl3, Self::Tls1, Self::Tls11, Self::Tls12];

    /// On by default, and secure: 1.1 and 1.2 [spec LbClientSslProfile.protocols].
    fn is_modern(self) -> bool {
        self >= Self::Tls11
    }
}

/// The ciphers and protocols of a profile or a monitor, on their way into it.
pub(super) struct Choice<'a> {
    pub group: Option<Group>,
    pub ciphers: &'a mut Option<Vec<Cipher>>,
    pub protocols: &'a mut Option<Vec<Protocol>>,
    pub is_secure: &'a mut Told<bool>,
    pub is_fips: &'a mut Told<bool>,
}

impl Choice<'_> {
    /// Fills in what the caller left open and tells what that means.
    pub fn settle(self) {
        let group = match self.group {
            None | Some(Group::Custom) => Group::Balanced,
            Some(group) => group,
        };
        if self.ciphers.as_ref().is_none_or(Vec::is_empty) {
            *self.ciphers = Some(Cipher::all().filter(|cipher| cipher.is_in(group)).collect());
        }
        if self.protocols.as_ref().is_none_or(Vec::is_empty) {
            let modern = Protocol::ALL.into_iter().filter(|own| own.is_modern());
            *self.protocols = Some(modern.collect());
        }
        let secure = self.ciphers.iter().flatten().all(|cipher| cipher.is_secure())
            && self.protocols.iter().flatten().all(|protocol| protocol.is_modern());
        *self.is_secure = Told(Some(secure));
        *self.is_fips = Told(Some(secure));
    }
}

/// What the load balancer knows of ciphers and protocols [spec LbSslCipherAndProtocolListResult].
pub fn known() -> Value {
    let groups = [Group::Balanced, Group::HighSecurity, Group::HighCompatibility, Group::Custom];
    let ciphers: Vec<Value> = Cipher::all()
        .map(|cipher| {
            json!({
                "cipher": cipher,
                "is_default": cipher.is_in(Group::Balanced),
                "is_secure": cipher.is_secure(),
                "cipher_group_labels":
                    groups.iter().filter(|group| cipher.is_in(**group)).collect::<Vec<_>>(),
            })
        })
        .collect();
    let protocols = Protocol::ALL.map(|protocol| {
        let modern = protocol.is_modern();
        json!({"protocol": protocol, "is_default": modern, "is_secure": modern})
    });
    json!({"ciphers": ciphers, "protocols": protocols})
}

/// How the load balancer speaks TLS with clients.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbClientSslProfile {
    cipher_group_label: Option<Group>,
    ciphers: Option<Vec<Cipher>>,
    protocols: Option<Vec<Protocol>>,
    #[serde(default = "yes")]
    prefer_server_ciphers: bool,
    #[serde(default = "yes")]
    session_cache_enabled: bool,
    #[serde(default = "int::<300, 1, 86_400>")]
    session_cache_timeout: Int<1, 86_400>,
    #[serde(default)]
    is_secure: Told<bool>,
    #[serde(default)]
    is_fips: Told<bool>,
}

/// How the load balancer speaks TLS with members.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbServerSslProfile {
    cipher_group_label: Option<Group>,
    ciphers: Option<Vec<Cipher>>,
    protocols: Option<Vec<Protocol>>,
    #[serde(default = "yes")]
    session_cache_enabled: bool,
    #[serde(default)]
    is_secure: Told<bool>,
    #[serde(default)]
    is_fips: Told<bool>,
}

/// Whether the other side must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum PeerAuth {
    Required,
    #[default]
    Ignore,
}

/// TLS between clients and a virtual server [spec ClientSslProfileBinding].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientBinding {
    ssl_profile_id: Option<String>,
    default_certificate_id: String,
    sni_certificate_ids: Option<Vec<String>>,
    #[serde(default)]
    client_auth: PeerAuth,
    client_auth_ca_ids: Option<Vec<String>>,
    client_auth_crl_ids: Option<Vec<String>>,
    #[serde(default = "int::<3, 1, MAX>")]
    certificate_chain_depth: Count,
}

/// TLS between a virtual server and the members of its pool [spec ServerSslProfileBinding].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerBinding {
    ssl_profile_id: Option<String>,
    client_certificate_id: Option<String>,
    #[serde(default)]
    server_auth: PeerAuth,
    server_auth_ca_ids: Option<Vec<String>>,
    server_auth_crl_ids: Option<Vec<String>>,
    #[serde(default = "int::<3, 1, MAX>")]
    certificate_chain_depth: Count,
}

impl ClientBinding {
    /// The profile and the certificates that the binding names.
    pub fn references(&self) -> Vec<Reference> {
        let ids = std::iter::once(&self.default_certificate_id);
        let ids = ids.chain(self.sni_certificate_ids.iter().flatten());
        let ids = ids.chain(self.client_auth_ca_ids.iter().flatten());
        let profile = self.ssl_profile_id.iter().map(|id| Reference::new(CLIENT.name, id));
        certificates(ids).chain(profile).collect()
    }
}

impl ServerBinding {
    /// The profile and the certificates that the binding names.
    pub fn references(&self) -> Vec<Reference> {
        let ids = self.client_certificate_id.iter();
        let ids = ids.chain(self.server_auth_ca_ids.iter().flatten());
        let profile = self.ssl_profile_id.iter().map(|id| Reference::new(SERVER.name, id));
        certificates(ids).chain(profile).collect()
    }
}

/// References to certificates.
pub(super) fn certificates<'a>(
    ids: impl Iterator<Item = &'a String>,
) -> impl Iterator<Item = Reference> {
    ids.map(|id| Reference::new(certificate::KIND.name, id))
}

impl Resource for LbClientSslProfile {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let Self { cipher_group_label, ciphers, protocols, is_secure, is_fips, .. } = self;
        Choice { group: *cipher_group_label, ciphers, protocols, is_secure, is_fips }.settle();
        Ok(())
    }
}

impl Resource for LbServerSslProfile {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let Self { cipher_group_label, ciphers, protocols, is_secure, is_fips, .. } = self;
        Choice { group: *cipher_group_label, ciphers, protocols, is_secure, is_fips }.settle();
        Ok(())
    }
}
