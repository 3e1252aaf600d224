//! Reads the query language:
//!
//! ```text
//! any     = each { ("OR" | "||") each }
//! each    = one { ["AND" | "&&"] one }          terms side by side must all hold
//! one     = { "NOT" | "!" } ( "(" any ")" | field ":" value | value )
//! value   = "(" any ")" | range | (">" | ">=" | "<" | "<=") word | phrase | word
//! range   = ("[" | "{") word "TO" word ("]" | "}")
//! ```
//!
//! A backslash takes the meaning from the character behind it. Beyond that only blanks, quotes and
//! parentheses end a word: clients leave slashes, dashes and colons in values as they are.

use super::expression::Expression;
use super::term::{Bound, Piece, Term, fold};

/// How deep parentheses may nest.
const DEEPEST: usize = 64;

/// Where a query ceases to be one, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {place}: {why}")]
pub struct SyntaxError {
    /// The character, counted from 1.
    pub place: usize,
    /// What was expected.
    pub why: &'static str,
}

/// Reads a whole query, of one field where it is given.
///
/// # Errors
/// Where it is none.
pub fn expression(text: &str, field: Option<&str>) -> Result<Expression, SyntaxError> {
    let mut reader = Reader { text: text.chars().collect(), at: 0, depth: 0 };
    let expression = reader.any(field)?;
    match reader.peek() {
        None => Ok(expression),
        Some(_) => Err(reader.error("a closing parenthesis has no opening one")),
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn any(&mut self, field: Option<&str>) -> Result<Expression, SyntaxError> {
        let mut parts = vec![self.each(field)?];
        while self.take_operator("OR") || self.take_operator("||") {
            parts.push(self.each(field)?);
        }
        Ok(joined(parts, Expression::Or))
    }

    fn each(&mut self, field: Option<&str>) -> Result<Expression, SyntaxError> {
        let mut parts = vec![self.one(field)?];
        loop {
            let joined = self.take_operator("AND") || self.take_operator("&&");
            self.skip_blanks();
            let over = matches!(self.peek(), None | Some(')'))
                || self.sees_operator("OR")
                || self.sees_operator("||");
            if over && !joined {
                break;
            }
            parts.push(self.one(field)?);
        }
        Ok(joined(parts, Expression::And))
    }

    fn one(&mut self, field: Option<&str>) -> Result<Expression, SyntaxError> {
        let mut negated = false;
        loop {
            self.skip_blanks();
            if self.take_operator("NOT") {
                negated = !negated;
            } else if self.peek() == Some('!') {
                self.at += 1;
                negated = !negated;
            } else {
                break;
            }
        }
        let inner = self.unnegated(field)?;
        Ok(if negated { Expression::Not(Box::new(inner)) } else { inner })
    }

    fn unnegated(&mut self, field: Option<&str>) -> Result<Expression, SyntaxError> {
        if self.peek() == Some('(') {
            return self.group(field);
        }
        if ["AND", "OR", "&&", "||"].iter().any(|word| self.sees_operator(word)) {
            return Err(self.error("a term is expected, not an operator"));
        }
        let start = self.at;
        if let Some(own) = self.field()? {
            return self.value(Some(&own));
        }
        self.at = start;
        self.value(field)
    }

    fn group(&mut self, field: Option<&str>) -> Result<Expression, SyntaxError> {
        if self.depth == DEEPEST {
            return Err(self.error("parentheses nest too deep"));
        }
        self.depth += 1;
        self.at += 1;
        let inner = self.any(field)?;
        if self.peek() != Some(')') {
            return Err(self.error("a closing parenthesis is expected"));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(inner)
    }

    /// The name before an unescaped colon, where the next word has one.
    fn field(&mut self) -> Result<Option<String>, SyntaxError> {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            match c {
                ':' if name.is_empty() => return Err(self.error("a field's name is expected")),
                ':' => {
                    self.at += 1;
                    return Ok(Some(name));
                }
                '\\' => {
                    self.at += 1;
                    name.push(self.peek().ok_or_else(|| self.error("nothing is escaped"))?);
                }
                _ if ends_word(c) => return Ok(None),
                _ => name.push(c),
            }
            self.at += 1;
        }
        Ok(None)
    }

    fn value(&mut self, field: Option<&str>) -> Result<Expression, SyntaxError> {
        self.skip_blanks();
        let term = match self.peek() {
            None | Some(')') => return Err(self.error("a term is expected")),
            Some('(') => return self.group(field),
            Some('"') => Term::Text(fold(&self.phrase()?)),
            Some('[' | '{') if field.is_some() => self.range()?,
            Some('<' | '>') if field.is_some() => self.comparison()?,
            Some(_) => Term::of(self.word()?),
        };
        Ok(match (field, term) {
            (None | Some("*"), Term::Present) => Expression::All,
            // Asks whether there is such a member.
            (Some("_exists_"), Term::Text(path)) => Expression::Term(Some(path), Term::Present),
            (field, term) => Expression::Term(field.map(str::to_owned), term),
        })
    }

    fn phrase(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut phrase = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => return Ok(phrase),
                '\\' => {
                    phrase.extend(self.peek());
                    self.at += 1;
                }
                _ => phrase.push(c),
            }
        }
        self.at = start;
        Err(self.error("a quote is not closed"))
    }

    fn word(&mut self) -> Result<Vec<Piece>, SyntaxError> {
        let mut pieces = Vec::new();
        while let Some(c) = self.peek().filter(|c| !ends_word(*c)) {
            self.at += 1;
            pieces.push(match c {
                '*' => Piece::Many,
                '?' => Piece::One,
                '\\' => {
                    let escaped = self.peek().ok_or_else(|| self.error("nothing is escaped"))?;
                    self.at += 1;
                    Piece::Char(escaped)
                }
                _ => Piece::Char(c),
            });
        }
        if pieces.is_empty() { Err(self.error("a term is expected")) } else { Ok(pieces) }
    }

    fn range(&mut self) -> Result<Term, SyntaxError> {
        let closed = self.peek() == Some('[');
        self.at += 1;
        let from = self.end_of_range(closed)?;
        if !self.take_operator("TO") {
            return Err(self.error("TO is expected between the ends of a range"));
        }
        let to = self.range_word()?;
        self.skip_blanks();
        let closed = match self.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return Err(self.error("a range is not closed")),
        };
        self.at += 1;
        Ok(Term::Range(from, bound(&to, closed)))
    }

    fn end_of_range(&mut self, included: bool) -> Result<Bound, SyntaxError> {
        Ok(bound(&self.range_word()?, included))
    }

    fn range_word(&mut self) -> Result<String, SyntaxError> {
        self.skip_blanks();
        if self.peek() == Some('"') {
            return self.phrase();
        }
        let start = self.at;
        while self.peek().is_some_and(|c| !ends_word(c) && !matches!(c, ']' | '}')) {
            self.at += 1;
        }
        if start == self.at {
            return Err(self.error("the end of a range is expected"));
        }
        Ok(self.text[start..self.at].iter().collect())
    }

    fn comparison(&mut self) -> Result<Term, SyntaxError> {
        let above = self.peek() == Some('>');
        self.at += 1;
        let included = self.peek() == Some('=');
        self.at += usize::from(included);
        let end = self.end_of_range(included)?;
        Ok(if above { Term::Range(end, Bound::Open) } else { Term::Range(Bound::Open, end) })
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Whether an operator stands behind the blanks; one of letters must end there, too.
    fn sees_operator(&self, word: &str) -> bool {
        let mut rest = self.text[self.at.min(self.text.len())..].iter().copied().peekable();
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        if !word.chars().all(|c| rest.next_if_eq(&c).is_some()) {
            return false;
        }
        let letters = word.chars().all(char::is_alphabetic);
        !letters || rest.peek().is_none_or(|c| ends_word(*c) || *c == '!')
    }

    fn take_operator(&mut self, word: &str) -> bool {
        let seen = self.sees_operator(word);
        if seen {
            self.skip_blanks();
            self.at += word.chars().count();
        }
        seen
    }

    fn error(&self, why: &'static str) -> SyntaxError {
        SyntaxError { place: self.at + 1, why }
    }
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '"')
}

fn bound(text: &str, included: bool) -> Bound {
    match text {
        "*" => Bound::Open,
        _ if included => Bound::Included(fold(text)),
        _ => Bound::Excluded(fold(text)),
    }
}

fn joined(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => join(parts),
    }
}
