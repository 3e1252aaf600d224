//! The parameters of a call.

use super::decode::Validation;
use super::error::Error;
use super::selector::Selector;

/// A query, taken apart once. Parameters may come more than once (`command`).
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part after the question mark.
    pub fn parse(text: Option<&str>) -> Query {
        let pairs = form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        Query(pairs.into_owned().collect())
    }

    /// The first value of a parameter; empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default()
    }

    /// All values of a parameter.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.clone()).collect()
    }

    /// Whether a parameter is switched on.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), "true" | "1" | "True")
    }

    /// A number, if one is given.
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, Error> {
        match self.get(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                Error::bad_request(format!("invalid value for parameter {name}: {text:?}"))
            }),
        }
    }

    /// Both selectors.
    pub fn selector(&self) -> Result<Selector, Error> {
        Selector::parse(self.get("labelSelector"), self.get("fieldSelector"))
    }

    /// Whether nothing shall be kept.
    pub fn dry_run(&self) -> Result<bool, Error> {
        match self.get("dryRun") {
            "" => Ok(false),
            "All" => Ok(true),
            other => Err(Error::bad_request(format!(
                "dryRun: Unsupported value: {other:?}: supported values: \"All\""
            ))),
        }
    }

    /// What to do about unknown members.
    pub fn validation(&self) -> Result<Validation, Error> {
        Validation::parse(self.get("fieldValidation"))
    }
}
