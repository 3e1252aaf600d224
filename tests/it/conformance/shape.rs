//! Whether an answer has the shape that the published types give it.

use serde_json::Value;
use tests::{Facts, Member, Type};

/// What of an object is not as its type says; members that the type does not know are not looked
/// at, for the published types of answers say more than those of requests.
pub fn problem_of_object(facts: &Facts, of: &str, answer: &Value) -> Option<String> {
    match facts.get(of)? {
        Type::Object(members) => members.iter().find_map(|(name, fact)| {
            let own = answer.get(name)?;
            if own.is_null() {
                return Some(format!("{name} is null"));
            }
            let problem = problem_of_member(facts, fact, own)?;
            Some(format!("{name} {problem}"))
        }),
        Type::OneOf { variants, by } => {
            let told = answer[*by].as_str().unwrap_or_default();
            if !variants.contains(&told) {
                return Some(format!("{by} is {told}"));
            }
            problem_of_object(facts, told, answer)
        }
    }
}

fn problem_of_member(facts: &Facts, fact: &Member, own: &Value) -> Option<String> {
    let Some(item) = fact.items() else { return problem_of_value(facts, fact.form, fact, own) };
    let Some(items) = own.as_array() else { return Some("is no list".into()) };
    items.iter().find_map(|own| problem_of_value(facts, item, fact, own))
}

fn problem_of_value(facts: &Facts, form: &str, fact: &Member, own: &Value) -> Option<String> {
    let right = match form {
        "text" => {
            let word =
                |own: &str| fact.words.is_empty() || fact.words.iter().any(|word| word == own);
            own.as_str().is_some_and(word)
        }
        "int" => own.is_i64() || own.is_u64(),
        "bool" => own.is_boolean(),
        "float" => own.is_number(),
        "object" | "any" => true,
        name => return problem_of_object(facts, name, own),
    };
    (!right).then(|| format!("is {own}, no {form}"))
}

/// The members of an object's type that have a default.
pub fn defaults(facts: &Facts, of: &str, variant: &str) -> Vec<(&'static str, Value)> {
    let members = match facts.get(of) {
        Some(Type::Object(members)) => members,
        Some(Type::OneOf { .. }) => match facts.get(variant) {
            Some(Type::Object(members)) => members,
            _ => return Vec::new(),
        },
        None => return Vec::new(),
    };
    let with = |(name, fact): (&&'static str, &Member)| Some((*name, fact.default.clone()?));
    members.iter().filter_map(with).collect()
}
