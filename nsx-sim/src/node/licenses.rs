//! The licences of the appliance [spec License]. A key's meaning is known to its maker alone: any of
//! the right form is taken, and stands for everything.

use serde::{Deserialize, Serialize};

/// The key that a new appliance has.
const FIRST_KEY: &str = "00000-00000-00000-00000-00000";

/// The licences, in the order in which they came.
#[derive(Clone, Debug)]
pub struct Licenses(Vec<License>);

/// One licence.
#[derive(Clone, Debug, Serialize)]
pub struct License {
    /// Five times five letters and digits.
    pub license_key: String,
    is_eval: bool,
    /// Milliseconds since 1970; 0 for never.
    expiry: u64,
    is_expired: bool,
    description: &'static str,
    /// 0 for any.
    quantity: u64,
    capacity_type: &'static str,
}

/// A key as callers send it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenseKey {
    license_key: String,
}

/// Members that only the manager sets [spec License].
pub const SHOWN_ONLY: [&str; 10] = [
    "capacity_type",
    "description",
    "expiry",
    "features",
    "is_eval",
    "is_expired",
    "is_mh",
    "product_name",
    "product_version",
    "quantity",
];

/// Why a key was not taken or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyProblem {
    /// It is of no key's form.
    Form,
    /// It is there already.
    Known,
    /// It is not there.
    Unknown,
    /// It is the only one.
    Last,
}

impl Default for Licenses {
    fn default() -> Self {
        Self(vec![License {
            is_eval: true,
            description: "NSX Data Center Evaluation",
            ..License::of(FIRST_KEY)
        }])
    }
}

impl License {
    fn of(key: &str) -> Self {
        Self {
            license_key: key.to_ascii_uppercase(),
            is_eval: false,
            expiry: 0,
            is_expired: false,
            description: "NSX Data Center Enterprise Plus",
            quantity: 0,
            capacity_type: "CPU",
        }
    }
}

impl LicenseKey {
    /// The key in the form in which it is kept.
    pub fn text(&self) -> String {
        self.license_key.trim().to_ascii_uppercase()
    }
}

impl Licenses {
    /// All of them.
    pub fn all(&self) -> &[License] {
        &self.0
    }

    /// The one of a key.
    pub fn of_key(&self, key: &str) -> Option<&License> {
        self.0.iter().find(|own| own.license_key.eq_ignore_ascii_case(key))
    }

    /// The one that counts where there can be but one: the last that is no evaluation's.
    pub fn main(&self) -> Option<&License> {
        self.0.iter().rev().find(|own| !own.is_eval).or(self.0.first())
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`KeyProblem::Form`] and [`KeyProblem::Known`].
    pub fn add(&mut self, key: &LicenseKey) -> Result<License, KeyProblem> {
        let key = key.text();
        let groups: Vec<&str> = key.split('-').collect();
        let fits =
            |group: &&str| group.len() == 5 && group.chars().all(|c| c.is_ascii_alphanumeric());
        if groups.len() != 5 || !groups.iter().all(fits) {
            return Err(KeyProblem::Form);
        }
        if self.of_key(&key).is_some() {
            return Err(KeyProblem::Known);
        }
        let license = License::of(&key);
        self.0.push(license.clone());
        Ok(license)
    }

    /// Removes a key; the last one stays [spec DeleteLicenseKey].
    ///
    /// # Errors
    /// [`KeyProblem::Unknown`] and [`KeyProblem::Last`].
    pub fn remove(&mut self, key: &str) -> Result<(), KeyProblem> {
        if self.of_key(key).is_none() {
            return Err(KeyProblem::Unknown);
        }
        if self.0.len() == 1 {
            return Err(KeyProblem::Last);
        }
        self.0.retain(|own| !own.license_key.eq_ignore_ascii_case(key));
        Ok(())
    }
}
