//! Who would be told of changes, and of which [spec NotificationWatcher]. Nothing leaves the
//! process: watchers are kept and read back, and nobody is told.

use crate::inventory::{Error, Header, Incoming, Kind, Parent, Resource, Transaction};
use crate::kinds::fabric::secret::Secret;
use crate::kinds::values::{Formed, Host};
use crate::wire::{Int, int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The declaration of watchers.
pub static WATCHER: Kind = Kind::of::<Watcher>("NotificationWatcher", "/notification-watchers");

/// The declaration of what each watches.
pub static NOTIFICATIONS: Kind = Kind {
    parent: Some(Parent::of("NotificationWatcher")),
    single: true,
    ..Kind::of::<Notifications>("NotificationsList", "/notification-watchers/{}/notifications")
};

/// Where notifications would go.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watcher {
    server: Formed<Host>,
    method: Method,
    uri: String,
    #[serde(default)]
    use_https: bool,
    certificate_sha256_thumbprint: Option<String>,
    authentication_scheme: Authentication,
    port: Option<Int<0, 65_535>>,
    /// Seconds.
    send_interval: Option<Int<30, { i64::MAX }>>,
    /// Seconds.
    #[serde(default = "int::<30, 1, { i64::MAX }>")]
    send_timeout: Int<1, { i64::MAX }>,
    #[serde(default = "int::<5_000, 1, 5_000>")]
    max_send_uri_count: Int<1, 5_000>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Post,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Authentication {
    scheme_name: SchemeName,
    username: Option<String>,
    password: Option<Secret>,
    certificate_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum SchemeName {
    BasicAuth,
    Certificate,
}

impl Resource for Watcher {
    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if self.use_https && self.certificate_sha256_thumbprint.is_none() {
            let why = "is required where use_https is true";
            return Err(Error::field("certificate_sha256_thumbprint", why));
        }
        if before.is_none() {
            let none = Incoming::of(Notifications::default());
            tx.create_part(&NOTIFICATIONS, Some(&header.id), none)?;
        }
        Ok(())
    }
}

/// What a watcher watches.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    #[serde(default)]
    notifications: Vec<Notification>,
}

/// One kind of change.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notification {
    notification_id: Option<String>,
    /// Which objects it is about; each once.
    #[serde(default)]
    uri_filters: Vec<String>,
}

impl Resource for Notifications {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        for (place, own) in self.notifications.iter().enumerate() {
            let filters: BTreeSet<_> = own.uri_filters.iter().collect();
            if filters.len() != own.uri_filters.len() {
                let name = format!("notifications[{place}].uri_filters");
                return Err(Error::field(name, "must not repeat a filter"));
            }
        }
        Ok(())
    }
}

impl Notifications {
    /// Adds filters to a notification, which is made where it is not there.
    pub fn add(&mut self, more: Notification) {
        let own =
            self.notifications.iter_mut().find(|own| own.notification_id == more.notification_id);
        match own {
            Some(own) => {
                for filter in more.uri_filters {
                    if !own.uri_filters.contains(&filter) {
                        own.uri_filters.push(filter);
                    }
                }
            }
            None => self.notifications.push(more),
        }
    }

    /// Takes filters from a notification.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where it is not there.
    pub fn remove(&mut self, less: &Notification) -> Result<(), Error> {
        let own =
            self.notifications.iter_mut().find(|own| own.notification_id == less.notification_id);
        let own = own.ok_or_else(|| Error::field("notification_id", "is not watched"))?;
        own.uri_filters.retain(|filter| !less.uri_filters.contains(filter));
        Ok(())
    }
}
