//! Where the appliance would send its log [spec NodeSyslogExporterProperties]. Nothing leaves the
//! process: exporters are kept and read back.

use super::entries;
use crate::inventory::{Kind, Resource};
use crate::kinds::fabric::secret::Secret;
use crate::kinds::values::{Formed, Host};
use crate::wire::{Int, Text, int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of exporters, by name.
pub static EXPORTER: Kind = entries::<Exporter>("NodeSyslogExporterProperties");

/// A receiver of the log.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exporter {
    /// Unique among them.
    pub exporter_name: Text<64, 1>,
    server: Formed<Host>,
    #[serde(default = "int::<514, 1, 65_535>")]
    port: Int<1, 65_535>,
    protocol: Protocol,
    level: Severity,
    facilities: Option<Vec<Facility>>,
    msgids: Option<Vec<String>>,
    structured_data: Option<Vec<String>>,
    tls_ca_pem: Option<String>,
    tls_client_ca_pem: Option<String>,
    tls_cert_pem: Option<String>,
    tls_key_pem: Option<Secret>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Protocol {
    Tcp,
    Tls,
    Udp,
    Li,
    #[serde(rename = "LI-TLS")]
    LiTls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Severity {
    Emerg,
    Alert,
    Crit,
    Err,
    Warning,
    Notice,
    Info,
    Debug,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Facility {
    Kern,
    User,
    Mail,
    Daemon,
    Auth,
    Syslog,
    Lpr,
    News,
    Uucp,
    Authpriv,
    Ftp,
    Logalert,
    Cron,
    Local0,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}

impl Resource for Exporter {}
