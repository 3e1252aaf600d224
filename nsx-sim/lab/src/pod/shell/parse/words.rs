//! Words: quotes, variables, and commands within them.

use super::{META, Parsed, Parser, Piece, SyntaxError, Word, is_name, unexpected};

impl Parser {
    /// The name before `=`, if an assignment stands here; takes both.
    pub(super) fn assigned(&mut self) -> Option<String> {
        self.blanks();
        let word = self.keyword();
        let (name, _) = word.split_once('=').filter(|(name, _)| is_name(name))?;
        self.at += name.chars().count() + 1;
        Some(name.to_owned())
    }

    /// The next word; empty if there is none.
    pub(super) fn word(&mut self) -> Parsed<Word> {
        self.blanks();
        self.rest_of_word()
    }

    /// The word that begins right here: blanks make it empty.
    pub(super) fn rest_of_word(&mut self) -> Parsed<Word> {
        let (mut word, mut text, mut any) = (Word::new(), String::new(), false);
        while let Some(c) = self.peek().filter(|c| !META.contains(c)) {
            self.at += 1;
            any = true;
            match c {
                '\'' => loop {
                    match self.next()? {
                        '\'' => break,
                        c => text.push(c),
                    }
                },
                '"' => self.quoted(&mut word, &mut text)?,
                '\\' => match self.peek() {
                    Some('\n') => self.at += 1,
                    Some(c) => {
                        text.push(c);
                        self.at += 1;
                    }
                    None => text.push('\\'),
                },
                '$' => self.dollar(&mut word, &mut text, false)?,
                '`' => return Err(unexpected("`")),
                '(' => return Err(unexpected("(")),
                c => text.push(c),
            }
        }
        if !text.is_empty() || (any && word.is_empty()) {
            word.push(Piece::Text(text));
        }
        Ok(word)
    }

    fn next(&mut self) -> Parsed<char> {
        let c = self.peek().ok_or_else(|| SyntaxError("unterminated quoted string".to_owned()))?;
        self.at += 1;
        Ok(c)
    }

    fn quoted(&mut self, word: &mut Word, text: &mut String) -> Parsed<()> {
        loop {
            match self.next()? {
                '"' => {
                    // Quotes make a word even of nothing.
                    word.push(Piece::Text(std::mem::take(text)));
                    return Ok(());
                }
                '\\' => match self.next()? {
                    '\n' => {}
                    c @ ('"' | '\\' | '$' | '`') => text.push(c),
                    c => text.extend(['\\', c]),
                },
                '$' => self.dollar(word, text, true)?,
                '`' => return Err(unexpected("`")),
                c => text.push(c),
            }
        }
    }

    fn dollar(&mut self, word: &mut Word, text: &mut String, quoted: bool) -> Parsed<()> {
        let piece = match self.peek() {
            Some('(') => {
                self.at += 1;
                if self.peek() == Some('(') {
                    return Err(SyntaxError("no arithmetic here".to_owned()));
                }
                let list = self.list(&[])?;
                if !self.take(")") {
                    return Err(unexpected(""));
                }
                Piece::Output { list, quoted }
            }
            Some('{') => {
                self.at += 1;
                let rest = self.text[self.at..].iter();
                let name: String = rest.take_while(|c| **c != '}').collect();
                self.at += name.chars().count() + 1;
                let special = matches!(name.as_str(), "?" | "#" | "$" | "@" | "*");
                let number = !name.is_empty() && name.chars().all(|c| c.is_ascii_digit());
                if !(is_name(&name) || special || number) {
                    return Err(SyntaxError("bad substitution".to_owned()));
                }
                Piece::Variable { name, quoted }
            }
            Some(c) if matches!(c, '?' | '#' | '$' | '@' | '*') || c.is_ascii_digit() => {
                self.at += 1;
                Piece::Variable { name: c.to_string(), quoted }
            }
            _ => {
                let rest = self.text[self.at..].iter();
                let name: String =
                    rest.take_while(|c| c.is_ascii_alphanumeric() || **c == '_').collect();
                self.at += name.len();
                if name.is_empty() {
                    text.push('$');
                    return Ok(());
                }
                Piece::Variable { name, quoted }
            }
        };
        if !text.is_empty() {
            word.push(Piece::Text(std::mem::take(text)));
        }
        word.push(piece);
        Ok(())
    }
}
