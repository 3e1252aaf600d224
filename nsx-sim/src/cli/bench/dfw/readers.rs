//! Changes while another thread judges.
#![allow(clippy::cast_precision_loss)] // Rates have no sixteen digits.

use super::changes::{another_member, another_rule, publish};
use super::{Asked, Times, nanos};
use anyhow::bail;
use dataplane::{
    Action, AddressRange, AppliedTo, Direction, Edit, Evidence, Layer, Member, Packet, Peer,
    Publisher, Rule, RuleId, ServiceMatch, SetId, TcpFlags, Term, VnicId,
};
use fixtures::grouped::World;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many packets a reader judges by one state of the plane.
const READ_AT_ONCE: usize = 64;

/// What a reader did in a second, and how many changes there were meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) verdicts: f64,
    pub(super) changes: f64,
}

/// A reader by itself, and while members or rules come and go.
pub(super) struct Rates {
    pub(super) alone: f64,
    pub(super) members: Rate,
    pub(super) rules: Rate,
}

/// Lets a thread judge while so many members or rules a second come and go, and a second each time
/// before, between and after. Each change is published by itself.
pub(super) fn under_change(
    publisher: &mut Publisher,
    asked: &[Asked<'_>],
    world: &mut World,
    changes_per_s: u32,
    times: &mut Times,
) -> Rates {
    let (stop, judged) = (AtomicBool::new(false), AtomicU64::new(0));
    let reader = publisher.reader();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut verdicts = Vec::with_capacity(READ_AT_ONCE);
            for some in asked.chunks(READ_AT_ONCE).cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                reader.plane().judge_batch(some, &mut verdicts);
                judged.fetch_add(some.len() as u64, Ordering::Relaxed);
            }
        });
        let mut number = 0;
        let period = Duration::from_secs(1) / changes_per_s.max(1);
        let mut over = |change: &mut dyn FnMut(&mut Publisher, u32)| {
            let (start, before, first) = (Instant::now(), judged.load(Ordering::Relaxed), number);
            let mut next = Duration::ZERO;
            while start.elapsed() < Duration::from_secs(1) || number % 2 == 1 {
                if start.elapsed() < next {
                    if !publisher.tend() {
                        std::hint::spin_loop();
                    }
                    continue;
                }
                change(publisher, number);
                number += 1;
                next += period;
            }
            let (judged, gone) = (judged.load(Ordering::Relaxed) - before, start.elapsed());
            let per_s = |count: f64| count / gone.as_secs_f64();
            Rate { verdicts: per_s(judged as f64), changes: per_s(f64::from(number - first)) }
        };
        let before = over(&mut |_, _| {});
        let mut own = None;
        let members = over(&mut |publisher, _| match own.take() {
            Some((set, member)) => {
                let edit = Edit::RemoveMember(set, member);
                publish(publisher, edit, "member_out_while_read", times);
            }
            None => {
                let (set, member) = another_member(world);
                publish(publisher, Edit::AddMember(set, member), "member_in_while_read", times);
                own = Some((set, member));
            }
        });
        let between = over(&mut |_, _| {});
        let mut own = None;
        let rules = over(&mut |publisher, number| match own.take() {
            Some(id) => {
                publish(publisher, Edit::RemoveRule(id), "rule_out_while_read", times);
            }
            None => {
                let (edit, id) = another_rule(world, number);
                publish(publisher, edit, "rule_in_while_read", times);
                own = Some(id);
            }
        });
        let after = over(&mut |_, _| {});
        stop.store(true, Ordering::Relaxed);
        let alone = (before.verdicts + between.verdicts + after.verdicts) / 3.0;
        Rates { alone, members, rules }
    })
}

/// The rules that a probe meets; no other rule has a number as high.
const BY_ADDRESS: RuleId = RuleId(1 << 40);
const BY_SET: RuleId = RuleId((1 << 40) + 1);
/// After so long without the change a reader will not see it any more.
const PATIENCE: Duration = Duration::from_secs(10);

/// Times changes from the call until a reader, which judges batch after batch, has the other verdict in
/// hand: a rule before all others that comes and goes, and a member of a set that such a rule names.
/// They concern one packet, from an address that the world does not have; at the end all is as it was.
pub(super) fn until_seen(
    publisher: &mut Publisher,
    asked: &[Asked<'_>],
    world: &World,
    changes: u32,
    times: &mut Times,
) -> anyhow::Result<()> {
    let (to, set) = (world.pods[0], SetId(u32::try_from(world.groups.len())?));
    let from: IpAddr = match to {
        IpAddr::V4(_) => Ipv4Addr::new(203, 0, 113, 7).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 7).into(),
    };
    let probe = Packet::tcp(SocketAddr::new(from, 50_000), SocketAddr::new(to, 443), TcpFlags::SYN);
    let mut batch = vec![(VnicId(0), Direction::In, &probe)];
    batch.extend(asked.iter().take(READ_AT_ONCE - 1));
    let insert = |id, term| Edit::InsertRule {
        rule: Arc::new(drop_from(id, term)),
        before: world.rules.first().map(|rule| rule.id),
    };
    let by_address = insert(BY_ADDRESS, Term::Range(AddressRange::from(from)));
    let (stop, begun) = (AtomicBool::new(false), Instant::now());
    // How often the verdict changed, and when it did last.
    let (seen, seen_at) = (AtomicU64::new(0), AtomicU64::new(0));
    let reader = publisher.reader();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut verdicts, mut last) = (Vec::with_capacity(READ_AT_ONCE), None);
            while !stop.load(Ordering::Relaxed) {
                reader.plane().judge_batch(&batch, &mut verdicts);
                let now = verdicts.first().and_then(|verdict| match verdict.by {
                    Evidence::Rule(id) if id.0 >= BY_ADDRESS.0 => Some(id),
                    _ => None,
                });
                if now != last {
                    last = now;
                    seen_at.store(nanos(begun.elapsed()), Ordering::Relaxed);
                    seen.fetch_add(1, Ordering::Release);
                }
            }
        });
        let mut timed = |publisher: &mut Publisher, edit, sort| {
            let before = seen.load(Ordering::Acquire);
            let start = begun.elapsed();
            publisher.publish(vec![edit]);
            while seen.load(Ordering::Acquire) == before {
                if begun.elapsed() > start + PATIENCE {
                    bail!("a reader never had the other verdict: {sort}");
                }
                std::hint::spin_loop();
            }
            let took = seen_at.load(Ordering::Relaxed).saturating_sub(nanos(start));
            times.entry(sort).or_default().push(took);
            while publisher.tend() {}
            Ok(())
        };
        let mut all = || {
            for _ in 0..changes {
                timed(publisher, by_address.clone(), "rule_in_until_seen")?;
                timed(publisher, Edit::RemoveRule(BY_ADDRESS), "rule_out_until_seen")?;
            }
            // A rule that has been there for long: it is worked in.
            publisher.publish(vec![insert(BY_SET, Term::Set(set)), Edit::Settle]);
            while publisher.tend() {}
            let member = Member::from(from);
            for _ in 0..changes {
                timed(publisher, Edit::AddMember(set, member), "member_in_until_seen")?;
                timed(publisher, Edit::RemoveMember(set, member), "member_out_until_seen")?;
            }
            publisher.publish(vec![Edit::RemoveRule(BY_SET)]);
            while publisher.tend() {}
            Ok(())
        };
        let done = all();
        stop.store(true, Ordering::Relaxed);
        done
    })
}

/// A rule for all vNICs that drops what comes from somewhere.
fn drop_from(id: RuleId, source: Term) -> Rule {
    Rule {
        id,
        layer: Layer::Ip,
        action: Action::Drop,
        direction: None,
        family: None,
        source: Peer::OneOf { terms: vec![source], negated: false },
        destination: Peer::Any,
        service: ServiceMatch::Any,
        applied_to: AppliedTo::Everywhere,
        stateful: true,
        tcp_strict: false,
    }
}
