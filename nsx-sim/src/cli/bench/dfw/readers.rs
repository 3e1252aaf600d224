//! Changes while another thread judges.
#![allow(clippy::cast_precision_loss)] // Rates have no sixteen digits.

use super::changes::{another_member, another_rule, publish};
use super::{Asked, Times, median, nanos};
use anyhow::bail;
use dataplane::{
    AddressRange, Direction, Edit, Evidence, Member, Packet, Peer, Publisher, Rule, RuleId, SetId,
    TcpFlags, Term, VnicId,
};
use fixtures::grouped::World;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many packets a reader judges by one state of the plane.
const READ_AT_ONCE: usize = 64;

/// How long a reader judges by itself, and then while there are changes; and how often that in turns.
const SLICE: Duration = Duration::from_millis(40);
const SLICES: usize = 25;
/// No other turn begins after so long: changes may be few a second.
const LONGEST: Duration = Duration::from_secs(5);

/// What a reader did while there were changes, or none, a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) verdicts: f64,
    pub(super) changes: f64,
}

/// Rates of a reader by itself, and while there were changes right after: medians. The machine's own spells
/// last longer than a slice, so what a reader loses is told by those that follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct InTurns {
    pub(super) alone: f64,
    pub(super) beside: Rate,
    /// What the reader loses: a part of what it did by itself.
    pub(super) lost: f64,
}

impl InTurns {
    fn of(turns: &[(f64, Rate)]) -> Self {
        let of = |told: fn(&(f64, Rate)) -> f64| median(turns.iter().map(told));
        Self {
            alone: of(|(alone, _)| *alone),
            beside: Rate {
                verdicts: of(|(_, beside)| beside.verdicts),
                changes: of(|(_, beside)| beside.changes),
            },
            lost: of(|(alone, beside)| 1.0 - beside.verdicts / alone),
        }
    }
}

/// Lets a thread judge while so many members a second come and go, and then rules; in turns with none. Each
/// change is published by itself. What the reader did beside members, and beside rules.
pub(super) fn under_change(
    publisher: &mut Publisher,
    asked: &[Asked<'_>],
    world: &mut World,
    changes_per_s: u32,
    times: &mut Times,
) -> [InTurns; 2] {
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
        let mut slice = |publisher: &mut Publisher, change: &mut dyn FnMut(&mut Publisher, u32)| {
            let (start, before, first) = (Instant::now(), judged.load(Ordering::Relaxed), number);
            let mut next = Duration::ZERO;
            // What comes goes again in the same slice.
            while start.elapsed() < SLICE || number % 2 == 1 {
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
        let mut in_turns = |change: &mut dyn FnMut(&mut Publisher, u32)| {
            let begun = Instant::now();
            let turns: Vec<_> = (0..SLICES)
                .take_while(|turn| *turn == 0 || begun.elapsed() < LONGEST)
                .map(|_| {
                    let alone = slice(publisher, &mut |_, _| {}).verdicts;
                    (alone, slice(publisher, change))
                })
                .collect();
            InTurns::of(&turns)
        };
        let mut own = None;
        let members = in_turns(&mut |publisher, _| match own.take() {
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
        let mut own = None;
        let rules = in_turns(&mut |publisher, number| match own.take() {
            Some(id) => {
                publish(publisher, Edit::RemoveRule(id), "rule_out_while_read", times);
            }
            None => {
                let (edit, id) = another_rule(world, number);
                publish(publisher, edit, "rule_in_while_read", times);
                own = Some(id);
            }
        });
        stop.store(true, Ordering::Relaxed);
        [members, rules]
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
    Rule { source: Peer::OneOf { terms: vec![source], negated: false }, ..Rule::drop_all(id) }
}
