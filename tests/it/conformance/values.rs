//! Values of one member: right ones, such as lie at a limit, and wrong ones.

use super::mutate::Expect::{self, Judged, Kept, Refused};
use serde_json::{Value, json};
use tests::Member;

/// A value, how it differs, and what must come of it.
pub type Tried = (String, Value, Expect);

/// Values of a plain form: of a member, or of an item of the list that a member is.
pub fn plain(form: &str, fact: &Member) -> Vec<Tried> {
    let in_list = fact.items().is_some();
    match form {
        "text" if !fact.words.is_empty() => {
            let mut all: Vec<Tried> = fact
                .words
                .iter()
                .map(|word| told(format!("= {word}"), json!(word), Kept))
                .collect();
            all.push(told("none of the words", json!("NO_SUCH_WORD"), Refused));
            let other = fact.words[0].to_lowercase();
            if !fact.words.contains(&other) {
                all.push(told("a word in another case", json!(other), Refused));
            }
            all
        }
        "text" => text(fact, in_list),
        "int" => int(fact, in_list),
        "float" => vec![
            told("no number", json!("many"), Refused),
            told("a number as text", json!("1.5"), Judged),
            told("a whole number", json!(1), Judged),
        ],
        "bool" => vec![
            told("true", json!(true), Kept),
            told("false as text", json!("false"), Judged),
            told("True as text", json!("True"), Judged),
            told("a number", json!(1), Judged),
            told("neither true nor false", json!("maybe"), Refused),
        ],
        _ => Vec::new(),
    }
}

fn told(how: impl Into<String>, value: Value, expect: Expect) -> Tried {
    (how.into(), value, expect)
}

fn text(fact: &Member, in_list: bool) -> Vec<Tried> {
    let mut all = vec![
        told("empty", json!(""), Judged),
        told("a number", json!(7), Judged),
        told("odd letters", json!("\u{0}\u{202e}é𝄞\"\\"), Judged),
    ];
    if let Some(max) = fact.max.filter(|_| !in_list) {
        let max = max as usize;
        all.push(told("as long as can be", json!("a".repeat(max)), Kept));
        all.push(told("as long as can be, of two bytes each", json!("é".repeat(max)), Kept));
        all.push(told("too long", json!("a".repeat(max + 1)), Refused));
        all.push(told("too long, of two bytes each", json!("é".repeat(max + 1)), Refused));
    }
    if let Some(min) = fact.min.filter(|min| !in_list && *min > 0) {
        let min = min as usize;
        all.push(told("as short as can be", json!("a".repeat(min)), Kept));
        all.push(told("too short", json!("a".repeat(min - 1)), Refused));
    }
    if let Some(format) = fact.format {
        all.push(told(format!("no {format}"), json!("not/of this! form"), Refused));
    }
    all
}

fn int(fact: &Member, in_list: bool) -> Vec<Tried> {
    let mut all = vec![
        told("no number", json!("many"), Refused),
        told("beyond all numbers", json!("99999999999999999999"), Refused),
        told("beyond all numbers, no text", json!(1e300), Refused),
        told("a part of one", json!(1.5), Judged),
        told("empty", json!(""), Judged),
        told("true", json!(true), Refused),
    ];
    if in_list {
        return all;
    }
    if let Some(min) = fact.min {
        all.push(told("least", json!(min), Kept));
        all.push(told("least, as text", json!(min.to_string()), Judged));
        all.push(told("less than least", json!(min - 1), Refused));
    }
    if let Some(max) = fact.max {
        all.push(told("most", json!(max), Kept));
        all.push(told("most, as text", json!(max.to_string()), Judged));
        all.push(told("more than most", json!(max + 1), Refused));
        all.push(told("more than most, as text", json!((max + 1).to_string()), Refused));
    }
    all
}

/// Values of no such form.
pub fn of_another_form(form: &str, is_list: bool, is_type: bool) -> Vec<Tried> {
    let wrong: &[(&str, Value)] = if is_list {
        &[
            ("an object", json!({})),
            ("a text", json!("text")),
            ("a number", json!(7)),
            ("true", json!(true)),
        ]
    } else if is_type {
        &[
            ("a list", json!([])),
            ("a text", json!("text")),
            ("a number", json!(7)),
            ("true", json!(true)),
        ]
    } else if matches!(form, "object" | "any") {
        &[]
    } else {
        &[("an object", json!({})), ("a list", json!([])), ("a list of lists", json!([[]]))]
    };
    wrong.iter().map(|(how, value)| told(format!("is {how}"), value.clone(), Refused)).collect()
}
