//! Values with a form of their own, checked when they are read and kept as they were sent.

use compact_str::CompactString;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Deref;

/// A text in one of the API's forms with what it means; shown as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Formed<T> {
    text: CompactString,
    value: T,
}

impl<T: Form> Formed<T> {
    /// Reads the text form; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        T::parse(text).map(|value| Self { text: text.into(), value })
    }

    /// What the text means.
    pub fn value(&self) -> &T {
        &self.value
    }
}

/// What a [`Formed`] text can mean.
pub trait Form: Sized {
    /// The form's name in the API.
    const FORMAT: &'static str;
    /// The form in words, after "must be".
    const WORDS: &'static str;

    /// Reads the text form; `None` where it is none.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! form {
    ($type:ty, $format:literal, $words:literal) => {
        impl Form for $type {
            const FORMAT: &'static str = $format;
            const WORDS: &'static str = $words;

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    };
}

form!(IpAddr, "ip", "an IP address");
form!(Ipv4Addr, "ipv4", "an IPv4 address");
form!(Ipv6Addr, "ipv6", "an IPv6 address");
form!(IpNet, "ip-cidr-block", "an IP block such as 10.0.0.0/24");
form!(Ipv4Net, "ipv4-cidr-block", "an IPv4 block such as 10.0.0.0/24");
form!(Ipv6Net, "ipv6-cidr-block", "an IPv6 block such as fd00::/64");

/// A host's name, as in the domain name system [RFC 1123].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hostname;

impl Form for Hostname {
    const FORMAT: &'static str = "hostname";
    const WORDS: &'static str = "a host name";

    fn parse(text: &str) -> Option<Self> {
        let label = |label: &str| {
            let word = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            word && (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let name = text.strip_suffix('.').unwrap_or(text);
        (name.len() <= 255 && name.split('.').all(label)).then_some(Self)
    }
}

/// A host's name or its address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host;

impl Form for Host {
    const FORMAT: &'static str = "hostname-or-ip";
    const WORDS: &'static str = "a host name or an IP address";

    fn parse(text: &str) -> Option<Self> {
        let address = || text.parse::<IpAddr>().ok().map(|_| Self);
        Hostname::parse(text).map(|_| Self).or_else(address)
    }
}

impl<T> Deref for Formed<T> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl<T> Serialize for Formed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, T: Form> Deserialize<'de> for Formed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom(format_args!("must be {}, not {text}", T::WORDS)))
    }
}

impl<T: Form> JsonSchema for Formed<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::FORMAT.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": T::FORMAT })
    }
}

/// An address, a block or a range: `10.0.0.1`, `10.0.0.0/24`, `10.0.0.1-10.0.0.9`; either family
/// [spec address-or-block-or-range].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IpElement {
    text: CompactString,
    first: IpAddr,
    last: IpAddr,
}

impl IpElement {
    /// Reads the text form; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, last) = if let Ok(address) = text.parse::<IpAddr>() {
            (address, address)
        } else if let Ok(block) = text.parse::<IpNet>() {
            (block.network(), block.broadcast())
        } else {
            let (first, last) = text.split_once('-')?;
            (first.trim().parse().ok()?, last.trim().parse().ok()?)
        };
        let sound = first.is_ipv4() == last.is_ipv4() && first <= last;
        sound.then(|| Self { text: text.into(), first, last })
    }

    /// The first and the last address it covers.
    pub fn span(&self) -> (IpAddr, IpAddr) {
        (self.first, self.last)
    }

    /// Whether it is of IPv4.
    pub fn is_ipv4(&self) -> bool {
        self.first.is_ipv4()
    }
}

/// A MAC address, six pairs of hexadecimal digits with `:` or `-` between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MacText {
    text: CompactString,
    octets: [u8; 6],
}

impl MacText {
    /// Reads the text form; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let separator = text.chars().find(|c| matches!(c, ':' | '-'))?;
        let mut octets = [0; 6];
        let mut parts = text.split(separator);
        for octet in &mut octets {
            let part = parts.next().filter(|part| part.len() == 2)?;
            *octet = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then(|| Self { text: text.into(), octets })
    }

    /// The address itself; texts of one address may differ in case and separator.
    pub fn octets(&self) -> [u8; 6] {
        self.octets
    }
}

/// A port `22` or a range of ports `33-70` [spec port-or-range].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortElement {
    text: CompactString,
    first: u16,
    last: u16,
}

impl PortElement {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first <= last).then(|| Self { text: text.into(), first, last })
    }

    /// The first and the last port.
    pub fn span(&self) -> (u16, u16) {
        (self.first, self.last)
    }
}

macro_rules! kept_text {
    ($name:ident, $format:literal, $form:literal) => {
        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.text
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| {
                    D::Error::custom(format_args!(concat!("must be ", $form, ", not {}"), text))
                })
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $format })
            }
        }
    };
}

kept_text!(IpElement, "address-or-block-or-range", "an IP address, block or range");
kept_text!(MacText, "mac-address", "a MAC address");
kept_text!(PortElement, "port-or-range", "a port or a range of ports");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_blocks_and_ranges_of_both_families_are_read() {
        let span = |text: &str| IpElement::parse(text).map(|element| element.span());
        let v4 = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(span("10.0.0.1"), Some((v4("10.0.0.1"), v4("10.0.0.1"))));
        assert_eq!(span("10.0.0.7/30"), Some((v4("10.0.0.4"), v4("10.0.0.7"))));
        assert_eq!(span("fe80::1-fe80::9"), Some((v4("fe80::1"), v4("fe80::9"))));
        for wrong in ["", "10.0.0", "10.0.0.9-10.0.0.1", "10.0.0.1-fe80::1", "10.0.0.0/33"] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for right in ["nsx.example.com", "a", "10.0.0.1", "fd00::1", "x-1.y."] {
            assert!(Formed::<Host>::parse(right).is_some(), "{right}");
        }
        for wrong in ["", "-a", "a..b", "a_b", "fd00::1::2"] {
            assert!(Formed::<Host>::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn mac_addresses_take_colons_or_dashes_but_not_both() {
        assert!(MacText::parse("02:50:56:00:00:0a").is_some());
        assert!(MacText::parse("02-50-56-00-00-0A").is_some());
        for wrong in ["02:50:56:00:00", "02:50-56:00:00:0a", "02:50:56:00:00:0a:0b", "2:5:5:0:0:a"]
        {
            assert!(MacText::parse(wrong).is_none(), "{wrong}");
        }
    }
}
