//! The guide "Tanzu Kubernetes Grid Workload Isolation using NSX-T Micro Segmentation", carried out
//! against a manager through its public API and compared with what the guide prints.
//!
//! Everything here is a client. What only the simulator can do (a packet from outside) is asked of
//! the simulator's own API and left out, and said so, where a manager does not have it.

mod dns;
mod dynamic;
mod groups;
mod matrix;
mod outside;
mod pods;
mod render;
mod report;
mod section;
mod trace;
mod world;

use std::{fmt, io::Write};

use clap::Args;

use nsx_client::{self as client, Client};
pub use report::Report;

/// The guide's services, in the order in which it names them.
const SERVICES: [&str; 4] = ["service-a", "service-b", "service-c", "service-d"];

/// Number of steps that every run has.
const STEPS: usize = 10;

/// What to run and how to show it.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Print one JSON document in place of text.
    #[arg(long)]
    pub json: bool,
    /// Apply the section to all four groups, as two of the guide's screens do: the load balancer
    /// then cannot reach service-a any more.
    #[arg(long)]
    pub applied_to_all: bool,
    /// Remove the section and the four groups at the end.
    #[arg(long)]
    pub cleanup: bool,
}

/// Carries out the guide on the manager behind `client`, with one line on `progress` per step.
///
/// Can be repeated: groups are reused, the section is made anew, labels are restored.
///
/// # Errors
/// [`Error`] where a step cannot be carried out. Results that differ from the guide's are no error;
/// see [`Report::as_in_guide`].
pub fn run(client: &Client, options: &Options, progress: &mut dyn Write) -> Result<Report, Error> {
    let mut steps = Steps { progress, number: 0 };
    let manager = steps.take("connect", || connect(client))?;
    let world = steps.take("make what NCP makes", || world::ensure(client))?;
    let groups = steps.take("groups", || groups::ensure(client))?;
    let pods = steps.take("group members", || groups::check_members(client, &groups))?;
    let section =
        steps.take("section", || section::insert(client, &groups, options.applied_to_all))?;
    let rules = steps.take("rules", || section::publish(client, &section, &groups))?;
    let tracer = trace::Tracer::new(client);
    let matrix = steps.take("pod to pod", || matrix::judge_all(&tracer, &pods))?;
    let outside = steps.take("from outside", || outside::judge(client, &world, &pods, &section))?;
    let dynamic = steps.take("dynamic membership", || dynamic::check(client, &tracer, &groups))?;
    let dns = steps.take("DNS", || dns::judge(&tracer, client, &section))?;
    if options.cleanup {
        steps.take("cleanup", || section::remove_all(client, &groups))?;
    }
    Ok(Report {
        manager,
        section: section::NAME.to_owned(),
        applied_to: section.applied_to,
        rules,
        rows: matrix.rows,
        also: matrix.also,
        outside,
        dynamic,
        dns,
    })
}

fn connect(client: &Client) -> Done<String> {
    let version = client.get("/node/version")?;
    let product = version["product_version"].as_str().unwrap_or("of unknown version");
    let manager = format!("NSX-T {product}");
    Ok((manager.clone(), manager))
}

/// Why the guide could not be carried out to its end; names the step.
#[derive(Debug)]
pub struct Error {
    step: String,
    fault: Fault,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.fault)
    }
}

// The message holds the cause already; naming it as source, too, would print it twice.
impl std::error::Error for Error {}

/// What went wrong within a step.
#[derive(Debug)]
enum Fault {
    /// A call failed.
    Call(client::Error),
    /// The manager's state is not what the step needs.
    State(String),
}

impl From<client::Error> for Fault {
    fn from(error: client::Error) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(f),
            Self::State(text) => f.write_str(text),
        }
    }
}

/// What a step gives: its result and what to say about it.
type Done<T> = Result<(T, String), Fault>;

/// Runs steps, numbers them and tells how each one ended.
struct Steps<'a> {
    progress: &'a mut dyn Write,
    number: usize,
}

impl Steps<'_> {
    /// Runs one step.
    fn take<T>(&mut self, title: &str, work: impl FnOnce() -> Done<T>) -> Result<T, Error> {
        self.number += 1;
        let step = format!("[{:2}/{}] {title}", self.number, STEPS.max(self.number));
        let outcome = work();
        let line = match &outcome {
            Ok((_, note)) => format!("{step}: {note}"),
            Err(_) => format!("{step}: failed"),
        };
        // Progress is a courtesy: a reader who closed it does not stop the run.
        writeln!(self.progress, "{line}").ok();
        outcome.map(|(value, _)| value).map_err(|fault| Error { step, fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_and_the_others_are_told() {
        let mut told = Vec::new();
        let mut steps = Steps { progress: &mut told, number: 0 };
        assert_eq!(steps.take("first", || Ok((7, "fine".to_owned()))).unwrap(), 7);
        let error = steps
            .take("second", || Err::<((), String), _>(Fault::State("no pods".to_owned())))
            .unwrap_err();
        assert_eq!(error.to_string(), "[ 2/10] second: no pods");
        assert_eq!(
            String::from_utf8(told).unwrap(),
            "[ 1/10] first: fine\n[ 2/10] second: failed\n"
        );
    }
}
