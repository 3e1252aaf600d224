//! The walk with a learner: the learner types in another terminal, and Enter in this one.

use super::apis::Apis;
use super::checks::Seen;
use super::progress::Progress;
use super::steps::{STEPS, Step};
use super::writing;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How often the state is looked at while the learner types.
const LOOK: Duration = Duration::from_secs(1);
const KEYS: &str = "Type these in another terminal. Here: Enter looks and says what is missing, \
                    s skips, q leaves.";

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Done,
    Skipped,
    Left,
}

/// Walks through the steps that are not done; whether the end was reached.
pub(super) fn walk(
    apis: &dyn Apis,
    progress: &mut Progress,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let lines = lines();
    walk_by(apis, progress, &lines, out)
}

fn walk_by(
    apis: &dyn Apis,
    progress: &mut Progress,
    lines: &Receiver<String>,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    writeln!(out, "{KEYS}")?;
    for (place, step) in STEPS.iter().enumerate() {
        if progress.has(step.id) {
            continue;
        }
        writing::step(out, place + 1, STEPS.len(), step)?;
        match wait(apis, step, lines, out)? {
            End::Done => progress.note(step.id)?,
            End::Skipped => {}
            End::Left => {
                writeln!(out, "\nUntil next time: nsx-sim lab goes on here.")?;
                return Ok(false);
            }
        }
    }
    writeln!(out, "\nThat was the guide. nsx-sim lab --again begins anew.")?;
    Ok(true)
}

/// Waits until the step is done, or the learner goes on.
///
/// A step that only looks has nothing to wait for: its state is there before the learner looks. So it
/// waits for Enter.
fn wait(
    apis: &dyn Apis,
    step: &Step,
    lines: &Receiver<String>,
    out: &mut dyn Write,
) -> anyhow::Result<End> {
    loop {
        let asked = match lines.recv_timeout(LOOK) {
            Ok(line) => match line.trim() {
                "q" => return Ok(End::Left),
                "s" => return Ok(End::Skipped),
                _ => true,
            },
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => return Ok(End::Left),
        };
        if !asked && step.act.is_none() {
            continue;
        }
        // What can not be asked is missing, too: the lab may not be there yet.
        let seen = (step.check)(apis).unwrap_or_else(|error| Seen::Missing(format!("{error:#}")));
        match seen {
            Seen::Done(found) => {
                say(out, "✓", &found)?;
                return Ok(End::Done);
            }
            Seen::Missing(missing) if asked => say(out, "·", &missing)?,
            Seen::Missing(_) => {}
        }
    }
}

fn say(out: &mut dyn Write, mark: &str, text: &str) -> io::Result<()> {
    for (place, line) in writing::wrapped(text, 76).iter().enumerate() {
        writeln!(out, "{} {line}", if place == 0 { mark } else { " " })?;
    }
    Ok(())
}

/// Standard input's lines, as they come; the end of the channel is that of the input.
fn lines() -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        io::stdin().lines().map_while(Result::ok).try_for_each(|line| sender.send(line)).ok();
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::super::fake::Fake;
    use super::*;

    fn walked(fake: &Fake, typed: &[&str]) -> (String, Progress) {
        let file = std::env::temp_dir().join(format!("walk-{}.json", uuid::Uuid::new_v4()));
        let mut progress = Progress::read(file.clone(), true).unwrap();
        let (sender, receiver) = mpsc::channel();
        for line in typed {
            sender.send((*line).to_owned()).unwrap();
        }
        drop(sender);
        let mut out = Vec::new();
        walk_by(fake, &mut progress, &receiver, &mut out).unwrap();
        let _ = std::fs::remove_file(file);
        (String::from_utf8(out).unwrap(), progress)
    }

    #[test]
    fn a_step_that_is_not_done_says_what_is_missing_and_waits() {
        let (told, progress) = walked(&Fake::default(), &["", "q"]);
        assert!(told.contains("pks login -a pks.corp.local"), "{told}");
        assert!(told.contains("· pks is not logged in"), "{told}");
        assert!(!progress.has("login"));
    }

    #[test]
    fn what_is_done_is_noted_and_the_next_step_is_shown() {
        let fake = Fake { logged_in: Some("pks.corp.local"), ..Fake::default() };
        let (told, progress) = walked(&fake, &["", "s", "q"]);
        assert!(told.contains("✓ logged in to pks.corp.local"), "{told}");
        assert!(told.contains("[3/"), "{told}");
        assert!(progress.has("login") && !progress.has("kubeconfig"));
    }
}
