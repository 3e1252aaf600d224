//! The shell of a container: the part of `sh` that people type, by the words of busybox.

mod builtins;
mod expand;
pub(super) mod io;
mod parse;
pub(super) mod terminal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::mpsc;

use super::exec::{INTERRUPTED, Session};
use super::tools::{self, Exit, Process};
use io::{Closed, Input, Output};
use parse::{Chain, Command, List, Pipeline, Redirect, SyntaxError, Target, Word};

/// The exit code of a command that is not there.
const NOT_FOUND: u8 = 127;
/// The exit code of what had nobody to read it: 128 and SIGPIPE.
const BROKEN_PIPE: u8 = 141;
/// How deep shells may run in each other.
const DEEPEST: usize = 8;
/// How many pieces wait in a pipe.
const WAITING: usize = 16;

/// The exit code of what ended, or could not write any more.
pub(super) fn code(ended: Exit) -> u8 {
    ended.unwrap_or_else(|why| match why {
        Closed::Gone => BROKEN_PIPE,
        Closed::Full => 1,
    })
}

/// Input and outputs of a command.
#[derive(Clone)]
struct Io {
    input: Input,
    out: Output,
    err: Output,
}

/// Leaves what is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jump {
    Break,
    Continue,
    Exit,
}

/// A shell.
#[derive(Clone)]
struct Shell {
    session: Arc<Session>,
    name: String,
    arguments: Vec<String>,
    /// Values, and whether commands get them.
    variables: BTreeMap<String, (String, bool)>,
    /// Where relative paths begin.
    directory: String,
    status: u8,
    jump: Option<Jump>,
    depth: usize,
}

/// The command `sh`.
pub(super) async fn run(process: Process) -> Exit {
    let Process { session, environment, arguments, directory, input, out, err, depth, .. } =
        process;
    if depth > DEEPEST {
        err.line("sh: too many shells in each other").await?;
        return Ok(2);
    }
    let io = Io { input, out, err };
    let variables = environment.into_iter().map(|(name, value)| (name, (value, true))).collect();
    let mut shell = Shell {
        session,
        name: "sh".to_owned(),
        arguments: Vec::new(),
        variables,
        directory,
        status: 0,
        jump: None,
        depth,
    };
    let mut words = arguments.into_iter();
    match words.next().as_deref() {
        Some("-c") => {
            let Some(script) = words.next() else {
                io.err.line("sh: -c requires an argument").await?;
                return Ok(2);
            };
            if let Some(name) = words.next() {
                shell.name = name;
            }
            shell.arguments = words.collect();
            match parse::parse(&script) {
                Ok(list) => shell.list(&list, &io).await,
                Err(error) => shell.complain(&error, &io).await?,
            }
        }
        None | Some("-i" | "-l" | "-il" | "-li") => shell.read_all(&io).await?,
        Some(option) if option.starts_with('-') => {
            io.err.line(format!("sh: illegal option {option}")).await?;
            return Ok(2);
        }
        Some(file) => {
            let path = tools::absolute(&shell.directory, file);
            let Some(script) = shell.session.files.read(&path) else {
                io.err.line(format!("sh: can't open '{file}': No such file or directory")).await?;
                return Ok(2);
            };
            let input = Input::of(script);
            let scripted = Io { input, ..io };
            shell.name = file.to_owned();
            shell.arguments = words.collect();
            shell.script(&scripted).await?;
        }
    }
    Ok(shell.status)
}

impl Shell {
    async fn complain(&mut self, error: &SyntaxError, io: &Io) -> Result<(), Closed> {
        self.status = 2;
        io.err.line(format!("{}: syntax error: {}", self.name, error.0)).await
    }

    /// Takes commands from the input: with a prompt if that is a terminal.
    async fn read_all(&mut self, io: &Io) -> Result<(), Closed> {
        if !self.session.terminal || !io.out.is_terminal() {
            return self.script(io).await;
        }
        let session = self.session.clone();
        let mut text = String::new();
        while self.jump.is_none() {
            let sign = if session.image.root { '#' } else { '$' };
            let prompt =
                if text.is_empty() { format!("{} {sign} ", self.directory) } else { "> ".into() };
            io.out.write(prompt).await?;
            // A line that came first goes first: what interrupts then is meant for its command.
            let line = tokio::select! {
                biased;
                line = io.input.line() => line,
                () = session.interrupts.notified() => {
                    text.clear();
                    self.status = INTERRUPTED;
                    continue;
                }
            };
            let Some(line) = line else { return Ok(()) };
            text += &line;
            let Some(parsed) = whole(&text) else { continue };
            text.clear();
            match parsed {
                Ok(list) => tokio::select! {
                    () = self.list(&list, io) => {}
                    () = session.interrupts.notified() => self.status = INTERRUPTED,
                },
                Err(error) => self.complain(&error, io).await?,
            }
            if self.jump != Some(Jump::Exit) {
                self.jump = None;
            }
        }
        Ok(())
    }

    /// Takes commands from an input that is no terminal.
    async fn script(&mut self, io: &Io) -> Result<(), Closed> {
        let mut text = String::new();
        while self.jump != Some(Jump::Exit) {
            let Some(line) = io.input.line().await else { break };
            text += &line;
            let Some(parsed) = whole(&text) else { continue };
            text.clear();
            match parsed {
                Ok(list) => self.list(&list, io).await,
                Err(error) => return self.complain(&error, io).await,
            }
        }
        match parse::parse(&text) {
            Ok(list) if self.jump != Some(Jump::Exit) => self.list(&list, io).await,
            Ok(_) => {}
            Err(error) => self.complain(&error, io).await?,
        }
        Ok(())
    }

    fn list<'a>(&'a mut self, list: &'a List, io: &'a Io) -> BoxFuture<'a, ()> {
        async move {
            for chain in list {
                self.chain(chain, io).await;
                if self.jump.is_some() {
                    return;
                }
            }
        }
        .boxed()
    }

    async fn chain(&mut self, chain: &Chain, io: &Io) {
        self.pipeline(&chain.first, io).await;
        for (needs_success, next) in &chain.rest {
            if self.jump.is_some() {
                return;
            }
            if *needs_success == (self.status == 0) {
                self.pipeline(next, io).await;
            }
        }
    }

    async fn pipeline(&mut self, pipeline: &Pipeline, io: &Io) {
        if let [(command, redirects)] = pipeline.commands.as_slice() {
            self.command(command, redirects, io.clone()).await;
        } else {
            let mut stages = Vec::new();
            let mut input = io.input.clone();
            let last = pipeline.commands.len() - 1;
            for (place, (command, redirects)) in pipeline.commands.iter().enumerate() {
                let (out, next) = if place == last {
                    (io.out.clone(), None)
                } else {
                    let (writer, reader) = mpsc::channel(WAITING);
                    (Output::Pipe(writer), Some(Input::new(reader)))
                };
                let own = Io { input, out, err: io.err.clone() };
                let mut shell = self.clone();
                stages.push(async move {
                    shell.command(command, redirects, own).await;
                    shell.status
                });
                let Some(next) = next else { break };
                input = next;
            }
            self.status = join_all(stages).await.pop().unwrap_or_default();
        }
        if pipeline.negated {
            self.status = u8::from(self.status == 0);
        }
    }

    async fn command(&mut self, command: &Command, redirects: &[Redirect], io: Io) {
        // A loop of commands that wait for nothing gives others their turn.
        tokio::task::yield_now().await;
        let Some(io) = self.redirect(redirects, io).await else { return };
        match command {
            Command::Simple { assignments, words } => self.simple(assignments, words, io).await,
            Command::Group(list) => self.list(list, &io).await,
            Command::If { arms, otherwise } => {
                for (condition, body) in arms {
                    self.list(condition, &io).await;
                    if self.jump.is_some() {
                        return;
                    }
                    if self.status == 0 {
                        return self.list(body, &io).await;
                    }
                }
                self.status = 0;
                self.list(otherwise, &io).await;
            }
            Command::While { until, condition, body } => {
                let mut status = 0;
                loop {
                    self.list(condition, &io).await;
                    if self.jump.is_some() || (self.status == 0) == *until {
                        break;
                    }
                    self.list(body, &io).await;
                    status = self.status;
                    if self.leaves() {
                        break;
                    }
                }
                if self.jump.is_none() {
                    self.status = status;
                }
            }
            Command::For { name, words, body } => {
                let Some(values) = self.words(words, &io).await else { return };
                self.status = 0;
                for value in values {
                    self.assign(name, value);
                    self.list(body, &io).await;
                    if self.leaves() {
                        break;
                    }
                }
            }
        }
    }

    /// Whether a loop ends here.
    fn leaves(&mut self) -> bool {
        match self.jump {
            Some(Jump::Exit) => true,
            jump => {
                self.jump = None;
                jump == Some(Jump::Break)
            }
        }
    }

    async fn redirect(&mut self, redirects: &[Redirect], mut io: Io) -> Option<Io> {
        for Redirect { descriptor, target } in redirects {
            let output = match target {
                Target::Same(1) => io.out.clone(),
                Target::Same(_) => io.err.clone(),
                Target::Read(word) => {
                    let name = self.joined(word, &io).await?;
                    let Some(bytes) = tools::file(&self.session, &self.directory, &name) else {
                        let text =
                            format!("{}: can't open {name}: No such file or directory", self.name);
                        self.status = 1;
                        let _ = io.err.line(text).await;
                        return None;
                    };
                    io.input = Input::of(bytes);
                    continue;
                }
                Target::Write(word) | Target::Append(word) => {
                    let name = self.joined(word, &io).await?;
                    let path = tools::absolute(&self.directory, &name);
                    let files = &self.session.files;
                    let truncates = matches!(target, Target::Write(_));
                    if path == "/dev/null" {
                        Output::Null
                    } else if (truncates || files.read(&path).is_none()) && !files.create(&path) {
                        self.status = 1;
                        let text =
                            format!("{}: can't create {name}: No space left on device", self.name);
                        let _ = io.err.line(text).await;
                        return None;
                    } else {
                        Output::File(files.clone(), path)
                    }
                }
            };
            match descriptor {
                1 => io.out = output,
                2 => io.err = output,
                _ => {}
            }
        }
        Some(io)
    }

    async fn simple(&mut self, assignments: &[(String, Word)], words: &[Word], io: Io) {
        let Some(words) = self.words(words, &io).await else { return };
        let mut assigned = Vec::new();
        if words.is_empty() {
            self.status = 0;
        }
        for (name, word) in assignments {
            let Some(value) = self.joined(word, &io).await else { return };
            assigned.push((name.clone(), value));
        }
        let mut words = words.into_iter();
        let Some(name) = words.next() else {
            for (name, value) in assigned {
                self.assign(&name, value);
            }
            return;
        };
        let arguments: Vec<String> = words.collect();
        let ended = match self.builtin(&name, &arguments, &io).await {
            Some(ended) => ended,
            None => self.tool(name.clone(), arguments, assigned, io.clone()).await,
        };
        match ended {
            // Nobody reads: the shell goes as a process would.
            Err(Closed::Gone) => self.jump = Some(Jump::Exit),
            Err(Closed::Full) => {
                // Where there is no room for this either, the exit code tells it.
                let _ = io.err.line(format!("{name}: write error: No space left on device")).await;
            }
            Ok(_) => {}
        }
        self.status = code(ended);
    }

    async fn tool(
        &mut self,
        name: String,
        arguments: Vec<String>,
        assigned: Vec<(String, String)>,
        io: Io,
    ) -> Exit {
        let Some(tool) = tools::find(&name, self.session.image) else {
            io.err.line(format!("{}: {name}: not found", self.name)).await?;
            return Ok(NOT_FOUND);
        };
        let exported = self.variables.iter().filter(|(_, (_, exported))| *exported);
        let mut environment: BTreeMap<String, String> =
            exported.map(|(name, (value, _))| (name.clone(), value.clone())).collect();
        environment.extend(assigned);
        let process = Process {
            name,
            arguments,
            environment: environment.into_iter().collect(),
            directory: self.directory.clone(),
            session: self.session.clone(),
            input: io.input,
            out: io.out,
            err: io.err,
            depth: self.depth + 1,
        };
        tools::run(tool, process).await
    }
}

/// A script that may go on in the next line; nothing if it does.
fn whole(text: &str) -> Option<Result<List, SyntaxError>> {
    /// A script that is longer is taken as it is.
    const LONGEST: usize = 1 << 18;
    match parse::parse(text) {
        Err(error)
            if text.len() < LONGEST
                && (error.0 == "unexpected end of file"
                    || error.0 == "unterminated quoted string") =>
        {
            None
        }
        parsed => Some(parsed),
    }
}
