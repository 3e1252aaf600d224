//! The schemas that operations name: of each kind what a caller may send (`IPSetRequest`) and what
//! the manager answers (`IPSet`), and the same two of each type that their members have
//! (`ResourceReferenceRequestMember`, `ResourceReferenceMember`), for no kind is called so.

use crate::http::error::Failure;
use crate::inventory::Kind;
use serde_json::{Map, Value, json};

/// `schemas.json`, as the build has packed it.
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/schemas.zlib"));

/// Where the schemas stand in the document.
const PLACE: &str = "#/components/schemas/";

/// The schema of what a caller may send of a kind.
pub fn request(kind: &Kind) -> String {
    format!("{}Request", kind.name)
}

/// A reference to one of the schemas.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("{PLACE}{name}") })
}

/// All schemas of the kinds, and of errors.
///
/// # Errors
/// The program was built with a file that is none.
pub fn components() -> Result<Map<String, Value>, Failure> {
    let text = miniz_oxide::inflate::decompress_to_vec_zlib(PACKED);
    let text = text.map_err(|_| Failure::Internal)?;
    serde_json::from_slice(&text).map_err(|_| Failure::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::described::described;

    #[test]
    fn the_file_of_schemas_tells_what_the_kinds_are() {
        let described = described();
        if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/openapi/schemas.json");
            std::fs::write(path, printed(&described)).unwrap();
        } else {
            let file = components().unwrap();
            let names = |own: &Map<String, Value>| own.keys().cloned().collect::<Vec<_>>();
            let hint = "`UPDATE_GOLDEN=1 cargo test -p nsx-sim --lib openapi` writes the file anew";
            assert_eq!(names(&file), names(&described), "{hint}");
            for (name, schema) in &described {
                assert_eq!(&file[name], schema, "{name}; {hint}");
            }
        }
    }

    /// A schema a line, so that a change of one is seen as such.
    fn printed(schemas: &Map<String, Value>) -> String {
        let lines: Vec<String> = schemas
            .iter()
            .map(|(name, schema)| format!("{}:{schema}", Value::from(name.as_str())))
            .collect();
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }
}
