//! In the place of `lab.rs` where the program is built without the lab.

use nsx_client::Remote;

/// No line of the program's help.
pub(super) const HINT: &str = "";

/// The program does one thing by any name.
pub(super) fn by_other_name() -> Option<(&'static str, anyhow::Result<()>)> {
    None
}

/// `serve` is told nothing of a lab.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Beside {}

#[expect(clippy::unused_self, clippy::unused_async, reason = "as where there is one")]
impl Beside {
    /// There is to be none.
    pub(super) fn is_wanted(&self) -> bool {
        false
    }

    /// Starts none.
    pub(super) async fn start(&self, _: &Remote) -> anyhow::Result<Cluster> {
        Ok(Cluster)
    }
}

/// No lab.
pub(super) struct Cluster;

#[expect(clippy::unused_self, reason = "as where there is one")]
impl Cluster {
    /// Says nothing.
    pub(super) fn announcement(&self) -> String {
        String::new()
    }

    /// Does nothing.
    pub(super) fn stop(self) {}
}
