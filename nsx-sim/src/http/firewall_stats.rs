//! Counters of firewall rules [spec FirewallStats].

use super::call::{Call, Reply};
use super::firewall::section_of_rule;
use super::routes::Routes;
use crate::clock::Millis;
use crate::fabric::Fabric;
use crate::inventory::{Error, Inventory};
use crate::kinds::firewall::section::KIND;
use crate::kinds::firewall::{Enforcement, FirewallRule, FirewallSection, SectionType, order};
use dataplane::RuleCounters;
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/firewall/sections/{id}/rules/stats", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = call.world.inventory.get(&KIND, call.param(0))?;
        let section = object.body::<FirewallSection>();
        let counters = Counters { fabric: &call.world.fabric(), now: call.world.clock.now() };
        let results: Vec<Value> = section.map_or_else(Vec::new, |section| {
            let totals = counters.totals(&call.world.inventory, section);
            section.rules.iter().map(|rule| counters.print(rule, &totals)).collect()
        });
        Ok(Reply::ok(json!({
            "section_id": object.header.id,
            "result_count": results.len(),
            "results": results,
        })))
    });
    routes.on("GET", "/firewall/sections/{id}/rules/{rule}/stats", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let missing = || Error::NotFound { kind: "FirewallRule", id: call.param(1).to_owned() };
        let object = section_of_rule(call, call.param(1))?;
        let section = object.body::<FirewallSection>().ok_or_else(missing)?;
        let (_, rule) = section
            .rule(call.param(1))
            .filter(|_| object.header.id == call.param(0))
            .ok_or_else(missing)?;
        let counters = Counters { fabric: &call.world.fabric(), now: call.world.clock.now() };
        let totals = counters.totals(&call.world.inventory, section);
        Ok(Reply::ok(counters.print(rule, &totals)))
    });
    routes.on("POST", "/firewall/stats?action=reset", |call| {
        match call.query.one_of("category", &["L3DFW", "L3EDGE", "L3BRIDGEPORT"])? {
            Some("L3DFW") => reset(call, Enforcement::Vnics),
            Some("L3EDGE") => reset(call, Enforcement::Routers),
            // Bridges have no counters here: they are at nothing already.
            Some(_) => {}
            None => return Err(Error::field("category", "is required").into()),
        }
        Ok(Reply::empty())
    });
}

/// Sets the counters of all rules of layer 3 to nothing that stand somewhere.
fn reset(call: &Call<'_>, place: Enforcement) {
    call.world.with_fabric(|fabric, _| {
        for object in order::sections(&call.world.inventory) {
            let section = object.body::<FirewallSection>().filter(|own| {
                own.section_type == SectionType::Layer3 && own.enforcement() == place
            });
            for rule in section.into_iter().flat_map(|section| &section.rules) {
                fabric.reset_counters(rule.id);
            }
        }
    });
}

/// The counters of all rules at one moment: no packet is counted while they are read.
struct Counters<'a> {
    fabric: &'a Fabric,
    now: Millis,
}

/// What is told over all rules of a type and place, beside each rule's own counters.
struct Totals {
    sessions: u64,
    max_sessions: u64,
    max_popularity: u64,
}

impl Counters<'_> {
    fn of(&self, rule: &FirewallRule) -> RuleCounters {
        self.fabric.counters(rule.id)
    }

    /// Sessions by age of the rule; in what unit the age is meant is not known, here it is hours
    /// begun.
    fn popularity(&self, rule: &FirewallRule) -> u64 {
        let age = self.now.saturating_sub(rule.created);
        self.of(rule).total_sessions / (age / 3_600_000 + 1)
    }

    fn totals(&self, inventory: &Inventory, of: &FirewallSection) -> Totals {
        let mut totals = Totals { sessions: 0, max_sessions: 0, max_popularity: 0 };
        for object in order::sections(inventory) {
            let section = object.body::<FirewallSection>();
            for rule in section
                .filter(|own| own.section_type == of.section_type)
                .filter(|own| own.enforcement() == of.enforcement())
                .into_iter()
                .flat_map(|section| &section.rules)
            {
                let sessions = self.of(rule).total_sessions;
                totals.sessions += sessions;
                totals.max_sessions = totals.max_sessions.max(sessions);
                totals.max_popularity = totals.max_popularity.max(self.popularity(rule));
            }
        }
        totals
    }

    fn print(&self, rule: &FirewallRule, totals: &Totals) -> Value {
        let own = self.of(rule);
        json!({
            "rule_id": rule.id.to_string(),
            "packet_count": own.packets,
            "byte_count": own.bytes,
            "hit_count": own.hits,
            "session_count": own.total_sessions,
            "popularity_index": self.popularity(rule),
            "total_session_count": totals.sessions,
            "max_session_count": totals.max_sessions,
            "max_popularity_index": totals.max_popularity,
        })
    }
}
