//! The laws of the fuzz targets, asked of golden frames and of changes of them by chance.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::frames::golden;
use crate::strategies::cases;

#[path = "../../fuzz/laws.rs"]
mod laws;

/// What happens to some bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    /// A number that means something in many places.
    Word(Index, u16),
    Repeat(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let word =
        prop_oneof![Just(0), Just(1), Just(0xffff), Just(0x8100), Just(0x86dd), any::<u16>()];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), 0_u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        at().prop_map(Change::Cut),
        (at(), word).prop_map(|(at, word)| Change::Word(at, word)),
        at().prop_map(Change::Repeat),
    ]
}

/// A golden frame with some changes.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), vec(change(), 0..6)).prop_map(|(frame, changes)| {
        let frames = golden();
        let mut bytes = frame.get(&frames).clone();
        for change in changes {
            if bytes.is_empty() {
                break;
            }
            match change {
                Change::Set(at, byte) => *at.get_mut(&mut bytes) = byte,
                Change::Flip(at, bit) => *at.get_mut(&mut bytes) ^= 1 << bit,
                Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
                Change::Word(at, word) => {
                    let at = at.index(bytes.len());
                    for (byte, new) in bytes[at..].iter_mut().zip(word.to_be_bytes()) {
                        *byte = new;
                    }
                }
                Change::Repeat(at) => bytes.extend_from_within(at.index(bytes.len())..),
            }
        }
        bytes
    })
}

#[test]
fn golden_frames_keep_the_laws_whole_and_cut_anywhere() {
    let frames = golden();
    assert!(frames.len() > 30);
    for frame in &frames {
        (0..=frame.len()).for_each(|end| laws::frame(&frame[..end]));
    }
    laws::filter(&frames.into_iter().map(|frame| (0, frame)).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(cases(4_096))]

    #[test]
    fn any_bytes_are_a_frame_or_an_error(bytes in bytes()) {
        laws::frame(&bytes);
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn any_frames_leave_a_filter_within_its_bounds(
        frames in vec((any::<u8>(), bytes()), 0..20),
    ) {
        laws::filter(&frames);
    }
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn any_edits_leave_every_engine_like_a_scan(bytes in vec(any::<u8>(), 0..3_000)) {
        laws::edits(&bytes);
    }
}
