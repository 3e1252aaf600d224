//! NCP ends and starts again.

use super::{Lab, until};
use kube::api::DeleteParams;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_changes_nothing() {
    let lab = Lab::start().await;
    let ncp = lab.ncp().await;
    lab.deploy_guide().await;
    for (namespace, service) in [("x1", "service-a"), ("z1", "service-d")] {
        lab.running(namespace, service).await;
    }
    until(|| ncp.is_idle().then_some(())).await;
    ncp.stop().await;
    let before = lab.made();
    let _ncp = lab.ncp().await;
    assert_eq!(lab.made(), before);
}

/// Names, and addresses where those are no chance.
fn outline(lab: &Lab) -> Vec<String> {
    let mut all = Vec::new();
    for path in ["/logical-switches", "/logical-ports", "/logical-router-ports", "/pools/ip-pools"]
    {
        for own in lab.list(path) {
            let usage = &own["pool_usage"]["allocated_ids"];
            let address = &own["address_bindings"][0]["ip_address"];
            all.push(format!("{path} {} {address} {usage}", own["display_name"]));
        }
    }
    for own in lab.list("/pools/ip-subnets") {
        all.push(format!("subnet {} {}", own["display_name"], own["cidr"]));
    }
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_it_makes_what_is_missing_and_nothing_twice() {
    let undisturbed = Lab::start().await;
    let ncp = undisturbed.ncp().await;
    undisturbed.deploy_guide().await;
    let services =
        [("x1", "service-a"), ("y1", "service-b"), ("z1", "service-c"), ("z1", "service-d")];
    for (namespace, service) in services {
        undisturbed.running(namespace, service).await;
    }
    until(|| ncp.is_idle().then_some(())).await;
    let expected = outline(&undisturbed);

    let lab = Lab::start().await;
    lab.deploy_guide().await;
    // Each run is killed as soon as the manager has a few objects more than at its start.
    for _ in 0..8 {
        let count = || {
            let ports = lab.list("/logical-ports").len();
            ports + lab.list("/pools/ip-subnets").len() + lab.list("/logical-switches").len()
        };
        let before = tokio::task::block_in_place(count);
        let config = lab::ncp::Config::default();
        let started = lab::ncp::start(config, lab.kube.clone(), lab.principal.clone()).await;
        let ncp = started.expect("NCP starts");
        until(|| (count() > before + 2 || ncp.is_idle()).then_some(())).await;
        ncp.stop().await;
    }
    let ncp = lab.ncp().await;
    for (namespace, service) in services {
        lab.running(namespace, service).await;
    }
    until(|| ncp.is_idle().then_some(())).await;
    assert_eq!(outline(&lab), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_while_it_was_away_is_taken_away() {
    let lab = Lab::start().await;
    let ncp = lab.ncp().await;
    let before = outline(&lab);
    lab.deploy("x1", "service-a").await;
    lab.running("x1", "service-a").await;
    until(|| ncp.is_idle().then_some(())).await;
    ncp.stop().await;
    lab.namespaces().delete("x1", &DeleteParams::default()).await.expect("is deleted");
    let _ncp = lab.ncp().await;
    until(|| (outline(&lab) == before).then_some(())).await;
}
