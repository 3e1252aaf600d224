//! The command line of curl.

use std::net::IpAddr;
use std::time::Duration;

use lexopt::prelude::*;

use super::super::text;

/// What curl is asked for.
#[derive(Clone, Debug, Default)]
pub(in crate::pod) struct Options {
    pub(super) urls: Vec<String>,
    pub(super) silent: bool,
    pub(super) show_error: bool,
    pub(super) verbose: bool,
    pub(super) head: bool,
    pub(super) include: bool,
    pub(super) fail: bool,
    pub(super) version: bool,
    pub(super) total: Option<Duration>,
    pub(super) connect: Option<Duration>,
    pub(super) output: Option<String>,
    pub(super) format: Option<String>,
    pub(super) method: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) data: Option<String>,
    pub(super) headers: Vec<String>,
    /// Host, port and address of `--resolve`.
    pub(super) known: Vec<(String, u16, IpAddr)>,
}

/// Why a command line is none: the words, without `curl: `, and the exit code.
pub(in crate::pod) struct Misuse(pub(in crate::pod) String, pub(in crate::pod) u8);

impl Options {
    pub(super) fn parse(mut parser: lexopt::Parser) -> Result<Self, Misuse> {
        let mut own = Self::default();
        let malformed = |what: &str| Misuse(format!("option {what}: is badly used here"), 2);
        while let Some(argument) = parser.next().map_err(|error| misuse(&error))? {
            match argument {
                Short('s') | Long("silent") => own.silent = true,
                Short('S') | Long("show-error") => own.show_error = true,
                Short('v') | Long("verbose") => own.verbose = true,
                Short('I') | Long("head") => own.head = true,
                Short('i') | Long("include") => own.include = true,
                Short('f') | Long("fail") => own.fail = true,
                Short('V') | Long("version") => own.version = true,
                // Nothing here speaks TLS or IPv6, redirects, or needs a proxy or a longer meter.
                Short('k' | '4' | 'L' | 'N' | 'g' | '#' | 'q')
                | Long(
                    "insecure" | "ipv4" | "location" | "no-buffer" | "globoff" | "progress-bar"
                    | "http1.1",
                ) => {}
                Long("noproxy") => drop(value(&mut parser)?),
                Short('m') | Long("max-time") => {
                    own.total = Some(seconds(&value(&mut parser)?, "-m")?);
                }
                Long("connect-timeout") => {
                    own.connect = Some(seconds(&value(&mut parser)?, "--connect-timeout")?);
                }
                Short('o') | Long("output") => own.output = Some(value(&mut parser)?),
                Short('w') | Long("write-out") => own.format = Some(value(&mut parser)?),
                Short('X') | Long("request") => own.method = Some(value(&mut parser)?),
                Short('A') | Long("user-agent") => own.agent = Some(value(&mut parser)?),
                Short('d') | Long("data") => own.data = Some(value(&mut parser)?),
                Short('H') | Long("header") => own.headers.push(value(&mut parser)?),
                Long("resolve") => {
                    let entry = value(&mut parser)?;
                    own.known.push(known(&entry).ok_or_else(|| malformed("--resolve"))?);
                }
                Long("url") => own.urls.push(value(&mut parser)?),
                Value(url) => own.urls.push(text(&url)),
                other => return Err(misuse(&other.unexpected())),
            }
        }
        Ok(own)
    }
}

/// The value of the option that was just read.
fn value(parser: &mut lexopt::Parser) -> Result<String, Misuse> {
    parser.value().map(|own| text(&own)).map_err(|error| misuse(&error))
}

fn misuse(error: &lexopt::Error) -> Misuse {
    Misuse(
        match error {
            lexopt::Error::MissingValue { option } => {
                format!("option {}: requires parameter", option.as_deref().unwrap_or_default())
            }
            lexopt::Error::UnexpectedOption(option) => format!("option {option}: is unknown"),
            error => error.to_string(),
        },
        2,
    )
}

/// A time in seconds, with or without a fraction.
fn seconds(text: &str, option: &str) -> Result<Duration, Misuse> {
    let parsed = text.parse().ok().and_then(|own| Duration::try_from_secs_f64(own).ok());
    parsed
        .ok_or_else(|| Misuse(format!("option {option}: expected a proper numerical parameter"), 2))
}

/// `host:port:address`.
fn known(entry: &str) -> Option<(String, u16, IpAddr)> {
    let (host, rest) = entry.split_once(':')?;
    let (port, address) = rest.split_once(':')?;
    let address = address.trim_matches(['[', ']']).parse().ok()?;
    Some((host.to_owned(), port.parse().ok()?, address))
}
