//! What the machine and this process tell of themselves. Elsewhere than on Linux little is known,
//! and what is not known is not told.

use crate::clock::Millis;
use crate::wire;
use serde_json::{Value, json};
use std::fs;

/// The node's figures [spec NodeStatusProperties]; the uptime is the world's, in milliseconds.
pub fn status(now: Millis, started: Millis) -> Value {
    let memory = Memory::read();
    let kib = |name: &str| memory.kib(name);
    let used = |total: Option<u64>, free: Option<u64>| Some(total?.saturating_sub(free?));
    let mut status = json!({
        "system_time": now,
        "uptime": now.saturating_sub(started),
        "cpu_cores": std::thread::available_parallelism().ok().map(usize::from),
        "load_average": load(),
        "mem_total": kib("MemTotal"),
        "mem_used": used(kib("MemTotal"), kib("MemAvailable")),
        "mem_cache": kib("Cached"),
        "swap_total": kib("SwapTotal"),
        "swap_used": used(kib("SwapTotal"), kib("SwapFree")),
        "file_systems": file_system().map(|own| [own]),
        "source": "realtime",
    });
    wire::without_nulls(&mut status);
    status
}

/// The file system that the machine runs from [spec NodeFileSystemProperties], in KiB.
#[cfg(unix)]
fn file_system() -> Option<Value> {
    let own = rustix::fs::statvfs("/").ok()?;
    let kib = |blocks: u64| blocks.saturating_mul(own.f_frsize) / 1024;
    Some(json!({
        "mount": "/",
        "total": kib(own.f_blocks),
        "used": kib(own.f_blocks.saturating_sub(own.f_bfree)),
    }))
}

#[cfg(not(unix))]
fn file_system() -> Option<Value> {
    None
}

/// This process, the only one of the appliance [spec NodeProcessProperties].
pub fn process(now: Millis, started: Millis) -> Value {
    let own = fs::read_to_string("/proc/self/status").map(Memory).ok();
    let of = |name: &str| own.as_ref().and_then(|own| own.kib(name));
    let mut process = json!({
        "pid": std::process::id(),
        "process_name": env!("CARGO_PKG_NAME"),
        "mem_resident": of("VmRSS"),
        "mem_used": of("VmSize"),
        "start_time": started,
        "uptime": now.saturating_sub(started),
    });
    wire::without_nulls(&mut process);
    process
}

/// Lines such as `MemTotal:  16384 kB`.
struct Memory(String);

impl Memory {
    fn read() -> Self {
        Self(fs::read_to_string("/proc/meminfo").unwrap_or_default())
    }

    fn kib(&self, name: &str) -> Option<u64> {
        let rest = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        rest.split_whitespace().next()?.parse().ok()
    }
}

/// Over one, five and fifteen minutes.
fn load() -> Option<Vec<f64>> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let figures: Vec<f64> = text.split(' ').take(3).filter_map(|word| word.parse().ok()).collect();
    (figures.len() == 3).then_some(figures)
}
