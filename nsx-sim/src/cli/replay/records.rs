//! Flow records: their columns, and their CSV form.

use super::input::Item;
use crate::http::replay::first_packet;
use anyhow::{Context, anyhow, bail};
use std::io::Read;
use std::net::IpAddr;

/// The columns that a record may have, in no order of the file's.
pub(super) const COLUMNS: [&str; 6] = ["src", "dst", "proto", "sport", "dport", "count"];
/// Those that it must have.
const NEEDED: [&str; 3] = ["src", "dst", "proto"];
/// The source port of a record that tells none: the first of the ephemeral ones. [IANA]
const EPHEMERAL: u16 = 49_152;

/// Names of protocols beside their numbers. [IANA]
const PROTOCOLS: [(&str, u8); 10] = [
    ("icmp", 1),
    ("igmp", 2),
    ("tcp", 6),
    ("udp", 17),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("sctp", 132),
];

/// Where the file has each of [`COLUMNS`].
pub(super) struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    /// Finds the columns by their names.
    pub(super) fn find<'n>(names: impl Iterator<Item = &'n str>) -> anyhow::Result<Self> {
        let mut places = [None; COLUMNS.len()];
        for (place, name) in names.enumerate() {
            let name = name.trim().trim_start_matches('\u{feff}');
            let known = COLUMNS.iter().position(|own| own.eq_ignore_ascii_case(name));
            let slot = known.and_then(|known| places.get_mut(known));
            match slot {
                None => bail!("unknown column {name:?}; there are {}", COLUMNS.join(", ")),
                Some(Some(_)) => bail!("column {name} is there twice"),
                Some(slot) => *slot = Some(place),
            }
        }
        let columns = Self(places);
        let missing = NEEDED.iter().zip(&columns.0).find(|(_, place)| place.is_none());
        match missing {
            Some((name, _)) => bail!("column {name} is missing; needed are {}", NEEDED.join(", ")),
            None => Ok(columns),
        }
    }

    /// A record's values in the order of [`COLUMNS`]; `value` gives what is in a place.
    pub(super) fn pick<T>(&self, value: impl Fn(usize) -> Option<T>) -> [Option<T>; COLUMNS.len()] {
        self.0.map(|place| place.and_then(&value))
    }
}

/// A record's packet, from its values in the order of [`COLUMNS`].
pub(super) fn item(place: u64, values: [Option<&str>; COLUMNS.len()]) -> anyhow::Result<Item> {
    let given = values.map(|value| value.map(str::trim).filter(|value| !value.is_empty()));
    let [src, dst, proto, sport, dport, count] = given;
    let needed = |value: Option<&'_ str>, column: &str| {
        value.map(str::to_owned).ok_or_else(|| anyhow!("column {column} is empty"))
    };
    let protocol = protocol(&needed(proto, "proto")?)?;
    let dport = match (dport, protocol) {
        (None, 6 | 17) => bail!("column dport is empty; TCP and UDP need it"),
        (port, _) => number(port, "dport", "a port from 0 to 65535")?,
    };
    let sport = number(sport, "sport", "a port from 0 to 65535")?;
    let src = (address(&needed(src, "src")?, "src")?, sport.unwrap_or(EPHEMERAL));
    let dst = (address(&needed(dst, "dst")?, "dst")?, dport.unwrap_or(0));
    let packet = first_packet(src, dst, protocol).map_err(|told| anyhow!(told))?;
    let count = number(count, "count", "a number")?.unwrap_or(1);
    Ok(Item { place, at: None, count, frame: Ok(packet.into()), bytes: None })
}

fn address(text: &str, column: &str) -> anyhow::Result<IpAddr> {
    text.parse().map_err(|_| anyhow!("column {column}: {text:?} is no IP address"))
}

fn protocol(text: &str) -> anyhow::Result<u8> {
    let named = PROTOCOLS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    let number = named.map(|(_, number)| *number).or_else(|| text.parse().ok());
    let names = || PROTOCOLS.map(|(name, _)| name).join(", ");
    number.ok_or_else(|| {
        anyhow!("column proto: {text:?} is no protocol: a number from 0 to 255, or {}", names())
    })
}

fn number<T: std::str::FromStr>(
    text: Option<&str>,
    column: &str,
    wanted: &str,
) -> anyhow::Result<Option<T>> {
    let parsed = text
        .map(|text| text.parse().map_err(|_| anyhow!("column {column}: {text:?} is not {wanted}")));
    parsed.transpose()
}

/// What separates the columns, by the header line of a file that begins like this: whichever of comma,
/// semicolon and tab is there most often.
pub(super) fn separator(begins: &[u8]) -> u8 {
    let lines = begins.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let header = lines.filter(|line| !line.is_empty()).find(|line| !line.starts_with(b"#"));
    let columns = |own: u8| header.unwrap_or_default().split(|byte| *byte == own).count();
    // Of equals the last is taken: a comma.
    [b'\t', b';', b','].into_iter().max_by_key(|own| columns(*own)).unwrap_or(b',')
}

/// The records of a CSV file.
pub(super) fn read(
    input: impl Read + 'static,
    separator: u8,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Item>>> {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.delimiter(separator).comment(Some(b'#')).from_reader(input);
    let header = reader.headers().context("is neither a capture nor CSV")?.clone();
    let columns = Columns::find(header.iter())
        .context("is read as CSV, for it begins like neither a capture nor Parquet; line 1")?;
    let mut record = csv::StringRecord::new();
    Ok(std::iter::from_fn(move || match reader.read_record(&mut record) {
        Ok(false) => None,
        Ok(true) => {
            let line = record.position().map_or(0, csv::Position::line);
            let values = columns.pick(|place| record.get(place));
            Some(item(line, values).with_context(|| format!("line {line}")))
        }
        Err(error) => Some(Err(error.into())),
    }))
}
