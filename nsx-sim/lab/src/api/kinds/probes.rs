//! The probes of a container: what is filled in and what is refused.

use super::super::error::Cause;
use super::{fill, list, names, number, text};
use serde_json::Value;

/// The members of a container that are probes.
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];
/// The ways to ask; a probe has one.
const WAYS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];
/// The numbers of a probe, and what 0 stands for.
const NUMBERS: [(&str, i64); 5] = [
    ("initialDelaySeconds", 0),
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
];

/// Fills in what a client may leave out of a container's probes.
pub fn default(container: &mut Value) {
    for probe in PROBES {
        if !container[probe].is_object() {
            continue;
        }
        let probe = &mut container[probe];
        for (member, value) in NUMBERS.into_iter().filter(|(_, value)| *value > 0) {
            if probe[member] == 0 {
                probe[member] = value.into();
            }
            fill(probe, member, value);
        }
        if probe["httpGet"].is_object() {
            fill(&mut probe["httpGet"], "path", "/");
            fill(&mut probe["httpGet"], "scheme", "HTTP");
        }
        if probe["grpc"].is_object() {
            fill(&mut probe["grpc"], "service", "");
        }
    }
}

/// What is wrong with the probes of the container at this place.
pub fn check(container: &Value, at: &str, causes: &mut Vec<Cause>) {
    for member in PROBES {
        let (probe, at) = (&container[member], format!("{at}.{member}"));
        if !probe.is_object() {
            continue;
        }
        let mut ways = WAYS.into_iter().filter(|way| probe[way].is_object());
        match ways.next() {
            Some(way) => asked(way, &probe[way], &format!("{at}.{way}"), causes),
            None => causes.push(Cause::required(&at, "must specify a handler type")),
        }
        for second in ways {
            let why = "may not specify more than 1 handler type";
            causes.push(Cause::forbidden(&format!("{at}.{second}"), why));
        }
        for (member, _) in NUMBERS {
            if number(probe, &format!("/{member}")) < 0 {
                let why = "must be greater than or equal to 0";
                causes.push(Cause::invalid(&format!("{at}.{member}"), &probe[member], why));
            }
        }
        if member != "readinessProbe" && number(probe, "/successThreshold") != 1 {
            let at = format!("{at}.successThreshold");
            causes.push(Cause::invalid(&at, &probe["successThreshold"], "must be 1"));
        }
    }
}

fn asked(way: &str, asked: &Value, at: &str, causes: &mut Vec<Cause>) {
    if way == "exec" {
        if list(asked, "/command").is_empty() {
            causes.push(Cause::required(&format!("{at}.command"), ""));
        }
        return;
    }
    let why = match asked["port"].as_str() {
        Some(name) => names::label(name),
        None if (1..=65_535).contains(&number(asked, "/port")) => None,
        None => Some("must be between 1 and 65535, inclusive"),
    };
    if let Some(why) = why {
        causes.push(Cause::invalid(&format!("{at}.port"), &asked["port"], why));
    }
    if way == "httpGet" && !["HTTP", "HTTPS"].contains(&text(asked, "/scheme")) {
        let known = ["HTTP", "HTTPS"];
        causes.push(Cause::unsupported(&format!("{at}.scheme"), &asked["scheme"], &known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Error, Resource};
    use serde_json::json;

    #[test]
    fn zero_stands_for_what_is_left_out() {
        let mut container = json!({"livenessProbe":
            {"periodSeconds": 0, "failureThreshold": 5, "httpGet": {"port": 80}}});
        default(&mut container);
        assert_eq!(
            container["livenessProbe"],
            json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1,
                "failureThreshold": 5, "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}})
        );
    }

    #[test]
    fn a_probe_asks_in_one_way_and_counts_from_one() {
        let mut container = json!({
            "livenessProbe": {"successThreshold": 2, "exec": {"command": []}},
            "readinessProbe": {"successThreshold": 2, "periodSeconds": -1},
            "startupProbe": {"httpGet": {"port": 0, "scheme": "FTP"}, "tcpSocket": {"port": "web"}},
        });
        default(&mut container);
        let mut causes = Vec::new();
        check(&container, "c", &mut causes);
        let told = Error::invalid(Resource::Pods, "a", &causes).message;
        assert_eq!(
            told.trim_start_matches("Pod \"a\" is invalid: [").trim_end_matches(']'),
            [
                "c.livenessProbe.exec.command: Required value",
                "c.livenessProbe.successThreshold: Invalid value: 2: must be 1",
                "c.readinessProbe: Required value: must specify a handler type",
                "c.readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
                "c.startupProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
                "c.startupProbe.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\"",
                "c.startupProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
            ]
            .join(", ")
            .as_str()
        );
    }
}
