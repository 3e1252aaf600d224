//! Step 10: name resolution, which the guide's own tests from service-a never met.
//!
//! A query from a protected pod goes to the DNS pods' addresses and matches no allowing rule of the
//! section, so its last rule rejects it: the table then holds by address, not by name.

use super::Done;
use super::pods::{self, Pod};
use super::report::{Dns, Outcome, Pair};
use super::section::Section;
use super::trace::{Probe, Tracer};
use nsx_client::Client;

/// Well-known port of DNS.
const DNS_PORT: u16 = 53;
/// Service whose pod asks.
const ASKING: &str = "service-b";

/// Judges a DNS query from a protected pod; nothing where the cluster has no DNS pods.
pub(super) fn judge(tracer: &Tracer, client: &Client, section: &Section) -> Done<Option<Dns>> {
    let pods = pods::read(client)?;
    let Some((asking, server)) = asking_and_asked(&pods) else {
        return Ok((None, "not judged: no pod is labelled k8s-app=kube-dns".to_owned()));
    };
    let query = tracer.probe(asking, server, Probe::Udp(DNS_PORT))?;
    let note = format!("{ASKING} to {}: {}", server.name, query.outcome);
    Ok((Some(explain(query, &section.applied_to)), note))
}

/// A protected pod and a DNS pod of its own cluster.
fn asking_and_asked(pods: &[Pod]) -> Option<(&Pod, &Pod)> {
    let asking = pods::of_app(pods, ASKING).into_iter().next()?;
    let cluster = |pod: &Pod| pod.label("ncp/cluster").map(str::to_owned);
    let server = pods
        .iter()
        .filter(|pod| cluster(pod) == cluster(asking))
        .find(|pod| pod.label("k8s-app") == Some("kube-dns"))?;
    Some((asking, server))
}

fn explain(query: Pair, protected: &[String]) -> Dns {
    if query.outcome == Outcome::Success {
        let meaning = "Pods behind the section resolve names: the table holds by name, too.";
        return Dns { query, meaning: meaning.to_owned(), mending_rule: None };
    }
    let protected = protected.join(", ");
    let meaning = format!(
        "Members of {protected} cannot resolve names: what the table allows them holds by address, \
         while curl by service name ends with (6), could not resolve host."
    );
    let mending_rule = format!(
        "Allow, on top of the section: sources {protected}; destination a group of logical ports \
         tagged k8s-app=kube-dns; services UDP 53 and TCP 53."
    );
    Dns { query, meaning, mending_rule: Some(mending_rule) }
}

#[cfg(test)]
mod tests {
    use super::super::pods::tests::pod;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_asks_the_dns_of_its_own_cluster() {
        let dns = |name, cluster| {
            let mut dns = pod("x", name, "10.0.0.9").port;
            dns["tags"] = json!([
                {"scope": "ncp/pod", "tag": name},
                {"scope": "k8s-app", "tag": "kube-dns"},
                {"scope": "ncp/cluster", "tag": cluster}]);
            Pod::from_port(dns).unwrap()
        };
        let mut asking = pod("service-b", "b-1", "10.0.0.1").port;
        asking["tags"].as_array_mut().unwrap().push(json!({"scope": "ncp/cluster", "tag": "ours"}));
        let asking = Pod::from_port(asking).unwrap();
        let pods = [dns("dns-1", "other"), dns("dns-2", "ours"), asking];
        assert_eq!(asking_and_asked(&pods).unwrap().1.name, "dns-2");
        assert!(asking_and_asked(&pods[..2]).is_none());
    }

    #[test]
    fn a_rejected_query_comes_with_its_mending_rule() {
        let query = |outcome| Pair {
            from: "b".to_owned(),
            to: "coredns".to_owned(),
            outcome,
            reason: None,
            verdicts: Vec::new(),
        };
        let protected = ["nsg-service-b".to_owned(), "nsg-service-c".to_owned()];
        let dns = explain(query(Outcome::Fail), &protected);
        assert!(dns.mending_rule.unwrap().contains("sources nsg-service-b, nsg-service-c;"));
        assert_eq!(explain(query(Outcome::Success), &protected).mending_rule, None);
    }
}
