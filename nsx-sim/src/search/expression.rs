//! A query as a tree, and what it makes of a document.

use super::parse::{self, SyntaxError};
use super::term::{Term, fold};
use serde_json::Value;
use std::borrow::Cow;

/// A document that a query is asked of.
pub trait Searched {
    /// Shows each plain value at a path, where dots step into members and lists are passed through,
    /// until `enough` says so; tells whether it did.
    fn at(&self, path: &str, enough: &mut dyn FnMut(&str) -> bool) -> bool;

    /// Shows each plain value of the document in the same way.
    fn everywhere(&self, enough: &mut dyn FnMut(&str) -> bool) -> bool;
}

/// What a query asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// Everything: `*`.
    All,
    /// A value at a path, or anywhere, that passes a test.
    Term(Option<String>, Term),
    /// Not this.
    Not(Box<Expression>),
    /// Each of these.
    And(Vec<Expression>),
    /// At least one of these.
    Or(Vec<Expression>),
}

impl Expression {
    /// Reads a query.
    ///
    /// # Errors
    /// [`SyntaxError`] where it is none.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        parse::expression(text, None)
    }

    /// Reads what is asked of one field: its values and their operators.
    ///
    /// # Errors
    /// [`SyntaxError`] where it is no query.
    pub fn of_field(path: &str, text: &str) -> Result<Self, SyntaxError> {
        parse::expression(text, Some(path))
    }

    /// Whether a document is among those that are asked for.
    pub fn matches(&self, document: &impl Searched) -> bool {
        match self {
            Self::All => true,
            Self::Term(Some(path), term) => document.at(path, &mut |value| term.passes(value)),
            Self::Term(None, term) => document.everywhere(&mut |value| term.passes(value)),
            Self::Not(inner) => !inner.matches(document),
            Self::And(parts) => parts.iter().all(|part| part.matches(document)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(document)),
        }
    }

    /// The texts one of which a document must have at a path, in lower case; none where the query
    /// does not say.
    pub fn demands(&self, path: &str) -> Option<Vec<&str>> {
        match self {
            Self::Term(Some(own), Term::Text(text)) if own == path => Some(vec![text]),
            Self::And(parts) => parts.iter().find_map(|part| part.demands(path)),
            Self::Or(parts) => {
                let each: Option<Vec<_>> = parts.iter().map(|part| part.demands(path)).collect();
                each.map(|lists| lists.concat())
            }
            Self::All | Self::Term(..) | Self::Not(_) => None,
        }
    }

    /// A value at a path, of this text.
    pub fn field(path: &str, text: &str) -> Self {
        Self::Term(Some(path.to_owned()), Term::Text(fold(text)))
    }
}

/// [`Searched::at`] for a JSON value.
pub fn at(value: &Value, path: &str, enough: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| at(item, path, enough)),
        Value::Object(fields) => {
            // A name may have dots of its own; the member of that name goes first.
            if let Some(member) = fields.get(path) {
                return plain(member, enough);
            }
            let Some((first, rest)) = path.split_once('.') else { return false };
            fields.get(first).is_some_and(|member| at(member, rest, enough))
        }
        _ => false,
    }
}

/// [`Searched::everywhere`] for a JSON value.
pub fn everywhere(value: &Value, enough: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| everywhere(item, enough)),
        Value::Object(fields) => fields.values().any(|member| everywhere(member, enough)),
        _ => text_of(value).is_some_and(|text| enough(&text)),
    }
}

/// The plain values at the end of a path: the value, or the items of a list; an object is one of
/// its values.
fn plain(value: &Value, enough: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| plain(item, enough)),
        Value::Object(_) => everywhere(value, enough),
        _ => text_of(value).is_some_and(|text| enough(&text)),
    }
}

/// A plain value as the text that queries compare; none for null, lists and objects.
pub fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(flag) => Some(if *flag { "true" } else { "false" }.into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
