//! The appliance's file store [spec FileProperties]: in memory, and bounded.

use crate::clock::Millis;
use ring::digest::{self, Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// The most files that the store keeps.
const MOST_FILES: usize = 1_000;

/// The most bytes of all files together.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The longest name of a file.
const LONGEST_NAME: usize = 255;

/// Files by name.
#[derive(Debug, Default)]
pub struct FileStore(BTreeMap<String, File>);

/// A file.
#[derive(Debug)]
pub struct File {
    /// What is in it.
    pub data: Arc<[u8]>,
    created: Millis,
    modified: Millis,
}

/// What is told of a file beside its data.
#[derive(Debug, Serialize)]
pub struct FileProperties {
    name: String,
    size: usize,
    created_epoch_ms: Millis,
    modified_epoch_ms: Millis,
}

/// Why a file is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// A file of the name is there, or is not there.
    Name,
    /// No file can have the name.
    Form,
    /// The store is full.
    Full,
}

impl FileStore {
    /// All files, by name.
    pub fn all(&self) -> impl Iterator<Item = FileProperties> {
        self.0.iter().map(|(name, file)| file.properties(name))
    }

    /// A file.
    pub fn get(&self, name: &str) -> Option<&File> {
        self.0.get(name)
    }

    /// Makes a file.
    ///
    /// # Errors
    /// [`FileProblem`].
    pub fn create(
        &mut self,
        name: &str,
        data: &[u8],
        now: Millis,
    ) -> Result<FileProperties, FileProblem> {
        let form = !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(['/', '\0']);
        if !form || matches!(name, "." | "..") {
            return Err(FileProblem::Form);
        }
        if self.0.contains_key(name) {
            return Err(FileProblem::Name);
        }
        if self.0.len() >= MOST_FILES {
            return Err(FileProblem::Full);
        }
        self.put(name, data, now, now)
    }

    /// Replaces what is in a file.
    ///
    /// # Errors
    /// [`FileProblem`].
    pub fn replace(
        &mut self,
        name: &str,
        data: &[u8],
        now: Millis,
    ) -> Result<FileProperties, FileProblem> {
        let created = self.0.get(name).ok_or(FileProblem::Name)?.created;
        self.put(name, data, created, now)
    }

    fn put(
        &mut self,
        name: &str,
        data: &[u8],
        created: Millis,
        modified: Millis,
    ) -> Result<FileProperties, FileProblem> {
        let others = self.0.iter().filter(|(own, _)| *own != name);
        let taken: usize = others.map(|(_, file)| file.data.len()).sum();
        if taken.saturating_add(data.len()) > MOST_BYTES {
            return Err(FileProblem::Full);
        }
        let file = File { data: data.into(), created, modified };
        let properties = file.properties(name);
        self.0.insert(name.to_owned(), file);
        Ok(properties)
    }

    /// Removes a file; tells whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }
}

impl File {
    /// What is told of it.
    pub fn properties(&self, name: &str) -> FileProperties {
        FileProperties {
            name: name.to_owned(),
            size: self.data.len(),
            created_epoch_ms: self.created,
            modified_epoch_ms: self.modified,
        }
    }

    /// Its digests in hexadecimal, SHA-1 and SHA-256 [spec FileThumbprint].
    pub fn thumbprints(&self) -> (String, String) {
        (self.digest(&SHA1_FOR_LEGACY_USE_ONLY), self.digest(&SHA256))
    }

    fn digest(&self, algorithm: &'static Algorithm) -> String {
        let bytes = digest::digest(algorithm, &self.data);
        bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_bounded_and_counts_a_replaced_file_once() {
        let (mut store, half) = (FileStore::default(), vec![0; MOST_BYTES / 2 + 1]);
        store.create("a", &half, 1).unwrap();
        assert_eq!(store.create("b", &half, 1).unwrap_err(), FileProblem::Full);
        assert_eq!(store.replace("a", &half, 2).unwrap().modified_epoch_ms, 2);
        assert!(store.remove("a"));
        store.create("b", &half, 3).unwrap();
    }

    #[test]
    fn names_are_those_of_files_in_one_folder() {
        let mut store = FileStore::default();
        for wrong in ["", ".", "..", "a/b", &"x".repeat(256)] {
            assert_eq!(store.create(wrong, b"", 1).unwrap_err(), FileProblem::Form, "{wrong}");
        }
    }
}
