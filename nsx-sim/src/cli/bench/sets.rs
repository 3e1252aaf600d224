//! Which rules and traces there are to compare on.

use anyhow::{Context, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Rules and a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) rules: Rules,
    pub(super) trace: PathBuf,
}

/// How rules are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    /// ClassBench's filters.
    Filters(PathBuf),
    /// Rules between groups, in three files of a prefix.
    Grouped(PathBuf),
}

/// The trace of rules between groups, where there is none of the name that is asked for.
const MIX: &str = "mix";

/// The sets of the paths: a directory has all that are in it; else filters are followed by their trace.
pub(super) fn find(paths: &[PathBuf], trace: &str) -> anyhow::Result<Vec<Set>> {
    let (mut sets, mut paths) = (Vec::new(), paths.iter());
    while let Some(path) = paths.next() {
        if path.is_dir() {
            let found = in_directory(path, trace).with_context(|| path.display().to_string())?;
            if found.is_empty() {
                bail!("{}: no filters X with a trace X.{trace} are there", path.display());
            }
            sets.extend(found);
        } else {
            let trace = paths.next().with_context(|| {
                format!(
                    "{} is no directory; a file of filters is followed by its trace",
                    path.display()
                )
            })?;
            sets.push(Set { rules: Rules::Filters(path.clone()), trace: trace.clone() });
        }
    }
    Ok(sets)
}

/// Small sets before large ones, and those of a size by name.
fn in_directory(directory: &Path, trace: &str) -> anyhow::Result<Vec<Set>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort_by_cached_key(|name| (size(name), name.clone()));
    let has = |name: &str| names.iter().any(|own| own == name);
    let sets = names.iter().filter_map(|name| {
        if let Some(prefix) = name.strip_suffix(".rules") {
            let traces = [trace, MIX].map(|trace| format!("{prefix}.{trace}"));
            let trace = traces.into_iter().find(|trace| has(trace))?;
            let rules = Rules::Grouped(directory.join(prefix));
            return Some(Set { rules, trace: directory.join(trace) });
        }
        let trace = format!("{name}.{trace}");
        // Beside rules between groups the same multiplied out may lie, for the peer.
        let filters = has(&trace) && !has(&format!("{name}.rules"));
        let rules = Rules::Filters(directory.join(name));
        filters.then(|| Set { rules, trace: directory.join(trace) })
    });
    Ok(sets.collect())
}

/// What the name says of the number of rules, as in `acl1_10k`.
fn size(name: &str) -> u64 {
    let name = name.split('.').next().unwrap_or(name);
    let word = name.rsplit('_').next().unwrap_or_default();
    let (digits, times) = word.strip_suffix('k').map_or((word, 1), |digits| (digits, 1_000));
    digits.parse::<u64>().map_or(0, |number| number.saturating_mul(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_its_sets_small_ones_first() {
        let place = std::env::temp_dir().join(format!("nsx-sim-sets-{}", std::process::id()));
        fs::create_dir_all(&place).expect("a directory");
        let files = [
            "fw_10k",
            "fw_10k.even",
            "acl_10k",
            "acl_10k.even",
            "acl_1k",
            "acl_1k.even",
            "acl_2k",
            "nsx_100",
            "nsx_100.rules",
            "nsx_100.even",
            "nsx_4k.rules",
            "nsx_4k.mix",
        ];
        for file in files {
            fs::write(place.join(file), "").expect("a file");
        }
        let found = find(std::slice::from_ref(&place), "even").expect("sets");
        let filters = |name: &str| Set {
            rules: Rules::Filters(place.join(name)),
            trace: place.join(format!("{name}.even")),
        };
        let grouped = |prefix: &str, trace: &str| Set {
            rules: Rules::Grouped(place.join(prefix)),
            trace: place.join(trace),
        };
        let expected = [
            grouped("nsx_100", "nsx_100.even"),
            filters("acl_1k"),
            grouped("nsx_4k", "nsx_4k.mix"),
            filters("acl_10k"),
            filters("fw_10k"),
        ];
        assert_eq!(found, expected);
        assert!(find(std::slice::from_ref(&place), "odd").expect("mix").len() == 1);
        let file = place.join("acl_1k");
        assert!(find(std::slice::from_ref(&file), "even").is_err(), "a trace is missing");
        assert_eq!(find(&[file, place.join("t")], "even").expect("a pair").len(), 1);
        fs::remove_dir_all(&place).expect("gone");
    }
}
