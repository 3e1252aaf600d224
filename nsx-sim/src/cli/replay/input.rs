//! What a file is, and its packets or records one after the other.

use super::{capture, records, table};
use crate::http::replay::Link;
use anyhow::{Context, bail};
use dataplane::{Frame, FrameError};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};

/// A packet of a capture, or a record.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Its number in the capture, or its line or row, from 1.
    pub(super) place: u64,
    /// When it was captured, in milliseconds since 1970.
    pub(super) at: Option<u64>,
    /// How many there were of it.
    pub(super) count: u64,
    /// Its headers.
    pub(super) frame: Result<Frame, FrameError>,
    /// The bytes that hold them; none of a record.
    pub(super) bytes: Option<(Link, Vec<u8>)>,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Packets, each of a conversation that others may be of.
    Capture,
    /// Conversations.
    Records,
}

/// A file that is read.
pub(super) struct Source {
    pub(super) kind: Kind,
    pub(super) items: Box<dyn Iterator<Item = anyhow::Result<Item>>>,
}

/// First bytes of captures: pcap of both byte orders with micro- and nanoseconds, and pcapng.
const CAPTURES: [[u8; 4]; 5] = [
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x0a, 0x0d, 0x0d, 0x0a],
];
/// First bytes of a Parquet file.
const PARQUET: [u8; 4] = *b"PAR1";
/// What is read before it is known what a file is: a capture's first header whole.
const HEAD: u64 = 4096;
/// First bytes of packed files, and what unpacks them.
const PACKED: [(&[u8], &str); 4] = [
    (b"\x1f\x8b", "gunzip -c"),
    (b"\x28\xb5\x2f\xfd", "zstd -dc"),
    (b"\xfd7zXZ", "xz -dc"),
    (b"BZh", "bunzip2 -c"),
];

/// Opens a file, or standard input.
pub(super) fn open(path: &str) -> anyhow::Result<Source> {
    let mut input: Box<dyn Read + Send> = match path {
        "-" => Box::new(io::stdin()),
        path => Box::new(File::open(path).context("can not be opened")?),
    };
    let mut first = Vec::new();
    input.by_ref().take(HEAD).read_to_end(&mut first).context("can not be read")?;
    if first.is_empty() {
        bail!("is empty");
    }
    if let Some((_, tool)) = PACKED.iter().find(|(magic, _)| first.starts_with(magic)) {
        bail!("is compressed: unpack it, as with `{tool} FILE | nsx-sim replay -`");
    }
    let begins = first.first_chunk::<4>().copied().unwrap_or_default();
    let separator = records::separator(&first);
    let whole = BufReader::with_capacity(1 << 16, Cursor::new(first).chain(input));
    if CAPTURES.contains(&begins) {
        return Ok(Source { kind: Kind::Capture, items: Box::new(capture::read(whole)?) });
    }
    let items: Box<dyn Iterator<Item = _>> = if begins == PARQUET {
        Box::new(table::read(whole)?)
    } else {
        Box::new(records::read(whole, separator)?)
    };
    Ok(Source { kind: Kind::Records, items })
}
