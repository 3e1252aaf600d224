//! What words become: variables and the output of commands in their places.

use tokio::sync::mpsc;

use super::io::{Input, Output};
use super::parse::{List, Piece, Word};
use super::{Io, Shell, WAITING};

/// How much the words of a command may come to.
const LONGEST: usize = 1 << 17;

/// Words in the making.
#[derive(Default)]
struct Fields {
    done: Vec<String>,
    open: Option<String>,
    size: usize,
}

impl Fields {
    fn add(&mut self, text: &str) {
        self.size += text.len();
        self.open.get_or_insert_default().push_str(text);
    }

    fn close(&mut self) {
        self.done.extend(self.open.take());
    }

    /// Adds a value outside quotes: each blank in it may end a word.
    fn split(&mut self, value: &str) {
        if value.starts_with(char::is_whitespace) {
            self.close();
        }
        let mut parts = value.split_whitespace().peekable();
        while let Some(part) = parts.next() {
            self.add(part);
            if parts.peek().is_some() {
                self.close();
            }
        }
        if value.ends_with(char::is_whitespace) {
            self.close();
        }
    }
}

impl Shell {
    pub(super) fn assign(&mut self, name: &str, value: String) {
        self.variables.entry(name.to_owned()).or_default().0 = value;
    }

    fn value(&self, name: &str) -> String {
        match name {
            "?" => self.status.to_string(),
            "#" => self.arguments.len().to_string(),
            "@" | "*" => self.arguments.join(" "),
            // Some process of the container: its first is what the manifest runs.
            "$" => "7".to_owned(),
            "0" => self.name.clone(),
            name => match name.parse::<usize>() {
                Ok(number) => {
                    let place = number.checked_sub(1);
                    place.and_then(|place| self.arguments.get(place)).cloned().unwrap_or_default()
                }
                Err(_) => self.variables.get(name).map(|own| own.0.clone()).unwrap_or_default(),
            },
        }
    }

    /// What a command's words become; nothing, and a complaint, if that is too much.
    pub(super) async fn words(&mut self, words: &[Word], io: &Io) -> Option<Vec<String>> {
        let mut fields = Fields::default();
        for word in words {
            for piece in word {
                match piece {
                    Piece::Text(text) => fields.add(text),
                    Piece::Variable { name, quoted } => {
                        let value = self.value(name);
                        if *quoted { fields.add(&value) } else { fields.split(&value) }
                    }
                    Piece::Output { list, quoted } => {
                        let Some(value) = self.output(list, io).await else {
                            return self.too_long(io).await;
                        };
                        if *quoted { fields.add(&value) } else { fields.split(&value) }
                    }
                }
                if fields.size > LONGEST {
                    return self.too_long(io).await;
                }
            }
            fields.close();
        }
        Some(fields.done)
    }

    /// What a word becomes where it stays one: after `=` or `>`.
    pub(super) async fn joined(&mut self, word: &Word, io: &Io) -> Option<String> {
        let mut whole = String::new();
        for piece in word {
            match piece {
                Piece::Text(text) => whole += text,
                Piece::Variable { name, .. } => whole += &self.value(name),
                Piece::Output { list, .. } => match self.output(list, io).await {
                    Some(output) => whole += &output,
                    None => return self.too_long(io).await,
                },
            }
            if whole.len() > LONGEST {
                return self.too_long(io).await;
            }
        }
        Some(whole)
    }

    async fn too_long<T>(&mut self, io: &Io) -> Option<T> {
        self.status = 2;
        self.jump = Some(super::Jump::Exit);
        let _ = io.err.line(format!("{}: argument list too long", self.name)).await;
        None
    }

    /// The output of commands, without new lines at its end; nothing if it is too much to hold.
    async fn output(&mut self, list: &List, io: &Io) -> Option<String> {
        let (writer, reader) = mpsc::channel(WAITING);
        let own = Io { out: Output::Pipe(writer), ..io.clone() };
        let mut shell = self.clone();
        let running = async move {
            shell.list(list, &own).await;
            shell.status
        };
        let pipe = Input::new(reader);
        // Who reads no more lets what runs go.
        let reading = async move { pipe.all().await };
        let (status, bytes) = tokio::join!(running, reading);
        self.status = status;
        Some(String::from_utf8_lossy(&bytes.ok()?).trim_end_matches('\n').to_owned())
    }
}
