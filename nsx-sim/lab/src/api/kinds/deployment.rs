//! Deployments.

use super::super::resource::Resource;
use super::columns::{self, integer, text, wide};
use super::replicaset::{check, template_cells};
use super::{Rules, fill, number, split_status, template, typed};
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};

pub(crate) const RULES: Rules = Rules {
    typed: typed::<Deployment>,
    default,
    admit: |admission, object| {
        split_status(admission, object);
        check(Resource::Deployments, admission, object)
    },
    columns: &[
        text("Name"),
        text("Ready"),
        integer("Up-to-date"),
        integer("Available"),
        text("Age"),
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |object| {
        let ready = number(object, "/status/readyReplicas");
        let mut cells = vec![
            columns::name(object),
            format!("{ready}/{}", number(object, "/spec/replicas")).into(),
            number(object, "/status/updatedReplicas").into(),
            number(object, "/status/availableReplicas").into(),
            columns::age(object),
        ];
        cells.extend(template_cells(object));
        cells
    },
    ..Rules::PLAIN
};

fn default(object: &mut Value) {
    fill(object, "spec", json!({}));
    let spec = &mut object["spec"];
    fill(spec, "replicas", 1);
    fill(spec, "revisionHistoryLimit", 10);
    fill(spec, "progressDeadlineSeconds", 600);
    fill(spec, "strategy", json!({}));
    fill(&mut spec["strategy"], "type", "RollingUpdate");
    if spec["strategy"]["type"] == "RollingUpdate" {
        let strategy = &mut spec["strategy"];
        fill(strategy, "rollingUpdate", json!({}));
        fill(&mut strategy["rollingUpdate"], "maxUnavailable", "25%");
        fill(&mut strategy["rollingUpdate"], "maxSurge", "25%");
    }
    if spec["template"]["spec"].is_object() {
        template::default(&mut spec["template"]["spec"]);
    }
    fill(object, "status", json!({}));
}
