//! Backups of the managed objects. They lie where the appliance was told to bring them: on a simulated
//! file server, which keeps what it is given and is reached from here alone (docs/fidelity.md).

use crate::clock::Millis;
use crate::inventory::Object;
use std::collections::VecDeque;
use std::sync::Arc;

/// The most backups that lie on file servers; with the next the oldest goes.
const MOST_KEPT: usize = 20;

/// The most of each sort that the history tells of.
const MOST_TOLD: usize = 100;

/// What was brought to file servers, and what was restored from there.
#[derive(Debug, Default)]
pub struct Backups {
    kept: VecDeque<Backup>,
    /// Backups that were made, the last at the end.
    pub made: VecDeque<Made>,
    /// Summaries of the inventory that were made, the last at the end.
    pub summaries: VecDeque<Made>,
    /// The restore that was carried out.
    pub restored: Option<Restored>,
}

/// A backup on a file server.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Its identifier.
    pub id: String,
    /// Where it lies.
    pub place: String,
    /// When it was made.
    pub time: Millis,
    /// All managed objects as they were.
    pub objects: Vec<Arc<Object>>,
}

/// A backup or a summary that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its identifier.
    pub id: String,
    /// When.
    pub time: Millis,
}

/// A restore that was carried out.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Of which backup.
    pub backup: Made,
    /// When.
    pub time: Millis,
}

impl Backups {
    /// Brings a backup to its place.
    pub fn keep(&mut self, backup: Backup) {
        tell(&mut self.made, Made { id: backup.id.clone(), time: backup.time });
        self.kept.push_back(backup);
        if self.kept.len() > MOST_KEPT {
            self.kept.pop_front();
        }
    }

    /// Notes a summary of the inventory.
    pub fn summarize(&mut self, made: Made) {
        tell(&mut self.summaries, made);
    }

    /// The backups that lie in a place, the oldest first.
    pub fn at<'a>(&'a self, place: &str) -> impl Iterator<Item = &'a Backup> {
        self.kept.iter().filter(move |own| own.place == place)
    }
}

fn tell(history: &mut VecDeque<Made>, made: Made) {
    history.push_back(made);
    if history.len() > MOST_TOLD {
        history.pop_front();
    }
}
