//! The server as kube-rs and plain HTTP see it, on a port of its own.

use super::{Network, Options, Running, start};
use futures_util::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Service};
use kube::api::{
    Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::{Client, Config};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A server without TLS and token, and a client of it.
pub async fn server(options: Options) -> (Running, Client) {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = start(Options { listen, tls: false, token: None, ..options }).await.unwrap();
    let client = Client::try_from(Config::new(running.url.parse().unwrap())).unwrap();
    (running, client)
}

fn plain() -> Options {
    Options { guide: false, network: Network::Plain, ..Options::default() }
}

fn config(name: &str, data: &Value) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": data})).unwrap()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, kube::Error>) -> (u16, String, String) {
    match result {
        Err(kube::Error::Api(status)) => (status.code, status.reason, status.message),
        other => panic!("{other:?} is no refusal"),
    }
}

#[tokio::test]
async fn objects_are_made_read_changed_and_deleted() {
    let (_running, client) = server(plain()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let made = maps.create(&PostParams::default(), &config("a", &json!({"x": "1"}))).await.unwrap();
    assert!(made.metadata.uid.is_some() && made.metadata.resource_version.is_some());
    let again = refusal(maps.create(&PostParams::default(), &config("a", &json!({}))).await);
    assert_eq!(again, (409, "AlreadyExists".into(), "configmaps \"a\" already exists".into()));

    let mut newer = made.clone();
    newer.data.get_or_insert_default().insert("y".into(), "2".into());
    maps.replace("a", &PostParams::default(), &newer).await.unwrap();
    let stale = refusal(maps.replace("a", &PostParams::default(), &newer).await);
    assert_eq!((stale.0, stale.1.as_str()), (409, "Conflict"), "it names an older version");

    maps.delete("a", &DeleteParams::default()).await.unwrap();
    assert_eq!(refusal(maps.get("a").await).2, "configmaps \"a\" not found");
}

#[tokio::test]
async fn a_call_without_the_token_is_refused_and_tls_is_as_the_authority_says() {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = start(Options { listen, ..plain() }).await.unwrap();
    let mut config = Config::new(running.url.parse().unwrap());
    let pem = running.ca_pem.lines().filter(|l| !l.starts_with("---")).collect::<String>();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, pem).unwrap();
    config.root_cert = Some(vec![der]);
    let stranger: Api<Namespace> = Api::all(Client::try_from(config.clone()).unwrap());
    let refused = refusal(stranger.get("default").await);
    assert_eq!((refused.0, refused.1.as_str()), (401, "Unauthorized"));
    config.auth_info.token = Some(running.token.clone().into());
    let known: Api<Namespace> = Api::all(Client::try_from(config).unwrap());
    assert_eq!(known.get("default").await.unwrap().status.unwrap().phase.unwrap(), "Active");
}

#[tokio::test]
async fn lists_come_in_parts_and_by_selector() {
    let (_running, client) = server(plain()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    for n in 0..5 {
        let mut map = config(&format!("m{n}"), &json!({}));
        map.metadata.labels = Some([("odd".to_owned(), (n % 2 == 1).to_string())].into());
        maps.create(&PostParams::default(), &map).await.unwrap();
    }
    let first = maps.list(&ListParams::default().limit(3)).await.unwrap();
    let token = first.metadata.continue_.unwrap();
    let rest = maps.list(&ListParams::default().limit(3).continue_token(&token)).await.unwrap();
    let names = |list: &[ConfigMap]| {
        list.iter().map(|m| m.metadata.name.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(&first.items), ["m0", "m1", "m2"]);
    assert_eq!(names(&rest.items), ["m3", "m4"]);
    assert_eq!(rest.metadata.continue_, None);
    let odd = maps.list(&ListParams::default().labels("odd=true")).await.unwrap();
    assert_eq!(names(&odd.items), ["m1", "m3"]);
    let one = maps.list(&ListParams::default().fields("metadata.name=m4")).await.unwrap();
    assert_eq!(names(&one.items), ["m4"]);
    let refused = refusal(maps.list(&ListParams::default().fields("data=1")).await);
    assert_eq!(refused.2, "field label not supported: data");
}

#[tokio::test]
async fn a_watch_tells_what_a_selector_sees_come_and_go() {
    let (_running, client) = server(plain()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let version =
        maps.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let labelled = |value: &str| json!({"metadata": {"labels": {"a": value}}});
    maps.create(&PostParams::default(), &config("m", &json!({}))).await.unwrap();
    for patch in [labelled("1"), json!({"data": {"x": "y"}}), labelled("2")] {
        maps.patch("m", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }
    let watch = maps.watch(&WatchParams::default().labels("a=1"), &version).await.unwrap();
    let seen: Vec<_> = watch.take(3).try_collect().await.unwrap();
    let words: Vec<&str> = seen
        .iter()
        .map(|event| match event {
            WatchEvent::Added(_) => "added",
            WatchEvent::Modified(_) => "modified",
            WatchEvent::Deleted(_) => "deleted",
            _ => "other",
        })
        .collect();
    assert_eq!(words, ["added", "modified", "deleted"]);
}

#[tokio::test]
async fn a_watch_from_before_history_is_gone() {
    let (running, client) = server(plain()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    maps.create(&PostParams::default(), &config("m", &json!({}))).await.unwrap();
    for n in 0..33_000 {
        let change = |map: &mut Value| {
            map["data"] = json!({"n": n.to_string()});
            Ok::<_, super::Error>(())
        };
        running.store.update(super::Resource::ConfigMaps, "default", "m", change).unwrap();
    }
    let mut watch = maps.watch(&WatchParams::default(), "2").await.unwrap().boxed();
    match watch.try_next().await.unwrap() {
        Some(WatchEvent::Error(status)) => assert_eq!(status.code, 410),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn unknown_members_are_refused_told_or_dropped_as_the_caller_wants() {
    let (running, _client) = server(plain()).await;
    let url = format!("{}/api/v1/namespaces/default/configmaps", running.url);
    let post = |query: &'static str, name: &'static str| {
        let url = format!("{url}{query}");
        tokio::task::spawn_blocking(move || {
            let body = json!({"metadata": {"name": name}, "dataa": {"x": "y"}});
            let config = ureq::Agent::config_builder().http_status_as_error(false).build();
            let mut answer = config.new_agent().post(&url).send_json(&body).unwrap();
            let warning = answer.headers().get("warning").map(|w| w.to_str().unwrap().to_owned());
            (answer.status().as_u16(), warning, answer.body_mut().read_json::<Value>().unwrap())
        })
    };
    let (code, _, body) = post("?fieldValidation=Strict", "a").await.unwrap();
    assert_eq!(code, 400);
    let told = "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding \
                error: unknown field \"dataa\"";
    assert_eq!(body["message"], told);
    let (code, warning, body) = post("", "b").await.unwrap();
    assert_eq!((code, warning.as_deref()), (201, Some("299 - \"unknown field \\\"dataa\\\"\"")));
    assert!(body.get("dataa").is_none());
    let (code, warning, _) = post("?fieldValidation=Ignore", "c").await.unwrap();
    assert_eq!((code, warning), (201, None));
}

#[tokio::test]
async fn two_appliers_share_an_object_and_conflict_where_both_want_another_value() {
    let (_running, client) = server(plain()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let apply = |data: Value| {
        Patch::Apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"},
                            "data": data}))
    };
    let (one, two) = (PatchParams::apply("one"), PatchParams::apply("two"));
    maps.patch("m", &one, &apply(json!({"a": "1", "b": "1"}))).await.unwrap();
    maps.patch("m", &two, &apply(json!({"c": "2"}))).await.unwrap();
    let refused = refusal(maps.patch("m", &two, &apply(json!({"a": "2", "c": "2"}))).await);
    assert_eq!(refused.0, 409);
    assert_eq!(refused.2, "Apply failed with 1 conflict: conflict with \"one\": .data.a");
    let forced = two.clone().force();
    let map = maps.patch("m", &forced, &apply(json!({"a": "2", "c": "2"}))).await.unwrap();
    assert_eq!(json!(map.data), json!({"a": "2", "b": "1", "c": "2"}));
    let map = maps.patch("m", &one, &apply(json!({}))).await.unwrap();
    assert_eq!(json!(map.data), json!({"a": "2", "c": "2"}), "b was its own and is wanted no more");
}

#[tokio::test]
async fn a_service_keeps_its_address_and_the_guides_get_theirs() {
    let (_running, client) = server(plain()).await;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let x1 = serde_json::from_value(json!({"metadata": {"name": "x1"}})).unwrap();
    namespaces.create(&PostParams::default(), &x1).await.unwrap();
    let services: Api<Service> = Api::namespaced(client, "x1");
    let service = |name: &str, kind: &str| -> Service {
        serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"type": kind,
            "selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": 8080}]}}))
        .unwrap()
    };
    let made = services
        .create(&PostParams::default(), &service("service-a-lb", "LoadBalancer"))
        .await
        .unwrap();
    let spec = made.spec.unwrap();
    assert_eq!(spec.cluster_ip.as_deref(), Some("10.100.200.49"));
    assert_eq!(spec.ports.unwrap()[0].node_port, Some(32_650));
    let other =
        services.create(&PostParams::default(), &service("other", "NodePort")).await.unwrap();
    let address = other.spec.clone().unwrap().cluster_ip.unwrap();
    assert!(address.starts_with("10.100.200.") && address != "10.100.200.49");
    let patch = Patch::Merge(json!({"spec": {"clusterIP": "10.100.200.77"}}));
    let refused = refusal(services.patch("other", &PatchParams::default(), &patch).await);
    assert_eq!((refused.0, refused.1.as_str()), (422, "Invalid"));
}

#[tokio::test]
async fn what_does_not_fit_its_kind_is_refused_with_its_path() {
    let (_running, client) = server(plain()).await;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "default");
    let deployment = serde_json::from_value(json!({"metadata": {"name": "d"}, "spec": {
        "selector": {"matchLabels": {"app": "a"}},
        "template": {"metadata": {"labels": {"app": "b"}}, "spec": {"containers": []}}}}))
    .unwrap();
    let (code, _, message) = refusal(deployments.create(&PostParams::default(), &deployment).await);
    assert_eq!(code, 422);
    assert!(message.contains("spec.template.metadata.labels: Invalid value"), "{message}");
    assert!(message.contains("spec.template.spec.containers: Required value"), "{message}");
    let pods: Api<Pod> = Api::namespaced(client, "nowhere");
    let pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": {"containers": [
        {"name": "a", "image": "b"}]}}))
    .unwrap();
    let refused = refusal(pods.create(&PostParams::default(), &pod).await);
    assert_eq!(refused.2, "namespaces \"nowhere\" not found");
}

#[tokio::test]
async fn whoever_has_the_token_may_do_all_and_what_is_missing_is_named() {
    use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
    use k8s_openapi::api::batch::v1::Job;
    let (_running, client) = server(plain()).await;
    let asked = serde_json::from_value(json!({"spec": {"resourceAttributes":
        {"verb": "create", "resource": "pods", "namespace": "default"}}}))
    .unwrap();
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let told = reviews.create(&PostParams::default(), &asked).await.unwrap();
    assert!(told.status.unwrap().allowed);
    let jobs: Api<Job> = Api::namespaced(client, "default");
    let (code, reason, message) = refusal(jobs.get("a").await);
    assert_eq!((code, reason.as_str()), (404, "NotFound"));
    assert!(message.contains("/apis/batch/v1/namespaces/default/jobs/a"), "{message}");
}

#[tokio::test]
async fn the_cluster_says_that_it_is_the_release_that_it_is_told() {
    let (_running, client) = server(Options { version: "v1.31.4".into(), ..plain() }).await;
    let told = client.apiserver_version().await.unwrap();
    assert_eq!((told.git_version.as_str(), told.minor.as_str()), ("v1.31.4", "31"));
    let nodes: Api<k8s_openapi::api::core::v1::Node> = Api::all(client);
    for node in nodes.list(&ListParams::default()).await.unwrap() {
        assert_eq!(node.status.unwrap().node_info.unwrap().kubelet_version, "v1.31.4");
    }
}

#[tokio::test]
async fn a_log_that_is_followed_lasts_as_long_as_its_container() {
    use futures_util::AsyncBufReadExt as _;
    let (_running, client) = server(plain()).await;
    let pods: Api<Pod> = Api::namespaced(client, "default");
    let web = serde_json::from_value(json!({"metadata": {"name": "web"},
        "spec": {"containers": [{"name": "web", "image": "nginx"}]}}))
    .unwrap();
    pods.create(&PostParams::default(), &web).await.unwrap();
    kube::runtime::wait::await_condition(
        pods.clone(),
        "web",
        kube::runtime::wait::conditions::is_pod_running(),
    )
    .await
    .unwrap();
    let follow = kube::api::LogParams { follow: true, ..Default::default() };
    let mut lines = pods.log_stream("web", &follow).await.unwrap().lines();
    let first = lines.next().await.unwrap().unwrap();
    assert!(first.contains("epoll"), "{first}");
    pods.delete("web", &DeleteParams::default()).await.unwrap();
    let rest: Vec<_> = lines.collect().await;
    assert!(rest.iter().all(Result::is_ok));
}
