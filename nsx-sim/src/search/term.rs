//! What a single value is tried against.

use std::cmp::Ordering;

/// A test of one value. Case never matters [doc QuerySearch].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// A word or a phrase, in lower case: the whole value, or whole words of it in a row.
    Text(String),
    /// A pattern over the whole value, in lower case.
    Pattern(Vec<Piece>),
    /// Between two bounds: as numbers where both sides are, else as texts.
    Range(Bound, Bound),
    /// Any value at all.
    Present,
}

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This character.
    Char(char),
    /// Any one character: `?`.
    One,
    /// Any number of characters: `*`.
    Many,
}

/// An end of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// None: `*`.
    Open,
    /// This value, itself included.
    Included(String),
    /// This value, itself excluded.
    Excluded(String),
}

impl Term {
    /// The test that the pieces of a word make.
    pub fn of(pieces: Vec<Piece>) -> Self {
        let plain: Option<String> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Char(c) => Some(*c),
                Piece::One | Piece::Many => None,
            })
            .collect();
        match plain {
            Some(text) => Self::Text(fold(&text)),
            None if pieces.iter().all(|piece| *piece == Piece::Many) => Self::Present,
            None => Self::Pattern(pieces.into_iter().flat_map(folded).collect()),
        }
    }

    /// Whether a value passes.
    pub fn passes(&self, value: &str) -> bool {
        match self {
            Self::Text(text) => value.eq_ignore_ascii_case(text) || holds(&fold(value), text),
            Self::Pattern(pieces) => fits(pieces, &fold(value).chars().collect::<Vec<_>>()),
            Self::Range(from, to) => {
                let value = fold(value);
                let above = |bound: &str| compare(&value, bound);
                (match from {
                    Bound::Open => true,
                    Bound::Included(bound) => above(bound).is_ge(),
                    Bound::Excluded(bound) => above(bound).is_gt(),
                }) && (match to {
                    Bound::Open => true,
                    Bound::Included(bound) => above(bound).is_le(),
                    Bound::Excluded(bound) => above(bound).is_lt(),
                })
            }
            Self::Present => true,
        }
    }
}

/// A text in the form in which texts are compared.
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

fn folded(piece: Piece) -> Vec<Piece> {
    match piece {
        Piece::Char(c) => c.to_lowercase().map(Piece::Char).collect(),
        other => vec![other],
    }
}

/// Whether a text is, or has as whole words in a row, another; both folded.
fn holds(value: &str, wanted: &str) -> bool {
    if value == wanted {
        return true;
    }
    let words: Vec<&str> = value.split_whitespace().collect();
    let wanted: Vec<&str> = wanted.split_whitespace().collect();
    !wanted.is_empty() && words.windows(wanted.len()).any(|run| run == wanted)
}

/// Whether a pattern covers a text. The last `*` passed takes one character more whenever what
/// follows it does not fit, so the work is at most the product of both lengths.
fn fits(pieces: &[Piece], text: &[char]) -> bool {
    let (mut piece, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        let here = pieces.get(piece).copied();
        if here == Some(Piece::One) || here == Some(Piece::Char(text[at])) {
            (piece, at) = (piece + 1, at + 1);
        } else if here == Some(Piece::Many) {
            retry = Some((piece + 1, at));
            piece += 1;
        } else if let Some((behind, from)) = retry {
            retry = Some((behind, from + 1));
            (piece, at) = (behind, from + 1);
        } else {
            return false;
        }
    }
    pieces[piece..].iter().all(|rest| *rest == Piece::Many)
}

fn compare(value: &str, bound: &str) -> Ordering {
    match (value.parse::<f64>(), bound.parse::<f64>()) {
        (Ok(value), Ok(bound)) => value.total_cmp(&bound),
        _ => value.cmp(bound),
    }
}
