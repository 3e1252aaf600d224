//! Values with a form of their own, checked when they are read and kept as they were sent.

use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};
use std::net::IpAddr;
use std::ops::Deref;

/// An address, a block or a range: `10.0.0.1`, `10.0.0.0/24`, `10.0.0.1-10.0.0.9`; either family
/// [spec address-or-block-or-range].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IpElement {
    text: String,
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
        sound.then(|| Self { text: text.to_owned(), first, last })
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
    text: String,
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
        parts.next().is_none().then(|| Self { text: text.to_owned(), octets })
    }

    /// The address itself; texts of one address may differ in case and separator.
    pub fn octets(&self) -> [u8; 6] {
        self.octets
    }
}

/// A port `22` or a range of ports `33-70` [spec port-or-range].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortElement {
    text: String,
    first: u16,
    last: u16,
}

impl PortElement {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first <= last).then(|| Self { text: text.to_owned(), first, last })
    }

    /// The first and the last port.
    pub fn span(&self) -> (u16, u16) {
        (self.first, self.last)
    }
}

macro_rules! kept_text {
    ($name:ident, $form:literal) => {
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
    };
}

kept_text!(IpElement, "an IP address, block or range");
kept_text!(MacText, "a MAC address");
kept_text!(PortElement, "a port or a range of ports");

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
    fn mac_addresses_take_colons_or_dashes_but_not_both() {
        assert!(MacText::parse("02:50:56:00:00:0a").is_some());
        assert!(MacText::parse("02-50-56-00-00-0A").is_some());
        for wrong in ["02:50:56:00:00", "02:50-56:00:00:0a", "02:50:56:00:00:0a:0b", "2:5:5:0:0:a"]
        {
            assert!(MacText::parse(wrong).is_none(), "{wrong}");
        }
    }
}
