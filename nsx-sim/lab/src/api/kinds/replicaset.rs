//! Replica sets.

use super::super::error::{Cause, Error};
use super::super::resource::Resource;
use super::columns::{self, integer, text, wide};
use super::{Admission, Rules, fill, list, number, template, typed};
use super::{labels, split_status};
use k8s_openapi::api::apps::v1::ReplicaSet;
use serde_json::{Value, json};

pub(crate) const RULES: Rules = Rules {
    typed: typed::<ReplicaSet>,
    fields: |object| vec![("status.replicas", number(object, "/status/replicas").to_string())],
    default,
    admit: |admission, object| {
        split_status(admission, object);
        check(Resource::ReplicaSets, admission, object)
    },
    columns: &[
        text("Name"),
        integer("Desired"),
        integer("Current"),
        integer("Ready"),
        text("Age"),
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |object| {
        let mut cells = vec![
            columns::name(object),
            number(object, "/spec/replicas").into(),
            number(object, "/status/replicas").into(),
            number(object, "/status/readyReplicas").into(),
            columns::age(object),
        ];
        cells.extend(template_cells(object));
        cells
    },
    ..Rules::PLAIN
};

/// The wide columns of what makes pods.
pub(super) fn template_cells(object: &Value) -> [Value; 3] {
    let containers = list(object, "/spec/template/spec/containers");
    [
        columns::joined(containers, "name"),
        columns::joined(containers, "image"),
        columns::selector(&object["spec"]["selector"]),
    ]
}

fn default(object: &mut Value) {
    fill(object, "spec", json!({}));
    let spec = &mut object["spec"];
    fill(spec, "replicas", 1);
    if spec["template"]["spec"].is_object() {
        template::default(&mut spec["template"]["spec"]);
    }
    fill(object, "status", json!({"replicas": 0}));
}

/// Checks selector, template and number of what makes pods.
pub(super) fn check(
    resource: Resource,
    admission: &Admission,
    object: &mut Value,
) -> Result<(), Error> {
    let mut causes = Vec::new();
    labels(&object["metadata"], "metadata", &mut causes);
    let spec = &object["spec"];
    if number(spec, "/replicas") < 0 {
        let why = "must be greater than or equal to 0";
        causes.push(Cause::invalid("spec.replicas", &spec["replicas"], why));
    }
    let selector = &spec["selector"];
    let template = &spec["template"];
    labels(&template["metadata"], "spec.template.metadata", &mut causes);
    if super::super::selector::printed(selector).is_empty() {
        causes.push(Cause::required("spec.selector", ""));
    } else if !super::super::selector::selects(selector, &template["metadata"]["labels"]) {
        let why = "`selector` does not match template `labels`";
        let at = "spec.template.metadata.labels";
        causes.push(Cause::invalid(at, &template["metadata"]["labels"], why));
    }
    if let Some(old) = admission.old
        && old["spec"]["selector"] != *selector
    {
        causes.push(Cause::invalid("spec.selector", selector, "field is immutable"));
    }
    template::check(&template["spec"], "spec.template.spec", &mut causes);
    if template["spec"]["restartPolicy"] != "Always" && template["spec"].is_object() {
        let at = "spec.template.spec.restartPolicy";
        causes.push(Cause::unsupported(at, &template["spec"]["restartPolicy"], &["Always"]));
    }
    let name = super::text(object, "/metadata/name");
    if causes.is_empty() { Ok(()) } else { Err(Error::invalid(resource, name, &causes)) }
}
