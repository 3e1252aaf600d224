//! Network policies: kept here, made into firewall sections by NCP.

use super::columns::{self, text};
use super::{Rules, fill, typed};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use serde_json::{Value, json};

pub(crate) const RULES: Rules = Rules {
    typed: typed::<NetworkPolicy>,
    default: |object| {
        fill(object, "spec", json!({}));
        fill(&mut object["spec"], "podSelector", json!({}));
        let egress = !object["spec"]["egress"].is_null();
        let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
        fill(&mut object["spec"], "policyTypes", types);
        for direction in ["ingress", "egress"] {
            for rule in members(&mut object["spec"][direction]) {
                members(&mut rule["ports"]).for_each(|port| fill(port, "protocol", "TCP"));
            }
        }
    },
    columns: &[text("Name"), text("Pod-Selector"), text("Age")],
    cells: |object| {
        vec![
            columns::name(object),
            columns::selector(&object["spec"]["podSelector"]),
            columns::age(object),
        ]
    },
    ..Rules::PLAIN
};

fn members(list: &mut Value) -> impl Iterator<Item = &mut Value> {
    list.as_array_mut().into_iter().flatten()
}
