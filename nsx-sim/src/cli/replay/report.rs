//! What is told of packets: a line for each, and the sum at the end.

use super::input::{Item, Kind};
use super::judge::Manager;
use super::words::{grouped, in_words, per_second, ports, protocol_word};
use crate::http::replay::{Fate, Told};
use dataplane::Transport;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The fates that a packet may have, in the order in which they are told.
const FATES: [(Fate, &str); 5] = [
    (Fate::Allowed, "ALLOWED"),
    (Fate::Dropped, "DROPPED"),
    (Fate::Rejected, "REJECTED"),
    (Fate::NoFilter, "NO_FILTER"),
    (Fate::Unreadable, "UNREADABLE"),
];

/// Packets by fate, in the order of [`FATES`].
type Sums = [u64; FATES.len()];

/// Tells lines as they come, and keeps the sums.
pub(super) struct Report<W> {
    out: W,
    kind: Kind,
    json: bool,
    /// No line for each packet.
    summary_only: bool,
    items: u64,
    sums: Sums,
    by_rule: BTreeMap<Option<u64>, Sums>,
    denied: HashMap<Denied, u64>,
    rules: HashMap<u64, Option<Arc<str>>>,
    ports: HashMap<Arc<str>, Arc<str>>,
}

/// Packets that were denied alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Denied {
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    protocol: Option<u8>,
    /// The destination port, of TCP and UDP.
    port: Option<u16>,
    outcome: Fate,
    by: Option<Arc<str>>,
    rule: Option<u64>,
    at: Option<Arc<str>>,
    direction: Option<Arc<str>>,
}

impl<W: Write> Report<W> {
    pub(super) fn new(out: W, kind: Kind, json: bool, summary_only: bool) -> Self {
        Self {
            out,
            kind,
            json,
            summary_only,
            items: 0,
            sums: Sums::default(),
            by_rule: BTreeMap::new(),
            denied: HashMap::new(),
            rules: HashMap::new(),
            ports: HashMap::new(),
        }
    }

    /// The number of packets or records told of.
    pub(super) const fn count(&self) -> u64 {
        self.items
    }

    /// How many flows or packets those are, each record counted as often as it says.
    fn flows(&self) -> u64 {
        self.sums.iter().fold(0, |sum: u64, own| sum.saturating_add(*own))
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Tells of one packet or record.
    pub(super) fn add(&mut self, manager: &Manager, item: &Item, told: &Told) -> io::Result<()> {
        self.items += 1;
        count(&mut self.sums, told.outcome, item.count);
        if told.by.is_some() {
            let sums = self.by_rule.entry(told.rule_id).or_default();
            count(sums, told.outcome, item.count);
        }
        let ip = item.frame.as_ref().ok().and_then(|frame| frame.packet.ip);
        if matches!(told.outcome, Fate::Dropped | Fate::Rejected) {
            let denied = Denied {
                src: ip.map(|ip| ip.src),
                dst: ip.map(|ip| ip.dst),
                protocol: ip.map(|ip| ip.transport.protocol(ip.family())),
                port: ip.and_then(|ip| ports(&ip)).map(|(_, port)| port),
                outcome: told.outcome,
                by: told.by.clone(),
                rule: told.rule_id,
                at: told.logical_port_id.clone(),
                direction: told.direction.clone(),
            };
            let sum = self.denied.entry(denied).or_default();
            *sum = sum.saturating_add(item.count);
        }
        if self.summary_only {
            return Ok(());
        }
        if self.json {
            let line = self.line_as_json(manager, item, told);
            return writeln!(self.out, "{line}");
        }
        let packet = match &item.frame {
            Ok(frame) => in_words(frame),
            Err(error) => error.to_string(),
        };
        let times = if item.count == 1 { String::new() } else { format!(" ×{}", item.count) };
        let decider = self.decider(
            manager,
            told.by.as_ref(),
            told.rule_id,
            told.logical_port_id.as_ref(),
            told.direction.as_ref(),
        );
        let (place, outcome) = (item.place, word(told.outcome));
        let line = format!("{place:>7}  {outcome:<10}  {packet:<52}{times}  {decider}");
        writeln!(self.out, "{}", line.trim_end())
    }

    fn line_as_json(&mut self, manager: &Manager, item: &Item, told: &Told) -> Value {
        let place = if self.kind == Kind::Capture { "packet" } else { "line" };
        let mut line = json!({
            place: item.place,
            "outcome": told.outcome,
        });
        let frame = item.frame.as_ref().ok();
        if let Some(ip) = frame.and_then(|frame| frame.packet.ip) {
            line["src"] = json!(ip.src);
            line["dst"] = json!(ip.dst);
            line["proto"] = json!(ip.transport.protocol(ip.family()));
            match ip.transport {
                Transport::Tcp { src_port, dst_port, flags } => {
                    line["sport"] = json!(src_port);
                    line["dport"] = json!(dst_port);
                    line["flags"] = json!(flags.to_string());
                }
                Transport::Udp { src_port, dst_port } => {
                    line["sport"] = json!(src_port);
                    line["dport"] = json!(dst_port);
                }
                Transport::Icmp { kind, code, .. } => {
                    line["icmp_type"] = json!(kind);
                    line["icmp_code"] = json!(code);
                }
                Transport::Other(_) => {}
            }
        } else if let Some(frame) = frame {
            line["ethertype"] = json!(frame.packet.ethertype);
        }
        if let Some(at) = item.at {
            line["time_ms"] = json!(at);
        }
        if self.kind == Kind::Records {
            line["count"] = json!(item.count);
        }
        let told = json!({
            "by": told.by,
            "rule_id": told.rule_id,
            "rule_name": told.rule_id.and_then(|id| self.rule_name(manager, id)),
            "logical_port_id": told.logical_port_id,
            "logical_port_name": told.logical_port_id.as_ref().map(|id| self.port_name(manager, id)),
            "direction": told.direction,
            "reason": told.reason,
        });
        if let (Value::Object(line), Value::Object(told)) = (&mut line, told) {
            line.extend(told.into_iter().filter(|(_, value)| !value.is_null()));
        }
        line
    }

    /// Tells the sums; `most` denied flows, or with 0 all.
    pub(super) fn finish(
        mut self,
        manager: &Manager,
        time: Duration,
        most: usize,
    ) -> io::Result<()> {
        let mut denied: Vec<(Denied, u64)> = std::mem::take(&mut self.denied).into_iter().collect();
        denied.sort_unstable_by(|(one, count), (other, more)| {
            more.cmp(count).then_with(|| one.cmp(other))
        });
        let shown = if most == 0 { denied.len() } else { most.min(denied.len()) };
        let by_rule = std::mem::take(&mut self.by_rule);
        if self.json {
            let summary = self.summary_as_json(manager, time, &by_rule, &denied, shown);
            writeln!(self.out, "{summary}")?;
        } else {
            let summary = self.summary(manager, time, &by_rule, &denied, shown);
            if !self.summary_only && self.items > 0 {
                writeln!(self.out)?;
            }
            self.out.write_all(summary.as_bytes())?;
        }
        self.out.flush()
    }

    fn summary(
        &mut self,
        manager: &Manager,
        time: Duration,
        by_rule: &BTreeMap<Option<u64>, Sums>,
        denied: &[(Denied, u64)],
        shown: usize,
    ) -> String {
        let what = if self.kind == Kind::Capture { "packets" } else { "records" };
        let (items, all) = (grouped(self.items), self.flows());
        let mut text = format!("{items} {what}");
        if all != self.items {
            let _ = write!(text, " of {} flows", grouped(all));
        }
        let rate = grouped(per_second(self.items, time));
        let _ = writeln!(text, " in {:.2} s, {rate}/s", time.as_secs_f64());
        let sums = FATES.iter().zip(self.sums).filter(|(_, sum)| *sum > 0);
        let sums = sums.map(|((_, word), sum)| format!("{word} {}", grouped(sum)));
        let _ = writeln!(text, "{}", sums.collect::<Vec<_>>().join(", "));
        if !by_rule.is_empty() {
            let _ = writeln!(text, "\n   allowed    dropped   rejected  rule");
        }
        for (rule, [allowed, dropped, rejected, ..]) in by_rule {
            let name = match rule {
                Some(id) => self.rule(manager, *id),
                None => "none".to_owned(),
            };
            let _ = writeln!(text, "{allowed:>10} {dropped:>10} {rejected:>10}  {name}");
        }
        if !denied.is_empty() {
            let _ = writeln!(text, "\n     count  denied");
        }
        for (flow, count) in denied.iter().take(shown) {
            let end =
                |address: Option<IpAddr>| address.map_or("?".to_owned(), |own| own.to_string());
            let to = match (flow.port, flow.dst) {
                (Some(port), Some(IpAddr::V6(dst))) => format!("[{dst}]:{port}"),
                (Some(port), dst) => format!("{}:{port}", end(dst)),
                (None, dst) => end(dst),
            };
            let flow_text = format!("{} {} > {to}", protocol_word(flow.protocol), end(flow.src));
            let outcome = word(flow.outcome);
            let (by, at, way) = (flow.by.as_ref(), flow.at.as_ref(), flow.direction.as_ref());
            let decider = self.decider(manager, by, flow.rule, at, way);
            let _ = writeln!(text, "{count:>10}  {outcome:<8}  {flow_text:<44}  {decider}");
        }
        if shown < denied.len() {
            let more = grouped((denied.len() - shown) as u64);
            let _ = writeln!(text, "            and {more} more; --denied 0 lists all");
        }
        text
    }

    fn summary_as_json(
        &mut self,
        manager: &Manager,
        time: Duration,
        by_rule: &BTreeMap<Option<u64>, Sums>,
        denied: &[(Denied, u64)],
        shown: usize,
    ) -> Value {
        let rules: Vec<Value> = by_rule
            .iter()
            .map(|(rule, [allowed, dropped, rejected, ..])| {
                json!({
                    "rule_id": rule,
                    "rule_name": rule.and_then(|id| self.rule_name(manager, id)),
                    "allowed": allowed,
                    "dropped": dropped,
                    "rejected": rejected,
                })
            })
            .collect();
        let flows: Vec<Value> = denied
            .iter()
            .take(shown)
            .map(|(flow, count)| {
                json!({
                    "src": flow.src,
                    "dst": flow.dst,
                    "proto": flow.protocol,
                    "dport": flow.port,
                    "count": count,
                    "outcome": flow.outcome,
                    "by": flow.by,
                    "rule_id": flow.rule,
                    "logical_port_id": flow.at,
                    "direction": flow.direction,
                })
            })
            .collect();
        let [allowed, dropped, rejected, no_filter, unreadable] = self.sums;
        json!({"summary": {
            "items": self.items,
            "flows": self.flows(),
            "allowed": allowed,
            "dropped": dropped,
            "rejected": rejected,
            "no_filter": no_filter,
            "unreadable": unreadable,
            "seconds": time.as_secs_f64(),
            "per_second": per_second(self.items, time),
            "rules": rules,
            "denied_flows": denied.len(),
            "denied": flows,
        }})
    }

    /// What decided, and where.
    fn decider(
        &mut self,
        manager: &Manager,
        by: Option<&Arc<str>>,
        rule: Option<u64>,
        at: Option<&Arc<str>>,
        direction: Option<&Arc<str>>,
    ) -> String {
        let Some(by) = by else { return String::new() };
        let rule = rule.map(|id| self.rule(manager, id));
        let decided = match (&**by, rule) {
            ("RULE", Some(rule)) => format!("rule {rule}"),
            ("FLOW", Some(rule)) => format!("connection of rule {rule}"),
            ("NO_RULE", _) => "no rule".to_owned(),
            (guard, Some(rule)) => format!("{guard} beside rule {rule}"),
            (guard, None) => guard.to_owned(),
        };
        let at = at.map(|id| format!(" at {}", self.port_name(manager, id))).unwrap_or_default();
        let direction = direction.map(|way| format!(" {way}")).unwrap_or_default();
        format!("{decided}{at}{direction}")
    }

    fn rule(&mut self, manager: &Manager, id: u64) -> String {
        let name = self.rule_name(manager, id);
        name.map_or_else(|| id.to_string(), |name| format!("{id} {name}"))
    }

    fn rule_name(&mut self, manager: &Manager, id: u64) -> Option<Arc<str>> {
        let name = || manager.rule_name(id).map(Arc::from);
        self.rules.entry(id).or_insert_with(name).clone()
    }

    fn port_name(&mut self, manager: &Manager, id: &Arc<str>) -> Arc<str> {
        if let Some(name) = self.ports.get(id) {
            return Arc::clone(name);
        }
        let name = manager.port_name(id).map_or_else(|| Arc::clone(id), Arc::from);
        self.ports.insert(Arc::clone(id), Arc::clone(&name));
        name
    }
}

fn count(sums: &mut Sums, outcome: Fate, count: u64) {
    for ((fate, _), sum) in FATES.iter().zip(sums) {
        if *fate == outcome {
            *sum = sum.saturating_add(count);
        }
    }
}

fn word(outcome: Fate) -> &'static str {
    FATES.iter().find(|(fate, _)| *fate == outcome).map_or("", |(_, word)| word)
}
