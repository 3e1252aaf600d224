//! Timing of passes over a trace.

use serde::Serialize;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// A pass goes over the trace until this much time is gone.
const PASS: Duration = Duration::from_millis(50);

/// What one run found, under the names of the harness for other engines.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Report {
    pub(super) ruleset: String,
    pub(super) trace: String,
    pub(super) rules: usize,
    pub(super) packets: usize,
    pub(super) algorithm: String,
    pub(super) batch: usize,
    pub(super) build_ms: f64,
    pub(super) mem_bytes: usize,
    /// Million answers a second: the median of the passes, the slowest and the fastest.
    pub(super) mpps: f64,
    pub(super) mpps_min: f64,
    pub(super) mpps_max: f64,
    pub(super) checked: usize,
    pub(super) mismatches: usize,
}

/// The last part of a path, as reports name files.
pub(super) fn base(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Tells somebody who watches standard error what is done now.
pub(super) fn progress(doing: fmt::Arguments<'_>) {
    let mut errors = io::stderr().lock();
    if errors.is_terminal() {
        let _ = writeln!(errors, "{doing} …");
    }
}

/// Calls `once`, which answers for `packets` headers, again and again. Returns millions of answers a
/// second of the passes, ascending; one pass more, the first, warms up and does not count.
pub(super) fn passes(count: usize, packets: usize, mut once: impl FnMut()) -> Vec<f64> {
    let mut speeds: Vec<f64> = (0..=count.max(1)).map(|_| pass(packets, &mut once)).collect();
    speeds.remove(0);
    speeds.sort_by(f64::total_cmp);
    speeds
}

fn pass(packets: usize, once: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut times = 0_u32;
    loop {
        once();
        times += 1;
        let gone = start.elapsed();
        if gone >= PASS {
            // Traces are far smaller than what f64 counts exactly.
            #[allow(clippy::cast_precision_loss)]
            let answers = packets as f64 * f64::from(times);
            return answers / gone.as_secs_f64() / 1e6;
        }
    }
}

/// The places that are checked: all, or `count` of them spread evenly. 0 asks for all.
pub(super) fn checked(count: usize, of: usize) -> impl Iterator<Item = usize> {
    let count = if count == 0 { of } else { count.min(of) };
    (0..count).map(move |at| at * of / count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_checks_all_and_a_number_spreads() {
        assert_eq!(checked(0, 3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(checked(2, 10).collect::<Vec<_>>(), [0, 5]);
        assert_eq!(checked(9, 2).count(), 2);
        assert_eq!(checked(0, 0).count(), 0);
    }
}
