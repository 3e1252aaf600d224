//! The guide's micro.yaml: four deployments with two containers each, and their services.

/// What step 6 applies. It says what the guide's file says, in the same order.
pub const MANIFEST: &str = include_str!("micro.yaml");

/// The services, in the order in which the guide names them, with their namespaces.
pub(super) const SERVICES: [(&str, &str); 4] =
    [("service-a", "x1"), ("service-b", "y1"), ("service-c", "z1"), ("service-d", "z1")];

/// The namespaces of the services.
pub(super) const NAMESPACES: [&str; 3] = ["x1", "y1", "z1"];

/// Where a service lives.
pub(super) fn namespace(service: &str) -> &'static str {
    let home = SERVICES.iter().find(|(name, _)| *name == service);
    home.map_or("default", |(_, namespace)| namespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_manifest_has_a_deployment_and_a_service_for_each_in_the_guides_order() {
        let documents: Vec<Value> = serde_saphyr::from_multiple(MANIFEST).unwrap();
        let told: Vec<String> = documents
            .iter()
            .map(|own| {
                let text = |path: &str| own.pointer(path).unwrap().as_str().unwrap().to_owned();
                [text("/kind"), text("/metadata/namespace"), text("/metadata/name")].join(" ")
            })
            .collect();
        let wanted: Vec<String> = SERVICES
            .iter()
            .flat_map(|(name, home)| {
                [format!("Deployment {home} {name}"), format!("Service {home} svc-{name}")]
            })
            .collect();
        assert_eq!(told, wanted);
    }
}
