//! Counters of firewall rules [spec FirewallStats].

use super::call::{Call, Reply};
use super::firewall::section_of_rule;
use super::routes::Routes;
use crate::inventory::Error;
use crate::kinds::firewall::section::KIND;
use crate::kinds::firewall::{FirewallRule, FirewallSection, SectionType, order};
use dataplane::{Layer, RuleCounters};
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/firewall/sections/{id}/rules/stats", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = call.world.inventory.get(&KIND, call.param(0))?;
        let section = object.body::<FirewallSection>();
        let totals = section.map(|section| Totals::of(call, section.section_type));
        let rules = section.into_iter().flat_map(|section| &section.rules);
        let results: Vec<Value> = rules
            .zip(totals.iter().cycle())
            .map(|(rule, totals)| totals.print(call, rule))
            .collect();
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
        Ok(Reply::ok(Totals::of(call, section.section_type).print(call, rule)))
    });
    routes.on("POST", "/firewall/stats?action=reset", |call| {
        match call.query.one_of("category", &["L3DFW", "L3EDGE", "L3BRIDGEPORT"])? {
            Some("L3DFW") => {
                call.world.with_fabric(|fabric, _| fabric.reset_counters(Some(Layer::Ip)));
            }
            // Routers and bridges have no counters here: they are at nothing already.
            Some(_) => {}
            None => return Err(Error::field("category", "is required").into()),
        }
        Ok(Reply::empty())
    });
}

/// What is told over all rules of a type, beside each rule's own counters.
struct Totals {
    sessions: u64,
    max_sessions: u64,
    max_popularity: u64,
}

impl Totals {
    fn of(call: &Call<'_>, section_type: SectionType) -> Self {
        let mut totals = Self { sessions: 0, max_sessions: 0, max_popularity: 0 };
        for object in order::sections(&call.world.inventory) {
            let section = object.body::<FirewallSection>();
            for rule in section
                .filter(|section| section.section_type == section_type)
                .into_iter()
                .flat_map(|section| &section.rules)
            {
                let own = counters(call, rule);
                totals.sessions += own.total_sessions;
                totals.max_sessions = totals.max_sessions.max(own.total_sessions);
                totals.max_popularity = totals.max_popularity.max(popularity(call, rule, own));
            }
        }
        totals
    }

    fn print(&self, call: &Call<'_>, rule: &FirewallRule) -> Value {
        let own = counters(call, rule);
        json!({
            "rule_id": rule.id.to_string(),
            "packet_count": own.packets,
            "byte_count": own.bytes,
            "hit_count": own.hits,
            "session_count": own.total_sessions,
            "popularity_index": popularity(call, rule, own),
            "total_session_count": self.sessions,
            "max_session_count": self.max_sessions,
            "max_popularity_index": self.max_popularity,
        })
    }
}

fn counters(call: &Call<'_>, rule: &FirewallRule) -> RuleCounters {
    call.world.fabric().counters(rule.id)
}

/// Sessions by age of the rule; in what unit the age is meant is not known, here it is hours begun.
fn popularity(call: &Call<'_>, rule: &FirewallRule, own: RuleCounters) -> u64 {
    let age = call.world.clock.now().saturating_sub(rule.created);
    own.total_sessions / (age / 3_600_000 + 1)
}
