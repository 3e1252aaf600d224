//! Names as controllers make them.

use crate::api::kinds::hash;
use serde_json::Value;

/// The letters of generated names: no vowels, so no words; nothing that looks like another.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The random end of a name.
pub fn suffix(length: usize) -> String {
    let chance = uuid::Uuid::new_v4().into_bytes();
    chance.iter().take(length).map(|b| letter(usize::from(*b))).collect()
}

/// The hash of a pod template, as ReplicaSets' names have it: a number in decimal, its digits made
/// letters (`SafeEncodeString` of apimachinery). The number is of our own making, as Kubernetes' is
/// of its types in memory.
pub fn template_hash(template: &Value) -> String {
    let number = hash(&template.to_string()).to_string();
    number.bytes().map(|digit| letter(usize::from(digit))).collect()
}

fn letter(place: usize) -> char {
    char::from(LETTERS[place % LETTERS.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_look_as_kubernetes_makes_them() {
        let hash = template_hash(&json!({"spec": {"containers": []}}));
        assert!(hash.bytes().all(|b| b"456789bcdf".contains(&b)), "{hash}");
        assert_eq!(suffix(5).len(), 5);
        assert!(suffix(16).bytes().all(|b| LETTERS.contains(&b)));
    }
}
