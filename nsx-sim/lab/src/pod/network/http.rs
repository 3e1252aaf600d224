//! HTTP between a client's tools and the page that the guide's containers serve.

use std::net::SocketAddr;

use time::OffsetDateTime;

use crate::pod::host::Pod;

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
        let reason = if self.status == 405 { "Not Allowed" } else { "OK" };
        format!("HTTP/1.1 {} {reason}", self.status)
    }

    /// A header's value.
    pub(in crate::pod) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The page of `nginxdemos/nginx-hello:plain-text` [G image10]: who answers, when, and to what.
///
/// Its nginx answers any path and method alike; headers as nginx sends them with `expires -1`.
pub(super) fn hello(
    pod: &Pod,
    server: SocketAddr,
    request: &Request,
    now: OffsetDateTime,
) -> Response {
    let body = format!(
        "Server address: {server}\nServer name: {}\nDate: {}\nURI: {}\nRequest ID: {}\n",
        pod.name,
        log_date(now),
        request.target,
        uuid::Uuid::new_v4().simple(),
    );
    let headers = vec![
        ("Server", "nginx/1.18.0".to_owned()),
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
}
