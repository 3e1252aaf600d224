//! See the law.
#![no_main]

#[allow(dead_code, reason = "each target asks one law")]
#[path = "../laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|frames: Vec<(u8, Vec<u8>)>| laws::filter(&frames));
