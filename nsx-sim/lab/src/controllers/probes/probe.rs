//! A probe, as a container's spec has it.

use crate::api::kinds::list;
use crate::api::probe::Asked;
use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whether the container has started.
    Startup,
    /// Whether it lives.
    Liveness,
    /// Whether it takes traffic.
    Readiness,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Startup, Kind::Liveness, Kind::Readiness];

    /// The member of a container that has it.
    pub fn member(self) -> &'static str {
        match self {
            Kind::Startup => "startupProbe",
            Kind::Liveness => "livenessProbe",
            Kind::Readiness => "readinessProbe",
        }
    }

    /// How events name it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Startup => "Startup",
            Kind::Liveness => "Liveness",
            Kind::Readiness => "Readiness",
        }
    }
}

/// A probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What it is for.
    pub kind: Kind,
    /// What it asks; or why it can not.
    pub asked: Result<Asked, String>,
    /// How long after the container's start it begins.
    pub delay: Duration,
    /// How often it asks.
    pub period: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// So many good answers in a row are a success.
    pub successes: u32,
    /// So many bad ones are a failure.
    pub failures: u32,
}

impl Probe {
    /// The container's probe of that kind, if it has one.
    pub fn of(container: &Value, kind: Kind) -> Option<Probe> {
        let probe = container.get(kind.member())?;
        let probe = v1::Probe::deserialize(probe).ok()?;
        let seconds = |number: Option<i32>, default: u64| {
            let number = number.and_then(|own| u64::try_from(own).ok());
            Duration::from_secs(number.filter(|own| *own > 0).unwrap_or(default))
        };
        let times = |number: Option<i32>, default| {
            let number = number.and_then(|own| u32::try_from(own).ok());
            number.filter(|own| *own > 0).unwrap_or(default)
        };
        Some(Probe {
            kind,
            delay: seconds(probe.initial_delay_seconds, 0),
            period: seconds(probe.period_seconds, 10),
            timeout: seconds(probe.timeout_seconds, 1),
            successes: times(probe.success_threshold, 1),
            failures: times(probe.failure_threshold, 3),
            asked: asked(probe, container)?,
        })
    }
}

/// What a probe asks; nothing where it says nothing, which the API server refuses.
fn asked(probe: v1::Probe, container: &Value) -> Option<Result<Asked, String>> {
    let named = |host: Option<String>| host.filter(|own| !own.is_empty());
    if let Some(own) = probe.exec {
        return Some(Ok(Asked::Exec(own.command.unwrap_or_default())));
    }
    if let Some(own) = probe.http_get {
        let path = own.path.unwrap_or_default();
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        let port = port(&own.port, container);
        let (tls, host) = (own.scheme.as_deref() == Some("HTTPS"), named(own.host));
        return Some(port.map(|port| Asked::Http { tls, host, port, path }));
    }
    if let Some(own) = probe.tcp_socket {
        let port = port(&own.port, container);
        return Some(port.map(|port| Asked::Tcp { host: named(own.host), port }));
    }
    let own = probe.grpc?;
    Some(port(&IntOrString::Int(own.port), container).map(|port| Asked::Grpc { port }))
}

/// A port by its number, or by the name that the container gives it. The words are kubelet's.
fn port(port: &IntOrString, container: &Value) -> Result<u16, String> {
    let number = match port {
        IntOrString::Int(number) => i64::from(*number),
        IntOrString::String(name) => {
            let mut ports = list(container, "/ports").iter();
            let own = ports.find(|own| own["name"] == name.as_str());
            let own = own.and_then(|own| own["containerPort"].as_i64());
            own.or_else(|| name.parse().ok())
                .ok_or_else(|| format!("strconv.Atoi: parsing {name:?}: invalid syntax"))?
        }
    };
    let valid = u16::try_from(number).ok().filter(|own| *own > 0);
    valid.ok_or_else(|| format!("invalid port number: {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_left_out_is_kubernetes_default() {
        let container = json!({"ports": [{"name": "http", "containerPort": 8080}],
            "readinessProbe": {"httpGet": {"port": "http", "path": "ready", "host": ""}},
            "livenessProbe": {"tcpSocket": {"port": 80, "host": "10.0.0.1"}, "periodSeconds": 3,
                "initialDelaySeconds": 4, "timeoutSeconds": 5, "failureThreshold": 6},
            "startupProbe": {"exec": {"command": ["true"]}}});
        let probe = |kind| Probe::of(&container, kind).unwrap();
        let seconds = Duration::from_secs;
        let path = "/ready".to_owned();
        assert_eq!(
            probe(Kind::Readiness),
            Probe {
                kind: Kind::Readiness,
                asked: Ok(Asked::Http { tls: false, host: None, port: 8080, path }),
                delay: seconds(0),
                period: seconds(10),
                timeout: seconds(1),
                successes: 1,
                failures: 3,
            }
        );
        let live = probe(Kind::Liveness);
        let host = Some("10.0.0.1".to_owned());
        assert_eq!(live.asked, Ok(Asked::Tcp { host, port: 80 }));
        assert_eq!((live.delay, live.period, live.timeout), (seconds(4), seconds(3), seconds(5)));
        assert_eq!(live.failures, 6);
        assert_eq!(probe(Kind::Startup).asked, Ok(Asked::Exec(vec!["true".to_owned()])));
        assert_eq!(Probe::of(&json!({}), Kind::Liveness), None);
    }

    #[test]
    fn a_port_that_the_container_does_not_name_is_told() {
        let container = json!({"ports": [], "livenessProbe": {"httpGet": {"port": "web"}}});
        let asked = Probe::of(&container, Kind::Liveness).unwrap().asked;
        assert_eq!(asked, Err("strconv.Atoi: parsing \"web\": invalid syntax".to_owned()));
    }
}
