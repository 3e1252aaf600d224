//! See the law.
#![no_main]

#[allow(dead_code, reason = "each target asks one law")]
#[path = "../laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| laws::frame(bytes));
