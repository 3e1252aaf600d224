//! Who judges: a manager somewhere, or a world in this process.

use super::input::{Item, Kind};
use crate::http::replay::{Judge, Told};
use crate::http::{Api, WorldDocument};
use crate::world::{Settings, World};
use anyhow::{Context, anyhow};
use base64::{Engine, prelude::BASE64_STANDARD};
use dataplane::Transport;
use nsx_client::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The administrator of a world in this process.
const ADMIN: &str = "admin";

/// Who judges.
pub(super) enum Manager {
    /// A manager, called over HTTP.
    Remote { client: Client, port: Option<String>, connections: bool },
    /// A world of this process.
    Local { api: Box<Api>, judge: Judge },
}

/// What a manager answers.
#[derive(Deserialize)]
struct Results {
    results: Vec<Told>,
}

impl Manager {
    pub(super) fn remote(client: Client, port: Option<String>, kind: Kind) -> Self {
        Self::Remote { client, port, connections: kind == Kind::Capture }
    }

    /// Makes a world from a document.
    pub(super) fn local(
        document: &WorldDocument,
        port: Option<&str>,
        kind: Kind,
    ) -> anyhow::Result<Self> {
        let settings = Settings { topology: document.topology.clone(), ..Settings::default() };
        let world = World::new(settings).map_err(|error| anyhow!("{error}"))?;
        let api = Api::new(Arc::new(world));
        document.load(&api, ADMIN).context("world")?;
        let judge = Judge::new(api.world(), port, kind == Kind::Capture);
        let judge = judge.map_err(|error| anyhow!("--port {error}"))?;
        Ok(Self::Local { api: Box::new(api), judge })
    }

    /// What becomes of each item.
    pub(super) fn judge(&self, items: &[Item]) -> anyhow::Result<Vec<Told>> {
        let frames = items.iter().filter_map(|item| Some((item.at, item.frame.as_ref().ok()?)));
        let judged = match self {
            Self::Local { api, judge } => judge.judge(api.world(), frames),
            Self::Remote { client, port, connections } => {
                let readable = items.iter().filter(|item| item.frame.is_ok());
                let packets: Vec<Value> = readable.map(printed).collect();
                let sent = packets.len();
                let body = json!({"port": port, "connections": connections, "packets": packets});
                let answer = client.post("/sim/v1/replay", &body)?;
                let Results { results } = serde_json::from_value(answer)
                    .context("the manager's answer is not that of a simulator of this version")?;
                if results.len() != sent {
                    return Err(anyhow!("{} verdicts came for {sent} packets", results.len()));
                }
                results
            }
        };
        let mut judged = judged.into_iter();
        let told = items.iter().filter_map(|item| match &item.frame {
            Ok(_) => judged.next(),
            Err(error) => Some(Told::unreadable(*error)),
        });
        Ok(told.collect())
    }

    /// The name of a rule; nothing if it is gone or has none.
    pub(super) fn rule_name(&self, id: u64) -> Option<String> {
        self.name(&format!("/firewall/rules/{id}"))
    }

    /// The name of a logical port.
    pub(super) fn port_name(&self, id: &str) -> Option<String> {
        self.name(&format!("/logical-ports/{id}"))
    }

    fn name(&self, path: &str) -> Option<String> {
        let object = match self {
            Self::Local { api, .. } => api.read(ADMIN, path)?,
            Self::Remote { client, .. } => client.get(path).ok()?,
        };
        // A rule of a search comes in a list.
        let object = object.get("results").and_then(|list| list.get(0)).unwrap_or(&object);
        object.get("display_name").and_then(Value::as_str).map(str::to_owned)
    }
}

/// A packet as the manager reads it.
fn printed(item: &Item) -> Value {
    let packet = item.frame.as_ref().ok().map(|frame| frame.packet);
    if let Some((link, bytes)) = &item.bytes {
        let length = packet.map(|packet| packet.length);
        return json!({"frame": BASE64_STANDARD.encode(bytes), "link": link, "length": length});
    }
    let Some(ip) = packet.and_then(|packet| packet.ip) else { return Value::Null };
    let (src_port, dst_port) = match ip.transport {
        Transport::Tcp { src_port, dst_port, .. } | Transport::Udp { src_port, dst_port } => {
            (Some(src_port), Some(dst_port))
        }
        Transport::Icmp { .. } | Transport::Other(_) => (None, None),
    };
    json!({
        "src": ip.src,
        "dst": ip.dst,
        "protocol": ip.transport.protocol(ip.family()),
        "src_port": src_port,
        "dst_port": dst_port,
    })
}
