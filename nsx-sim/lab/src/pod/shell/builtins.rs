//! What only the shell itself can do: its variables, its directory, its end.

use super::{Exit, Io, Jump, Shell, parse, tools};

impl Shell {
    /// Runs what only the shell itself can do; nothing if it is no such thing.
    pub(super) async fn builtin(
        &mut self,
        name: &str,
        arguments: &[String],
        io: &Io,
    ) -> Option<Exit> {
        let first = arguments.first().map(String::as_str);
        let number = first.and_then(|text| text.parse::<i64>().ok());
        Some(match (name, first) {
            (":" | "set", _) => Ok(0),
            ("break", _) => {
                self.jump = Some(Jump::Break);
                Ok(0)
            }
            ("continue", _) => {
                self.jump = Some(Jump::Continue);
                Ok(0)
            }
            ("exit", None) => {
                self.jump = Some(Jump::Exit);
                Ok(self.status)
            }
            ("exit", Some(text)) => {
                let Some(number) = number else {
                    let text = format!("{}: exit: Illegal number: {text}", self.name);
                    return Some(io.err.line(text).await.map(|()| 2));
                };
                self.jump = Some(Jump::Exit);
                Ok(u8::try_from(number.rem_euclid(256)).unwrap_or_default())
            }
            ("cd", target) => {
                let path = tools::absolute(&self.directory, target.unwrap_or("/root"));
                if tools::is_directory(&path) {
                    self.directory = path;
                    Ok(0)
                } else {
                    let target = target.unwrap_or_default();
                    let text = format!(
                        "{}: cd: can't cd to {target}: No such file or directory",
                        self.name
                    );
                    io.err.line(text).await.map(|()| 1)
                }
            }
            ("export", _) => {
                for word in arguments {
                    let (name, value) = word
                        .split_once('=')
                        .map_or((word.as_str(), None), |own| (own.0, Some(own.1)));
                    if let Some(value) = value.filter(|_| parse::is_name(name)) {
                        self.assign(name, value.to_owned());
                    }
                    if let Some(own) = self.variables.get_mut(name) {
                        own.1 = true;
                    }
                }
                Ok(0)
            }
            ("unset", _) => {
                for name in arguments {
                    self.variables.remove(name);
                }
                Ok(0)
            }
            ("shift", _) => {
                let count = usize::try_from(number.unwrap_or(1)).unwrap_or_default();
                self.arguments.drain(..count.min(self.arguments.len()));
                Ok(0)
            }
            ("read", _) => {
                let line = io.input.line().await;
                let name = first.unwrap_or("REPLY");
                if parse::is_name(name) {
                    let text = line.as_deref().unwrap_or_default().trim().to_owned();
                    self.assign(name, text);
                }
                Ok(u8::from(line.is_none()))
            }
            _ => return None,
        })
    }
}
