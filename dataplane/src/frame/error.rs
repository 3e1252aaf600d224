//! Why bytes are no frame.

use std::fmt;

/// A header that is not whole, or not what it should be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FrameError {
    /// Whose header it is.
    pub layer: FrameLayer,
    /// Where the header begins, in bytes from the frame's first.
    pub offset: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// A header of a frame.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum FrameLayer {
    Ethernet,
    Vlan,
    Arp,
    Ipv4,
    Ipv6,
    /// An extension header of IPv6, by its number.
    Extension(u8),
    Tcp,
    Udp,
    Icmp,
}

/// What can be wrong with a header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// The bytes end within it.
    Truncated {
        /// Bytes that the header has, as far as it tells.
        needed: usize,
        /// Bytes that are there.
        present: usize,
    },
    /// It is of another IP version than what comes before it says.
    Version(u8),
    /// It says that it is shorter than any such header.
    TooShort(usize),
}

impl fmt::Display for FrameError {
    /// Such as `TCP header at byte 34 needs 20 bytes and has 8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} header at byte {} ", self.layer, self.offset)?;
        match self.fault {
            Fault::Truncated { needed, present } => {
                write!(f, "needs {needed} bytes and has {present}")
            }
            Fault::Version(version) => write!(f, "is of version {version}"),
            Fault::TooShort(length) => write!(f, "says that it has {length} bytes"),
        }
    }
}

impl std::error::Error for FrameError {}

impl fmt::Display for FrameLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Ethernet => "Ethernet",
            Self::Vlan => "VLAN",
            Self::Arp => "ARP",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Extension(number) => return write!(f, "IPv6 extension {number}"),
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Icmp => "ICMP",
        };
        f.write_str(word)
    }
}
