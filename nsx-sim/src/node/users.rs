//! The appliance's local users [spec NodeUserProperties].

use super::{Account, AuthPolicy};
use crate::clock::Millis;
use crate::wire::{Fields, Int, Text};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;

const DAY: Millis = 24 * 60 * 60 * 1000;

/// The ids that an appliance gives its three users.
const ROOT: u32 = 0;
const ADMIN: u32 = 10_000;
const AUDIT: u32 = 10_002;

/// The fewest different characters of a password [spec UpdateNodeUser].
const DIFFERENT: usize = 5;

/// The users, by id.
#[derive(Clone, Debug)]
pub struct Users(Vec<User>);

/// One user.
#[derive(Clone, Debug)]
pub struct User {
    /// Its number.
    pub id: u32,
    /// The name to log in with.
    pub name: String,
    full_name: String,
    /// Empty: nobody logs in as this user before one is set.
    password: String,
    changed: Millis,
    /// Days that the password holds; 0 for ever.
    frequency: i64,
    keys: Vec<SshKey>,
}

/// What a caller sends to change a user; what is absent stays.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserUpdate {
    /// The name to log in with.
    pub username: Option<Text<32, 1>>,
    full_name: Option<String>,
    password_change_frequency: Option<Int<0, 9_999>>,
    password: Option<String>,
    old_password: Option<String>,
}

/// A public key by which a user may come in over SSH [spec SshKeyProperties].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshKey {
    /// Tells it from the user's others.
    pub label: String,
    #[serde(rename = "type")]
    kind: String,
    value: String,
    #[serde(skip_serializing)]
    password: Option<String>,
}

/// Which key is to be removed [spec SshKeyBaseProperties].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshKeyName {
    label: String,
    password: Option<String>,
}

/// The member that is wrong, and how.
type Wrong = (&'static str, String);

impl Users {
    /// The users of a new appliance. Root has the administrator's password, and no access to the
    /// API.
    pub(super) fn new(admin: Account, audit_password: String, now: Millis) -> Self {
        let user = |id, name: String, full_name: &str, password| User {
            id,
            name,
            full_name: full_name.into(),
            password,
            changed: now,
            frequency: 0,
            keys: Vec::new(),
        };
        Self(vec![
            user(ROOT, "root".into(), "root", admin.password.clone()),
            user(ADMIN, admin.user, "Admin User", admin.password),
            user(AUDIT, "audit".into(), "Audit User", audit_password),
        ])
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.0.iter()
    }

    /// The administrator.
    pub fn admin(&self) -> Option<&User> {
        self.by_id(&ADMIN.to_string())
    }

    /// The user of an id as a path has it.
    pub fn by_id(&self, id: &str) -> Option<&User> {
        self.0.iter().find(|user| user.id.to_string() == id)
    }

    /// As [`Users::by_id`], to change.
    pub fn by_id_mut(&mut self, id: &str) -> Option<&mut User> {
        self.0.iter_mut().find(|user| user.id.to_string() == id)
    }

    /// The user of a name who may use the API: all but root, who has the command line only.
    pub fn of_api(&self, name: &str) -> Option<&User> {
        self.0.iter().find(|user| user.id != ROOT && user.name == name)
    }

    /// Whether the name is another user's.
    pub fn is_taken(&self, name: &str, id: u32) -> bool {
        self.0.iter().any(|user| user.id != id && user.name == name)
    }
}

impl User {
    /// Whether it is the administrator.
    pub fn is_admin(&self) -> bool {
        self.id == ADMIN
    }

    /// Whether it has no access to the API.
    pub fn is_root(&self) -> bool {
        self.id == ROOT
    }

    /// Whether the password is the user's and still holds.
    pub fn may_log_in(&self, password: &str, now: Millis) -> bool {
        self.status(now) == "ACTIVE" && self.password == password
    }

    fn status(&self, now: Millis) -> &'static str {
        if self.password.is_empty() {
            "NOT_ACTIVATED"
        } else if self.frequency > 0 && self.days(now) >= self.frequency.unsigned_abs() {
            "PASSWORD_EXPIRED"
        } else {
            "ACTIVE"
        }
    }

    /// Days since the password was changed.
    fn days(&self, now: Millis) -> u64 {
        now.saturating_sub(self.changed) / DAY
    }

    /// Changes what the update has, at a time.
    ///
    /// # Errors
    /// The member that is wrong, and how; then nothing has changed.
    pub fn update(
        &mut self,
        update: UserUpdate,
        policy: &AuthPolicy,
        now: Millis,
    ) -> Result<(), Wrong> {
        let name = update.username.map_or_else(|| self.name.clone(), |name| name.to_string());
        if self.id == ROOT && name != "root" {
            return Err(("username", "must be root where userid is 0".into()));
        }
        if let Some(password) = update.password {
            let old = update.old_password.as_deref().unwrap_or_default();
            // Whoever has no password yet has no old one.
            if !self.password.is_empty() && old != self.password {
                return Err(("old_password", "is not the user's password".into()));
            }
            check_password(&password, policy)?;
            self.password = password;
            self.changed = now;
        }
        self.name = name;
        if let Some(full_name) = update.full_name {
            self.full_name = full_name;
        }
        if let Some(days) = update.password_change_frequency {
            self.frequency = days.get();
        }
        Ok(())
    }

    /// The user as callers see it: never its password.
    pub fn fields(&self, now: Millis) -> Fields {
        let mut fields = Fields::new();
        fields.insert("userid".into(), self.id.into());
        fields.insert("username".into(), self.name.as_str().into());
        fields.insert("full_name".into(), self.full_name.as_str().into());
        fields.insert("status".into(), self.status(now).into());
        fields.insert("last_password_change".into(), self.days(now).into());
        fields.insert("password_change_frequency".into(), self.frequency.into());
        fields
    }

    /// Its keys as callers see them.
    pub fn keys(&self) -> Vec<serde_json::Value> {
        self.keys.iter().map(|key| json!(key)).collect()
    }

    /// Adds a key; one of the same label gives way.
    ///
    /// # Errors
    /// A wrong password, where one is asked for.
    pub fn add_key(&mut self, key: SshKey) -> Result<(), Wrong> {
        self.check_own_password(key.password.as_deref())?;
        self.keys.retain(|own| own.label != key.label);
        self.keys.push(key);
        Ok(())
    }

    /// Removes the key of a label.
    ///
    /// # Errors
    /// A wrong password, where one is asked for, or no such key.
    pub fn remove_key(&mut self, key: &SshKeyName) -> Result<(), Wrong> {
        self.check_own_password(key.password.as_deref())?;
        if !self.keys.iter().any(|own| own.label == key.label) {
            return Err(("label", format!("is of none of the user's keys: {}", key.label)));
        }
        self.keys.retain(|own| own.label != key.label);
        Ok(())
    }

    /// Root's and the administrator's keys need their password [spec SshKeyBaseProperties].
    fn check_own_password(&self, password: Option<&str>) -> Result<(), Wrong> {
        let asked = matches!(self.id, ROOT | ADMIN);
        if asked && password != Some(&self.password) {
            return Err(("password", "is not the user's password".into()));
        }
        Ok(())
    }
}

/// The rules of new passwords [spec UpdateNodeUser]; the policy says how long they must be.
fn check_password(password: &str, policy: &AuthPolicy) -> Result<(), Wrong> {
    let least = usize::try_from(policy.minimum_password_length.get()).unwrap_or(usize::MAX);
    if password.chars().count() < least {
        return Err(("password", format!("must have at least {least} characters")));
    }
    let has = |is_of: fn(char) -> bool| password.chars().any(is_of);
    for (name, found) in [
        ("an upper-case letter", has(char::is_uppercase)),
        ("a lower-case letter", has(char::is_lowercase)),
        ("a digit", has(|c| c.is_ascii_digit())),
        ("a special character", has(|c| !c.is_alphanumeric())),
    ] {
        if !found {
            return Err(("password", format!("must have {name}")));
        }
    }
    if password.chars().collect::<BTreeSet<_>>().len() < DIFFERENT {
        return Err(("password", format!("must have at least {DIFFERENT} different characters")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Users {
        let admin = Account { user: "admin".into(), password: "VMware1!".into() };
        Users::new(admin, String::new(), 0)
    }

    fn update(pairs: serde_json::Value) -> UserUpdate {
        serde_json::from_value(pairs).unwrap()
    }

    #[test]
    fn root_has_no_access_and_an_auditor_without_password_has_none_yet() {
        let users = users();
        assert!(users.of_api("root").is_none());
        assert!(users.of_api("admin").unwrap().may_log_in("VMware1!", 0));
        assert!(!users.of_api("audit").unwrap().may_log_in("", 0));
    }

    #[test]
    fn a_password_is_changed_by_whoever_knows_the_old_one_and_obeys_the_rules() {
        let (mut users, policy) = (users(), AuthPolicy::default());
        let admin = users.by_id_mut("10000").unwrap();
        let mut change = |old: &str, new: &str| {
            let sent = update(json!({"old_password": old, "password": new}));
            admin.update(sent, &policy, 7).map_err(|(name, _)| name)
        };
        assert_eq!(change("wrong", "Other-pass-1"), Err("old_password"));
        for short in ["Ab-1cde", "ab-1cdefgh", "AB-1CDEFGH", "Ab-cdefgh", "Ab1cdefgh", "Aa-1Aa-1"] {
            assert_eq!(change("VMware1!", short), Err("password"), "{short}");
        }
        assert_eq!(change("VMware1!", "Other-pass-1"), Ok(()));
        assert!(admin.may_log_in("Other-pass-1", 7) && !admin.may_log_in("VMware1!", 7));
    }

    #[test]
    fn a_password_holds_for_its_days() {
        let (mut users, policy) = (users(), AuthPolicy::default());
        let admin = users.by_id_mut("10000").unwrap();
        admin.update(update(json!({"password_change_frequency": 2})), &policy, 0).unwrap();
        assert!(admin.may_log_in("VMware1!", 2 * DAY - 1));
        assert!(!admin.may_log_in("VMware1!", 2 * DAY));
        assert_eq!(admin.fields(2 * DAY)["status"], "PASSWORD_EXPIRED");
    }
}
