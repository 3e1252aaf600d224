//! Any bytes are a frame or an error that lies within them.
#![no_main]

use dataplane::Frame;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for read in [Frame::parse(bytes), Frame::parse_ip(bytes)] {
        match read {
            Ok(frame) => assert!(frame.packet.length as usize >= bytes.len()),
            Err(error) => assert!(error.offset <= bytes.len(), "{error}"),
        }
    }
});
