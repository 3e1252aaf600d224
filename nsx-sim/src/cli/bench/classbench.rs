//! ClassBench's text formats.

use anyhow::{Context, bail};
use dataplane::engine::tuple::{Carried, Filter, Header, Kind, NONE, Span};
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

/// A header of a trace, and the rank that a file says it has.
pub(super) struct Traced {
    pub(super) header: Header,
    /// `None` if the file does not say.
    pub(super) rank: Option<u32>,
}

/// Reads a file of filters. A filter's line is its rank.
pub(super) fn filters(path: &Path) -> anyhow::Result<Vec<Filter>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lines = (0..).zip(text.lines());
    let filters = lines.map(|(rank, line)| {
        filter(line, rank).with_context(|| format!("{}:{}", path.display(), rank + 1))
    });
    filters.collect()
}

/// `@a.b.c.d/len a.b.c.d/len lo : hi lo : hi 0xPP/0xMM …`; what follows is not read.
fn filter(line: &str, rank: u32) -> anyhow::Result<Filter> {
    let line = line.trim().strip_prefix('@').context("a filter begins with @")?;
    let words: Vec<&str> = line.split_whitespace().filter(|word| *word != ":").collect();
    let [src, dst, src_low, src_high, dst_low, dst_high, protocol, ..] = *words else {
        bail!("a filter has two networks, two ranges of ports and a protocol");
    };
    let ports = |low: &str, high: &str| {
        Span::new(low.parse::<u16>()?, high.parse()?).context("a range ends before it begins")
    };
    let (protocol, mask) = protocol.split_once('/').context("a protocol has a mask")?;
    let (protocol, mask) = (hexadecimal(protocol)?, hexadecimal(mask)?);
    Ok(Filter {
        src: network(src)?,
        dst: network(dst)?,
        carried: Carried {
            src_port: ports(src_low, src_high)?,
            dst_port: ports(dst_low, dst_high)?,
            kind_mask: mask << 2,
            kind: (protocol & mask) << 2,
        },
        rank,
    })
}

fn network(text: &str) -> anyhow::Result<Span<u32>> {
    let (address, length) = text.split_once('/').context("a network is address/length")?;
    let (address, length): (Ipv4Addr, u8) = (address.parse()?, length.parse()?);
    if length > 32 {
        bail!("a network's length is at most 32");
    }
    Ok(Span::<u32>::prefix(address.into(), length))
}

fn hexadecimal(text: &str) -> anyhow::Result<u16> {
    let digits = text.strip_prefix("0x").with_context(|| format!("{text}: expected 0x…"))?;
    Ok(u8::from_str_radix(digits, 16)?.into())
}

/// Reads a trace: `src dst sport dport proto [rule [match]]` in decimal.
pub(super) fn trace(path: &Path) -> anyhow::Result<Vec<Traced>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lines = text.lines().enumerate();
    let headers = lines
        .map(|(at, line)| traced(line).with_context(|| format!("{}:{}", path.display(), at + 1)));
    headers.collect()
}

fn traced(line: &str) -> anyhow::Result<Traced> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [src, dst, src_port, dst_port, protocol, ref more @ ..] = *words else {
        bail!("a header has two addresses, two ports and a protocol");
    };
    let kind = Kind(u16::from(protocol.parse::<u8>()?) << 2);
    let header =
        Header::new(src.parse()?, dst.parse()?, src_port.parse()?, dst_port.parse()?, kind);
    let rank = match more {
        [_, rank, ..] if rank.starts_with('-') => Some(NONE),
        [_, rank, ..] => Some(rank.parse()?),
        _ => None,
    };
    Ok(Traced { header, rank })
}

/// A filter as a line, for a list whose ranks are its lines.
///
/// # Errors
/// If its addresses are no prefixes, or it asks for more of the protocol than the format has words for.
pub(super) fn line_of(filter: &Filter) -> anyhow::Result<String> {
    let Carried { src_port, dst_port, kind, kind_mask } = filter.carried;
    let (protocol, mask) = match kind_mask {
        0 => (0, 0),
        Kind::PROTOCOL => (kind >> 2, 0xff),
        _ => bail!("filter {}: it asks for more than the protocol", filter.rank),
    };
    let (src, dst) = (prefix(filter.src)?, prefix(filter.dst)?);
    let ports = |span: Span<u16>| format!("{} : {}", span.first, span.last);
    let (src_port, dst_port) = (ports(src_port), ports(dst_port));
    Ok(format!("@{src}\t{dst}\t{src_port}\t{dst_port}\t0x{protocol:02X}/0x{mask:02X}"))
}

fn prefix(span: Span<u32>) -> anyhow::Result<String> {
    let length = (span.first ^ span.last).leading_zeros();
    let own = u8::try_from(length).map(|length| Span::<u32>::prefix(span.first, length));
    let first = Ipv4Addr::from(span.first);
    if own != Ok(span) {
        bail!("{first} to {} is no prefix", Ipv4Addr::from(span.last));
    }
    Ok(format!("{first}/{length}"))
}

/// A header as a line, with the rank of the filter that it was drawn from and of the first that matches it.
pub(super) fn traced_line(header: &Header, drawn: u32, rank: u32) -> String {
    let Header { src, dst, src_port, dst_port, kind, .. } = *header;
    let rank = if rank == NONE { -1 } else { i64::from(rank) };
    format!("{src}\t{dst}\t{src_port}\t{dst_port}\t{}\t{drawn}\t{rank}", kind.0 >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_and_a_header_are_read() {
        let line = "@10.0.0.0/8\t1.2.3.4/32\t0 : 65535\t80 : 90\t0x06/0xFF\t0x0000/0x0000\t";
        let filter = filter(line, 7).unwrap();
        assert_eq!((filter.src, filter.rank), (Span::<u32>::prefix(0x0a00_0000, 8), 7));
        let inside = traced("167772161\t16909060\t5\t85\t6\t0\t7").unwrap();
        assert!(filter.holds(&inside.header));
        assert_eq!(inside.rank, Some(7));
        let outside = traced("167772161 16909060 5 85 17 0 -1").unwrap();
        assert!(!filter.holds(&outside.header));
        assert_eq!(outside.rank, Some(NONE));
        assert_eq!(traced("1 2 3 4 6").unwrap().rank, None);
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let filters = fixtures::tuples::filters(fixtures::tuples::Profile::Fw, 500, 3);
        for own in &filters {
            let line = line_of(own).unwrap();
            assert_eq!(filter(&line, own.rank).unwrap(), *own, "{line}");
        }
        for (header, drawn) in fixtures::tuples::drawn(&filters, 500, 4) {
            let line = traced_line(&header, drawn, NONE);
            let read = traced(&line).unwrap();
            assert_eq!((read.header, read.rank), (header, Some(NONE)), "{line}");
        }
        let odd = Filter { src: Span { first: 1, last: 2 }, ..filters[0] };
        assert!(line_of(&odd).unwrap_err().to_string().contains("0.0.0.1 to 0.0.0.2 is no prefix"));
    }

    #[test]
    fn what_is_no_filter_or_header_is_refused() {
        for line in ["", "10.0.0.0/8", "@1.2.3.4/33 1.2.3.4/32 0 : 1 0 : 1 0x06/0xFF"] {
            assert!(filter(line, 0).is_err(), "{line}");
        }
        assert!(filter("@1.2.3.4/32 1.2.3.4/32 2 : 1 0 : 1 0x06/0xFF", 0).is_err());
        assert!(traced("1 2 3").is_err());
        assert!(traced("1 2 3 4 300").is_err());
    }
}
