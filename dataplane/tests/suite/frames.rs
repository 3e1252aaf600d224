//! Bytes to frames: golden ones, those that another library builds, and any bytes at all.

use std::fmt::Write;

use dataplane::{Fault, Fragment, Frame, IpHeader, TcpFlags, Transport};
use etherparse::{
    EtherType, IpFragOffset, IpHeaders, IpNumber, Ipv4Header, Ipv4Options, Ipv6Extensions,
    Ipv6FragmentHeader, Ipv6Header, Ipv6RawExtHeader, Ipv6RoutingExtensions, LaxNetSlice,
    LaxSlicedPacket, PacketBuilder, TcpHeader, TransportSlice,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::strategies::config;

#[test]
fn golden_frames_are_read_as_written_down() {
    let mut read = String::new();
    for block in fixtures::FRAMES.split("\n\n") {
        let mut lines = block.lines().filter(|line| !line.starts_with('#'));
        let Some(name) = lines.next() else { continue };
        writeln!(read, "{name}: {}", told(&bytes(lines))).unwrap();
    }
    let expected: String = fixtures::FRAMES
        .split("\n\n")
        .filter_map(|block| {
            let mut lines = block.lines().filter(|line| !line.starts_with('#'));
            let name = lines.next()?;
            Some(format!("{name}: {}\n", lines.next_back()?.strip_prefix("= ")?))
        })
        .collect();
    assert_eq!(read, expected);
    assert!(read.lines().count() > 30, "{read}");
}

/// The bytes of a golden frame, from the lines behind its name.
fn bytes<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<u8> {
    let hex: String = lines.take_while(|line| !line.starts_with('=')).collect();
    let bytes = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16));
    bytes.collect::<Result<_, _>>().unwrap()
}

/// The golden frames.
pub(crate) fn golden() -> Vec<Vec<u8>> {
    let blocks = fixtures::FRAMES.split("\n\n");
    let lines = |block: &'static str| block.lines().filter(|line| !line.starts_with('#'));
    blocks.map(|block| bytes(lines(block).skip(1))).filter(|bytes| !bytes.is_empty()).collect()
}

/// A frame as the file of golden frames has it.
fn told(bytes: &[u8]) -> String {
    let frame = match Frame::parse(bytes) {
        Ok(frame) => frame,
        Err(error) => return error.to_string(),
    };
    let packet = frame.packet;
    assert_eq!(packet.length as usize, bytes.len());
    let mut text = match &packet.ip {
        Some(ip) => header(ip),
        None => format!("{:04x} {} > {}", packet.ethertype, packet.src_mac, packet.dst_mac),
    };
    if let Some(Fragment { id, first }) = frame.fragment {
        write!(text, " + {} of {id:x}", if first { "first" } else { "later" }).unwrap();
    }
    if let Some(quoted) = frame.reports {
        write!(text, " + about {}", header(&quoted)).unwrap();
    }
    text
}

fn header(ip: &IpHeader) -> String {
    let IpHeader { src, dst, transport } = ip;
    match transport {
        Transport::Tcp { src_port, dst_port, flags } => {
            format!("tcp {src} {src_port} > {dst} {dst_port} flags {:03x}", flags.0)
        }
        Transport::Udp { src_port, dst_port } => format!("udp {src} {src_port} > {dst} {dst_port}"),
        Transport::Icmp { kind, code, id } => format!("icmp {src} > {dst} {kind}/{code} {id}"),
        Transport::Other(number) => format!("proto{number} {src} > {dst}"),
    }
}

/// A frame that another library built, and what was asked of it.
#[derive(Clone, Debug)]
struct Built {
    bytes: Vec<u8>,
    /// Where the IP header begins.
    ip_at: usize,
    header: IpHeader,
}

fn transport() -> impl Strategy<Value = Transport> {
    let ports = || (any::<u16>(), any::<u16>());
    prop_oneof![
        (ports(), 0_u16..0x200).prop_map(|((src_port, dst_port), flags)| Transport::Tcp {
            src_port,
            dst_port,
            flags: TcpFlags(flags)
        }),
        ports().prop_map(|(src_port, dst_port)| Transport::Udp { src_port, dst_port }),
        (any::<bool>(), any::<u16>()).prop_map(|(reply, id)| Transport::Icmp {
            kind: if reply { 0 } else { 8 },
            code: 0,
            id
        }),
        select(vec![47_u8, 50, 59, 89, 132]).prop_map(Transport::Other),
    ]
}

fn internet() -> impl Strategy<Value = IpHeaders> {
    let v4 = (any::<[u8; 4]>(), any::<[u8; 4]>(), 0_usize..=10).prop_map(|(src, dst, words)| {
        let mut header = Ipv4Header::new(0, 64, IpNumber(0), src, dst).unwrap();
        header.options = Ipv4Options::try_from(vec![1; words * 4].as_slice()).unwrap();
        IpHeaders::Ipv4(header, etherparse::Ipv4Extensions::default())
    });
    let raw = || option::of((0_usize..4).prop_map(|eights| raw_extension(eights * 8 + 6)));
    let extensions = (raw(), raw(), raw(), any::<bool>(), any::<bool>());
    let v6 = (any::<[u8; 16]>(), any::<[u8; 16]>(), extensions).prop_map(
        |(source, destination, (hop, options, routing, whole, auth))| {
            let header = Ipv6Header { source, destination, ..Ipv6Header::default() };
            let fragment = Ipv6FragmentHeader::new(IpNumber(0), IpFragOffset::ZERO, false, 7);
            let auth =
                auth.then(|| etherparse::IpAuthHeader::new(IpNumber(0), 1, 2, &[0; 12]).unwrap());
            let routing = routing
                .map(|routing| Ipv6RoutingExtensions { routing, final_destination_options: None });
            let extensions = Ipv6Extensions {
                hop_by_hop_options: hop,
                destination_options: options,
                routing,
                fragment: whole.then_some(fragment),
                auth,
            };
            IpHeaders::Ipv6(header, extensions)
        },
    );
    prop_oneof![v4, v6]
}

fn raw_extension(length: usize) -> Ipv6RawExtHeader {
    Ipv6RawExtHeader::new_raw(IpNumber(0), &vec![0; length]).unwrap()
}

fn built() -> impl Strategy<Value = Built> {
    let tags = vec(select(vec![0x8100_u16, 0x88a8, 0x9100]), 0..3);
    (tags, internet(), transport(), vec(any::<u8>(), 0..40)).prop_map(
        |(tags, internet, transport, data)| {
            let (src, dst, v4) = match &internet {
                IpHeaders::Ipv4(own, _) => (own.source.into(), own.destination.into(), true),
                IpHeaders::Ipv6(own, _) => (own.source.into(), own.destination.into(), false),
            };
            let transport = match transport {
                Transport::Icmp { kind, code, id } if !v4 => {
                    Transport::Icmp { kind: if kind == 0 { 129 } else { 128 }, code, id }
                }
                other => other,
            };
            let mut bytes = vec![2; 12];
            for tag in tags {
                bytes.extend_from_slice(&tag.to_be_bytes());
                bytes.extend_from_slice(&[0, 100]);
            }
            let ethertype = if v4 { EtherType::IPV4 } else { EtherType::IPV6 };
            bytes.extend_from_slice(&ethertype.0.to_be_bytes());
            let ip_at = bytes.len();
            write(PacketBuilder::ip(internet), transport, &data, &mut bytes);
            Built { bytes, ip_at, header: IpHeader { src, dst, transport } }
        },
    )
}

fn write(
    builder: etherparse::PacketBuilderStep<IpHeaders>,
    transport: Transport,
    data: &[u8],
    bytes: &mut Vec<u8>,
) {
    match transport {
        Transport::Tcp { src_port, dst_port, flags } => {
            let mut header = TcpHeader::new(src_port, dst_port, 1, 1024);
            let bit = |bit: u16| flags.0 >> bit & 1 == 1;
            (header.fin, header.syn, header.rst) = (bit(0), bit(1), bit(2));
            (header.psh, header.ack, header.urg) = (bit(3), bit(4), bit(5));
            (header.ece, header.cwr, header.ns) = (bit(6), bit(7), bit(8));
            builder.tcp_header(header).write(bytes, data).unwrap();
        }
        Transport::Udp { src_port, dst_port } => {
            builder.udp(src_port, dst_port).write(bytes, data).unwrap();
        }
        Transport::Icmp { kind, id, .. } => match kind {
            8 => builder.icmpv4_echo_request(id, 1).write(bytes, data).unwrap(),
            0 => builder.icmpv4_echo_reply(id, 1).write(bytes, data).unwrap(),
            128 => builder.icmpv6_echo_request(id, 1).write(bytes, data).unwrap(),
            _ => builder.icmpv6_echo_reply(id, 1).write(bytes, data).unwrap(),
        },
        Transport::Other(number) => builder.write(bytes, IpNumber(number), data).unwrap(),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_another_library_built_is_read_as_it_was_meant(built in built()) {
        let frame = Frame::parse(&built.bytes).unwrap();
        prop_assert_eq!(frame.packet.ip, Some(built.header));
        prop_assert_eq!((frame.fragment, frame.reports), (None, None));
        let bare = Frame::parse_ip(&built.bytes[built.ip_at..]).unwrap();
        prop_assert_eq!(bare.packet.ip, Some(built.header));
    }

    #[test]
    fn a_frame_cut_anywhere_is_read_the_same_or_names_the_header(built in built(), cut in any::<Index>()) {
        let cut = cut.index(built.bytes.len());
        match Frame::parse(&built.bytes[..cut]) {
            Ok(frame) => prop_assert_eq!(frame.packet.ip, Some(built.header)),
            Err(error) => {
                let Fault::Truncated { needed, present } = error.fault else {
                    return Err(TestCaseError::fail(error.to_string()));
                };
                prop_assert!(needed > present && error.offset + present == cut, "{} at {}", error, cut);
            }
        }
    }

    #[test]
    fn an_error_quotes_a_packet_as_far_as_it_does(built in built(), more in 0_usize..60) {
        let quoted = &built.bytes[built.ip_at..];
        let v4 = built.header.src.is_ipv4();
        let mut message = vec![if v4 { 11 } else { 3 }, 0, 0, 0, 0, 0, 0, 0];
        message.extend_from_slice(&quoted[..quoted.len().min(more)]);
        let mut bytes = Vec::new();
        let (builder, number) = if v4 {
            (PacketBuilder::ipv4([192, 0, 2, 1], [10, 0, 0, 1], 64), 1)
        } else {
            (PacketBuilder::ipv6([9; 16], [8; 16], 64), 58)
        };
        builder.write(&mut bytes, IpNumber(number), &message).unwrap();
        let frame = Frame::parse_ip(&bytes).unwrap();
        match (frame.reports, built.header.transport) {
            (Some(told), Transport::Tcp { src_port, dst_port, .. }) => {
                let Transport::Tcp { src_port: src, dst_port: dst, .. } = told.transport else {
                    return Err(TestCaseError::fail(format!("{told:?}")));
                };
                prop_assert_eq!((told.src, told.dst), (built.header.src, built.header.dst));
                prop_assert_eq!((src, dst), (src_port, dst_port));
            }
            (Some(told), _) => prop_assert_eq!(told, built.header),
            (None, _) => prop_assert!(Frame::parse_ip(&quoted[..quoted.len().min(more)]).is_err()),
        }
    }

    #[test]
    fn any_bytes_end_in_a_frame_or_an_error_within_them(bytes in vec(any::<u8>(), 0..120)) {
        for result in [Frame::parse(&bytes), Frame::parse_ip(&bytes)] {
            if let Err(error) = result {
                prop_assert!(error.offset <= bytes.len());
            }
        }
    }

    #[test]
    fn a_frame_with_wrong_bytes_is_read_as_another_library_does(
        built in built(),
        wrong in vec((any::<Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = built.bytes;
        for (at, byte) in wrong {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let (Ok(frame), Ok(theirs)) = (Frame::parse(&bytes), LaxSlicedPacket::from_ethernet(&bytes))
        else {
            return Ok(());
        };
        let Some(ours) = frame.packet.ip else { return Ok(()) };
        match &theirs.net {
            Some(LaxNetSlice::Ipv4(ip)) => {
                prop_assert_eq!(ours.src, ip.header().source_addr());
                prop_assert_eq!(ours.dst, ip.header().destination_addr());
            }
            Some(LaxNetSlice::Ipv6(ip)) => {
                prop_assert_eq!(ours.src, ip.header().source_addr());
                prop_assert_eq!(ours.dst, ip.header().destination_addr());
            }
            _ => {}
        }
        match (&theirs.transport, ours.transport) {
            (Some(TransportSlice::Tcp(tcp)), Transport::Tcp { src_port, dst_port, flags }) => {
                prop_assert_eq!((src_port, dst_port), (tcp.source_port(), tcp.destination_port()));
                prop_assert_eq!(flags.contains(TcpFlags::SYN), tcp.syn());
            }
            (Some(TransportSlice::Udp(udp)), Transport::Udp { src_port, dst_port }) => {
                prop_assert_eq!((src_port, dst_port), (udp.source_port(), udp.destination_port()));
            }
            (Some(TransportSlice::Tcp(_) | TransportSlice::Udp(_)), other) => {
                return Err(TestCaseError::fail(format!("{other:?}")));
            }
            _ => {}
        }
    }
}
