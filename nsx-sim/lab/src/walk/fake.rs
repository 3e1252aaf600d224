//! APIs of a table, for tests.

use super::apis::{Apis, Desk, Output, Verb};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Answers what it was given, and is empty beside that.
#[derive(Default)]
pub struct Fake {
    pub logged_in: Option<&'static str>,
    pub kube: BTreeMap<&'static str, Value>,
    pub nsx: BTreeMap<&'static str, Value>,
}

impl Apis for Fake {
    fn desk(&self) -> anyhow::Result<Desk> {
        Ok(Desk { logged_in: self.logged_in.map(str::to_owned), ..Desk::default() })
    }

    fn pks(&self, _: &[&str]) -> anyhow::Result<()> {
        anyhow::bail!("there is no pks here")
    }

    fn use_context(&self, _: &str) -> anyhow::Result<()> {
        anyhow::bail!("there is no kubectl here")
    }

    fn kube(&self, verb: Verb, path: &str) -> anyhow::Result<Option<Value>> {
        match verb {
            Verb::Get => Ok(self.kube.get(path).cloned()),
            Verb::Post(_) | Verb::Merge(_) => anyhow::bail!("{path} is only to be read"),
        }
    }

    fn exec(&self, _: &str, _: &str, _: &[&str]) -> anyhow::Result<Output> {
        anyhow::bail!("nothing runs here")
    }

    fn outside(&self, _: &str) -> anyhow::Result<Output> {
        anyhow::bail!("nothing answers here")
    }

    fn nsx_list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let found = self.nsx.get(path).cloned().unwrap_or_else(|| json!([]));
        Ok(found.as_array().cloned().unwrap_or_default())
    }

    fn nsx_get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.nsx.get(path).cloned().unwrap_or_default())
    }

    fn nsx_post(&self, path: &str, _: &Value) -> anyhow::Result<Value> {
        anyhow::bail!("{path} is only to be read")
    }
}
