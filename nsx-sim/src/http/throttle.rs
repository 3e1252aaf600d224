//! How much may be asked of the API at a time [spec ApiServiceConfig]. A client is a user, or an
//! address where nobody is known yet [kb 411782].

use super::error::Failure;
use crate::clock::Millis;
use crate::node::ApiServiceConfig;
use parking_lot::Mutex;
use std::collections::HashMap;

/// Beyond so many clients those that ask nothing are forgotten.
const MANY: usize = 1024;

/// The calls of all clients.
#[derive(Default)]
pub struct Throttle {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    under_way: i64,
    clients: HashMap<String, Client>,
}

#[derive(Default)]
struct Client {
    under_way: i64,
    /// The second that is counted, since 1970, and the calls in it.
    second: u64,
    served: i64,
}

/// A call under way; it ends with the value.
pub struct Pass<'a> {
    throttle: &'a Throttle,
    client: String,
}

impl Throttle {
    /// Lets a client's call begin.
    ///
    /// # Errors
    /// [`Failure::TooManyRequests`] beyond the client's calls in a second, [`Failure::Busy`] beyond
    /// its calls or all calls at a time.
    pub fn enter(
        &self,
        client: &str,
        now: Millis,
        config: &ApiServiceConfig,
    ) -> Result<Pass<'_>, Failure> {
        let beyond = |count: i64, limit: i64| limit > 0 && count >= limit;
        let second = now / 1000;
        let mut state = self.state.lock();
        let State { under_way, clients } = &mut *state;
        if clients.len() >= MANY {
            clients.retain(|_, own| own.under_way > 0 || own.second == second);
        }
        let own = clients.entry(client.to_owned()).or_default();
        if own.second != second {
            (own.second, own.served) = (second, 0);
        }
        if beyond(own.served, config.client_api_rate_limit) {
            return Err(Failure::TooManyRequests);
        }
        if beyond(own.under_way, config.client_api_concurrency_limit) {
            return Err(Failure::Busy { of_client: true });
        }
        if beyond(*under_way, config.global_api_concurrency_limit) {
            return Err(Failure::Busy { of_client: false });
        }
        own.served += 1;
        own.under_way += 1;
        *under_way += 1;
        Ok(Pass { throttle: self, client: client.to_owned() })
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.throttle.state.lock();
        state.under_way -= 1;
        if let Some(own) = state.clients.get_mut(&self.client) {
            own.under_way -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Limits;

    fn config(
        client_rate: u32,
        client_concurrency: u32,
        global_concurrency: u32,
    ) -> ApiServiceConfig {
        let limits =
            Limits { client_rate, client_concurrency, global_concurrency, ..Limits::default() };
        ApiServiceConfig::with_limits(limits)
    }

    #[test]
    fn a_client_has_its_calls_in_each_second() {
        let (throttle, config) = (Throttle::default(), config(2, 0, 0));
        let call = |client, now| throttle.enter(client, now, &config).map(drop);
        assert!(call("admin", 1_000).is_ok() && call("admin", 1_500).is_ok());
        assert!(matches!(call("admin", 1_999), Err(Failure::TooManyRequests)));
        assert!(call("audit", 1_999).is_ok(), "another client's are its own");
        assert!(call("admin", 2_000).is_ok());
    }

    #[test]
    fn calls_under_way_count_until_they_end() {
        let (throttle, config) = (Throttle::default(), config(0, 1, 2));
        let first = throttle.enter("admin", 0, &config).map_err(|_| ()).unwrap();
        let again = throttle.enter("admin", 0, &config);
        assert!(matches!(again, Err(Failure::Busy { of_client: true })));
        let second = throttle.enter("audit", 0, &config).map_err(|_| ()).unwrap();
        let third = throttle.enter("other", 0, &config);
        assert!(matches!(third, Err(Failure::Busy { of_client: false })));
        drop((first, second));
        assert!(throttle.enter("admin", 0, &config).is_ok());
    }

    #[test]
    fn without_limits_everybody_passes() {
        let (throttle, config) = (Throttle::default(), config(0, 0, 0));
        let passes: Vec<_> = (0..1000).map(|_| throttle.enter("admin", 0, &config)).collect();
        assert!(passes.iter().all(Result::is_ok));
    }
}
