//! Which profiles a port or a switch has.

use super::{DEFAULTS, KIND, SwitchingProfile};
use crate::inventory::{Error, Reference, Transaction};
use crate::kinds::bindings::ProfileClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A switching profile in use: its class and its id [spec SwitchingProfileTypeIdEntry].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProfileBinding {
    /// The class of the profile; callers may leave it to the manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<ProfileClass>,
    /// The profile's id. Most ports have the default ones, whose ids the program has already.
    value: Cow<'static, str>,
}

/// The profiles of a port or a switch: once admitted, one of each class.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ProfileBindings(Cow<'static, [ProfileBinding]>);

/// The default profile of each class, in the order of [`DEFAULTS`]: what most ports have, and share.
static DEFAULT_BINDINGS: [ProfileBinding; DEFAULTS.len()] = {
    const fn default(place: usize) -> ProfileBinding {
        let (class, id, _) = DEFAULTS[place];
        ProfileBinding { key: Some(class), value: Cow::Borrowed(id) }
    }
    [default(0), default(1), default(2), default(3), default(4), default(5)]
};

impl ProfileBindings {
    /// Fills in what a caller left out: the class of each profile that is named, and the default
    /// profile of each class that is not.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where a profile is of another class than its binding says, or a
    /// class stands twice. A profile that does not exist is left to the check of references.
    pub fn complete(&mut self, transaction: &Transaction<'_>) -> Result<(), Error> {
        if *self.0 == DEFAULT_BINDINGS {
            self.0 = Cow::Borrowed(&DEFAULT_BINDINGS);
            return Ok(());
        }
        let bindings = self.0.to_mut();
        for (index, binding) in bindings.iter_mut().enumerate() {
            let profile = transaction.find(KIND.name, &binding.value);
            let class = profile
                .as_ref()
                .and_then(|profile| profile.body::<SwitchingProfile>())
                .map(SwitchingProfile::class);
            if let (Some(said), Some(class)) = (binding.key, class)
                && said != class
            {
                let field = format!("switching_profile_ids[{index}].key");
                return Err(Error::field(field, format!("must be {class:?}, the profile's class")));
            }
            binding.key = binding.key.or(class);
        }
        for (class, default, _) in DEFAULTS {
            let default = Cow::Borrowed(default);
            let mut of_class = bindings.iter_mut().filter(|binding| binding.key == Some(class));
            match (of_class.next(), of_class.next()) {
                (None, _) => bindings.push(ProfileBinding { key: Some(class), value: default }),
                (Some(binding), None) if binding.value == default => binding.value = default,
                (Some(_), None) => {}
                _ => return Err(Error::field("switching_profile_ids", "names a class twice")),
            }
        }
        if *bindings == DEFAULT_BINDINGS {
            self.0 = Cow::Borrowed(&DEFAULT_BINDINGS);
        } else {
            bindings.shrink_to_fit();
        }
        Ok(())
    }

    /// The profile of a class, unless it is the one that everything has.
    pub fn chosen(&self, class: ProfileClass) -> Option<&str> {
        let default = DEFAULTS.iter().find(|(own, ..)| *own == class).map(|(_, id, _)| *id);
        let own = &*self.0.iter().find(|binding| binding.key == Some(class))?.value;
        (Some(own) != default).then_some(own)
    }

    /// Whether a profile is among them.
    pub fn hold(&self, id: &str) -> bool {
        self.0.iter().any(|binding| binding.value == id)
    }

    /// Forgets a profile; the default of its class takes its place with the next
    /// [`ProfileBindings::complete`].
    pub fn unbind(&mut self, id: &str) {
        self.0.to_mut().retain(|binding| binding.value != id);
    }

    /// The profiles as objects that must exist.
    pub fn references(&self) -> impl Iterator<Item = Reference> {
        self.0.iter().map(|binding| Reference::new(KIND.name, &*binding.value))
    }
}
