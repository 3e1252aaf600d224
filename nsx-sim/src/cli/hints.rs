//! What `serve` says to try first: commands that have something to show in the world that it has.

use super::serve::WorldChoice;
use nsx_client::{Client, Remote};
use serde_json::Value;

/// How many ports of a world from a file are looked at for two that a packet may go between.
const LOOKED_AT: usize = 100;

/// A world, as far as hints differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hints {
    /// The guide's pods.
    Guide,
    /// The same before the guide made any.
    Lab,
    /// Nothing.
    Empty,
    /// So many machines, by number.
    Machines(u32),
    /// Whatever a file has.
    File,
}

impl From<&WorldChoice> for Hints {
    fn from(choice: &WorldChoice) -> Self {
        match choice {
            WorldChoice::Guide => Self::Guide,
            WorldChoice::Lab => Self::Lab,
            WorldChoice::Empty => Self::Empty,
            WorldChoice::File(_) => Self::File,
        }
    }
}

impl Hints {
    /// Commands for this manager. Of a world from a file it is asked what there is; so this may block.
    pub(super) fn lines(&self, manager: &Remote, secure: bool) -> Vec<String> {
        let url = manager.url.as_deref().unwrap_or_default();
        let insecure = if secure { "-k " } else { "" };
        let (user, password) = (&manager.user, &manager.password);
        let shown =
            if *self == Self::Empty { "firewall/sections" } else { "logical-ports?page_size=5" };
        let mut lines =
            vec![format!("curl -s {insecure}-u '{user}:{password}' '{url}/api/v1/{shown}'")];
        // It makes what it does not find, which worlds of others have no use for.
        if matches!(self, Self::Guide | Self::Empty) {
            lines.push(format!("nsx-sim guide {insecure}--url {url}"));
        }
        if let Some(packet) = self.packet(manager) {
            lines.push(format!("nsx-sim explain {insecure}--url {url} {packet}"));
        }
        lines
    }

    /// Two ends of a packet, and the port that it goes to.
    fn packet(&self, manager: &Remote) -> Option<String> {
        match self {
            Self::Guide => Some(
                "--from service-b-86d8c888c7-jpwf9 --to service-d-69f59f4cb9-f94rs --port 8080"
                    .to_owned(),
            ),
            Self::Lab => Some(
                "--from busybox-7b87695f88-jgc4f --to coredns-6f9bcd8956-6znfz --port 53"
                    .to_owned(),
            ),
            Self::Machines(2..) => Some("--from vm-1 --to vm-2 --port 443".to_owned()),
            Self::Machines(_) | Self::Empty => None,
            Self::File => {
                let client = Client::new(manager).ok()?;
                let page = client.get(&format!("/logical-ports?page_size={LOOKED_AT}")).ok()?;
                between(&page)
            }
        }
    }
}

/// A packet between the first two vNICs of a page of logical ports.
fn between(page: &Value) -> Option<String> {
    let ports = page["results"].as_array()?.iter();
    let mut vnics = ports.filter(|port| {
        let bound = port["address_bindings"].as_array().is_some_and(|own| !own.is_empty());
        bound && port["attachment"]["attachment_type"] == "VIF"
    });
    let (from, to) = (vnics.next()?["id"].as_str()?, vnics.next()?["id"].as_str()?);
    Some(format!("--from {from} --to {to} --port 443"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(hints: &Hints) -> Vec<String> {
        let manager = Remote {
            url: Some("http://127.0.0.1:1".to_owned()),
            user: "admin".to_owned(),
            password: "x".to_owned(),
            insecure: true,
            cert: None,
            cert_key: None,
        };
        hints.lines(&manager, false)
    }

    #[test]
    fn only_worlds_that_have_the_guide_s_pods_name_them() {
        let named = |hints: &Hints| lines(hints).iter().any(|line| line.contains("service-"));
        assert!(named(&Hints::Guide));
        for hints in [Hints::Lab, Hints::Empty, Hints::Machines(1), Hints::Machines(2), Hints::File]
        {
            assert!(!named(&hints), "{hints:?}");
        }
        assert!(lines(&Hints::Machines(2))[1].ends_with("--from vm-1 --to vm-2 --port 443"));
        assert_eq!(lines(&Hints::Machines(1)).len(), 1, "no packet without two machines");
    }

    #[test]
    fn a_packet_goes_between_ports_of_machines_that_have_addresses() {
        let port = |id: &str, attachment: &str, addresses: Value| {
            json!({"id": id, "attachment": {"attachment_type": attachment},
                "address_bindings": addresses})
        };
        let bound = json!([{"ip_address": "10.0.0.1"}]);
        let mut ports = vec![
            port("router", "LOGICALROUTER", bound.clone()),
            port("a", "VIF", bound.clone()),
            port("silent", "VIF", json!([])),
        ];
        assert_eq!(between(&json!({"results": ports})), None);
        ports.push(port("b", "VIF", bound));
        let packet = between(&json!({"results": ports}));
        assert_eq!(packet.as_deref(), Some("--from a --to b --port 443"));
    }
}
