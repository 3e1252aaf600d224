//! `serve`: a manager until it is interrupted.

use super::engines;
use super::generated::Numbers;
use super::hints::Hints;
use super::lab;
use crate::http::{Options, Tls, WorldDocument, start};
use crate::node::{Account, Limits, Setup};
use crate::realize::TagMatching;
use crate::version::Version;
use crate::world::Settings;
use anyhow::{Context, bail};
use clap::ValueEnum;
use dataplane::EngineKind;
use nsx_client::Remote;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// What `serve` is told.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Address and port to listen on; port 0 takes any free one.
    #[arg(
        long,
        env = "NSX_SIM_LISTEN",
        default_value = "127.0.0.1:8443",
        value_name = "ADDR:PORT"
    )]
    listen: SocketAddr,
    /// Plain HTTP instead of HTTPS.
    #[arg(long, env = "NSX_SIM_PLAIN_HTTP", conflicts_with_all = ["tls_cert", "tls_key"])]
    plain_http: bool,
    /// Certificate chain (PEM); without it a self-signed one is made at start.
    #[arg(long, env = "NSX_SIM_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM).
    #[arg(long, env = "NSX_SIM_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The administrator's name.
    #[arg(long, env = "NSX_SIM_USER", default_value = "admin")]
    user: String,
    /// The administrator's password.
    #[arg(long, env = "NSX_SIM_PASSWORD", default_value = "VMware1!VMware1!")]
    password: String,
    /// The password of the user `audit`, who may read everything; an empty one lets nobody in.
    #[arg(long, env = "NSX_SIM_AUDIT_PASSWORD", default_value = "VMware1!VMware1!")]
    audit_password: String,
    /// Calls that one client may make in a second; 0 sets no limit. A manager has 100.
    #[arg(long, env = "NSX_SIM_CLIENT_RATE", default_value_t = 0, value_name = "CALLS")]
    client_rate: u32,
    /// Calls that one client may have under way; 0 sets no limit. A manager has 40.
    #[arg(long, env = "NSX_SIM_CLIENT_CONCURRENCY", default_value_t = 0, value_name = "CALLS")]
    client_concurrency: u32,
    /// Calls that all clients may have under way; 0 sets no limit. A manager has 199.
    #[arg(long, env = "NSX_SIM_GLOBAL_CONCURRENCY", default_value_t = 0, value_name = "CALLS")]
    global_concurrency: u32,
    /// Refuse a client's calls beyond those under way with 429 instead of 503.
    #[arg(long, env = "NSX_SIM_CONCURRENCY_429")]
    concurrency_429: bool,
    /// What the manager begins with: `guide` (the pods of the micro-segmentation guide), `lab` (the
    /// same before the guide made any), `empty`, or a world document; `guide` unless told otherwise,
    /// with `--lab` `lab`. Any of the numbers below makes a world in its place.
    #[arg(long, env = "NSX_SIM_WORLD", value_name = "guide|lab|empty|FILE")]
    world: Option<WorldChoice>,
    /// The release that the manager says it is, from 2.4 to 3.2, with or without its build.
    #[arg(long, env = "NSX_SIM_NSX_VERSION", default_value = "2.5.1", value_name = "VERSION")]
    nsx_version: Version,
    /// Start of the sequence of identifiers: the same seed and calls give the same ids. Without it
    /// every start has its own. A world by number takes its ids and choices from it, too.
    #[arg(long, env = "NSX_SIM_SEED")]
    seed: Option<u64>,
    /// How groups compare tags.
    #[arg(long, env = "NSX_SIM_TAG_MATCHING", value_enum, default_value = "exact")]
    tag_matching: TagMatching,
    /// Whether established connections are judged again when rules or members change.
    #[arg(long, env = "NSX_SIM_FLOW_REVALIDATION", value_enum, default_value = "on")]
    flow_revalidation: OnOff,
    /// What searches rules for packets, by name; all give the same answers.
    #[arg(
        long,
        env = "NSX_SIM_ENGINE",
        default_value_t,
        value_name = "NAME",
        long_help = engines::long_help()
    )]
    engine: EngineKind,
    /// Milliseconds that a traceflow is in progress.
    #[arg(long, env = "NSX_SIM_TRACEFLOW_DELAY", default_value_t = 50, value_name = "MS")]
    traceflow_delay: u64,
    /// What is logged on standard error, as `info` or `nsx_sim=debug`.
    #[arg(long, env = "NSX_SIM_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
    #[command(flatten)]
    numbers: Numbers,
    #[command(flatten)]
    lab: lab::Beside,
}

/// What a world begins with.
#[derive(Clone, Debug)]
pub(super) enum WorldChoice {
    Guide,
    Lab,
    Empty,
    File(PathBuf),
}

impl FromStr for WorldChoice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "guide" => Self::Guide,
            "lab" => Self::Lab,
            "empty" => Self::Empty,
            path => Self::File(path.into()),
        })
    }
}

impl Args {
    /// The world to begin with.
    fn document(&self) -> anyhow::Result<WorldDocument> {
        match (&self.world, self.numbers.any()) {
            (Some(_), true) => bail!("--world and the numbers of a world exclude each other"),
            (None, true) => self.numbers.document(self.seed),
            (Some(choice), false) => choice.document(),
            (None, false) if self.lab.is_wanted() => WorldChoice::Lab.document(),
            (None, false) => WorldChoice::Guide.document(),
        }
    }

    /// What to try with it.
    fn hints(&self) -> Hints {
        match &self.world {
            Some(choice) => choice.into(),
            None if self.numbers.any() => Hints::Machines(self.numbers.machines()),
            None if self.lab.is_wanted() => Hints::Lab,
            None => Hints::Guide,
        }
    }
}

impl WorldChoice {
    /// Its document.
    pub(super) fn document(&self) -> anyhow::Result<WorldDocument> {
        match self {
            Self::Guide => WorldDocument::read(fixtures::GUIDE_WORLD).context("world guide"),
            Self::Lab => WorldDocument::read(fixtures::LAB_WORLD).context("world lab"),
            Self::Empty => Ok(WorldDocument::empty()),
            Self::File(path) => {
                let shown = path.display();
                let text = std::fs::read_to_string(path).with_context(|| {
                    format!("world {shown} (neither guide, lab nor empty, so read as a file)")
                })?;
                WorldDocument::read(&text).with_context(|| format!("world {shown}"))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OnOff {
    On,
    Off,
}

/// Serves until SIGINT or SIGTERM.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    super::log(&args.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anybody is told the address: a signal right after must not be lost.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (user, password) = (args.user.clone(), args.password.clone());
        let hints = args.hints();
        let lab = args.lab.clone();
        let server = start(options(args)?).await?;
        let manager = Remote {
            url: Some(server.url()),
            user,
            password,
            insecure: true,
            cert: None,
            cert_key: None,
        };
        let cluster = lab.start(&manager).await?;
        let Remote { user, password, .. } = &manager;
        tell(&format!("listening on {}\nuser {user}\npassword {password}\n", server.url()))?;
        // Whoever waits for the address need not wait for what is worth trying.
        let secure = server.secure;
        let hints = tokio::task::spawn_blocking(move || hints.lines(&manager, secure)).await?;
        let hints = hints.join("\n  ");
        tell(&format!("\nTry next:\n  {hints}\n{}", cluster.announcement()))?;
        tokio::select! {
            _ = interrupt.recv() => tracing::info!("interrupted"),
            _ = terminate.recv() => tracing::info!("terminated"),
        }
        cluster.stop();
        server.stop().await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn options(args: Args) -> anyhow::Result<Options> {
    let world = args.document()?;
    let tls = match (args.plain_http, args.tls_cert, args.tls_key) {
        (true, ..) => Tls::Off,
        (false, Some(cert), Some(key)) => Tls::Files { cert, key },
        _ => Tls::SelfSigned,
    };
    let random = || uuid::Uuid::new_v4().as_u64_pair().0;
    Ok(Options {
        listen: args.listen,
        tls,
        settings: Settings {
            node: Setup {
                admin: Account { user: args.user, password: args.password },
                audit_password: args.audit_password,
                limits: Limits {
                    client_rate: args.client_rate,
                    client_concurrency: args.client_concurrency,
                    global_concurrency: args.global_concurrency,
                    too_many_is_429: args.concurrency_429,
                },
            },
            version: args.nsx_version,
            seed: args.seed.unwrap_or_else(random),
            tags: args.tag_matching,
            revalidate_flows: matches!(args.flow_revalidation, OnOff::On),
            engine: args.engine,
            traceflow_delay: Duration::from_millis(args.traceflow_delay),
            ..Settings::default()
        },
        world,
    })
}

/// Prints what serves whoever has started this: the first line programs, the rest people. A reader that has
/// left is no reason to stop.
fn tell(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let told = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match told {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        told => told,
    }
}
