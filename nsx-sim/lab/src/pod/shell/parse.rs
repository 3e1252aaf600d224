//! The grammar of the shell: a part of POSIX's that people type.

mod words;

/// Commands one after the other.
pub(super) type List = Vec<Chain>;

/// Pipelines that depend on how the one before ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// The first.
    pub(super) first: Pipeline,
    /// Each further one, and whether it needs success (`&&`) or failure (`||`).
    pub(super) rest: Vec<(bool, Pipeline)>,
}

/// Commands whose outputs are inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pipeline {
    /// Whether success is failure.
    pub(super) negated: bool,
    /// The commands.
    pub(super) commands: Vec<(Command, Vec<Redirect>)>,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Assignments, name and arguments.
    Simple { assignments: Vec<(String, Word)>, words: Vec<Word> },
    /// `for name in words; do body; done`.
    For { name: String, words: Vec<Word>, body: List },
    /// `while` or `until`.
    While { until: bool, condition: List, body: List },
    /// `if`, its `elif`s, and `else`.
    If { arms: Vec<(List, List)>, otherwise: List },
    /// `{ …; }`.
    Group(List),
}

/// Another place for an input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redirect {
    /// 0, 1 or 2.
    pub(super) descriptor: u8,
    /// Where to.
    pub(super) target: Target,
}

/// Where a redirection leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `< file`.
    Read(Word),
    /// `> file`.
    Write(Word),
    /// `>> file`.
    Append(Word),
    /// `>&1`, `>&2`.
    Same(u8),
}

/// A word before expansion.
pub(super) type Word = Vec<Piece>;

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it stands.
    Text(String),
    /// A variable; outside quotes its value may become several words.
    Variable { name: String, quoted: bool },
    /// `$(…)`: the output of commands.
    Output { list: List, quoted: bool },
}

/// Why a text is no script: what was not expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError(pub(super) String);

/// How deep constructs may stand in each other.
const DEEPEST: usize = 32;
/// Characters that end a word.
const META: [char; 9] = [' ', '\t', '\n', ';', '&', '|', '<', '>', ')'];

/// Reads a script.
pub(super) fn parse(text: &str) -> Result<List, SyntaxError> {
    let mut parser = Parser { text: text.chars().collect(), at: 0, depth: 0 };
    let list = parser.list(&[])?;
    match parser.peek() {
        None => Ok(list),
        Some(c) => Err(unexpected(&c.to_string())),
    }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, SyntaxError>;

/// The complaint of what stands where something else should.
fn unexpected(what: &str) -> SyntaxError {
    SyntaxError(match what {
        "\n" => "unexpected newline".to_owned(),
        "" => "unexpected end of file".to_owned(),
        what => format!("unexpected \"{what}\""),
    })
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: &str) -> bool {
        let end = self.at + wanted.chars().count();
        let here = self.text.get(self.at..end).unwrap_or_default();
        let same = here.iter().copied().eq(wanted.chars());
        if same {
            self.at = end;
        }
        same
    }

    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => self.at += 1,
                Some('\\') if self.text.get(self.at + 1) == Some(&'\n') => self.at += 2,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Blanks, new lines and, where `also`, semicolons.
    fn gaps(&mut self, also: bool) {
        loop {
            self.blanks();
            match self.peek() {
                Some('\n') => self.at += 1,
                Some(';') if also => self.at += 1,
                _ => return,
            }
        }
    }

    /// The plain word that stands here, without taking it.
    fn keyword(&self) -> String {
        let rest = self.text[self.at..].iter();
        rest.take_while(|c| !META.contains(c)).collect()
    }

    /// Commands up to one of these words, which stays.
    fn list(&mut self, ends: &[&str]) -> Parsed<List> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SyntaxError("nested too deep".to_owned()));
        }
        let mut list = List::new();
        loop {
            self.gaps(false);
            match self.peek() {
                None | Some(')') => break,
                Some(_) if ends.contains(&self.keyword().as_str()) => break,
                Some(_) => {}
            }
            list.push(self.chain()?);
            self.blanks();
            match self.peek() {
                Some('&') => {
                    return Err(SyntaxError("\"&\": no job control here".to_owned()));
                }
                Some(';' | '\n') => self.at += 1,
                _ => break,
            }
        }
        self.depth -= 1;
        Ok(list)
    }

    fn chain(&mut self) -> Parsed<Chain> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.blanks();
            let needs_success = if self.take("&&") {
                true
            } else if self.take("||") {
                false
            } else {
                return Ok(Chain { first, rest });
            };
            self.gaps(false);
            rest.push((needs_success, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        self.blanks();
        let negated = self.keyword() == "!";
        if negated {
            self.at += 1;
        }
        let mut commands = Vec::new();
        loop {
            self.gaps(false);
            commands.push(self.command()?);
            self.blanks();
            let next = self.text.get(self.at + 1);
            if self.peek() != Some('|') || next == Some(&'|') {
                return Ok(Pipeline { negated, commands });
            }
            self.at += 1;
        }
    }

    fn command(&mut self) -> Parsed<(Command, Vec<Redirect>)> {
        let keyword = self.keyword();
        let compound = match keyword.as_str() {
            "for" => Some(self.for_loop()?),
            "while" | "until" => {
                self.word_is(&keyword)?;
                let condition = self.body(&["do"])?;
                let body = self.body_between("do", "done")?;
                Some(Command::While { until: keyword == "until", condition, body })
            }
            "if" => Some(self.conditional()?),
            "{" => {
                self.word_is("{")?;
                let list = self.body(&["}"])?;
                self.word_is("}")?;
                Some(Command::Group(list))
            }
            "then" | "do" | "done" | "fi" | "else" | "elif" | "}" | "case" | "function" => {
                return Err(unexpected(&keyword));
            }
            _ => None,
        };
        let mut redirects = Vec::new();
        if let Some(compound) = compound {
            while let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
            }
            return Ok((compound, redirects));
        }
        let (mut assignments, mut words) = (Vec::new(), Vec::new());
        loop {
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            if words.is_empty()
                && let Some(name) = self.assigned()
            {
                assignments.push((name, self.rest_of_word()?));
                continue;
            }
            let word = self.word()?;
            if word.is_empty() {
                break;
            }
            words.push(word);
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            let here = self.peek().map(String::from).unwrap_or_default();
            return Err(unexpected(&here));
        }
        Ok((Command::Simple { assignments, words }, redirects))
    }

    /// Takes this word.
    fn word_is(&mut self, wanted: &str) -> Parsed<()> {
        self.gaps(false);
        let here = self.keyword();
        if here != wanted {
            let here = if here.is_empty() {
                self.peek().map(String::from).unwrap_or_default()
            } else {
                here
            };
            return Err(unexpected(&here));
        }
        self.at += wanted.chars().count();
        Ok(())
    }

    /// At least one command, up to one of these words.
    fn body(&mut self, ends: &[&str]) -> Parsed<List> {
        let list = self.list(ends)?;
        if list.is_empty() {
            let here = self.keyword();
            return Err(unexpected(&here));
        }
        Ok(list)
    }

    fn body_between(&mut self, begin: &str, end: &str) -> Parsed<List> {
        self.word_is(begin)?;
        let list = self.body(&[end])?;
        self.word_is(end)?;
        Ok(list)
    }

    fn for_loop(&mut self) -> Parsed<Command> {
        self.word_is("for")?;
        self.blanks();
        let name = self.keyword();
        if !is_name(&name) {
            return Err(unexpected(&name));
        }
        self.at += name.chars().count();
        self.word_is("in")?;
        let mut words = Vec::new();
        loop {
            let word = self.word()?;
            if word.is_empty() {
                break;
            }
            words.push(word);
        }
        self.gaps(true);
        let body = self.body_between("do", "done")?;
        Ok(Command::For { name, words, body })
    }

    fn conditional(&mut self) -> Parsed<Command> {
        self.word_is("if")?;
        let (mut arms, mut otherwise) = (Vec::new(), List::new());
        loop {
            let condition = self.body(&["then"])?;
            self.word_is("then")?;
            let body = self.body(&["elif", "else", "fi"])?;
            arms.push((condition, body));
            self.gaps(false);
            match self.keyword().as_str() {
                "elif" => self.word_is("elif")?,
                "else" => {
                    self.word_is("else")?;
                    otherwise = self.body(&["fi"])?;
                    self.word_is("fi")?;
                    return Ok(Command::If { arms, otherwise });
                }
                _ => {
                    self.word_is("fi")?;
                    return Ok(Command::If { arms, otherwise });
                }
            }
        }
    }

    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        self.blanks();
        let digit = self.peek().and_then(|c| c.to_digit(3));
        let sign = self.text.get(self.at + usize::from(digit.is_some()));
        let Some(&sign @ ('<' | '>')) = sign else { return Ok(None) };
        self.at += 1 + usize::from(digit.is_some());
        let default = u8::from(sign == '>');
        let descriptor = digit.and_then(|d| u8::try_from(d).ok()).unwrap_or(default);
        if sign == '<' && self.peek() == Some('<') {
            return Err(unexpected("<<"));
        }
        let append = sign == '>' && self.take(">");
        if sign == '>' && self.take("&") {
            let same = self.peek().and_then(|c| c.to_digit(3)).and_then(|d| u8::try_from(d).ok());
            self.at += 1;
            return match same.filter(|same| *same > 0) {
                Some(same) => Ok(Some(Redirect { descriptor, target: Target::Same(same) })),
                None => Err(SyntaxError("bad fd number".to_owned())),
            };
        }
        let word = self.word()?;
        if word.is_empty() {
            let here = self.peek().map(String::from).unwrap_or_default();
            return Err(unexpected(&here));
        }
        let target = match (sign, append) {
            ('<', _) => Target::Read(word),
            (_, true) => Target::Append(word),
            (_, false) => Target::Write(word),
        };
        Ok(Some(Redirect { descriptor, target }))
    }
}

/// Whether a text may name a variable.
pub(super) fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).unwrap_err().0
    }

    #[test]
    fn what_is_no_script_says_why() {
        assert_eq!(error("ls |"), "unexpected end of file");
        assert_eq!(error("; ls"), "unexpected \";\"");
        assert_eq!(error("ls; done"), "unexpected \"done\"");
        assert_eq!(error("if true; then"), "unexpected end of file");
        assert_eq!(error("echo 'x"), "unterminated quoted string");
        assert_eq!(error("sleep 5 &"), "\"&\": no job control here");
        assert_eq!(error("echo ${x:-y}"), "bad substitution");
        assert_eq!(error("(ls)"), "unexpected \"(\"");
        assert_eq!(error("ls)"), "unexpected \")\"");
        assert_eq!(error("echo hello >"), "unexpected end of file");
        assert!(error(&"$(".repeat(10_000)).contains("nested too deep"));
        assert!(error(&"if ".repeat(10_000)).contains("nested too deep"));
        assert!(error(&"{ ".repeat(10_000)).contains("nested too deep"));
    }

    #[test]
    fn comments_and_continued_lines_are_no_words() {
        assert_eq!(parse("# nothing\n\n"), Ok(vec![]));
        assert_eq!(parse("ls \\\n -l # all"), parse("ls -l"));
    }

    #[test]
    fn an_assignment_is_one_only_before_the_command() {
        let words = |text: &str| match &parse(text).unwrap()[0].first.commands[0].0 {
            Command::Simple { assignments, words } => (assignments.len(), words.len()),
            _ => (0, 0),
        };
        assert_eq!(words("a=1 b= echo c= d"), (2, 3));
        assert_eq!(words("a="), (1, 0));
        assert_eq!(words("1a=2"), (0, 1));
    }

    #[test]
    fn a_hash_within_a_word_is_a_character() {
        assert_eq!(parse("echo a#b"), parse("echo 'a#b'"));
    }
}
