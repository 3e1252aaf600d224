//! Which release the manager says it is, and what clients see differ between releases.
//!
//! The API is that of 2.5.1 under every name; this table is all that a name changes.

use std::fmt;
use std::str::FromStr;

/// A release, from 2.4 to 3.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major, minor, maintenance.
    numbers: [u32; 3],
    /// As `node_version` prints it. Plain dotted digits: clients compare them [nsxlib].
    node: String,
}

/// Releases in which something is there.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    since: (u32, u32),
    before: (u32, u32),
}

/// The build that is shown where none is given: the one of 2.5.1 that is known.
const BUILD: &str = "15314288";

/// The first and the last release whose name the manager may take.
const FIRST: (u32, u32) = (2, 4);
const LAST: (u32, u32) = (3, 2);

/// Operations that not every release has: verb, path below `/api/v1`, releases. All others have
/// been there since 2.4.
pub const OPERATIONS: [(&str, &str, Span); 2] = [
    // Before, a search is asked at `/search` [nsxlib].
    ("GET", "/search/query", Span::since(3, 0)),
    // [nsx-operator]
    ("GET", "/licenses/licensed-features", Span::since(3, 0)),
];

/// The cluster's status tells its services apart [spec of later releases].
pub const DETAILED_CLUSTER_STATUS: Span = Span::since(3, 0);

/// The cluster tells of each node where its API is served [client tf].
pub const API_LISTEN_ADDRESS: Span = Span::since(3, 0);

/// Compute managers have members for single sign-on and service accounts [client tf]. They came one by
/// one between 3.0 and 3.2; which came when is not known here.
pub const COMPUTE_MANAGER_ACCESS: Span = Span::since(3, 2);

/// NAT rules take the action `NO_NAT` [client tf].
pub const NO_NAT: Span = Span::before(3, 0);

/// Everything that the Policy API has, too, is deprecated in the Manager API [client tf].
pub const MANAGER_API_DEPRECATED: Span = Span::since(3, 2);

impl Span {
    const fn since(major: u32, minor: u32) -> Self {
        Self { since: (major, minor), before: (u32::MAX, 0) }
    }

    const fn before(major: u32, minor: u32) -> Self {
        Self { since: (0, 0), before: (major, minor) }
    }
}

impl Version {
    /// Whether what is there in a span of releases is there in this one.
    pub fn has(&self, span: Span) -> bool {
        let own = (self.numbers[0], self.numbers[1]);
        span.since <= own && own < span.before
    }

    /// As `node_version` prints it, with its build.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// As `product_version` prints it.
    pub fn product(&self) -> String {
        self.numbers.map(|number| number.to_string()).join(".")
    }
}

impl Default for Version {
    fn default() -> Self {
        Self { numbers: [2, 5, 1], node: format!("2.5.1.0.0.{BUILD}") }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.node)
    }
}

impl FromStr for Version {
    type Err = String;

    /// Two to six numbers: `3.1`, `2.5.1`, `2.5.1.0.0.15314288`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        let parts = parts.map_err(|_| format!("{text} is no release such as 2.5.1"))?;
        let (major, minor, maintenance, rest) = match parts.as_slice() {
            [major, minor] => (*major, *minor, 0, &[][..]),
            [major, minor, maintenance, rest @ ..] if rest.len() <= 3 => {
                (*major, *minor, *maintenance, rest)
            }
            _ => return Err(format!("{text} is no release such as 2.5.1")),
        };
        if (major, minor) < FIRST || (major, minor) > LAST {
            let ((major, minor), (last, newest)) = (FIRST, LAST);
            return Err(format!("{text} does not lie between {major}.{minor} and {last}.{newest}"));
        }
        let node = if rest.len() == 3 {
            text.to_owned()
        } else {
            let patch = rest.iter().map(u32::to_string).chain(["0".into(), "0".into()]);
            let patch = patch.take(2).collect::<Vec<_>>().join(".");
            format!("{major}.{minor}.{maintenance}.{patch}.{BUILD}")
        };
        Ok(Self { numbers: [major, minor, maintenance], node })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_with_or_without_its_build() {
        let node = |text: &str| text.parse::<Version>().map(|own| own.node().to_owned());
        assert_eq!(node("2.5.1").unwrap(), Version::default().node());
        assert_eq!(node("3.1").unwrap(), "3.1.0.0.0.15314288");
        assert_eq!(node("2.5.1.0.0.7").unwrap(), "2.5.1.0.0.7");
        assert_eq!(node("3.0.1.1").unwrap(), "3.0.1.1.0.15314288");
        for wrong in ["", "3", "2.3", "3.3", "4.0.0", "2.5.x", "2.5.1.0.0.0.0", "2.5.-1", "2.5."] {
            assert!(node(wrong).is_err(), "{wrong}");
        }
        assert_eq!("3.2.1".parse::<Version>().unwrap().product(), "3.2.1");
    }

    #[test]
    fn a_span_begins_with_its_first_release_and_ends_before_its_last() {
        let has = |text: &str, span| text.parse::<Version>().unwrap().has(span);
        assert!(has("2.5.1", NO_NAT) && !has("3.0", NO_NAT));
        assert!(!has("2.5.1", DETAILED_CLUSTER_STATUS) && has("3.0", DETAILED_CLUSTER_STATUS));
        assert!(!has("3.1.9", MANAGER_API_DEPRECATED) && has("3.2", MANAGER_API_DEPRECATED));
    }
}
