//! Events: what controllers tell of an object.

use super::columns::{self, text, wide};
use super::{Rules, number, text as member, typed};
use k8s_openapi::api::core::v1::Event;
use serde_json::Value;

pub(crate) const RULES: Rules = Rules {
    typed: typed::<Event>,
    fields: |object| {
        let of = |path: &'static str, pointer: &str| (path, member(object, pointer).to_owned());
        vec![
            of("involvedObject.kind", "/involvedObject/kind"),
            of("involvedObject.namespace", "/involvedObject/namespace"),
            of("involvedObject.name", "/involvedObject/name"),
            of("involvedObject.uid", "/involvedObject/uid"),
            of("involvedObject.apiVersion", "/involvedObject/apiVersion"),
            of("involvedObject.resourceVersion", "/involvedObject/resourceVersion"),
            of("involvedObject.fieldPath", "/involvedObject/fieldPath"),
            of("reason", "/reason"),
            of("reportingComponent", "/reportingComponent"),
            of("source", "/source/component"),
            of("type", "/type"),
        ]
    },
    columns: &[
        text("Last Seen"),
        text("Type"),
        text("Reason"),
        text("Object"),
        wide("Subobject"),
        wide("Source"),
        text("Message"),
        wide("First Seen"),
        wide("Count"),
        wide("Name"),
    ],
    cells,
    ..Rules::PLAIN
};

fn cells(object: &Value) -> Vec<Value> {
    let kind = member(object, "/involvedObject/kind").to_lowercase();
    let name = member(object, "/involvedObject/name");
    let (component, host) = (member(object, "/source/component"), member(object, "/source/host"));
    let source = match host {
        "" => component.to_owned(),
        host => format!("{component}, {host}"),
    };
    vec![
        columns::since(member(object, "/lastTimestamp")).into(),
        object["type"].clone(),
        object["reason"].clone(),
        format!("{kind}/{name}").into(),
        member(object, "/involvedObject/fieldPath").into(),
        source.into(),
        member(object, "/message").trim().into(),
        columns::since(member(object, "/firstTimestamp")).into(),
        number(object, "/count").to_string().into(),
        columns::name(object),
    ]
}
