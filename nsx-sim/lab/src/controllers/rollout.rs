//! How many pods each of a deployment's replica sets shall have next.

use crate::api::kinds::number;
use serde_json::Value;

/// What counts of a replica set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Set {
    /// How many pods it shall have.
    pub wanted: i64,
    /// How many it has.
    pub there: i64,
    /// How many of them take traffic.
    pub available: i64,
}

impl Set {
    /// Reads it of a replica set.
    pub fn of(set: &Value) -> Set {
        Set {
            wanted: number(set, "/spec/replicas"),
            there: number(set, "/status/replicas"),
            available: number(set, "/status/availableReplicas"),
        }
    }
}

/// How many pods the newest and each of the older sets shall have.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The newest.
    pub new: i64,
    /// The older ones, in their order.
    pub old: Vec<i64>,
}

/// The next step of a deployment.
pub fn plan(deployment: &Value, new: &Set, old: &[Set]) -> Plan {
    let desired = number(deployment, "/spec/replicas");
    let mut plan = Plan { new: new.wanted, old: old.iter().map(|s| s.wanted).collect() };
    if old.iter().all(|s| s.wanted == 0 && s.there == 0) {
        plan.new = desired;
        return plan;
    }
    if deployment["spec"]["paused"] == true {
        return plan;
    }
    if deployment["spec"]["strategy"]["type"] == "Recreate" {
        plan.old.fill(0);
        return plan;
    }
    let all = |sets: &[i64]| sets.iter().sum::<i64>();
    let most = desired + may_exceed(deployment);
    let room = most - (new.wanted + all(&plan.old));
    plan.new = match new.wanted {
        wanted if wanted > desired => desired,
        wanted => wanted + room.clamp(0, desired - wanted),
    };
    // Old pods that take no traffic go first, then as many others as may be missed.
    let least = desired - may_miss(deployment);
    let new_pending = plan.new - new.available.min(plan.new);
    let mut spare = (plan.new + all(&plan.old) - least - new_pending).max(0);
    for (wanted, set) in plan.old.iter_mut().zip(old) {
        let idle = (*wanted - set.available).clamp(0, spare);
        *wanted -= idle;
        spare -= idle;
    }
    let available = new.available + old.iter().map(|s| s.available).sum::<i64>();
    let mut spare = (available - least).max(0);
    for wanted in &mut plan.old {
        let fewer = spare.min(*wanted);
        *wanted -= fewer;
        spare -= fewer;
    }
    plan
}

/// How many pods there may be beyond those that are wanted.
fn may_exceed(deployment: &Value) -> i64 {
    share(deployment, "maxSurge", true)
}

/// How many of the wanted pods may be missing.
pub fn may_miss(deployment: &Value) -> i64 {
    if deployment["spec"]["strategy"]["type"] == "Recreate" {
        return 0;
    }
    let missing = share(deployment, "maxUnavailable", false);
    // With neither a rollout could not move.
    if missing == 0 && may_exceed(deployment) == 0 { 1 } else { missing }
}

/// A number, or percents of the pods that are wanted.
fn share(deployment: &Value, member: &str, up: bool) -> i64 {
    let value = &deployment["spec"]["strategy"]["rollingUpdate"][member];
    let percent = value.as_str().and_then(|t| t.strip_suffix('%')?.parse::<i64>().ok());
    match percent {
        Some(percent) => {
            let hundredths = number(deployment, "/spec/replicas") * percent;
            if up { (hundredths + 99) / 100 } else { hundredths / 100 }
        }
        None => value.as_i64().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(replicas: i64) -> Value {
        json!({"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}}})
    }

    fn set(wanted: i64, available: i64) -> Set {
        Set { wanted, there: wanted, available }
    }

    #[test]
    fn a_deployment_without_older_pods_has_all_in_the_newest_set() {
        assert_eq!(plan(&deployment(3), &set(0, 0), &[]), Plan { new: 3, old: vec![] });
        assert_eq!(plan(&deployment(0), &set(3, 3), &[set(0, 0)]), Plan { new: 0, old: vec![0] });
    }

    #[test]
    fn a_rollout_reaches_its_end_and_never_misses_more_than_it_may() {
        let deployment = deployment(10);
        let (mut new, mut old) = (set(0, 0), set(10, 10));
        for _ in 0..20 {
            let next = plan(&deployment, &new, &[old]);
            assert!(next.new + next.old[0] <= 13);
            old = set(next.old[0], old.available.min(next.old[0]));
            assert!(new.available + old.available >= 8, "{new:?} {old:?}");
            new = set(next.new, next.new);
        }
        assert_eq!((new.wanted, old.wanted), (10, 0));
    }

    #[test]
    fn two_pods_are_exchanged_one_by_one() {
        let next = plan(&deployment(2), &set(0, 0), &[set(2, 2)]);
        assert_eq!(next, Plan { new: 1, old: vec![2] });
        let next = plan(&deployment(2), &set(1, 1), &[set(2, 2)]);
        assert_eq!(next, Plan { new: 1, old: vec![1] });
    }
}
