//! YAML by way of JSON's values: a reader of YAML for each type would be some hundred kilobytes of the
//! program, and one for values is there.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads the only document of a text.
///
/// # Errors
/// Where it is no YAML, or not of the type.
pub fn read<T: DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    let value: Value = serde_saphyr::from_str(text)?;
    Ok(serde_json::from_value(value)?)
}

/// Prints a document.
///
/// # Errors
/// Where it can not be printed.
pub fn print(document: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_saphyr::to_string(&serde_json::to_value(document)?)?)
}
