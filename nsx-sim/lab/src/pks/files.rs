//! What the command keeps: who is logged in, and kubectl's configuration.

use crate::{kubeconfig, yaml};
use anyhow::Context;
use kube::config::Kubeconfig;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where the files are.
#[derive(Clone, Debug)]
pub struct Places {
    /// `creds.yml`.
    pub credentials: PathBuf,
    /// kubectl's configuration that is written.
    pub kubeconfig: PathBuf,
}

impl Places {
    /// As the environment says: `PKS_HOME` or `~/.pks`, the first of `KUBECONFIG` or `~/.kube/config`.
    ///
    /// # Errors
    /// Where there is no home and it is needed.
    pub fn of_environment() -> anyhow::Result<Self> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = || set("HOME").map(PathBuf::from).context("HOME is not set");
        let named = set("KUBECONFIG").and_then(|list| std::env::split_paths(&list).next());
        let pks = set("PKS_HOME")
            .map_or_else(|| home().map(|home| home.join(".pks")), |own| Ok(PathBuf::from(own)))?;
        let kubeconfig = match named {
            Some(path) => path,
            None => home()?.join(".kube/config"),
        };
        Ok(Self { credentials: pks.join("creds.yml"), kubeconfig })
    }
}

/// `creds.yml`: its members are those of the real command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credentials {
    /// The host that was logged in to.
    pub api: String,
    /// The certificate that it must show, PEM.
    #[serde(default)]
    pub ca_cert: String,
    /// Who logged in.
    #[serde(default)]
    pub username: String,
    /// Any certificate will do.
    #[serde(default)]
    pub skip_ssl_verification: bool,
    /// The token of calls.
    pub access_token: String,
    /// What buys the next one.
    #[serde(default)]
    pub refresh_token: String,
}

impl Credentials {
    /// Reads the file; nothing where there is none.
    ///
    /// # Errors
    /// Where it can not be read as such.
    pub fn read(places: &Places) -> anyhow::Result<Option<Self>> {
        let path = &places.credentials;
        match fs::read_to_string(path) {
            Ok(text) => yaml::read(&text).with_context(|| format!("{}", path.display())).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{}", path.display())),
        }
    }

    pub(super) fn write(&self, places: &Places) -> anyhow::Result<()> {
        write_private(&places.credentials, &yaml::print(self)?)
    }

    pub(super) fn forget(places: &Places) -> anyhow::Result<()> {
        match fs::remove_file(&places.credentials) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// kubectl's configuration, empty where there is no file.
///
/// # Errors
/// Where it can not be read as such.
pub fn read_kubeconfig(path: &Path) -> anyhow::Result<Kubeconfig> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Kubeconfig::default()),
        read => read.with_context(|| format!("{}", path.display()))?,
    };
    // By text, not by path: that would make the paths within absolute.
    kubeconfig::parse(&text).with_context(|| format!("{}", path.display()))
}

/// Writes kubectl's configuration.
///
/// # Errors
/// Where the file can not be written.
pub fn write_kubeconfig(path: &Path, config: &Kubeconfig) -> anyhow::Result<()> {
    write_private(path, &yaml::print(config)?)
}

/// `old` with the clusters, users and contexts of `new` added, or put in the place of those of their
/// names. The current context stays, if there is one.
#[must_use]
pub fn merged(mut old: Kubeconfig, new: Kubeconfig) -> Kubeconfig {
    for own in new.clusters {
        old.clusters.retain(|other| other.name != own.name);
        old.clusters.push(own);
    }
    for own in new.auth_infos {
        old.auth_infos.retain(|other| other.name != own.name);
        old.auth_infos.push(own);
    }
    for own in new.contexts {
        old.contexts.retain(|other| other.name != own.name);
        old.contexts.push(own);
    }
    old.current_context = old.current_context.filter(|own| !own.is_empty()).or(new.current_context);
    old.api_version.get_or_insert_with(|| "v1".to_owned());
    old.kind.get_or_insert_with(|| "Config".to_owned());
    old
}

/// Writes a file that its owner alone may read, with its folders; whole or not at all.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        fs::rename(beside, path)
    };
    written().with_context(|| format!("{}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str, server: &str, current: Option<&str>) -> Kubeconfig {
        let yaml = format!(
            "clusters: [{{name: {name}, cluster: {{server: {server}}}}}]\n\
             users: [{{name: {name}, user: {{token: t}}}}]\n\
             contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}}}}}]\n"
        );
        let mut read = kubeconfig::parse(&yaml).unwrap();
        read.current_context = current.map(str::to_owned);
        read
    }

    #[test]
    fn a_cluster_takes_the_place_of_its_name_and_leaves_the_others() {
        let old = merged(config("a", "https://a", Some("a")), config("b", "https://old", None));
        let both = merged(old, config("b", "https://new", Some("b")));
        let servers: Vec<_> =
            both.clusters.iter().map(|own| own.cluster.clone().unwrap().server.unwrap()).collect();
        assert_eq!(servers, ["https://a", "https://new"]);
        assert_eq!((both.contexts.len(), both.auth_infos.len()), (2, 2));
        assert_eq!(both.current_context.as_deref(), Some("a"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = std::env::temp_dir().join(format!("pks-{}", uuid::Uuid::new_v4()));
        let path = folder.join("kube/config");
        write_kubeconfig(&path, &config("a", "https://a", Some("a"))).unwrap();
        let read = read_kubeconfig(&path).unwrap();
        assert_eq!(read.current_context.as_deref(), Some("a"));
        assert_eq!(read.contexts[0].name, "a");
        fs::remove_dir_all(folder).unwrap();
    }
}
