//! Where the command finds a host: a table in place of name resolution.
//!
//! The guide names `pks.corp.local`, which no resolver of a learner's knows, and UAA's port 8443, which
//! the manager has on this machine. So host and port are looked up here first.

use super::{API_PORT, HOST, LAB_API, LAB_UAA, UAA_PORT};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Addresses by `host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts(BTreeMap<String, String>);

/// The table, for commands that ask PKS without being `pks`.
#[derive(clap::Args, Clone, Debug)]
#[group(skip)]
pub struct HostsArg {
    /// Where `pks.corp.local` is, as for the command `pks`.
    #[arg(
        long,
        env = "PKS_HOSTS",
        default_value_t,
        hide_default_value = true,
        value_name = "TABLE"
    )]
    pub hosts: Hosts,
}

impl Hosts {
    /// The guide's host at the given addresses.
    pub fn lab(uaa: &str, api: &str) -> Self {
        let entry = |port: u16, to: &str| (format!("{HOST}:{port}"), to.to_owned());
        Self(BTreeMap::from([entry(UAA_PORT, uaa), entry(API_PORT, api)]))
    }

    /// Where to connect for a host and port: as in the table, else as named.
    pub fn address(&self, host: &str, port: u16) -> String {
        let named = format!("{host}:{port}");
        self.0.get(&named).cloned().unwrap_or(named)
    }
}

impl Default for Hosts {
    fn default() -> Self {
        Self::lab(LAB_UAA, LAB_API)
    }
}

impl FromStr for Hosts {
    type Err = String;

    /// Reads `host:port=address:port`, several separated by commas.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = |entry: &str| {
            let (from, to) = entry
                .split_once('=')
                .filter(|(from, to)| from.contains(':') && to.contains(':'))
                .ok_or_else(|| format!("{entry} is not host:port=address:port"))?;
            Ok((from.to_owned(), to.to_owned()))
        };
        entries.map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<String> = self.0.iter().map(|(from, to)| format!("{from}={to}")).collect();
        f.write_str(&entries.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_host_is_the_lab_and_others_are_themselves() {
        let hosts = Hosts::default();
        assert_eq!(hosts.address("pks.corp.local", 8443), "127.0.0.1:8444");
        assert_eq!(hosts.address("pks.corp.local", 9021), "127.0.0.1:9021");
        assert_eq!(hosts.address("pks.example.com", 8443), "pks.example.com:8443");
    }

    #[test]
    fn a_table_is_read_as_it_is_printed() {
        let hosts = Hosts::lab("127.0.0.1:1", "127.0.0.1:2");
        assert_eq!(hosts.to_string().parse(), Ok(hosts));
        assert!("pks.corp.local".parse::<Hosts>().is_err());
    }
}
