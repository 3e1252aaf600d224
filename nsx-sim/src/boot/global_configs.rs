//! The manager's settings at first: one object of each class, with its defaults.

use super::create;
use crate::inventory::{Error, Transaction};
use crate::kinds::global_config::{CLASSES, KIND};
use serde_json::json;

/// Makes the settings.
pub fn populate(tx: &mut Transaction<'_>) -> Result<(), Error> {
    for class in CLASSES {
        let mut body = json!({"resource_type": class, "id": class});
        if class == "EsxGlobalOpaqueConfig" {
            body["opaque_config"] = json!([]);
        }
        create(tx, &KIND, &body)?;
    }
    Ok(())
}
