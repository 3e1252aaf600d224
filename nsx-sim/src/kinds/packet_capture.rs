//! Packet captures [spec PacketCaptureSession]: what was asked for, and how far it came. No packet is
//! captured, so no file is written (docs/fidelity.md).

use super::values::Formed;
use crate::clock::Millis;
use crate::inventory::{
    Error, Header, Incoming, Inventory, Kind, Object, Resource, Transaction, Verbs,
};
use crate::wire::{self, Fields, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;

/// The declaration; its paths are in `http::packet_capture`.
pub static KIND: Kind = Kind {
    verbs: Verbs::NONE,
    ..Kind::of::<PacketCaptureSession>("PacketCaptureSession", "/pktcap/sessions")
};

/// One capture.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketCaptureSession {
    request: Request,
    #[serde(skip)]
    started: Millis,
    /// When it was stopped by hand.
    #[serde(skip)]
    stopped: Option<Millis>,
}

/// What is to be captured, where and for how long [spec PacketCaptureRequest].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    capsource: Source,
    cappoint: Point,
    capvalue: Option<String>,
    node: Option<String>,
    node_ip: Option<Formed<IpAddr>>,
    direction: Option<Direction>,
    filtertype: Option<FilterType>,
    capmode: Option<Mode>,
    /// Seconds.
    capduration: Option<i32>,
    capamount: Option<i32>,
    capfilesize: Option<i32>,
    caprate: Option<i32>,
    capsnaplen: Option<i32>,
    capcore: Option<i32>,
    streamaddress: Option<String>,
    streamport: Option<i32>,
    options: Option<Options>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    values: Option<Vec<CaptureOption>>,
    #[serde(default)]
    cursor: Told<String>,
    #[serde(default)]
    result_count: Told<i64>,
    #[serde(default)]
    sort_ascending: Told<bool>,
    #[serde(default)]
    sort_by: Told<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CaptureOption {
    name: Option<OptionName>,
    value: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum OptionName {
    Ethtype,
    Mac,
    Srcmac,
    Dstmac,
    Vlan,
    Ip,
    Srcip,
    Dstip,
    Ipproto,
    Port,
    Srcport,
    Dstport,
    Vni,
    Ipproto6,
    Ip6,
    Srcip6,
    Dstip6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Source {
    Cli,
    Ui,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Point {
    Vnic,
    Vmknic,
    Vmnic,
    Vdrport,
    Dvfilter,
    Logicalport,
    Fcport,
    Vif,
    Pnic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Direction {
    Input,
    Output,
    Dual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum FilterType {
    Pre,
    Post,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Mode {
    Standalone,
    Stream,
}

impl PacketCaptureSession {
    /// When it ends, or ended: by hand, or when its duration is over; none where nothing ends it.
    fn ends(&self) -> Option<Millis> {
        let duration = self.request.capduration.and_then(|own| Millis::try_from(own).ok());
        let over = duration.map(|seconds| self.started.saturating_add(seconds * 1000));
        match (self.stopped, over) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Whether it is over at a time.
    pub fn is_over(&self, now: Millis) -> bool {
        self.ends().is_some_and(|end| end <= now)
    }

    /// The wire form at a time.
    pub fn at(&self, header: &Header, now: Millis) -> Fields {
        let end = self.ends().filter(|end| *end <= now);
        let status = match (end, self.stopped) {
            (None, _) => "STARTED",
            (Some(end), Some(stopped)) if stopped <= end => "STOPPED",
            _ => "FINISHED",
        };
        let mut printed = json!({
            "sessionid": header.id,
            "sessionname": header.name(),
            "request": self.request,
            "sessionstatus": status,
            "starttime": self.started,
            "endtime": end,
        });
        wire::without_nulls(&mut printed);
        match printed {
            Value::Object(fields) => fields,
            _ => Fields::new(),
        }
    }
}

impl Resource for PacketCaptureSession {
    fn fields(&self, header: &Header, _: &Inventory) -> Fields {
        self.at(header, self.started)
    }
}

/// Starts a capture.
///
/// # Errors
/// [`Error::InvalidFields`] and [`Error::UnknownField`] for a request that does not read.
pub fn start(tx: &mut Transaction<'_>, request: Fields) -> Result<Arc<Object>, Error> {
    let request: Request = wire::read(Value::Object(request))?;
    let mut fields = Fields::new();
    fields.insert("request".into(), json!(request));
    let mut incoming = Incoming::read(&KIND, fields)?;
    incoming.body = Box::new(PacketCaptureSession { request, started: tx.now(), stopped: None });
    tx.create(&KIND, incoming)
}

/// Stops a capture; one that is over stays as it is.
///
/// # Errors
/// [`Error::NotFound`].
pub fn stop(tx: &mut Transaction<'_>, id: &str) -> Result<Arc<Object>, Error> {
    let now = tx.now();
    tx.edit(&KIND, id, |own: &mut PacketCaptureSession, _| {
        if !own.is_over(now) {
            own.stopped = Some(now);
        }
        Ok(())
    })
}

/// Starts a capture anew.
///
/// # Errors
/// [`Error::NotFound`].
pub fn restart(tx: &mut Transaction<'_>, id: &str) -> Result<Arc<Object>, Error> {
    let now = tx.now();
    tx.edit(&KIND, id, |own: &mut PacketCaptureSession, _| {
        (own.started, own.stopped) = (now, None);
        Ok(())
    })
}

/// Forgets a capture that is over.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::NotModifiable`] while it runs
/// [spec DeletePacketCaptureSession].
pub fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), Error> {
    let object = tx.get(&KIND, id)?;
    let now = tx.now();
    if object.body::<PacketCaptureSession>().is_some_and(|own| !own.is_over(now)) {
        let why = "a capture that runs must be terminated first";
        return Err(Error::NotModifiable { kind: KIND.name, id: id.to_owned(), why });
    }
    tx.delete(&KIND, id, &crate::inventory::Query::default())
}
