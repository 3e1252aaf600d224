//! Who calls: basic authentication, and sessions with their token.

use super::error::Failure;
use crate::clock::{Clock, Millis};
use crate::inventory::Actor;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// Idle sessions end after this; the manager's default [spec ApiServiceConfig.session_timeout].
const IDLE: Millis = 1_800_000;

/// The most sessions at once. Clients that ignore cookies make one with every call [miq].
const MOST: usize = 4096;

/// The header of a session's token.
pub const XSRF_TOKEN: &str = "x-xsrf-token";

/// A user who may do everything.
#[derive(Clone, Debug)]
pub struct Account {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Sessions by cookie.
pub struct Sessions {
    account: Account,
    clock: Clock,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    by_cookie: HashMap<String, Session>,
    /// Cookies, oldest first.
    order: VecDeque<String>,
}

struct Session {
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

/// A caller who was let in.
pub struct Admitted {
    /// Who it is.
    pub actor: Actor,
    /// The session that the manager opens for a call that came without one.
    pub opened: Option<Opened>,
}

impl Sessions {
    /// No session yet.
    pub fn new(account: Account, clock: Clock) -> Self {
        Self { account, clock, open: Mutex::default() }
    }

    /// Finds out who calls. Real clients send both basic authentication and a session: the session
    /// counts as long as it lives and is of the user whom the former names, so that the password is
    /// not looked at again; terraform's provider sends it escaped there [tf provider.go]. Otherwise
    /// basic authentication counts, whatever cookie comes with it. A cookie alone needs its token.
    ///
    /// # Errors
    /// [`Failure::Credentials`] and [`Failure::XsrfToken`].
    pub fn admit(&self, headers: &HeaderMap) -> Result<Admitted, Failure> {
        let mut actor = Actor::admin(&self.account.user);
        let overwrite = headers.get("x-allow-overwrite").and_then(|value| value.to_str().ok());
        actor.overwrite = overwrite.is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let cookie = cookie(headers);
        let in_session = cookie.is_some_and(|cookie| self.touch(cookie, headers));
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let (user, password) = basic(value.as_bytes()).ok_or(Failure::Credentials)?;
            let known = in_session || password == self.account.password;
            if user != self.account.user || !known {
                return Err(Failure::Credentials);
            }
            // A fresh cookie on every such call that came without one [miq].
            let opened = cookie.is_none().then(|| self.open());
            return Ok(Admitted { actor, opened });
        }
        match cookie {
            None => Err(Failure::Credentials),
            Some(_) if in_session => Ok(Admitted { actor, opened: None }),
            Some(_) => Err(Failure::XsrfToken),
        }
    }

    /// Whether a cookie names a session that lives and whose token came with it; if so, the session
    /// begins to be idle anew.
    fn touch(&self, cookie: &str, headers: &HeaderMap) -> bool {
        let token = headers.get(XSRF_TOKEN).and_then(|value| value.to_str().ok());
        let now = self.clock.now();
        let mut open = self.open.lock();
        let session = open.by_cookie.get_mut(cookie).filter(|session| {
            Some(session.token.as_str()) == token && now.saturating_sub(session.used) < IDLE
        });
        session.map(|session| session.used = now).is_some()
    }

    /// Opens a session for the form that a client posts. Old clients send user and password as they
    /// are, new ones escaped [gosdk, tf provider.go]: either reading may be the right one.
    ///
    /// # Errors
    /// [`Failure::Credentials`].
    pub fn create(&self, form: &[u8]) -> Result<Opened, Failure> {
        let text = String::from_utf8_lossy(form);
        let raw = |name: &str| {
            let pairs = text.trim().split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
        };
        let escaped = |name: &str| {
            let mut pairs = form_urlencoded::parse(form);
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned())
        };
        let fits = |name: &str, wanted: &str| {
            raw(name).as_deref() == Some(wanted) || escaped(name).as_deref() == Some(wanted)
        };
        if fits("j_username", &self.account.user) && fits("j_password", &self.account.password) {
            Ok(self.open())
        } else {
            Err(Failure::Credentials)
        }
    }

    /// Ends the session that a call names, if there is one.
    pub fn destroy(&self, headers: &HeaderMap) {
        if let Some(cookie) = cookie(headers) {
            let mut open = self.open.lock();
            open.by_cookie.remove(cookie);
            open.order.retain(|own| own != cookie);
        }
    }

    fn open(&self) -> Opened {
        // Not of the world's ids: which session a client gets must not move what it then makes.
        let cookie = Uuid::new_v4().simple().to_string().to_uppercase();
        let token = Uuid::new_v4().to_string();
        let session = Session { token: token.clone(), used: self.clock.now() };
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
}

/// User and password of a basic `Authorization`.
fn basic(value: &[u8]) -> Option<(String, String)> {
    let (scheme, encoded) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (user.to_owned(), password.to_owned()))
}

/// The session's cookie, wherever it stands: some clients send back the whole `Set-Cookie`
/// [vmware-samples, sapcc].
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split([';', ',']));
    pairs.find_map(|pair| pair.trim().strip_prefix("JSESSIONID="))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn sessions() -> (Sessions, Clock) {
        let clock = Clock::manual(0);
        let account = Account { user: "admin".into(), password: "a+b%2Bc!".into() };
        (Sessions::new(account, clock.clone()), clock)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_password_is_taken_raw_or_escaped() {
        let (sessions, _) = sessions();
        assert!(sessions.create(b"j_username=admin&j_password=a+b%2Bc!").is_ok());
        assert!(sessions.create(b"j_username=admin&j_password=a%2Bb%252Bc%21").is_ok());
        assert!(sessions.create(b"j_username=admin&j_password=wrong").is_err());
        assert!(sessions.create(b"").is_err());
    }

    #[test]
    fn a_cookie_needs_its_token_and_ends_when_idle() {
        let (sessions, clock) = sessions();
        let Opened { cookie, token } =
            sessions.create(b"j_username=admin&j_password=a+b%2Bc!").unwrap();
        let sent = format!("JSESSIONID={cookie}; Path=/; Secure; HttpOnly");
        let with = headers(&[("cookie", &sent), (XSRF_TOKEN, &token)]);
        assert!(sessions.admit(&with).is_ok());
        let without = headers(&[("cookie", &sent)]);
        assert!(matches!(sessions.admit(&without), Err(Failure::XsrfToken)));
        clock.advance(Duration::from_secs(1_801));
        assert!(matches!(sessions.admit(&with), Err(Failure::XsrfToken)));
    }

    #[test]
    fn basic_counts_beside_a_stale_cookie() {
        let (sessions, _) = sessions();
        let basic = format!("Basic {}", STANDARD.encode("admin:a+b%2Bc!"));
        let both = headers(&[("authorization", &basic), ("cookie", "JSESSIONID=GONE")]);
        assert!(sessions.admit(&both).unwrap().opened.is_none());
        let alone = headers(&[("authorization", &basic)]);
        assert!(sessions.admit(&alone).unwrap().opened.is_some());
        let wrong = headers(&[("authorization", "Basic bm9ib2R5")]);
        assert!(matches!(sessions.admit(&wrong), Err(Failure::Credentials)));
    }

    #[test]
    fn a_session_counts_beside_a_password_that_is_escaped() {
        let (sessions, clock) = sessions();
        let Opened { cookie, token } =
            sessions.create(b"j_username=admin&j_password=a+b%2Bc!").unwrap();
        let cookie = format!("JSESSIONID={cookie};");
        let ask = |login: &str| {
            let basic = format!("Basic {}", STANDARD.encode(login));
            let sent = [("authorization", &*basic), ("cookie", &*cookie), (XSRF_TOKEN, &*token)];
            sessions.admit(&headers(&sent)).is_ok()
        };
        assert!(ask("admin:a%2Bb%252Bc%21"));
        assert!(!ask("nobody:a%2Bb%252Bc%21"), "the session is another user's");
        clock.advance(Duration::from_secs(1_801));
        assert!(!ask("admin:a%2Bb%252Bc%21"), "the session is over");
    }
}
