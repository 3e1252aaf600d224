//! Kubeconfigs, read as [`crate::yaml`] reads: by way of JSON's values.

use anyhow::Context;
use kube::config::Kubeconfig;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What names files, or a program, that lie beside the kubeconfig: the list and the member of its rows.
const FILES: [(&str, &str); 5] = [
    ("clusters", "/cluster/certificate-authority"),
    ("users", "/user/client-certificate"),
    ("users", "/user/client-key"),
    ("users", "/user/tokenFile"),
    ("users", COMMAND),
];

/// A plugin: one without a folder is looked up in `PATH`.
const COMMAND: &str = "/user/exec/command";

/// Reads a text: of several documents in it the first to set something wins, as of several files.
///
/// # Errors
/// Where it is no YAML, or no kubeconfig.
pub fn parse(text: &str) -> anyhow::Result<Kubeconfig> {
    merged(serde_saphyr::from_multiple(text)?)
}

/// Reads a file; what files it names are looked for from its own folder.
///
/// # Errors
/// Where it can not be read, or is no kubeconfig.
pub fn read(path: &Path) -> anyhow::Result<Kubeconfig> {
    let read = || {
        let mut documents: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(path)?)?;
        if let Some(folder) = path.parent() {
            for own in &mut documents {
                resolve(own, folder);
            }
        }
        merged(documents)
    };
    read().with_context(|| format!("{}", path.display()))
}

/// Reads the files that `KUBECONFIG` names, or `~/.kube/config`.
///
/// # Errors
/// Where there is none, or one can not be read.
pub fn of_environment() -> anyhow::Result<Kubeconfig> {
    let named = std::env::var_os("KUBECONFIG").unwrap_or_default();
    let paths: Vec<_> =
        std::env::split_paths(&named).filter(|own| !own.as_os_str().is_empty()).collect();
    if paths.is_empty() {
        let home = std::env::home_dir().context("there is no home to have a kubeconfig")?;
        return read(&home.join(".kube/config"));
    }
    paths
        .iter()
        .try_fold(Kubeconfig::default(), |all, path| Ok(Kubeconfig::merge(all, read(path)?)?))
}

fn merged(documents: Vec<Value>) -> anyhow::Result<Kubeconfig> {
    let documents = documents.into_iter().filter(|own| !own.is_null());
    documents.map(serde_json::from_value).try_fold(Kubeconfig::default(), |all, own| {
        Ok(Kubeconfig::merge(all, own.context("it is no kubeconfig")?)?)
    })
}

/// Makes paths absolute, as kubectl does.
fn resolve(config: &mut Value, folder: &Path) {
    for (list, member) in FILES {
        for row in config.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(Value::String(file)) = row.pointer_mut(member)
                && Path::new(file).is_relative()
                && (member != COMMAND || file.contains('/'))
            {
                *file = folder.join(&*file).to_string_lossy().into_owned();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn files_are_looked_for_beside_it_and_programs_where_they_are_installed() {
        let mut config = json!({
            "clusters": [{"name": "a", "cluster": {"certificate-authority": "ca.pem"}}],
            "users": [
                {"name": "a", "user": {"client-key": "/etc/key.pem", "exec": {"command": "login"}}},
                {"name": "b", "user": {"tokenFile": "b/token", "exec": {"command": "./login"}}},
                {"name": "c"},
            ],
        });
        resolve(&mut config, Path::new("/home/kate/.kube"));
        let told = |place: &str| config.pointer(place).and_then(Value::as_str);
        assert_eq!(
            told("/clusters/0/cluster/certificate-authority"),
            Some("/home/kate/.kube/ca.pem")
        );
        assert_eq!(told("/users/0/user/client-key"), Some("/etc/key.pem"));
        assert_eq!(told("/users/0/user/exec/command"), Some("login"));
        assert_eq!(told("/users/1/user/tokenFile"), Some("/home/kate/.kube/b/token"));
        assert_eq!(told("/users/1/user/exec/command"), Some("/home/kate/.kube/./login"));
    }

    #[test]
    fn of_several_documents_the_first_to_set_something_wins() {
        let read = parse(
            "current-context: a\nclusters: [{name: a, cluster: {server: https://a}}]\n\
             ---\ncurrent-context: b\nclusters: [{name: a, cluster: {server: https://b}}, {name: b}]\n",
        )
        .unwrap();
        assert_eq!(read.current_context.as_deref(), Some("a"));
        let names: Vec<_> = read.clusters.iter().map(|own| own.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let server = |place: usize| read.clusters[place].cluster.clone()?.server;
        assert_eq!(server(0).as_deref(), Some("https://a"));
        assert!(parse("").unwrap().clusters.is_empty());
    }

    #[test]
    fn what_is_wrong_with_one_is_told() {
        let told = format!("{:#}", parse("clusters: 7").unwrap_err());
        assert!(told.contains("no kubeconfig") && told.contains('7'), "{told}");
    }
}
