//! The real APIs: a cluster by the learner's own kubeconfig, a manager by its address.

use super::apis::{Apis, Desk, Output, Verb};
use crate::pins;
use crate::pks::{self, Credentials, Hosts, Places};
use crate::pod::outside;
use anyhow::Context;
use clap::Parser;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, AttachParams};
use kube::config::{Config, KubeConfigOptions};
use nsx_client::{Client, Remote};
use serde_json::Value;
use std::future::Future;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::runtime::Runtime;

/// The container that the guide types in.
const CONTAINER: &str = "busybox";

/// A manager, a cluster, and this machine's files.
pub struct Live {
    runtime: Runtime,
    nsx: Client,
    places: Places,
    hosts: Hosts,
}

impl Live {
    pub(super) fn new(remote: &Remote, hosts: Hosts) -> anyhow::Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { runtime, nsx: Client::new(remote)?, places: Places::of_environment()?, hosts })
    }

    /// Works with a client of the learner's context. It is made anew each time, for the learner may
    /// have fetched another kubeconfig meanwhile.
    fn with_kube<T, F: Future<Output = anyhow::Result<T>>>(
        &self,
        work: impl FnOnce(kube::Client) -> F,
    ) -> anyhow::Result<T> {
        let read = pks::read_kubeconfig(&self.places.kubeconfig)?;
        let options =
            KubeConfigOptions { context: Some(pins::CONTEXT.to_owned()), ..Default::default() };
        self.runtime.block_on(async {
            let config = Config::from_custom_kubeconfig(read, &options).await;
            let config = config.with_context(|| {
                format!("context {} of {}", pins::CONTEXT, self.places.kubeconfig.display())
            })?;
            work(kube::Client::try_from(config)?).await
        })
    }
}

impl Apis for Live {
    fn desk(&self) -> anyhow::Result<Desk> {
        let config = pks::read_kubeconfig(&self.places.kubeconfig)?;
        Ok(Desk {
            logged_in: Credentials::read(&self.places)?.map(|kept| kept.api),
            contexts: config.contexts.into_iter().map(|own| own.name).collect(),
            current: config.current_context,
        })
    }

    fn pks(&self, words: &[&str]) -> anyhow::Result<()> {
        let hosts = self.hosts.to_string();
        let line = ["pks", "--hosts", hosts.as_str()].into_iter().chain(words.iter().copied());
        let cli = pks::Cli::try_parse_from(line)?;
        pks::run(&cli.options, &self.places, &mut io::sink())
    }

    fn use_context(&self, name: &str) -> anyhow::Result<()> {
        let mut config = pks::read_kubeconfig(&self.places.kubeconfig)?;
        config.current_context = Some(name.to_owned());
        pks::write_kubeconfig(&self.places.kubeconfig, &config)
    }

    fn kube(&self, verb: Verb, path: &str) -> anyhow::Result<Option<Value>> {
        let (method, media, body) = match verb {
            Verb::Get => ("GET", "application/json", None),
            Verb::Post(body) => ("POST", "application/json", Some(body)),
            Verb::Merge(body) => ("PATCH", "application/merge-patch+json", Some(body)),
        };
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", media)
            .body(body)?;
        self.with_kube(|client| async move {
            match client.request::<Value>(request).await {
                Ok(value) => Ok(Some(value)),
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
                Err(error) => Err(error).with_context(|| format!("{method} {path}")),
            }
        })
    }

    fn exec(&self, namespace: &str, pod: &str, command: &[&str]) -> anyhow::Result<Output> {
        let parameters =
            AttachParams::default().container(CONTAINER).stdin(false).stdout(true).stderr(true);
        self.with_kube(|client| async move {
            let pods: Api<Pod> = Api::namespaced(client, namespace);
            let mut process = pods.exec(pod, command.iter().copied(), &parameters).await?;
            let (stdout, stderr) = (process.stdout(), process.stderr());
            let status = process.take_status();
            let (stdout, stderr) = tokio::join!(read(stdout), read(stderr));
            let status = match status {
                Some(status) => status.await,
                None => None,
            };
            let code = exit_code(status.as_ref())?;
            Ok(Output { stdout: stdout?, stderr: stderr?, code })
        })
    }

    fn outside(&self, url: &str) -> anyhow::Result<Output> {
        let arguments = ["-s", "-S", "-m", "20", url].map(str::to_owned).to_vec();
        let fetched = self.runtime.block_on(outside::fetch(self.nsx.clone(), arguments))?;
        Ok(Output {
            stdout: String::from_utf8_lossy(&fetched.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&fetched.stderr).into_owned(),
            code: fetched.code.into(),
        })
    }

    fn nsx_list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        Ok(self.nsx.list_all(path)?)
    }

    fn nsx_get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.nsx.get(path)?)
    }

    fn nsx_post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(self.nsx.post(path, body)?)
    }
}

/// The exit code that a command's end tells.
fn exit_code(end: Option<&Status>) -> anyhow::Result<i32> {
    let end = end.context("the command's end was not told")?;
    if end.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let causes = end.details.iter().filter_map(|own| own.causes.as_ref()).flatten();
    let code = causes
        .filter(|own| own.reason.as_deref() == Some("ExitCode"))
        .find_map(|own| own.message.as_ref()?.parse().ok());
    code.with_context(|| end.message.clone().unwrap_or_default())
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        stream.read_to_end(&mut bytes).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
