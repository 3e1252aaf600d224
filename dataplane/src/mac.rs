//! Ethernet addresses.

use std::fmt;
use std::str::FromStr;

/// An Ethernet address. Reads `00:50:56:ab:cd:ef` and `00-50-56-AB-CD-EF`, prints the first form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// `ff:ff:ff:ff:ff:ff`, every station on the segment.
    pub const BROADCAST: Self = Self([0xff; 6]);
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|octet| write!(f, ":{octet:02x}"))
    }
}

/// The text is not six two-digit hexadecimal octets joined by all `:` or all `-`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseMacError;

impl fmt::Display for ParseMacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an Ethernet address: expected six octets such as 00:50:56:ab:cd:ef")
    }
}

impl std::error::Error for ParseMacError {}

impl FromStr for MacAddr {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut parts = text.split(separator);
        let mut octets = [0; 6];
        for octet in &mut octets {
            *octet = parts.next().and_then(octet_of).ok_or(ParseMacError)?;
        }
        if parts.next().is_some() {
            return Err(ParseMacError);
        }
        Ok(Self(octets))
    }
}

/// Exactly two hexadecimal digits; `from_str_radix` alone would also take `+1` and `1`.
fn octet_of(text: &str) -> Option<u8> {
    let two_digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_hexdigit());
    two_digits.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_and_prints_one() {
        for text in ["00:50:56:AB:cd:ef", "00-50-56-ab-CD-EF"] {
            let mac: MacAddr = text.parse().unwrap();
            assert_eq!(mac.to_string(), "00:50:56:ab:cd:ef");
        }
    }

    #[test]
    fn refuses_anything_else() {
        for text in [
            "",
            "00:50:56:ab:cd",
            "00:50:56:ab:cd:ef:01",
            "00:50:56:ab:cd:eg",
            "0:50:56:ab:cd:ef",
            "+1:50:56:ab:cd:ef",
            "00:50:56-ab:cd:ef",
            "005056abcdef",
        ] {
            assert_eq!(text.parse::<MacAddr>(), Err(ParseMacError), "{text}");
        }
    }
}
