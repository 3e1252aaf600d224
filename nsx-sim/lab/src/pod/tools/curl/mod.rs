//! curl, by the words of its release in the image.

mod format;
mod options;
#[cfg(test)]
mod tests;
mod words;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::http::Uri;
use tokio::time::{Instant, timeout_at};

use super::{Exit, Process};
use crate::pod::image::Curl;
use crate::pod::network::{Connection, Request, Response};
use format::written;
use options::{Misuse, Options};
use words::Failure;

/// How long one waits for a connection unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(300);

/// A URL, as far as curl needs it here.
struct Target {
    host: String,
    port: u16,
    path: String,
    tls: bool,
    /// As it was given, with a scheme.
    url: String,
}

/// What one transfer found out, for `-w` and the meter.
#[derive(Default)]
struct Report {
    connection: Option<Connection>,
    address: Option<SocketAddr>,
    response: Option<Response>,
    url: String,
    lookup: Duration,
    connect: Duration,
    total: Duration,
}

/// The command.
pub(super) async fn run(process: Process) -> Exit {
    let Process { err, out, session, .. } = &process;
    let release = session.image.curl.unwrap_or(Curl::Old);
    let options = match Options::parse(process.parser()) {
        Ok(options) => options,
        Err(Misuse(words, code)) => {
            err.line(format!(
                "curl: {words}\ncurl: try 'curl --help' or 'curl --manual' for more information"
            ))
            .await?;
            return Ok(code);
        }
    };
    if options.version {
        out.line(format!("curl {0} (x86_64-pc-linux-gnu) libcurl/{0}", release.version())).await?;
        out.line("Protocols: http").await?;
        return Ok(0);
    }
    if options.urls.is_empty() {
        let more = "curl: try 'curl --help' or 'curl --manual' for more information";
        err.line(format!("curl: no URL specified!\n{more}")).await?;
        return Ok(2);
    }
    let mut code = 0;
    for url in &options.urls {
        code = Transfer { process: &process, options: &options, release }.run(url).await?;
    }
    Ok(code)
}

struct Transfer<'a> {
    process: &'a Process,
    options: &'a Options,
    release: Curl,
}

impl Transfer<'_> {
    async fn run(&self, url: &str) -> Exit {
        let Process { out, err, session, directory, .. } = self.process;
        let options = self.options;
        // The meter runs where it does not spoil what is shown.
        let to_file = options.output.is_some();
        let meter = !options.silent && (to_file || !out.is_terminal());
        let start = Instant::now();
        let mut report = Report::default();
        let ended = self.transfer(url, meter, &mut report).await?;
        report.total = start.elapsed();
        let code = match ended {
            Ok(()) => {
                if let Some(response) = report.response.as_ref() {
                    let body = self.shown(response);
                    if meter {
                        err.write(words::meter(response.body.len(), report.total)).await?;
                    }
                    match options.output.as_deref() {
                        None | Some("-") => out.write(body).await?,
                        Some("/dev/null") => {}
                        Some(name) => {
                            let path = super::absolute(directory, name);
                            let files = &session.files;
                            if !files.create(&path) || !files.append(&path, body.as_bytes()) {
                                err.line(format!(
                                    "curl: (23) Failed writing body (0 != {})",
                                    body.len()
                                ))
                                .await?;
                                return Ok(23);
                            }
                        }
                    }
                }
                0
            }
            Err(failure) => {
                let (code, words) = failure.told(self.release);
                if !options.silent || options.show_error {
                    err.line(format!("curl: ({code}) {words}")).await?;
                }
                code
            }
        };
        if let Some(format) = &options.format {
            out.write(written(format, &report)).await?;
        }
        Ok(code)
    }

    /// What of an answer is shown.
    fn shown(&self, response: &Response) -> String {
        let mut shown = String::new();
        if self.options.head || self.options.include {
            shown += &response.status_line();
            shown += "\r\n";
            for (name, value) in &response.headers {
                shown.extend([name, ": ", value.as_str(), "\r\n"]);
            }
            shown += "\r\n";
        }
        if !self.options.head {
            shown += &response.body;
        }
        shown
    }

    async fn transfer(
        &self,
        url: &str,
        meter: bool,
        report: &mut Report,
    ) -> Result<Result<(), Failure>, super::Closed> {
        let Process { err, session, .. } = self.process;
        let options = self.options;
        let network = &session.network;
        let target = match read_url(url) {
            Ok(target) => target,
            Err(failure) => return Ok(Err(failure)),
        };
        report.url.clone_from(&target.url);
        let (host, port) = (target.host.clone(), target.port);
        let start = Instant::now();
        let total = options.total.filter(|own| !own.is_zero());
        let connect = options.connect.filter(|own| !own.is_zero()).unwrap_or(PATIENCE);
        let deadline = start + total.map_or(connect, |total| total.min(connect));
        if meter {
            err.write(words::METER_HEAD).await?;
        }
        let known = options.known.iter().find(|own| own.0 == host && own.1 == port);
        let found = match known {
            Some((.., address)) => Ok(Ok(*address)),
            None => {
                timeout_at(deadline, async { network.resolve(&host).await.map(|own| own.address) })
                    .await
            }
        };
        report.lookup = start.elapsed();
        let address: IpAddr = match found {
            Ok(Ok(address)) => address,
            Ok(Err(_)) => {
                if options.verbose {
                    let text = Failure::NoName { host: host.clone() }.told(self.release).1;
                    err.line(format!("* {text}\n* Closing connection 0")).await?;
                }
                return Ok(Err(Failure::NoName { host }));
            }
            Err(_) => return Ok(Err(Failure::LookupTimeout { after: start.elapsed() })),
        };
        let socket = SocketAddr::new(address, port);
        report.address = Some(socket);
        if options.verbose {
            if self.release == Curl::Old {
                err.line(format!("* About to connect() to {host} port {port} (#0)")).await?;
                err.line(format!("*   Trying {address}...")).await?;
            } else {
                err.line(format!("*   Trying {socket}...")).await?;
            }
        }
        let connection = match timeout_at(deadline, network.connect(socket)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(why)) => {
                let failure = Failure::NoConnection { host, port, why, after: start.elapsed() };
                if options.verbose {
                    let text = failure.told(self.release).1;
                    let why = why.words();
                    err.line(format!("* {why}\n* {text}\n* Closing connection 0")).await?;
                }
                return Ok(Err(failure));
            }
            Err(_) => {
                let failure = Failure::ConnectTimeout { after: start.elapsed() };
                if options.verbose {
                    let text = failure.told(self.release).1;
                    err.line(format!("* {text}\n* Closing connection 0")).await?;
                }
                return Ok(Err(failure));
            }
        };
        report.connect = start.elapsed();
        if options.verbose {
            err.line(format!("* Connected to {host} ({address}) port {port} (#0)")).await?;
        }
        if target.tls {
            return Ok(Err(Failure::NoTls));
        }
        let request = self.request(&target);
        if options.verbose {
            err.write(self.request_head(&target, &request)).await?;
        }
        let response = network.request(&connection, &request);
        report.connection = Some(connection);
        let Some(response) = response else {
            if options.verbose {
                err.line("* Empty reply from server").await?;
                err.line(format!("* Connection #0 to host {host} left intact")).await?;
            }
            return Ok(Err(Failure::Empty));
        };
        if options.verbose {
            err.line(format!("< {}", response.status_line())).await?;
            for (name, value) in &response.headers {
                err.line(format!("< {name}: {value}")).await?;
            }
            err.line("< ").await?;
            err.line(format!("* Connection #0 to host {host} left intact")).await?;
        }
        let refused = options.fail && response.status >= 400;
        let status = response.status;
        report.response = Some(response);
        Ok(if refused { Err(Failure::Status(status)) } else { Ok(()) })
    }

    fn request(&self, target: &Target) -> Request {
        let method = match (&self.options.method, self.options.head, &self.options.data) {
            (Some(method), ..) => method.as_str(),
            (None, true, _) => "HEAD",
            (None, false, Some(_)) => "POST",
            (None, false, None) => "GET",
        };
        Request { method: method.to_owned(), target: target.path.clone() }
    }

    fn request_head(&self, target: &Target, request: &Request) -> String {
        let default_agent = format!("curl/{}", self.release.version());
        let agent = self.options.agent.as_deref().unwrap_or(&default_agent);
        let named = match target.port {
            80 => target.host.clone(),
            port => format!("{}:{port}", target.host),
        };
        let mut lines = vec![format!("{} {} HTTP/1.1", request.method, request.target)];
        let standard = [("User-Agent", agent), ("Host", &named), ("Accept", "*/*")];
        let given = |name: &str| {
            let mut headers = self.options.headers.iter();
            headers
                .any(|own| own.split(':').next().is_some_and(|own| own.eq_ignore_ascii_case(name)))
        };
        let standard = standard.iter().filter(|(name, _)| !given(name));
        lines.extend(standard.map(|(name, value)| format!("{name}: {value}")));
        lines.extend(self.options.headers.iter().filter(|own| !own.ends_with(':')).cloned());
        if let Some(data) = &self.options.data {
            lines.push(format!("Content-Length: {}", data.len()));
            lines.push("Content-Type: application/x-www-form-urlencoded".to_owned());
        }
        lines.push(String::new());
        lines.iter().flat_map(|line| ["> ", line.as_str(), "\n"]).collect()
    }
}

fn read_url(text: &str) -> Result<Target, Failure> {
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let scheme = url.split("://").next().unwrap_or_default().to_ascii_lowercase();
    let tls = match scheme.as_str() {
        "http" => false,
        "https" => true,
        _ => return Err(Failure::Protocol(scheme)),
    };
    // A fragment stays with the client.
    let plain = url.split('#').next().unwrap_or_default();
    let uri: Uri = plain.parse().map_err(|_| Failure::Malformed)?;
    let host = uri.host().filter(|own| !own.is_empty()).ok_or(Failure::Malformed)?.to_owned();
    let named = uri.authority().and_then(|own| own.as_str().split(host.as_str()).last());
    let port = match named.and_then(|rest| rest.strip_prefix(':')) {
        Some(number) => number.parse().map_err(|_| Failure::Malformed)?,
        None if tls => 443,
        None => 80,
    };
    let path = uri.path_and_query().map_or("/", |own| own.as_str());
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let whole = if uri.path().len() > 1 || url.ends_with('/') { url } else { format!("{url}/") };
    Ok(Target { host, port, path, tls, url: whole })
}
