//! Who calls: local and remote users by what they send, principals by their certificate, and
//! sessions that stand for any of them.

mod credentials;
mod lockout;
mod sessions;

pub use credentials::Peer;
pub use sessions::{Opened, XSRF_TOKEN};

use super::error::Failure;
use crate::inventory::{Actor, Role};
use crate::kinds::{principal_identity, role_binding};
use crate::world::World;
use axum::http::{HeaderMap, header};
use credentials::Credentials;
use lockout::Lockout;
use sessions::Sessions;

/// Somebody whom the manager knows. What that one may do is looked up with every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A user of the appliance, by name.
    Local(String),
    /// A user of the identity provider, by name.
    Remote(String),
    /// A principal identity, by id.
    Principal(String),
}

/// A caller who was let in.
pub struct Admitted {
    /// Who it is.
    pub actor: Actor,
    /// The session that the manager opens for a call that came without one.
    pub opened: Option<Opened>,
}

/// The door of the API.
#[derive(Default)]
pub struct Door {
    sessions: Sessions,
    lockout: Lockout,
}

impl Door {
    /// Finds out who calls. Real clients send both basic authentication and a session: the session
    /// counts as long as it lives and is of the user whom the former names, so that the password is
    /// not looked at again; terraform's provider sends it escaped there [tf provider.go]. Otherwise
    /// basic authentication counts, whatever cookie comes with it. A cookie alone needs its token.
    /// A certificate counts where nothing of these was sent.
    ///
    /// # Errors
    /// [`Failure::Credentials`], [`Failure::XsrfToken`] and [`Failure::Certificate`].
    pub fn admit(
        &self,
        world: &World,
        headers: &HeaderMap,
        peer: &Peer,
    ) -> Result<Admitted, Failure> {
        let cookie = sessions::cookie(headers);
        let session = cookie.map(|cookie| {
            let token = headers.get(XSRF_TOKEN).and_then(|value| value.to_str().ok());
            let idle = world.node.read().api_service.session_timeout;
            self.sessions.find(cookie, token, world.clock.now(), idle)
        });
        let (identity, opened) = match (headers.get(header::AUTHORIZATION), session) {
            (Some(value), session) => {
                let credentials = Credentials::of_header(value.as_bytes());
                let credentials = credentials.ok_or(Failure::Credentials)?;
                match session {
                    Some(Ok(identity)) if credentials.name(&identity) => (identity, None),
                    _ => {
                        let identity = self.check(world, &credentials, peer)?;
                        // A fresh cookie on every such call that came without one [miq].
                        let open = || self.sessions.open(identity.clone(), world.clock.now());
                        let opened = cookie.is_none().then(open);
                        (identity, opened)
                    }
                }
            }
            (None, Some(session)) => (session?, None),
            (None, None) => (credentials::of_certificate(world, peer)?, None),
        };
        let mut actor = actor(world, &identity).ok_or(Failure::Credentials)?;
        let overwrite = headers.get("x-allow-overwrite").and_then(|value| value.to_str().ok());
        actor.overwrite = overwrite.is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Ok(Admitted { actor, opened })
    }

    /// Opens a session for the form that a client posts.
    ///
    /// # Errors
    /// [`Failure::Credentials`].
    pub fn create(&self, world: &World, form: &[u8], peer: &Peer) -> Result<Opened, Failure> {
        let identity = self.check(world, &Credentials::of_form(form), peer)?;
        Ok(self.sessions.open(identity, world.clock.now()))
    }

    /// Ends the session that a call names, if there is one.
    pub fn destroy(&self, headers: &HeaderMap) {
        if let Some(cookie) = sessions::cookie(headers) {
            self.sessions.close(cookie);
        }
    }

    fn check(
        &self,
        world: &World,
        credentials: &Credentials,
        peer: &Peer,
    ) -> Result<Identity, Failure> {
        let node = world.node.read();
        let Credentials::Local { .. } = credentials else {
            return credentials.remote_user(world, &node).ok_or(Failure::Credentials);
        };
        let now = world.clock.now();
        let known = credentials.local_user(&node.users).ok_or(Failure::Credentials)?;
        let immune = peer
            .address
            .is_some_and(|address| node.api_service.lockout_immune_addresses.contains(&address));
        let locked = !immune && self.lockout.is_locked(&known.name, now);
        if credentials.fit(known, now) && !locked {
            self.lockout.forget(&known.name);
            return Ok(Identity::Local(known.name.clone()));
        }
        if !immune && !locked {
            self.lockout.failed(&known.name, now, &node.auth_policy);
        }
        Err(Failure::Credentials)
    }
}

/// What somebody may do now; none where that one is no more.
fn actor(world: &World, identity: &Identity) -> Option<Actor> {
    let inventory = &world.inventory;
    let bound = |kind, name: &str| role_binding::roles_of(inventory, kind, name);
    match identity {
        Identity::Local(name) => {
            let node = world.node.read();
            let user = node.users.of_api(name)?;
            let mut roles = bound(role_binding::Holder::LocalUser, name);
            if user.is_admin() && !roles.contains(&Role::EnterpriseAdmin) {
                roles.push(Role::EnterpriseAdmin);
            }
            Some(Actor::with_roles(name, roles))
        }
        Identity::Remote(name) => {
            let roles = bound(role_binding::Holder::RemoteUser, name);
            (!roles.is_empty()).then(|| Actor::with_roles(name, roles))
        }
        Identity::Principal(id) => {
            let object = inventory.find(principal_identity::KIND.name, id)?;
            let own = object.body::<principal_identity::PrincipalIdentity>()?;
            let roles = bound(role_binding::Holder::PrincipalIdentity, id);
            Some(Actor { protects: own.is_protected, ..Actor::with_roles(&*own.name, roles) })
        }
    }
}
