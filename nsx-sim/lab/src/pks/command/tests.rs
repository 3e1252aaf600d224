use super::super::server;
use super::*;
use clap::CommandFactory;

/// Both listeners on free ports, and the command's files in a folder of their own.
struct Lab {
    runtime: tokio::runtime::Runtime,
    served: server::Running,
    folder: PathBuf,
}

impl Lab {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let free = "127.0.0.1:0".parse().unwrap();
        let cluster = server::Cluster {
            kubernetes: "1.16.7".to_owned(),
            name: "ci-cluster".into(),
            uuid: "592ff063-c3b0-46b4-81ce-0bcfaffd6246".into(),
            master_host: "127.0.0.1".into(),
            master_port: 6443,
            workers: 3,
            token: "token-of-the-cluster".into(),
            ca_pem: "PEM".into(),
        };
        let options = server::Options {
            uaa: free,
            api: free,
            user: "pksadmin".into(),
            password: "VMware1!".into(),
            cluster,
        };
        let guard = runtime.enter();
        let served = server::start(options).unwrap();
        drop(guard);
        let folder = std::env::temp_dir().join(format!("pks-{}", uuid::Uuid::new_v4()));
        Self { runtime, served, folder }
    }

    fn places(&self) -> Places {
        Places {
            credentials: self.folder.join("creds.yml"),
            kubeconfig: self.folder.join("kubeconfig"),
        }
    }

    fn pks(&self, line: &str) -> Result<String, String> {
        let hosts = Hosts::lab(&self.served.uaa.to_string(), &self.served.api.to_string());
        let mut words = vec!["pks".to_owned(), "--hosts".to_owned(), hosts.to_string()];
        words.extend(line.split(' ').map(str::to_owned));
        let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
        let mut out = Vec::new();
        run(&cli.options, &self.places(), &mut out).map_err(|error| format!("{error:#}"))?;
        Ok(String::from_utf8(out).unwrap())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.served.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = &self.runtime;
    }
}

#[test]
fn the_command_line_is_declared_without_contradiction() {
    Cli::command().debug_assert();
}

#[test]
fn the_guides_two_commands_end_with_a_context_for_kubectl() {
    let lab = Lab::new();
    let told = lab.pks("login -a pks.corp.local -u pksadmin -p VMware1! -k").unwrap();
    assert_eq!(told, "\nAPI Endpoint: pks.corp.local\nUser: pksadmin\n");
    let line = "get-kubeconfig ci-cluster -a pks.corp.local -u pksadmin -p VMware1! -k";
    assert_eq!(
        lab.pks(line).unwrap(),
        "\nFetching kubeconfig for cluster ci-cluster and user pksadmin.\n\
         You can now use the kubeconfig for user pksadmin:\n\
         $kubectl config use-context ci-cluster\n"
    );
    let written = files::read_kubeconfig(&lab.places().kubeconfig).unwrap();
    let context = written.contexts.iter().find(|own| own.name == "ci-cluster").unwrap();
    assert_eq!(context.context.as_ref().unwrap().user.as_deref(), Some("pksadmin"));
    let cluster = written.clusters[0].cluster.as_ref().unwrap();
    assert_eq!(cluster.server.as_deref(), Some("https://127.0.0.1:6443"));
    assert_eq!(written.current_context, None);
}

#[test]
fn a_session_is_kept_shows_clusters_and_ends() {
    let lab = Lab::new();
    let refused = lab.pks("clusters").unwrap_err();
    assert_eq!(refused, "You are not currently authenticated. Please log in to continue.");
    lab.pks("login -a pks.corp.local -u pksadmin -p VMware1! -k").unwrap();
    let told = lab.pks("clusters").unwrap();
    assert!(told.contains("ci-cluster  1.16.7"), "{told}");
    let told = lab.pks("cluster ci-cluster").unwrap();
    assert!(told.contains("Kubernetes Master Port:   6443"), "{told}");
    assert_eq!(lab.pks("cluster other").unwrap_err(), "Cluster other not found.");
    lab.pks("get-credentials ci-cluster").unwrap();
    let written = files::read_kubeconfig(&lab.places().kubeconfig).unwrap();
    assert_eq!(written.current_context.as_deref(), Some("ci-cluster"));
    assert_eq!(lab.pks("logout").unwrap(), "");
    assert!(lab.pks("clusters").is_err());
}

#[test]
fn an_ended_token_is_refreshed_and_a_wrong_password_refused() {
    let lab = Lab::new();
    let refused = lab.pks("login -a pks.corp.local -u pksadmin -p wrong -k").unwrap_err();
    assert_eq!(refused, "Credentials were rejected, please try again.");
    lab.pks("login -a pks.corp.local -u pksadmin -p VMware1! -k").unwrap();
    let mut kept = Credentials::read(&lab.places()).unwrap().unwrap();
    kept.access_token = "ended".into();
    kept.write(&lab.places()).unwrap();
    assert!(lab.pks("clusters").is_ok());
    let now = Credentials::read(&lab.places()).unwrap().unwrap();
    assert_ne!(now.access_token, "ended");
}

#[test]
fn the_listeners_certificate_is_checked_unless_told_otherwise() {
    let lab = Lab::new();
    let line = "login -a pks.corp.local -u pksadmin -p VMware1!";
    assert!(lab.pks(line).is_err());
    std::fs::create_dir_all(&lab.folder).unwrap();
    let file = lab.folder.join("ca.pem");
    std::fs::write(&file, &lab.served.ca_pem).unwrap();
    lab.pks(&format!("{line} --ca-cert {}", file.display())).unwrap();
}
