//! The services of the appliance, whether they run, and what can be set of each
//! [spec NodeServiceProperties].

use super::{document, entries};
use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use crate::kinds::values::{Formed, Host};
use crate::wire::{Items, Told, yes};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// The declaration of the services' states, one object each, by name.
pub static SERVICE: Kind = entries::<ServiceState>("NodeServiceState");

/// Time servers [spec NodeNtpServiceProperties].
pub static NTP: Kind = document::<Service<Ntp>>("NodeNtpServiceProperties");
/// SNMP communities [spec NodeSnmpServiceProperties].
pub static SNMP: Kind = document::<Service<Snmp>>("NodeSnmpServiceProperties");
/// The shell's service [spec NodeSshServiceProperties].
pub static SSH: Kind = document::<Service<Ssh>>("NodeSshServiceProperties");
/// The service that installs and upgrades [spec NodeInstallUpgradeServiceProperties].
pub static INSTALL_UPGRADE: Kind =
    document::<Service<InstallUpgrade>>("NodeInstallUpgradeServiceProperties");
/// The manager's logging [spec NodeProtonServiceProperties].
pub static MANAGER: Kind = document::<Service<Logging>>("NodeProtonServiceProperties");
/// The policy service's logging [spec NodePolicyServiceProperties].
pub static POLICY: Kind = document::<Service<Logging>>("NodePolicyServiceProperties");
/// The engine of SNMP version 3 [spec NodeSnmpV3EngineID].
pub static SNMP_ENGINE: Kind = document::<SnmpEngine>("NodeSnmpV3EngineID");
/// The controller's profiler [spec ControllerProfilerProperties].
pub static PROFILER: Kind = document::<Profiler>("ControllerProfilerProperties");

/// A service of the appliance.
pub struct Declared {
    /// Its name in paths.
    pub name: &'static str,
    /// Whether it runs from the start.
    pub running: bool,
    /// What can be set of it.
    pub properties: Option<&'static Kind>,
}

/// Every service, `http` apart, by name. Which run on a fresh appliance is the simulator's choice.
pub static SERVICES: &[Declared] = &[
    Declared { name: "cluster_manager", running: true, properties: None },
    Declared { name: "cm-inventory", running: true, properties: None },
    Declared { name: "controller", running: true, properties: None },
    Declared { name: "install-upgrade", running: true, properties: Some(&INSTALL_UPGRADE) },
    Declared { name: "liagent", running: false, properties: None },
    Declared { name: "manager", running: true, properties: Some(&MANAGER) },
    Declared { name: "mgmt-plane-bus", running: true, properties: None },
    Declared { name: "migration-coordinator", running: false, properties: None },
    Declared { name: "node-mgmt", running: true, properties: None },
    Declared { name: "node-stats", running: true, properties: None },
    Declared { name: "nsx-message-bus", running: true, properties: None },
    Declared { name: "nsx-platform-client", running: true, properties: None },
    Declared { name: "nsx-upgrade-agent", running: true, properties: None },
    Declared { name: "ntp", running: true, properties: Some(&NTP) },
    Declared { name: "policy", running: true, properties: Some(&POLICY) },
    Declared { name: "search", running: true, properties: None },
    Declared { name: "snmp", running: false, properties: Some(&SNMP) },
    Declared { name: "ssh", running: true, properties: Some(&SSH) },
    Declared { name: "syslog", running: true, properties: None },
    Declared { name: "telemetry", running: true, properties: None },
    Declared { name: "ui-service", running: true, properties: None },
];

/// Whether a service runs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceState {
    /// As last asked for.
    pub running: bool,
}

impl Resource for ServiceState {}

/// What can be set of a service.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service<P> {
    /// Its name; fixed.
    pub service_name: String,
    /// The rest; what is not sent stays as it is.
    pub service_properties: Option<P>,
}

/// The properties of one service.
pub trait Properties:
    Clone + Debug + Default + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
    /// Whether they must be sent.
    const REQUIRED: bool = false;

    /// Completes what was sent.
    fn complete(&mut self) {}
}

impl<P: Properties> Resource for Service<P> {
    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if let Some(before) = before {
            if self.service_name != before.service_name {
                let text = format!("must be {}, not {}", before.service_name, self.service_name);
                return Err(Error::field("service_name", text));
            }
            if P::REQUIRED && self.service_properties.is_none() {
                return Err(Error::field("service_properties", "is required"));
            }
            if self.service_properties.is_none() {
                self.service_properties.clone_from(&before.service_properties);
            }
        }
        self.service_properties.get_or_insert_default().complete();
        Ok(())
    }
}

/// Of the time service.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ntp {
    #[serde(default = "yes")]
    start_on_boot: bool,
    servers: Vec<Formed<Host>>,
}

impl Properties for Ntp {}

/// Of the SNMP service.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Snmp {
    #[serde(default)]
    communities: Items<String, 1>,
    start_on_boot: bool,
}

impl Properties for Snmp {
    const REQUIRED: bool = true;
}

/// Of the shell's service.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ssh {
    start_on_boot: bool,
}

impl Properties for Ssh {}

/// Of the service that installs and upgrades.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallUpgrade {
    enabled: bool,
    /// The address of the node on which it is: this one or none.
    #[serde(default)]
    enabled_on: Told<String>,
}

impl Default for InstallUpgrade {
    fn default() -> Self {
        Self { enabled: true, enabled_on: Told::default() }
    }
}

impl Properties for InstallUpgrade {
    fn complete(&mut self) {
        self.enabled_on = Told(self.enabled.then(|| super::node::ADDRESS.to_owned()));
    }
}

/// How much a service writes into its log. The simulator keeps it and writes its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    logging_level: LogLevel,
    #[serde(default)]
    package_logging_level: Vec<PackageLevel>,
}

impl Properties for Logging {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PackageLevel {
    logging_level: Option<LogLevel>,
    package_name: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum LogLevel {
    Off,
    Fatal,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// The engine of SNMP version 3.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnmpEngine {
    service_name: String,
    v3_engine_id: String,
}

impl Resource for SnmpEngine {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if self.service_name != "snmp" {
            return Err(Error::field("service_name", "must be snmp"));
        }
        Ok(())
    }
}

/// The controller's profiler.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profiler {
    #[serde(default)]
    enabled: bool,
}

impl Resource for Profiler {}
