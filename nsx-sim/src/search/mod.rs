//! The query language of the search: terms such as `display_name:web*`, joined by `AND`, `OR` and
//! `NOT` [doc QuerySearch].
//!
//! A leaf: it knows texts and JSON values, not what is searched. `http::search` asks it of objects.

mod expression;
mod parse;
mod term;
#[cfg(test)]
mod tests;

pub use expression::{Expression, Searched, at, everywhere, text_of};
pub use parse::SyntaxError;
pub use term::{Bound, Term};
