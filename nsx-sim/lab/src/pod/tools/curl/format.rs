//! The format of `-w`.

use std::net::IpAddr;
use std::time::Duration;

use super::Report;

/// What `-w` writes.
pub(super) fn written(format: &str, report: &Report) -> String {
    let local = report.connection.as_ref().map(|own| own.local);
    let response = report.response.as_ref();
    let address = report.address.filter(|_| report.connection.is_some());
    let number = |port: Option<u16>| port.unwrap_or_default().to_string();
    let text = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
    let time = |time: Duration| format!("{:.3}", time.as_secs_f64());
    let value = |name: &str| {
        Some(match name {
            "http_code" | "response_code" => {
                format!("{:03}", response.map_or(0, |response| response.status))
            }
            "time_namelookup" => time(report.lookup),
            "time_connect" | "time_pretransfer" => time(report.connect),
            "time_starttransfer" => {
                time(if response.is_some() { report.total } else { Duration::ZERO })
            }
            "time_total" => time(report.total),
            "remote_ip" => text(address.map(|own| own.ip())),
            "remote_port" => number(address.map(|own| own.port())),
            "local_ip" => text(local.map(|own| own.ip())),
            "local_port" => number(local.map(|own| own.port())),
            "num_connects" => u8::from(local.is_some()).to_string(),
            "num_redirects" => "0".to_owned(),
            "size_download" => response.map_or(0, |own| own.body.len()).to_string(),
            "content_type" => {
                response.and_then(|own| own.header("content-type")).unwrap_or_default().to_owned()
            }
            "url_effective" => report.url.clone(),
            _ => return None,
        })
    };
    let mut written = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['%', '\\']) {
        let (before, from) = rest.split_at(at);
        written += before;
        let named = from.strip_prefix("%{").and_then(|own| own.split_once('}'));
        rest = if let Some((name, after)) = named {
            // What is not known is written as nothing, as curl does.
            written += &value(name).unwrap_or_default();
            after
        } else {
            let mut pair = from.chars();
            let (sign, next) = (pair.next(), pair.next());
            match (sign, next) {
                (Some('%'), Some('%')) => written.push('%'),
                (Some('\\'), Some('n')) => written.push('\n'),
                (Some('\\'), Some('r')) => written.push('\r'),
                (Some('\\'), Some('t')) => written.push('\t'),
                (sign, next) => written.extend(sign.into_iter().chain(next)),
            }
            pair.as_str()
        };
    }
    written + rest
}
