//! The search: `/search`, `/search/query`, `/search/querypipeline`, `/search/aggregate`
//! [facts §4.17].

use proptest::prelude::*;
use serde_json::{Value, json};
use tests::{Answer, Manager, Port, any_rule, section, switch};

/// A manager with four ports.
fn prepared() -> Manager {
    filled(Manager::new())
}

fn filled(manager: Manager) -> Manager {
    switch(&manager, "segment");
    Port::new("segment", "web-1").tag("tier", "web").tag("ncp/pod", "shop-1").make(&manager);
    Port::new("segment", "web-2").tag("tier", "web").address("10.0.0.2").make(&manager);
    Port::new("segment", "db-1").tag("tier", "db").make(&manager);
    Port::new("segment", "other").make(&manager);
    manager
}

/// Calls with a query that is escaped for the URL.
fn search(manager: &Manager, query: &str, more: &str) -> Answer {
    let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
    manager.get(&format!("/search?query={query}{more}"))
}

fn found(manager: &Manager, query: &str) -> Vec<String> {
    search(manager, query, "&sort_by=id").column("id")
}

#[test]
fn both_paths_answer_as_nsxlib_asks() {
    let query = "resource_type:LogicalPort%20AND%20tags.scope:tier%20AND%20tags.tag:web";
    // It looks at the release to know which it is.
    for (version, path) in [("2.5.1", "search"), ("3.0", "search/query")] {
        let manager = filled(Manager::of_version(version));
        let answer = manager.get(&format!("/{path}?query={query}&sort_by=id")).expect(200);
        assert_eq!(answer["result_count"], 2);
        assert_eq!(answer["cursor"], "2", "a decimal string on the last page, too [nsxlib]");
        assert_eq!(answer["results"][0], manager.get("/logical-ports/web-1").expect(200));
    }
}

#[test]
fn queries_reach_every_member_of_every_kind() {
    let manager = prepared();
    section(&manager, "shop", &[any_rule("allow shop", "ALLOW")]);
    for (query, expected) in [
        ("resource_type:LogicalPort AND display_name:web*", &["web-1", "web-2"][..]),
        ("resource_type:logicalport AND NOT tags.tag:*", &["other"]),
        ("tags.scope:ncp\\/pod", &["web-1"]),
        ("address_bindings.ip_address:10.0.0.2", &["web-2"]),
        ("attachment.id:vif-db-1", &["db-1"]),
        ("resource_type:LogicalPort AND tags.tag:(web OR db)", &["db-1", "web-1", "web-2"]),
        ("resource_type:LogicalSwitch", &["segment"]),
    ] {
        assert_eq!(found(&manager, query), expected, "{query}");
    }
    let rules = search(&manager, "resource_type:FirewallRule AND display_name:\"allow shop\"", "");
    assert_eq!(rules.column("display_name"), ["allow shop"]);
    let sections = search(&manager, "resource_type:FirewallSection AND display_name:shop", "");
    assert_eq!(sections.results().len(), 1);
    let profiles = search(&manager, "resource_type:SpoofGuardSwitchingProfile", "").results();
    assert!(profiles.iter().all(|own| own["resource_type"] == "SpoofGuardSwitchingProfile"));
    assert!(!profiles.is_empty());
}

#[test]
fn what_is_made_and_deleted_is_found_and_lost_at_once() {
    let manager = prepared();
    assert_eq!(found(&manager, "display_name:new"), Vec::<String>::new());
    manager.post("/ip-sets", json!({"id": "new"})).expect(201);
    assert_eq!(found(&manager, "display_name:new"), ["new"]);
    manager.delete("/ip-sets/new").expect(200);
    assert_eq!(found(&manager, "display_name:new"), Vec::<String>::new());
}

#[test]
fn cursors_are_numbers_on_every_page() {
    let manager = prepared();
    let (mut cursor, mut seen) = (0, Vec::new());
    loop {
        let more = format!("&sort_by=id&page_size=3&cursor={cursor}");
        let page = search(&manager, "resource_type:LogicalPort", &more).expect(200);
        assert_eq!(page["result_count"], 4);
        seen.extend(page["results"].as_array().unwrap().iter().map(|own| own["id"].clone()));
        cursor = page["cursor"].as_str().unwrap().parse().unwrap();
        if cursor >= 4 {
            break;
        }
    }
    assert_eq!(seen, ["db-1", "other", "web-1", "web-2"]);
    let beyond = search(&manager, "resource_type:LogicalPort", "&cursor=99").expect(200);
    assert_eq!((&beyond["results"], &beyond["cursor"]), (&json!([]), &json!("4")));
    search(&manager, "web*", "&cursor=abc").refused(400, 255);
    search(&manager, "web*", "&page_size=1001").refused(400, 255);
}

#[test]
fn results_are_sorted_and_narrowed_as_asked() {
    let manager = prepared();
    let down = "&sort_by=display_name&sort_ascending=false&included_fields=display_name";
    let results = search(&manager, "resource_type:LogicalPort AND display_name:web*", down);
    let expected = json!([
        {"id": "web-2", "display_name": "web-2"},
        {"id": "web-1", "display_name": "web-1"},
    ]);
    assert_eq!(Value::Array(results.results()), expected);
}

#[test]
fn a_query_that_does_not_read_is_refused() {
    let manager = prepared();
    manager.get("/search").refused(400, 255);
    manager.get("/search?query=").refused(400, 255);
    for query in ["(web", "AND web", "name:", "a:[1 TO", "\"web"] {
        let text = search(&manager, query, "").refused(400, 255);
        assert!(text.contains("query"), "{text}");
    }
}

#[test]
fn a_pipeline_of_one_query_is_that_query() {
    let manager = prepared();
    let query = "resource_type:LogicalPort AND id:(web-1 OR db-1)";
    let body = json!({"query_pipeline": [{"query": query}]});
    let answer = manager.post("/search/querypipeline?sort_by=id", body).expect(200);
    assert_eq!(answer["results"][0]["id"], "db-1");
    assert_eq!((&answer["result_count"], &answer["cursor"]), (&json!(2), &json!("2")));
    manager.post("/search/querypipeline", json!({"query_pipeline": []})).refused(400, 255);
    let two = json!({"query_pipeline": [{"query": "a"}, {"query": "b"}]});
    manager.post("/search/querypipeline", two).expect(501);
}

#[test]
fn an_aggregate_finds_one_type_by_fields() {
    let manager = prepared();
    let filters = json!([{"field_names": "display_name,id", "value": "web*"}]);
    let body = json!({"primary": {"resource_type": "LogicalPort", "filters": filters}});
    let answer = manager.post("/search/aggregate?sort_by=id", body).expect(200);
    assert_eq!(answer["results"][1]["primary"]["id"], "web-2");
    assert_eq!(answer["result_count"], 2);
    let related = json!({"primary": {"resource_type": "LogicalPort"}, "related": [{}]});
    manager.post("/search/aggregate", related).expect(501);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// Whatever a caller sends, the answer is a page or a refusal.
    #[test]
    fn no_query_is_more_than_refused(
        query in "([a-z_.]{0,6}|[:()\"\\\\*?!<>=\\[\\]{}&| ]|AND|OR|NOT|TO|\\PC){0,24}",
    ) {
        let read = nsx_sim::search::Expression::parse(&query);
        if let Ok(expression) = read {
            let document = Document(json!({"a": ["x", 1, {"b": true}], "name": query}));
            expression.matches(&document);
        }
    }

    /// A value that is escaped is found by itself, in either form.
    #[test]
    fn an_escaped_value_finds_itself(value in "\\PC{1,12}") {
        prop_assume!(!value.trim().is_empty());
        let document = Document(json!({"name": value}));
        let escaped: String = value.chars().flat_map(|c| ['\\', c]).collect();
        let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
        for query in [format!("name:{escaped}"), format!("name:\"{quoted}\"")] {
            let read = nsx_sim::search::Expression::parse(&query);
            prop_assert!(read.is_ok_and(|read| read.matches(&document)), "{query}");
        }
    }
}

struct Document(Value);

impl nsx_sim::search::Searched for Document {
    fn at(&self, path: &str, enough: &mut dyn FnMut(&str) -> bool) -> bool {
        nsx_sim::search::at(&self.0, path, enough)
    }

    fn everywhere(&self, enough: &mut dyn FnMut(&str) -> bool) -> bool {
        nsx_sim::search::everywhere(&self.0, enough)
    }
}
