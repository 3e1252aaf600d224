//! HTTP between a client's tools and the page that the guide's containers serve.

use std::net::SocketAddr;

use time::OffsetDateTime;

use crate::pod::host::Pod;
use crate::pod::image::Web;

/// How nginx names itself.
const NGINX: &str = "nginx/1.18.0";

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pod) struct Request {
    /// Its method.
    pub(in crate::pod) method: String,
    /// Path and query.
    pub(in crate::pod) target: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pod) struct Response {
    /// Its status.
    pub(in crate::pod) status: u16,
    /// Its headers, in order.
    pub(in crate::pod) headers: Vec<(&'static str, String)>,
    /// Its body; empty if only headers were asked for.
    pub(in crate::pod) body: String,
}

impl Response {
    /// The status line.
    pub(in crate::pod) fn status_line(&self) -> String {
        let reason = match self.status {
            404 => "Not Found",
            405 => "Not Allowed",
            _ => "OK",
        };
        format!("HTTP/1.1 {} {reason}", self.status)
    }

    /// A header's value.
    pub(in crate::pod) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What a server answers; one that nothing is known of says 404 to all.
pub(super) fn answer(
    web: Web,
    pod: &Pod,
    server: SocketAddr,
    request: &Request,
    now: OffsetDateTime,
) -> Response {
    let path = request.target.split('?').next().unwrap_or_default();
    match web {
        Web::Hello => hello(pod, server, request, now),
        Web::Nginx => {
            let (status, title) = match path {
                "/" | "/index.html" => (200, "Welcome to nginx!"),
                _ => (404, "404 Not Found"),
            };
            let head = format!("<html>\n<head><title>{title}</title></head>\n");
            let body = format!("{head}<body>\n<h1>{title}</h1>\n</body>\n</html>\n");
            let kind = ("Content-Type", "text/html".to_owned());
            plain(status, body, vec![("Server", NGINX.to_owned()), kind], request, now)
        }
        Web::Asked | Web::Unknown => {
            let mut asked = pod.containers.iter().flat_map(|own| &own.asked);
            let found = asked.any(|(port, own)| *port == server.port() && *own == request.target);
            let status = if found { 200 } else { 404 };
            plain(status, String::new(), Vec::new(), request, now)
        }
    }
}

/// An answer with the headers that all have.
fn plain(
    status: u16,
    body: String,
    mut headers: Vec<(&'static str, String)>,
    request: &Request,
    now: OffsetDateTime,
) -> Response {
    headers.push(("Date", http_date(now)));
    headers.push(("Content-Length", body.len().to_string()));
    headers.push(("Connection", "keep-alive".to_owned()));
    let body = if request.method == "HEAD" { String::new() } else { body };
    Response { status, headers, body }
}

/// The page of `nginxdemos/nginx-hello:plain-text` [G image10]: who answers, when, and to what.
///
/// Its nginx answers any path and method alike; headers as nginx sends them with `expires -1`.
fn hello(pod: &Pod, server: SocketAddr, request: &Request, now: OffsetDateTime) -> Response {
    let body = format!(
        "Server address: {server}\nServer name: {}\nDate: {}\nURI: {}\nRequest ID: {}\n",
        pod.name,
        log_date(now),
        request.target,
        uuid::Uuid::new_v4().simple(),
    );
    let headers = vec![
        ("Server", NGINX.to_owned()),
        ("Date", http_date(now)),
        ("Content-Type", "text/plain".to_owned()),
        ("Content-Length", body.len().to_string()),
        ("Connection", "keep-alive".to_owned()),
        ("Expires", http_date(now - time::Duration::SECOND)),
        ("Cache-Control", "no-cache".to_owned()),
    ];
    let body = if request.method == "HEAD" { String::new() } else { body };
    Response { status: 200, headers, body }
}

/// `18/May/2020:21:15:11 +0000`.
fn log_date(at: OffsetDateTime) -> String {
    format!(
        "{:02}/{}/{}:{:02}:{:02}:{:02} +0000",
        at.day(),
        short(&at.month()),
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// `Mon, 18 May 2020 21:15:11 GMT`.
fn http_date(at: OffsetDateTime) -> String {
    format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
        short(&at.weekday()),
        at.day(),
        short(&at.month()),
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// The first three letters of a day's or month's English name.
pub(in crate::pod) fn short(name: &impl ToString) -> String {
    name.to_string().chars().take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::host::Container;

    #[test]
    fn the_page_is_the_guides() {
        let pod = Pod { name: "service-a-84965f57cc-nhbrx".to_owned(), ..Pod::default() };
        let now = OffsetDateTime::from_unix_timestamp(1_589_836_511).unwrap();
        let mut request = Request { method: "GET".to_owned(), target: "/".to_owned() };
        let server = "172.15.23.3:8080".parse().unwrap();
        let page = hello(&pod, server, &request, now);
        let (told, id) = page.body.trim_end().rsplit_once(": ").unwrap();
        assert_eq!(
            told,
            "Server address: 172.15.23.3:8080\nServer name: service-a-84965f57cc-nhbrx\n\
             Date: 18/May/2020:21:15:11 +0000\nURI: /\nRequest ID"
        );
        assert_eq!(id.len(), 32);
        assert_eq!(page.header("date"), Some("Mon, 18 May 2020 21:15:11 GMT"));
        assert_eq!(page.header("expires"), Some("Mon, 18 May 2020 21:15:10 GMT"));
        assert_eq!(page.header("content-length"), Some(page.body.len().to_string().as_str()));
        request.method = "HEAD".to_owned();
        assert_eq!(hello(&pod, server, &request, now).body, "");
    }

    #[test]
    fn nginx_has_one_page_and_an_unknown_server_what_its_probes_ask_for() {
        let asked = vec![(9000, "/ready?full".to_owned())];
        let container = Container { asked, ..Container::default() };
        let pod = Pod { containers: vec![container], ..Pod::default() };
        let now = OffsetDateTime::UNIX_EPOCH;
        let status = |web, port, target: &str| {
            let request = Request { method: "GET".to_owned(), target: target.to_owned() };
            let server = SocketAddr::from(([10, 0, 0, 1], port));
            answer(web, &pod, server, &request, now).status_line()
        };
        assert_eq!(status(Web::Nginx, 80, "/?a=1"), "HTTP/1.1 200 OK");
        assert_eq!(status(Web::Nginx, 80, "/other"), "HTTP/1.1 404 Not Found");
        assert_eq!(status(Web::Asked, 9000, "/ready?full"), "HTTP/1.1 200 OK");
        assert_eq!(status(Web::Asked, 9000, "/"), "HTTP/1.1 404 Not Found");
    }
}
