use super::super::fake::Fake;
use super::*;
use serde_json::json;

const ACTIVE: &str = "Active";

fn namespaces_of(phase: &str) -> BTreeMap<&'static str, Value> {
    ["/api/v1/namespaces/x1", "/api/v1/namespaces/y1", "/api/v1/namespaces/z1"]
        .map(|path| (path, json!({"status": {"phase": phase}})))
        .into()
}

fn switch(project: &str) -> Value {
    json!({"display_name": format!("{project}-0"),
        "tags": [{"scope": "ncp/project", "tag": project}]})
}

fn group(service: &str) -> Value {
    json!({"id": service, "display_name": format!("nsg-service-{service}")})
}

fn sections(listed: Value) -> Fake {
    let groups = json!([group("a"), group("b"), group("c"), group("d")]);
    let nsx = BTreeMap::from([("/ns-groups", groups), ("/firewall/sections?type=LAYER3", listed)]);
    Fake { nsx, ..Fake::default() }
}

fn section_on(groups: &[&str]) -> Value {
    let applied: Vec<Value> = groups.iter().map(|id| json!({"target_id": id})).collect();
    json!({"id": "s", "display_name": SECTION, "applied_tos": applied})
}

fn is_missing(seen: &Seen, words: &str) -> bool {
    matches!(seen, Seen::Missing(what) if what.contains(words))
}

#[test]
fn a_namespace_is_there_once_its_switch_is() {
    let mut fake = Fake { kube: namespaces_of(ACTIVE), ..Fake::default() };
    assert!(is_missing(&namespaces(&fake).unwrap(), "switch of x1"));
    fake.nsx.insert("/logical-switches", json!([switch("x1"), switch("y1"), switch("z1")]));
    let Seen::Done(told) = namespaces(&fake).unwrap() else { panic!("not done") };
    assert_eq!(told, "three namespaces, and their switches x1-0, y1-0, z1-0");
    fake.kube = namespaces_of("Terminating");
    assert!(is_missing(&namespaces(&fake).unwrap(), "not active"));
}

#[test]
fn the_section_belongs_above_and_not_on_a() {
    let health = json!({"display_name": format!("hc-{}", pins::CLUSTER)});
    let own = section_on(&["b", "c", "d"]);
    let seen = |listed: Value| sectioned(&sections(listed)).unwrap();
    assert!(is_missing(&seen(json!([health])), "no section"));
    assert!(is_missing(&seen(json!([health, own])), "belongs above"));
    let on_a = section_on(&["a", "b", "c", "d"]);
    assert!(is_missing(&seen(json!([on_a, health])), "nobody reaches"));
    assert!(matches!(seen(json!([own, health])), Seen::Done(_)));
}

#[test]
fn deny_all_belongs_below_what_allows() {
    let rule = |(name, source, destination): (&str, &str, &str)| {
        let last = |service: &str| json!([{"target_id": service.trim_start_matches("service-")}]);
        json!({"id": "1", "display_name": name, "action": "ALLOW",
            "sources": last(source), "destinations": last(destination)})
    };
    let mut rules: Vec<Value> = RULES.map(rule).to_vec();
    let deny = json!({"id": "2", "display_name": DENY_ALL, "action": "REJECT"});
    let mut fake = sections(json!([section_on(&["b", "c", "d"])]));
    let mut seen = |rules: &[Value]| {
        fake.nsx.insert("/firewall/sections/s/rules", json!(rules));
        ruled(&fake).unwrap()
    };
    assert!(is_missing(&seen(&rules), "no DenyAll"));
    rules.insert(0, deny.clone());
    assert!(is_missing(&seen(&rules), "never acts"));
    rules.remove(0);
    rules.push(deny);
    assert!(matches!(seen(&rules), Seen::Done(_)));
    rules[0]["sources"] = json!([]);
    assert!(is_missing(&seen(&rules), "from nsg-service-c"));
}
