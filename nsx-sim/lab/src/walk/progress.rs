//! How far a learner came, in a file.

use anyhow::Context;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// The steps that are behind the learner.
pub struct Progress {
    path: PathBuf,
    done: BTreeSet<String>,
}

/// Where it is kept unless told otherwise.
pub fn default_path() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
    Some(PathBuf::from(home).join(".nsx-sim/lab.json"))
}

impl Progress {
    /// What the file says, or nothing where there is none or one begins again.
    pub fn read(path: PathBuf, again: bool) -> anyhow::Result<Self> {
        let text = match fs::read_to_string(&path) {
            Ok(text) if !again => text,
            Ok(_) => "{}".to_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => "{}".to_owned(),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let read: Value =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        let done = read["done"].as_array().into_iter().flatten();
        let done = done.filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(Self { path, done })
    }

    /// Whether a step is done.
    pub fn has(&self, step: &str) -> bool {
        self.done.contains(step)
    }

    /// Notes a step as done.
    pub fn note(&mut self, step: &str) -> anyhow::Result<()> {
        self.done.insert(step.to_owned());
        let written = || -> std::io::Result<()> {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&self.path, format!("{:#}\n", json!({ "done": self.done })))
        };
        written().with_context(|| self.path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_there_the_next_time_unless_one_begins_again() {
        let folder = std::env::temp_dir().join(format!("walk-{}", uuid::Uuid::new_v4()));
        let path = folder.join("a/lab.json");
        let mut first = Progress::read(path.clone(), false).unwrap();
        assert!(!first.has("login"));
        first.note("login").unwrap();
        assert!(Progress::read(path.clone(), false).unwrap().has("login"));
        assert!(!Progress::read(path, true).unwrap().has("login"));
        fs::remove_dir_all(folder).unwrap();
    }
}
