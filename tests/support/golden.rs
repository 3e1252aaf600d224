//! Files that hold what is expected, word for word.

use std::path::Path;

/// Compares a text with `tests/golden/NAME`; with `UPDATE_GOLDEN=1` in the environment the file is
/// written instead, for a person to read before it is committed.
#[track_caller]
pub fn golden(name: &str, text: &str) {
    document(&format!("tests/golden/{name}"), text);
}

/// As [`golden`], for a page of the project itself.
#[track_caller]
pub fn document(name: &str, text: &str) {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        let written = std::fs::write(&path, text);
        assert!(written.is_ok(), "{}: {written:?}", path.display());
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == text,
        "{name} differs; UPDATE_GOLDEN=1 rewrites it\n--- expected\n{expected}\n--- got\n{text}"
    );
}
