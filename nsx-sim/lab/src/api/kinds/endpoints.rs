//! Endpoints and endpoint slices: which pods a service reaches.

use super::columns::{self, text};
use super::{Rules, list, text as member, typed};
use k8s_openapi::api::core::v1::Endpoints;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde_json::Value;

/// How many a table names before it only counts.
const SHOWN: usize = 3;

pub(crate) const RULES: Rules = Rules {
    typed: typed::<Endpoints>,
    columns: &[text("Name"), text("Endpoints"), text("Age")],
    cells: |object| vec![columns::name(object), addresses(object), columns::age(object)],
    ..Rules::PLAIN
};

pub(crate) const SLICE: Rules = Rules {
    typed: typed::<EndpointSlice>,
    columns: &[text("Name"), text("AddressType"), text("Ports"), text("Endpoints"), text("Age")],
    cells: |object| {
        let ports = list(object, "/ports").iter().map(|p| p["port"].to_string());
        let ends = list(object, "/endpoints").iter().flat_map(|e| list(e, "/addresses"));
        let ends = ends.map(|a| a.as_str().unwrap_or_default().to_owned());
        vec![
            columns::name(object),
            member(object, "/addressType").into(),
            shortened(&ports.collect::<Vec<_>>(), "<unset>"),
            shortened(&ends.collect::<Vec<_>>(), "<unset>"),
            columns::age(object),
        ]
    },
    ..Rules::PLAIN
};

fn addresses(object: &Value) -> Value {
    let mut all = Vec::new();
    for subset in list(object, "/subsets") {
        let ports = list(subset, "/ports");
        for address in list(subset, "/addresses") {
            let ip = member(address, "/ip");
            match ports {
                [] => all.push(ip.to_owned()),
                ports => all.extend(ports.iter().map(|p| format!("{ip}:{}", p["port"]))),
            }
        }
    }
    shortened(&all, "<none>")
}

fn shortened(all: &[String], none: &str) -> Value {
    match all.len() {
        0 => none.into(),
        n if n > SHOWN => format!("{} + {} more...", all[..SHOWN].join(","), n - SHOWN).into(),
        _ => all.join(",").into(),
    }
}
