//! Where backups would go, and from where a restore would come [spec BackupConfiguration,
//! RestoreConfiguration]. Backups are made when they are asked for; schedules are kept, not obeyed.

use super::document;
use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use crate::kinds::fabric::secret::Secret;
use crate::kinds::values::{Formed, Host};
use crate::wire::{Int, Items, int, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Backups.
pub static BACKUP: Kind = document::<BackupConfiguration>("BackupConfiguration");
/// Restores.
pub static RESTORE: Kind = document::<RestoreConfiguration>("RestoreConfiguration");

/// When and whereto.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupConfiguration {
    /// Absent until it is set for the first time.
    remote_file_server: Option<FileServer>,
    #[serde(default)]
    backup_enabled: bool,
    backup_schedule: Option<Schedule>,
    /// Seconds.
    after_inventory_update_interval: Option<Int<300, 86_400>>,
    /// Seconds.
    #[serde(default = "int::<240, 30, 3_600>")]
    inventory_summary_interval: Int<30, 3_600>,
    passphrase: Option<Secret>,
}

impl Resource for BackupConfiguration {
    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        required(before.is_some(), self.remote_file_server.as_ref())
    }
}

impl BackupConfiguration {
    /// Where backups go, once that was set.
    pub fn place(&self) -> Option<String> {
        self.remote_file_server.as_ref().map(FileServer::place)
    }
}

/// Wherefrom.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreConfiguration {
    /// Absent until it is set for the first time.
    remote_file_server: Option<FileServer>,
    passphrase: Option<Secret>,
}

impl Resource for RestoreConfiguration {
    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        required(before.is_some(), self.remote_file_server.as_ref())
    }
}

impl RestoreConfiguration {
    /// Where backups come from, once that was set.
    pub fn place(&self) -> Option<String> {
        self.remote_file_server.as_ref().map(FileServer::place)
    }
}

/// A caller must name the server; only the manager's own first document has none.
fn required(sent: bool, server: Option<&FileServer>) -> Result<(), Error> {
    if sent && server.is_none() {
        return Err(Error::field("remote_file_server", "is required"));
    }
    Ok(())
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileServer {
    server: Formed<Host>,
    #[serde(default = "int::<22, 1, 65_535>")]
    port: Int<1, 65_535>,
    protocol: TransferProtocol,
    directory_path: String,
}

impl FileServer {
    /// The directory, as one that looks there again would name it.
    fn place(&self) -> String {
        let directory = self.directory_path.trim_end_matches('/');
        format!("{}:{}{directory}", &*self.server, self.port.get())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TransferProtocol {
    #[serde(default)]
    protocol_name: ProtocolName,
    ssh_fingerprint: String,
    authentication_scheme: Authentication,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ProtocolName {
    #[default]
    Sftp,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Authentication {
    #[serde(default)]
    scheme_name: SchemeName,
    username: String,
    password: Option<Secret>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum SchemeName {
    #[default]
    Password,
}

/// When.
#[derive(Clone, Debug, Deserialize)]
enum Schedule {
    /// On days of the week, at a time of day.
    WeeklyBackupSchedule(Weekly),
    /// Again and again.
    IntervalBackupSchedule(Interval),
}

polymorphic!(Schedule { WeeklyBackupSchedule, IntervalBackupSchedule });

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Weekly {
    /// 0 is Sunday.
    days_of_week: Items<Int<0, 6>, 7, 1>,
    hour_of_day: Int<0, 23>,
    minute_of_day: Int<0, 59>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Interval {
    #[serde(default = "int::<3600, 300, 86_400>")]
    seconds_between_backups: Int<300, 86_400>,
}
