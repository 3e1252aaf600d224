//! What the manager finds by itself: how such objects are printed [spec DiscoveredResource].
//!
//! They have a name and tags, but neither id nor revision: what names them is their own
//! `external_id`. No call makes them; a world document does.

use crate::inventory::{Inventory, Object};
use crate::wire::Fields;
use serde_json::json;

/// The wire form: the kind's own members, then what all of them share.
pub fn print(object: &Object, inventory: &Inventory) -> Fields {
    let header = &object.header;
    let mut fields = object.any_body().fields(header, inventory);
    fields.insert("resource_type".into(), object.resource_type().into());
    fields.insert("display_name".into(), header.name().into());
    if let Some(description) = &header.description {
        fields.insert("description".into(), (**description).into());
    }
    fields.insert("tags".into(), json!(header.tags()));
    fields.insert("_last_sync_time".into(), header.modified.time.into());
    fields
}
