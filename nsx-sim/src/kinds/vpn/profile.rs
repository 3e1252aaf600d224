//! What two IPsec peers agree upon: profiles of key exchange, tunnels and dead peer detection
//! [spec IPSecVPNIKEProfile, IPSecVPNTunnelProfile, IPSecVPNDPDProfile].

use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use crate::wire::{Int, Told, int, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of profiles of key exchange.
pub static IKE: Kind = Kind {
    forceable: true,
    ..Kind::of::<IPSecVPNIKEProfile>("IPSecVPNIKEProfile", "/vpn/ipsec/ike-profiles")
};

/// The declaration of tunnel profiles.
pub static TUNNEL: Kind = Kind {
    forceable: true,
    ..Kind::of::<IPSecVPNTunnelProfile>("IPSecVPNTunnelProfile", "/vpn/ipsec/tunnel-profiles")
};

/// The declaration of profiles of dead peer detection.
pub static DPD: Kind = Kind {
    forceable: true,
    ..Kind::of::<IPSecVPNDPDProfile>("IPSecVPNDPDProfile", "/vpn/ipsec/dpd-profiles")
};

/// The profiles that a peer has unless told otherwise: kind, id and name. That there is one of each
/// is documented, their names and ids are not [spec CreateIPSecVPNIKEProfile].
pub static DEFAULTS: [(&Kind, &str, &str); 3] = [
    (&IKE, "1b527743-405c-4863-af0e-f58ddf1d10b1", "nsx-default-l3vpn-ike-profile"),
    (&TUNNEL, "23ae60d9-b8c4-4b5b-ae67-03bee5767b96", "nsx-default-l3vpn-tunnel-profile"),
    (&DPD, "9cee5db2-12a3-4f70-9f23-6779dc54a4e0", "nsx-default-l3vpn-dpd-profile"),
];

/// How the key exchange is protected.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IPSecVPNIKEProfile {
    #[serde(default)]
    ike_version: IkeVersion,
    #[serde(default = "ike_encryption")]
    encryption_algorithms: Vec<IkeEncryption>,
    #[serde(default = "ike_digest")]
    digest_algorithms: Vec<Digest>,
    #[serde(default = "dh_groups")]
    dh_groups: Vec<DhGroup>,
    /// Seconds.
    #[serde(default = "int::<86_400, 21_600, 31_536_000>")]
    sa_life_time: Int<21_600, 31_536_000>,
}

/// How the tunnel's packets are protected.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IPSecVPNTunnelProfile {
    #[serde(default)]
    encapsulation_mode: Told<Encapsulation>,
    #[serde(default)]
    transform_protocol: Told<Transform>,
    #[serde(default = "tunnel_encryption")]
    encryption_algorithms: Vec<TunnelEncryption>,
    /// None where the encryption authenticates by itself.
    digest_algorithms: Option<Vec<Digest>>,
    #[serde(default = "yes")]
    enable_perfect_forward_secrecy: bool,
    #[serde(default = "dh_groups")]
    dh_groups: Vec<DhGroup>,
    #[serde(default)]
    df_policy: DfPolicy,
    /// Seconds.
    #[serde(default = "int::<3_600, 900, 31_536_000>")]
    sa_life_time: Int<900, 31_536_000>,
}

/// Whether, and how often, a silent peer is asked for a sign of life.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IPSecVPNDPDProfile {
    #[serde(default = "yes")]
    enabled: bool,
    /// Seconds.
    #[serde(default = "int::<60, 3, 360>")]
    dpd_probe_interval: Int<3, 360>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum IkeVersion {
    IkeV1,
    #[default]
    IkeV2,
    IkeFlex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum IkeEncryption {
    #[serde(rename = "AES_128")]
    Aes128,
    #[serde(rename = "AES_256")]
    Aes256,
    #[serde(rename = "AES_GCM_128")]
    AesGcm128,
    #[serde(rename = "AES_GCM_192")]
    AesGcm192,
    #[serde(rename = "AES_GCM_256")]
    AesGcm256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum TunnelEncryption {
    #[serde(rename = "AES_128")]
    Aes128,
    #[serde(rename = "AES_256")]
    Aes256,
    #[serde(rename = "AES_GCM_128")]
    AesGcm128,
    #[serde(rename = "AES_GCM_192")]
    AesGcm192,
    #[serde(rename = "AES_GCM_256")]
    AesGcm256,
    #[serde(rename = "NO_ENCRYPTION_AUTH_AES_GMAC_128")]
    AesGmac128,
    #[serde(rename = "NO_ENCRYPTION_AUTH_AES_GMAC_192")]
    AesGmac192,
    #[serde(rename = "NO_ENCRYPTION_AUTH_AES_GMAC_256")]
    AesGmac256,
    #[serde(rename = "NO_ENCRYPTION")]
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum Digest {
    #[serde(rename = "SHA1")]
    Sha1,
    #[serde(rename = "SHA2_256")]
    Sha256,
    #[serde(rename = "SHA2_384")]
    Sha384,
    #[serde(rename = "SHA2_512")]
    Sha512,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum DhGroup {
    Group2,
    Group5,
    Group14,
    Group15,
    Group16,
    Group19,
    Group20,
    Group21,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
enum Encapsulation {
    #[serde(rename = "TUNNEL_MODE")]
    Tunnel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Transform {
    Esp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum DfPolicy {
    #[default]
    Copy,
    Clear,
}

fn ike_encryption() -> Vec<IkeEncryption> {
    vec![IkeEncryption::Aes128]
}

fn ike_digest() -> Vec<Digest> {
    vec![Digest::Sha256]
}

fn tunnel_encryption() -> Vec<TunnelEncryption> {
    vec![TunnelEncryption::AesGcm128]
}

fn dh_groups() -> Vec<DhGroup> {
    vec![DhGroup::Group14]
}

impl Resource for IPSecVPNIKEProfile {}

impl Resource for IPSecVPNDPDProfile {}

impl Resource for IPSecVPNTunnelProfile {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.encapsulation_mode = Told(Some(Encapsulation::Tunnel));
        self.transform_protocol = Told(Some(Transform::Esp));
        Ok(())
    }
}
