//! Packets of a capture: pcap or pcapng.

use super::input::Item;
use crate::http::replay::Link;
use anyhow::{Context, anyhow, bail};
use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{Block, InterfaceDescriptionBlock, Linktype, PcapBlockOwned, PcapError};
use std::io::Read;

/// Bytes of a packet that hold all its headers, and those that an ICMP error quotes.
const HEADERS: usize = 1024;
/// The largest block that is read: packets are not longer than what goes in one.
const BLOCK: usize = 1 << 20;

/// Where packets were captured.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Linktype,
    /// Ticks of its clock in a second.
    ticks: u64,
    /// Seconds that its clock is behind.
    offset: i64,
}

/// What the blocks so far say of where packets come from.
#[derive(Default)]
struct Described {
    interfaces: Vec<Interface>,
    /// Of the section that is being read.
    big_endian: bool,
}

struct Packets {
    reader: Box<dyn PcapReaderIterator + Send>,
    described: Described,
    count: u64,
    done: bool,
}

/// The packets of a capture.
pub(super) fn read(
    input: impl Read + Send + 'static,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Item>>> {
    let reader = pcap_parser::create_reader(BLOCK, input).map_err(|error| told(&error))?;
    Ok(Packets { reader, described: Described::default(), count: 0, done: false })
}

impl Iterator for Packets {
    type Item = anyhow::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            match self.step() {
                Ok(Some(item)) => return Some(Ok(item)),
                Ok(None) => {}
                Err(error) => {
                    self.done = true;
                    return Some(Err(error.context(format!("after packet {}", self.count))));
                }
            }
        }
        None
    }
}

impl Packets {
    /// Reads one block, which may be a packet.
    fn step(&mut self) -> anyhow::Result<Option<Item>> {
        let place = self.count + 1;
        let (length, read) = match self.reader.next() {
            Ok((length, block)) => (length, self.described.read(&block, place)),
            Err(PcapError::Eof) => {
                self.done = true;
                return Ok(None);
            }
            Err(PcapError::Incomplete(_)) => {
                self.reader.refill().map_err(|error| told(&error))?;
                return Ok(None);
            }
            Err(error) => return Err(told(&error)),
        };
        self.reader.consume(length);
        let item = read?;
        self.count += u64::from(item.is_some());
        Ok(item)
    }
}

impl Described {
    fn read(&mut self, block: &PcapBlockOwned<'_>, place: u64) -> anyhow::Result<Option<Item>> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let ticks =
                    if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
                self.interfaces.push(Interface { link: header.network, ticks, offset: 0 });
                Ok(None)
            }
            PcapBlockOwned::Legacy(packet) => {
                let interface = self.interface(0)?;
                let of_second = u64::from(packet.ts_usec) * 1_000 / interface.ticks;
                let at = Some(u64::from(packet.ts_sec) * 1_000 + of_second);
                let data = packet.data.get(..packet.caplen as usize).unwrap_or(packet.data);
                item(interface, place, at, data, packet.origlen).map(Some)
            }
            PcapBlockOwned::NG(Block::SectionHeader(header)) => {
                *self = Self { interfaces: Vec::new(), big_endian: header.big_endian() };
                Ok(None)
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(described)) => {
                self.interfaces.push(described_as(described, self.big_endian)?);
                Ok(None)
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let interface = self.interface(packet.if_id)?;
                let ticks = u128::from(packet.ts_high) << 32 | u128::from(packet.ts_low);
                let millis = i128::try_from(ticks * 1_000 / u128::from(interface.ticks))?
                    + i128::from(interface.offset) * 1_000;
                let at = Some(u64::try_from(millis).unwrap_or(0));
                item(interface, place, at, packet.packet_data(), packet.origlen).map(Some)
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                let interface = self.interface(0)?;
                item(interface, place, None, packet.packet_data(), packet.origlen).map(Some)
            }
            PcapBlockOwned::NG(_) => Ok(None),
        }
    }

    fn interface(&self, id: u32) -> anyhow::Result<Interface> {
        let found = self.interfaces.get(id as usize).copied();
        found.ok_or_else(|| anyhow!("a packet is of interface {id}, which nothing described"))
    }
}

fn described_as(
    described: &InterfaceDescriptionBlock<'_>,
    big_endian: bool,
) -> anyhow::Result<Interface> {
    let resolution = described.if_tsresol;
    let ticks = ticks(resolution);
    let ticks =
        ticks.with_context(|| format!("an interface's clock has resolution {resolution}"))?;
    // The parser reads this one option as little-endian in every section.
    let offset = described.if_tsoffset;
    let offset = if big_endian { offset.swap_bytes() } else { offset };
    Ok(Interface { link: described.linktype, ticks, offset })
}

/// Ticks in a second: a power of ten, or with the highest bit set of two. [draft-ietf-opsawg-pcapng]
fn ticks(resolution: u8) -> Option<u64> {
    let exponent = u32::from(resolution & 0x7f);
    if resolution & 0x80 == 0 { 10_u64.checked_pow(exponent) } else { 1_u64.checked_shl(exponent) }
}

fn item(
    interface: Interface,
    place: u64,
    at: Option<u64>,
    data: &[u8],
    length: u32,
) -> anyhow::Result<Item> {
    let (link, data) = stripped(interface.link, data)?;
    let head = data.get(..HEADERS).unwrap_or(data);
    let frame = link.read(head, length);
    Ok(Item { place, at, count: 1, frame, bytes: Some((link, head.to_vec())) })
}

/// A packet without what a capture put before its first header.
fn stripped(link: Linktype, data: &[u8]) -> anyhow::Result<(Link, &[u8])> {
    let skip = match link {
        Linktype::ETHERNET => return Ok((Link::Ethernet, data)),
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 => 0,
        Linktype::NULL | Linktype::LOOP => 4,
        Linktype::LINUX_SLL => 16,
        Linktype(LINUX_SLL2) => 20,
        Linktype(number) => bail!(
            "its packets begin with headers of link type {number}; what can be read are Ethernet, \
             IP, the BSD loopback and Linux cooked captures"
        ),
    };
    Ok((Link::Ip, data.get(skip..).unwrap_or_default()))
}

/// Linux cooked captures, version 2. [tcpdump.org, link types]
const LINUX_SLL2: i32 = 276;

fn told(error: &PcapError<&[u8]>) -> anyhow::Error {
    match error {
        PcapError::UnexpectedEof | PcapError::Incomplete(_) => {
            anyhow!("the capture ends in the middle of a packet")
        }
        PcapError::BufferTooSmall => anyhow!("a packet says that it is longer than {BLOCK} bytes"),
        PcapError::ReadError => anyhow!("can not be read"),
        PcapError::HeaderNotRecognized => anyhow!("begins like a capture and is none"),
        other => anyhow!("is no capture as it should be: {other}"),
    }
}
