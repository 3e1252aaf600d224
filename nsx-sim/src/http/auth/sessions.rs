//! Sessions: a cookie and a token that stand for whoever opened them.

use super::Identity;
use crate::clock::Millis;
use crate::http::error::Failure;
use axum::http::{HeaderMap, header};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// The most sessions at once. Clients that ignore cookies make one with every call [miq].
const MOST: usize = 4096;

/// The header of a session's token.
pub const XSRF_TOKEN: &str = "x-xsrf-token";

/// Sessions by cookie.
#[derive(Default)]
pub struct Sessions {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    by_cookie: HashMap<String, Session>,
    /// Cookies, oldest first.
    order: VecDeque<String>,
}

struct Session {
    identity: Identity,
    token: String,
    used: Millis,
}

/// A session just opened.
pub struct Opened {
    /// The value of `JSESSIONID`.
    pub cookie: String,
    /// The value of `X-XSRF-TOKEN`.
    pub token: String,
}

impl Sessions {
    /// Opens a session for somebody.
    pub fn open(&self, identity: Identity, now: Millis) -> Opened {
        // Not of the world's ids: which session a client gets must not move what it then makes.
        let cookie = Uuid::new_v4().simple().to_string().to_uppercase();
        let token = Uuid::new_v4().to_string();
        let session = Session { identity, token: token.clone(), used: now };
        let mut open = self.open.lock();
        if open.order.len() >= MOST
            && let Some(oldest) = open.order.pop_front()
        {
            open.by_cookie.remove(&oldest);
        }
        open.order.push_back(cookie.clone());
        open.by_cookie.insert(cookie.clone(), session);
        Opened { cookie, token }
    }

    /// Whose session it is, if the token is the session's and it was used within the seconds that
    /// one may be idle; 0 lets it live.
    ///
    /// # Errors
    /// [`Failure::XsrfToken`].
    pub fn find(
        &self,
        cookie: &str,
        token: Option<&str>,
        now: Millis,
        idle: i64,
    ) -> Result<Identity, Failure> {
        let idle = idle.unsigned_abs().saturating_mul(1000);
        let mut open = self.open.lock();
        match open.by_cookie.get_mut(cookie) {
            Some(session)
                if Some(session.token.as_str()) == token
                    && (idle == 0 || now.saturating_sub(session.used) < idle) =>
            {
                session.used = now;
                Ok(session.identity.clone())
            }
            _ => Err(Failure::XsrfToken),
        }
    }

    /// Ends a session, if there is one.
    pub fn close(&self, cookie: &str) {
        let mut open = self.open.lock();
        open.by_cookie.remove(cookie);
        open.order.retain(|own| own != cookie);
    }
}

/// The session's cookie, wherever it stands: some clients send back the whole `Set-Cookie`
/// [vmware-samples, sapcc].
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split([';', ',']));
    pairs.find_map(|pair| pair.trim().strip_prefix("JSESSIONID="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(sessions: &Sessions, opened: &Opened, now: Millis, idle: i64) -> bool {
        sessions.find(&opened.cookie, Some(&opened.token), now, idle).is_ok()
    }

    #[test]
    fn a_session_ends_when_it_was_idle_for_its_time() {
        let sessions = Sessions::default();
        let opened = sessions.open(Identity::Local("admin".into()), 0);
        assert!(sessions.find(&opened.cookie, None, 0, 60).is_err(), "a cookie needs its token");
        assert!(find(&sessions, &opened, 59_999, 60));
        assert!(find(&sessions, &opened, 119_998, 60));
        assert!(!find(&sessions, &opened, 179_998, 60));
        assert!(find(&sessions, &opened, 1_000_000_000, 0), "without a limit it lives");
        sessions.close(&opened.cookie);
        assert!(!find(&sessions, &opened, 0, 60));
    }

    #[test]
    fn a_cookie_is_found_among_attributes_and_other_cookies() {
        for sent in ["JSESSIONID=A; Path=/; Secure; HttpOnly", "x=y; JSESSIONID=A", "JSESSIONID=A"]
        {
            let headers = HeaderMap::from_iter([(header::COOKIE, sent.parse().unwrap())]);
            assert_eq!(cookie(&headers), Some("A"), "{sent}");
        }
        assert_eq!(cookie(&HeaderMap::new()), None);
    }
}
