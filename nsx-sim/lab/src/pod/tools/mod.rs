//! The programs of a container.

mod curl;
mod files;
mod interfaces;
mod nc;
mod nslookup;
mod ping;
mod plain;
mod text;
mod wc;
mod wget;

use std::ffi::OsString;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub(super) use files::{absolute, content as file, is_directory};

use super::exec::Session;
use super::image::Image;
use super::shell;
use super::shell::io::{Closed, Input, Output};

/// How a program ends: by its exit code, or because nobody reads what it writes.
pub(super) type Exit = Result<u8, Closed>;

/// A program that runs.
pub(super) struct Process {
    /// The name it was called by.
    pub(super) name: String,
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    /// Its environment.
    pub(super) environment: Vec<(String, String)>,
    /// Where relative paths begin.
    pub(super) directory: String,
    /// What it shares with all others of its session.
    pub(super) session: Arc<Session>,
    /// Its input.
    pub(super) input: Input,
    /// Its output.
    pub(super) out: Output,
    /// Where it complains.
    pub(super) err: Output,
    /// How many shells it stands in.
    pub(super) depth: usize,
}

/// All programs, in `ls`'s order.
const PROGRAMS: [&str; 38] = [
    "[", "cat", "curl", "date", "echo", "env", "false", "grep", "head", "hostname", "id",
    "ifconfig", "ip", "ls", "nc", "nslookup", "ping", "printenv", "printf", "ps", "pwd", "rm",
    "seq", "sh", "sleep", "sort", "stty", "tail", "test", "touch", "tr", "true", "uname", "wc",
    "wget", "which", "whoami", "yes",
];

/// The programs of an image.
fn programs(image: Image) -> impl Iterator<Item = &'static str> {
    PROGRAMS
        .into_iter()
        .filter(move |name| image.shell && (*name != "curl" || image.curl.is_some()))
}

/// The program that a name or path leads to.
pub(super) fn find(path: &str, image: Image) -> Option<&'static str> {
    let name = match path.rsplit_once('/') {
        Some(("/bin" | "/usr/bin" | "/sbin" | "/usr/sbin", name)) => name,
        Some(_) => return None,
        None => path,
    };
    let name = if name == "ash" { "sh" } else { name };
    programs(image).find(|own| *own == name)
}

/// Runs a program that was found.
pub(super) fn run(tool: &'static str, process: Process) -> BoxFuture<'static, Exit> {
    async move {
        match tool {
            "sh" => shell::run(process).await,
            "curl" => curl::run(process).await,
            "wget" => wget::run(process).await,
            "nslookup" => nslookup::run(process).await,
            "ping" => ping::run(process).await,
            "nc" => nc::run(process).await,
            "ip" => interfaces::ip(process).await,
            "ifconfig" => interfaces::ifconfig(process).await,
            "hostname" => interfaces::hostname(process).await,
            "cat" | "ls" | "rm" | "touch" => files::run(tool, process).await,
            "grep" | "head" | "tail" | "sort" | "tr" => text::run(tool, process).await,
            "wc" => wc::run(process).await,
            _ => plain::run(tool, process).await,
        }
    }
    .boxed()
}

impl Process {
    /// Reads the arguments one by one.
    fn parser(&self) -> lexopt::Parser {
        let words = self.arguments.iter().map(OsString::from);
        lexopt::Parser::from_args(words)
    }

    /// Complains of the arguments as busybox does.
    async fn misused(&self, error: &lexopt::Error) -> Exit {
        let name = &self.name;
        let text = match error {
            lexopt::Error::MissingValue { option } => {
                let option = option.as_deref().unwrap_or_default().trim_start_matches('-');
                format!("{name}: option requires an argument -- '{option}'")
            }
            lexopt::Error::UnexpectedOption(option) if option.starts_with("--") => {
                format!("{name}: unrecognized option '{option}'")
            }
            lexopt::Error::UnexpectedOption(option) => {
                format!("{name}: unrecognized option: {}", option.trim_start_matches('-'))
            }
            error => format!("{name}: {error}"),
        };
        self.err.line(text).await?;
        Ok(1)
    }
}

/// A value as text.
fn text(value: &std::ffi::OsStr) -> String {
    value.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name_and_path() {
        let busybox = Image::named("yauritux/busybox-curl");
        assert_eq!(find("curl", busybox), Some("curl"));
        assert_eq!(find("/bin/sh", busybox), Some("sh"));
        for none in ["", "/", "/tmp/curl", "telnet", "curl/"] {
            assert_eq!(find(none, busybox), None, "{none}");
        }
        assert_eq!(find("curl", Image::named("busybox")), None);
        assert_eq!(find("sh", Image::named("coredns")), None);
    }
}
