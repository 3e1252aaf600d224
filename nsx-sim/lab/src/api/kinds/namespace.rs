//! Namespaces.

use super::columns::{self, text};
use super::{Rules, fill, list, names, split_status, typed};
use k8s_openapi::api::core::v1::Namespace;
use serde_json::json;

pub(crate) const RULES: Rules = Rules {
    typed: typed::<Namespace>,
    fields: |object| vec![("status.phase", super::text(object, "/status/phase").to_owned())],
    default: |object| {
        fill(object, "spec", json!({}));
        fill(&mut object["spec"], "finalizers", json!(["kubernetes"]));
        fill(object, "status", json!({}));
        fill(&mut object["status"], "phase", "Active");
    },
    admit: |admission, object| {
        // Who empties a namespace takes its finalizer, by a path of its own; others do not.
        if let Some(old) = admission.old {
            object["spec"] = old["spec"].clone();
        }
        split_status(admission, object);
        Ok(())
    },
    deleting: |object| object["status"]["phase"] = "Terminating".into(),
    held: |object| !list(object, "/spec/finalizers").is_empty(),
    name: names::label,
    columns: &[text("Name"), text("Status"), text("Age")],
    cells: |object| {
        vec![columns::name(object), object["status"]["phase"].clone(), columns::age(object)]
    },
    ..Rules::PLAIN
};
