//! What rules have done.

use rustc_hash::FxHashMap;

use crate::RuleId;

/// The sums of one rule over all vNICs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct RuleCounters {
    /// Packets the rule itself decided: the first of a flow, and every one that opens none.
    pub hits: u64,
    /// Packets decided by the rule or carried by a flow it admitted.
    pub packets: u64,
    /// Bytes of those packets.
    pub bytes: u64,
    /// Flows admitted by the rule that have not been found expired yet.
    pub sessions: u64,
    /// Flows ever admitted by the rule.
    pub total_sessions: u64,
    /// The most flows at one time.
    pub max_sessions: u64,
}

/// Counters of the rules of the current program. Flows may outlive their rule; what they do then
/// is counted nowhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    rules: FxHashMap<RuleId, RuleCounters>,
    /// Flows that rules admitted before they left, for when these come back.
    orphans: FxHashMap<RuleId, u64>,
    /// Whether nothing is ever counted.
    idle: bool,
}

impl Counters {
    /// Those of a plane that carries no packets.
    pub(crate) fn idle() -> Self {
        Self { idle: true, ..Self::default() }
    }

    pub(crate) fn get(&self, rule: RuleId) -> RuleCounters {
        self.rules.get(&rule).copied().unwrap_or_default()
    }

    /// Counts a packet the rule decided.
    pub(crate) fn decided(&mut self, rule: RuleId, bytes: u32) {
        self.update(rule, |counters| counters.hits += 1);
        self.carried(rule, bytes);
    }

    /// Counts a packet carried by a flow of the rule.
    pub(crate) fn carried(&mut self, rule: RuleId, bytes: u32) {
        self.update(rule, |counters| {
            counters.packets += 1;
            counters.bytes += u64::from(bytes);
        });
    }

    /// Counts a flow the rule admitted.
    pub(crate) fn opened(&mut self, rule: RuleId) {
        self.update(rule, |counters| {
            counters.sessions += 1;
            counters.total_sessions += 1;
            counters.max_sessions = counters.max_sessions.max(counters.sessions);
        });
    }

    /// Counts the end of a flow the rule admitted.
    pub(crate) fn closed(&mut self, rule: RuleId) {
        if let Some(counters) = self.rules.get_mut(&rule) {
            counters.sessions = counters.sessions.saturating_sub(1);
        } else if let Some(orphans) = self.orphans.get_mut(&rule) {
            *orphans -= 1;
            if *orphans == 0 {
                self.orphans.remove(&rule);
            }
        }
    }

    /// Follows a new program: the counters of rules that remain go on, the others are dropped.
    /// `live` names the admitting rule of every flow there is: a rule that comes back finds flows
    /// it admitted before it left.
    pub(crate) fn follow_program(
        &mut self,
        rules: impl Iterator<Item = RuleId>,
        live: impl Iterator<Item = RuleId>,
    ) {
        if self.idle {
            return;
        }
        let mut old = std::mem::take(&mut self.rules);
        self.rules = rules.map(|rule| (rule, old.remove(&rule).unwrap_or_default())).collect();
        for counters in self.rules.values_mut() {
            counters.sessions = 0;
        }
        self.orphans.clear();
        for rule in live {
            if let Some(counters) = self.rules.get_mut(&rule) {
                counters.sessions += 1;
                counters.max_sessions = counters.max_sessions.max(counters.sessions);
            } else {
                *self.orphans.entry(rule).or_default() += 1;
            }
        }
    }

    /// Follows a rule that comes: it finds flows it admitted before it left.
    pub(crate) fn know(&mut self, rule: RuleId) {
        if self.idle {
            return;
        }
        let sessions = self.orphans.remove(&rule).unwrap_or(0);
        let known = RuleCounters { sessions, max_sessions: sessions, ..RuleCounters::default() };
        self.rules.entry(rule).or_insert(known);
    }

    /// Follows a rule that goes.
    pub(crate) fn forget(&mut self, rule: RuleId) {
        let gone = self.rules.remove(&rule).filter(|counters| counters.sessions > 0);
        if let Some(counters) = gone {
            self.orphans.insert(rule, counters.sessions);
        }
    }

    /// Sets a rule's sums to zero; flows that are open stay open, and are the new maximum.
    pub(crate) fn reset(&mut self, rule: RuleId) {
        self.update(rule, |counters| {
            let sessions = counters.sessions;
            *counters =
                RuleCounters { sessions, max_sessions: sessions, ..RuleCounters::default() };
        });
    }

    fn update(&mut self, rule: RuleId, change: impl FnOnce(&mut RuleCounters)) {
        if let Some(counters) = self.rules.get_mut(&rule) {
            change(counters);
        }
    }
}
