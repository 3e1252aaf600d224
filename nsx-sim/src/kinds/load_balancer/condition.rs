//! What a rule looks at [spec LbRuleCondition].

use super::monitor::{Method, Version};
use super::ssl::{Cipher, Protocol};
use crate::kinds::values::{IpElement, PortElement};
use crate::wire::{polymorphic, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// One condition of a rule.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum Condition {
    /// The request's method.
    LbHttpRequestMethodCondition(RequestMethod),
    /// The path of the request's address.
    LbHttpRequestUriCondition(Uri),
    /// What stands behind the question mark.
    LbHttpRequestUriArgumentsCondition(UriArguments),
    /// The request's version.
    LbHttpRequestVersionCondition(RequestVersion),
    /// A header of the request.
    LbHttpRequestHeaderCondition(MessageHeader),
    /// A cookie of the request.
    LbHttpRequestCookieCondition(Cookie),
    /// The body of the request.
    LbHttpRequestBodyCondition(Body),
    /// A header of the response.
    LbHttpResponseHeaderCondition(MessageHeader),
    /// The client's port.
    LbTcpHeaderCondition(TcpHeader),
    /// The client's address.
    LbIpHeaderCondition(IpHeader),
    /// A variable.
    LbVariableCondition(Variable),
    /// The TLS connection.
    LbHttpSslCondition(Ssl),
}

polymorphic!(Condition by "type" {
    LbHttpRequestMethodCondition,
    LbHttpRequestUriCondition,
    LbHttpRequestUriArgumentsCondition,
    LbHttpRequestVersionCondition,
    LbHttpRequestHeaderCondition,
    LbHttpRequestCookieCondition,
    LbHttpRequestBodyCondition,
    LbHttpResponseHeaderCondition,
    LbTcpHeaderCondition,
    LbIpHeaderCondition,
    LbVariableCondition,
    LbHttpSslCondition,
});

impl Condition {
    /// Whether a connection of this client fulfils the condition; none where that depends on what
    /// is said on the connection.
    pub fn holds(&self, client: (IpAddr, u16)) -> Option<bool> {
        let (address, port) = client;
        match self {
            Self::LbTcpHeaderCondition(own) => {
                let (first, last) = own.source_port.span();
                Some((first..=last).contains(&port) != own.inverse)
            }
            Self::LbIpHeaderCondition(own) => {
                let (first, last) = own.source_address.span();
                Some((first..=last).contains(&address) != own.inverse)
            }
            _ => None,
        }
    }
}

/// How two texts are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum MatchType {
    StartsWith,
    EndsWith,
    Equals,
    Contains,
    #[default]
    Regex,
}

/// See the variants of [`Condition`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestMethod {
    method: Method,
    #[serde(default)]
    inverse: bool,
}

/// See the variants of [`Condition`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uri {
    uri: String,
    #[serde(default)]
    match_type: MatchType,
    #[serde(default = "yes")]
    case_sensitive: bool,
    #[serde(default)]
    inverse: bool,
}

/// See the variants of [`Condition`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UriArguments {
    uri_arguments: String,
    #[serde(default)]
    match_type: MatchType,
    #[serde(default = "yes")]
    case_sensitive: bool,
    #[serde(default)]
    inverse: bool,
}

/// See the variants of [`Condition`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestVersion {
    version: Version,
    #[serde(default)]
    inverse: bool,
}

/// See the variants of [`Condition`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageHeader {
    header_name: String,
    header_value: String,
    #[serde(default)]
    match_type: MatchType,
    #[serde(default = "yes")]
    case_sensitive: bool,
    #[serde(default)]
    inverse: bool,
}

/// See the variants of [`Condition`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cookie {
    cookie_name: String,
    cookie_value: String,
    #[serde(default)]
    match_type: MatchType,
    #[serde(default = "yes")]
    case_sensitive: bool,
    #[serde(default)]
    inverse: bool,
}

/// See the variants of [`Condition`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Body {
    body_value: String,
    #[serde(default)]
    match_type: MatchType,
    #[serde(default = "yes")]
    case_sensitive: bool,
    #[serde(default)]
    inverse: bool,
}

/// See the variants of [`Condition`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TcpHeader {
    source_port: PortElement,
    #[serde(default)]
    inverse: bool,
}

/// See the variants of [`Condition`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpHeader {
    source_address: IpElement,
    #[serde(default)]
    inverse: bool,
}

/// See the variants of [`Condition`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    variable_name: String,
    variable_value: String,
    #[serde(default)]
    match_type: MatchType,
    #[serde(default = "yes")]
    case_sensitive: bool,
    #[serde(default)]
    inverse: bool,
}

/// See the variants of [`Condition`]; all that is given must hold.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ssl {
    client_certificate_issuer_dn: Option<IssuerDn>,
    client_certificate_subject_dn: Option<SubjectDn>,
    client_supported_ssl_ciphers: Option<Vec<Cipher>>,
    #[serde(default)]
    session_reused: SessionReused,
    used_protocol: Option<Protocol>,
    used_ssl_cipher: Option<Cipher>,
    #[serde(default)]
    inverse: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IssuerDn {
    issuer_dn: String,
    #[serde(default)]
    match_type: MatchType,
    #[serde(default = "yes")]
    case_sensitive: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SubjectDn {
    subject_dn: String,
    #[serde(default)]
    match_type: MatchType,
    #[serde(default = "yes")]
    case_sensitive: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum SessionReused {
    #[default]
    Ignore,
    Reused,
    New,
}
