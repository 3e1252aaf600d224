//! Accounts that are locked after too many wrong passwords.

use crate::clock::Millis;
use crate::node::AuthPolicy;
use parking_lot::Mutex;
use std::collections::HashMap;

/// The failures of each account. Only accounts that exist are kept here, so strangers can not fill
/// it.
#[derive(Default)]
pub struct Lockout {
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Default)]
struct Failures {
    count: i64,
    /// When the first of them was.
    first: Millis,
    locked_until: Millis,
}

impl Lockout {
    /// Whether an account is locked at a time.
    pub fn is_locked(&self, user: &str, now: Millis) -> bool {
        self.failures.lock().get(user).is_some_and(|own| now < own.locked_until)
    }

    /// Counts a wrong password; the last one that the policy allows locks the account.
    pub fn failed(&self, user: &str, now: Millis, policy: &AuthPolicy) {
        let most = policy.api_max_auth_failures.get();
        if most == 0 {
            return;
        }
        let millis = |seconds: i64| seconds.unsigned_abs().saturating_mul(1000);
        let window = millis(policy.api_failed_auth_reset_period.get());
        let mut failures = self.failures.lock();
        let own = failures.entry(user.to_owned()).or_default();
        if own.count == 0 || now.saturating_sub(own.first) >= window {
            *own = Failures { count: 0, first: now, locked_until: 0 };
        }
        own.count += 1;
        if own.count >= most {
            own.count = 0;
            let period = millis(policy.api_failed_auth_lockout_period.get());
            own.locked_until = now.saturating_add(period);
        }
    }

    /// Forgets the failures of an account whose user came in.
    pub fn forget(&self, user: &str) {
        self.failures.lock().remove(user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    #[test]
    fn an_account_is_locked_after_the_last_failure_that_is_allowed_and_opens_again() {
        let (lockout, policy) = (Lockout::default(), AuthPolicy::default());
        for _ in 0..4 {
            lockout.failed("admin", 0, &policy);
        }
        assert!(!lockout.is_locked("admin", 0));
        lockout.failed("admin", MINUTE, &policy);
        assert!(lockout.is_locked("admin", MINUTE));
        assert!(!lockout.is_locked("audit", MINUTE));
        assert!(lockout.is_locked("admin", 16 * MINUTE - 1));
        assert!(!lockout.is_locked("admin", 16 * MINUTE));
    }

    #[test]
    fn only_failures_within_the_period_count_together() {
        let (lockout, policy) = (Lockout::default(), AuthPolicy::default());
        for minute in [0, 1, 2, 3, 15] {
            lockout.failed("admin", minute * MINUTE, &policy);
        }
        assert!(!lockout.is_locked("admin", 15 * MINUTE), "the fifth begins anew");
        lockout.forget("admin");
        for _ in 0..4 {
            lockout.failed("admin", 15 * MINUTE, &policy);
        }
        assert!(!lockout.is_locked("admin", 15 * MINUTE));
    }
}
