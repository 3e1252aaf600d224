//! `health`: one question to a running manager.

use nsx_client::Client;
use std::process::ExitCode;

/// Asks; a manager that answers but is not healthy fails the check.
///
/// # Errors
/// Where nothing answers, or not as a manager does.
pub(super) fn check(client: &Client) -> anyhow::Result<ExitCode> {
    let health = client.get("/reverse-proxy/node/health")?;
    let healthy = health["healthy"] == true;
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
