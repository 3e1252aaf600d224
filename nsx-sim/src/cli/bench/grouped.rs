//! Rules between groups of addresses, as files.

use anyhow::{Context, bail};
use dataplane::engine::{Classifier, RuleList, Walk};
use dataplane::{
    Action, AddressSets, Direction, Family, Key, Member, Packet, Peer, PortRange, Ports, Rule,
    RuleId, Service, ServiceMatch, SetId, TcpFlags, Term, Transport,
};
use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rules and the sets they name.
pub(super) struct Grouped {
    pub(super) rules: RuleList,
    pub(super) sets: AddressSets,
}

/// A packet of a trace, and the rule that the file says it matches first.
pub(super) struct Traced {
    packet: Packet,
    stated: Stated,
}

/// What a trace's file says of the first rule that a packet matches.
#[derive(Clone, Copy)]
enum Stated {
    /// Nothing: it is to be found out.
    Nothing,
    /// That this is the answer.
    Answer(Option<usize>),
}

impl Traced {
    /// The packet as it leaves its sender.
    pub(super) const fn key(&self) -> Key<'_> {
        Key { direction: Direction::Out, packet: &self.packet }
    }
}

/// Tells right answers: those of the trace, and where it has none the walk's.
pub(super) struct Oracle<'s> {
    walk: Walk,
    sets: &'s AddressSets,
}

impl<'s> Oracle<'s> {
    pub(super) fn new(rules: &RuleList, sets: &'s AddressSets) -> Self {
        Self { walk: Walk::new(Arc::clone(rules)), sets }
    }

    /// The place of the first rule that matches.
    pub(super) fn right(&self, traced: &Traced) -> Option<usize> {
        match traced.stated {
            Stated::Answer(rule) => rule,
            Stated::Nothing => self.walk.classify(self.sets, traced.key()),
        }
    }
}

/// Reads the three files of a prefix.
pub(super) fn read(prefix: &Path) -> anyhow::Result<Grouped> {
    let mut sets = AddressSets::default();
    for_lines(prefix, "groups", |words| {
        let ["group", id, members @ ..] = words else { bail!("expected `group N ADDRESS…`") };
        let id = SetId(id.parse()?);
        for member in members {
            sets.add(id, Member::from(address(member)?));
        }
        Ok(())
    })?;
    let mut services = HashMap::new();
    for_lines(prefix, "svcs", |words| {
        let ["service", id, ranges @ ..] = words else {
            bail!("expected `service N PROTO LO HI …`")
        };
        let ranges = ranges.chunks(3).map(service).collect::<anyhow::Result<Vec<_>>>()?;
        services.insert(id.parse::<u32>()?, ranges);
        Ok(())
    })?;
    let mut rules: Vec<Arc<Rule>> = Vec::new();
    for_lines(prefix, "rules", |words| {
        rules.push(Arc::new(rule(words, &services)?));
        Ok(())
    })?;
    Ok(Grouped { rules: rules.into(), sets })
}

/// A file of a prefix.
pub(super) fn beside(prefix: &Path, extension: &str) -> PathBuf {
    let mut path = prefix.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    path.into()
}

fn for_lines(
    prefix: &Path,
    extension: &str,
    mut each: impl FnMut(&[&str]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let path = beside(prefix, extension);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for (at, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        each(&words).with_context(|| format!("{}:{}", path.display(), at + 1))?;
    }
    Ok(())
}

fn address(decimal: &str) -> anyhow::Result<IpAddr> {
    Ok(Ipv4Addr::from(decimal.parse::<u32>()?).into())
}

fn service(words: &[&str]) -> anyhow::Result<Service> {
    let [protocol, first, last] = words else { bail!("a service is PROTO LO HI") };
    let ports = Ports::to([PortRange { first: first.parse()?, last: last.parse()? }]);
    Ok(match protocol.parse::<u8>()? {
        6 => Service::Tcp(ports),
        17 => Service::Udp(ports),
        other => Service::Protocol(other),
    })
}

fn rule(words: &[&str], services: &HashMap<u32, Vec<Service>>) -> anyhow::Result<Rule> {
    let ["rule", id, fields @ ..] = words else { bail!("expected `rule N …`") };
    let field = |name: &str| {
        let mut values = fields.iter().filter_map(|field| field.split_once('='));
        let found = values.find_map(|(own, value)| (own == name).then_some(value));
        found.with_context(|| format!("a rule has {name}="))
    };
    let ids = |value: &str| value.split(',').map(str::parse::<u32>).collect::<Result<Vec<_>, _>>();
    let peer = |value: &str| -> anyhow::Result<Peer> {
        if value == "any" {
            return Ok(Peer::Any);
        }
        let terms = ids(value)?.into_iter().map(|id| Term::Set(SetId(id))).collect();
        Ok(Peer::OneOf { terms, negated: false })
    };
    let service = match field("svc")? {
        "any" => ServiceMatch::Any,
        named => {
            let mut found = Vec::new();
            for id in ids(named)? {
                let ranges = services.get(&id).with_context(|| format!("no service {id}"))?;
                found.extend(ranges.iter().cloned());
            }
            ServiceMatch::OneOf(found)
        }
    };
    // The traces tell nothing of vNICs: every rule is tried.
    Ok(Rule {
        action: if field("action")? == "allow" { Action::Allow } else { Action::Drop },
        family: Some(Family::V4),
        source: peer(field("src")?)?,
        destination: peer(field("dst")?)?,
        service,
        ..Rule::drop_all(RuleId(id.parse()?))
    })
}

/// Reads a trace: `src dst sport dport proto [rule [match]]` in decimal.
pub(super) fn trace(path: &Path) -> anyhow::Result<Vec<Traced>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lines = text.lines().enumerate();
    let packets = lines
        .map(|(at, line)| traced(line).with_context(|| format!("{}:{}", path.display(), at + 1)));
    packets.collect()
}

fn traced(line: &str) -> anyhow::Result<Traced> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [src, dst, src_port, dst_port, protocol, ref more @ ..] = *words else {
        bail!("a header has two addresses, two ports and a protocol");
    };
    let (src_port, dst_port) = (src_port.parse()?, dst_port.parse()?);
    let transport = match protocol.parse::<u8>()? {
        6 => Transport::Tcp { src_port, dst_port, flags: TcpFlags::SYN },
        17 => Transport::Udp { src_port, dst_port },
        1 => Transport::Icmp { kind: 8, code: 0, id: 0 },
        other => Transport::Other(other),
    };
    let stated = match more {
        [_, rule, ..] if rule.starts_with('-') => Stated::Answer(None),
        [_, rule, ..] => Stated::Answer(Some(rule.parse()?)),
        _ => Stated::Nothing,
    };
    Ok(Traced { packet: Packet::ip(address(src)?, address(dst)?, transport), stated })
}
