//! What callers send to prove who they are, in all its forms.

use super::Identity;
use crate::clock::Millis;
use crate::http::error::Failure;
use crate::kinds::{principal_identity, role_binding};
use crate::node::{State, User, Users};
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;
use std::sync::Arc;

/// The other end of a connection.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// Its address.
    pub address: Option<IpAddr>,
    /// The certificate that it showed, DER, and whose key it has.
    pub certificate: Option<Arc<[u8]>>,
}

/// A name and a password, by a scheme.
pub enum Credentials {
    /// Of a local user. There may be two readings of each.
    Local {
        /// The name.
        names: Vec<String>,
        /// The password.
        passwords: Vec<String>,
    },
    /// Of a user of the identity provider.
    Remote {
        /// The name, `user@domain`.
        name: String,
        /// The password.
        password: String,
    },
}

impl Credentials {
    /// Of an `Authorization` header: `Basic`, or `Remote` for users of the identity provider
    /// [gosdk]. Tokens (`Bearer`) are not: there is nobody who could have issued them.
    pub fn of_header(value: &[u8]) -> Option<Self> {
        let (scheme, encoded) = std::str::from_utf8(value).ok()?.split_once(' ')?;
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (name, password) = decoded.split_once(':')?;
        let (name, password) = (name.to_owned(), password.to_owned());
        if scheme.eq_ignore_ascii_case("basic") {
            Some(Self::Local { names: vec![name], passwords: vec![password] })
        } else if scheme.eq_ignore_ascii_case("remote") {
            Some(Self::Remote { name, password })
        } else {
            None
        }
    }

    /// Of the form that opens a session. Old clients send name and password as they are, new ones
    /// escaped [gosdk, tf provider.go]: either reading may be the right one.
    pub fn of_form(form: &[u8]) -> Self {
        let text = String::from_utf8_lossy(form);
        let read = |name: &str| {
            let pairs = text.trim().split('&').filter_map(|pair| pair.split_once('='));
            let raw = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
            let escaped = form_urlencoded::parse(form).find(|(key, _)| key == name);
            raw.take(1).chain(escaped.map(|(_, value)| value.trim().to_owned())).collect()
        };
        Self::Local { names: read("j_username"), passwords: read("j_password") }
    }

    /// Whether they name somebody, whatever the password.
    pub fn name(&self, identity: &Identity) -> bool {
        match (self, identity) {
            (Self::Local { names, .. }, Identity::Local(own)) => names.contains(own),
            (Self::Remote { name, .. }, Identity::Remote(own)) => name == own,
            _ => false,
        }
    }

    /// The user of the appliance that they name.
    pub fn local_user<'a>(&self, users: &'a Users) -> Option<&'a User> {
        match self {
            Self::Local { names, .. } => names.iter().find_map(|name| users.of_api(name)),
            Self::Remote { .. } => None,
        }
    }

    /// Whether the password is the user's.
    pub fn fit(&self, user: &User, now: Millis) -> bool {
        match self {
            Self::Local { passwords, .. } => {
                passwords.iter().any(|password| user.may_log_in(password, now))
            }
            Self::Remote { .. } => false,
        }
    }

    /// The user of the identity provider that they name. There is no provider to ask for the
    /// password: where one is registered and enabled, whoever has a role comes in with any.
    pub fn remote_user(&self, world: &World, node: &State) -> Option<Identity> {
        let Self::Remote { name, password } = self else { return None };
        let enabled = node.vidm.as_ref().is_some_and(|own| own.vidm_enable);
        let has_role = || {
            let holder = role_binding::Holder::RemoteUser;
            !role_binding::roles_of(&world.inventory, holder, name).is_empty()
        };
        let known = enabled && !password.is_empty() && has_role();
        known.then(|| Identity::Remote(name.clone()))
    }
}

/// The principal whose certificate the peer showed.
///
/// # Errors
/// [`Failure::Credentials`] where it showed none, [`Failure::Certificate`] where nobody has it or
/// its time is over.
pub fn of_certificate(world: &World, peer: &Peer) -> Result<Identity, Failure> {
    let der = peer.certificate.as_deref().ok_or(Failure::Credentials)?;
    principal_identity::of_certificate(&world.inventory, der, world.clock.now())
        .map(Identity::Principal)
        .ok_or(Failure::Certificate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Account, Node, Setup};

    #[test]
    fn a_password_is_taken_raw_or_escaped() {
        let admin = Account { user: "admin".into(), password: "a+b%2Bc!".into() };
        let node = Node::new(Setup { admin, ..Setup::default() }, 0);
        let fits = |form: &str| {
            let sent = Credentials::of_form(form.as_bytes());
            let node = node.read();
            sent.local_user(&node.users).is_some_and(|user| sent.fit(user, 0))
        };
        assert!(fits("j_username=admin&j_password=a+b%2Bc!"));
        assert!(fits("j_username=admin&j_password=a%2Bb%252Bc%21"));
        assert!(!fits("j_username=admin&j_password=wrong"));
        assert!(!fits(""));
    }
}
