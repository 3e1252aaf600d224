//! Lists: pages, sorting, filters and fields.

use super::samples::{self, prepared, with};
use serde_json::{Value, json};
use tests::{Answer, Manager, VLAN, section, switch, tag};

/// Every page of a list, by cursor.
fn walk(manager: &Manager, path: &str) -> Vec<Value> {
    let (mut pages, mut next) = (Vec::new(), path.to_owned());
    loop {
        let page = manager.get(&next).expect(200);
        let cursor = page["cursor"].as_str().map(str::to_owned);
        pages.push(page);
        let Some(cursor) = cursor else { return pages };
        assert!(pages.len() < 2_000, "the walk does not end");
        // Some clients tell the end or another list by these [nsxlib, sapcc].
        assert!(!cursor.starts_with("0000") && !cursor.chars().all(|c| c.is_ascii_digit()));
        assert!(cursor.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        next = format!("{path}&cursor={cursor}");
    }
}

fn rows(pages: &[Value]) -> Vec<Value> {
    pages.iter().flat_map(|page| page["results"].as_array().cloned().unwrap_or_default()).collect()
}

fn sets(count: usize) -> Manager {
    let manager = Manager::new();
    for at in 0..count {
        // Equal names: rows stand by id then.
        let body = json!({"id": format!("set-{at}"), "display_name": format!("n{}", at % 3)});
        manager.post("/ip-sets", body).expect(201);
    }
    manager
}

#[test]
fn pages_of_any_size_add_up_to_the_list() {
    let manager = sets(9);
    for order in ["", "&sort_ascending=false", "&sort_by=id", "&sort_by=_create_time"] {
        let whole = manager.get(&format!("/ip-sets?page_size=1000{order}")).results();
        assert_eq!(whole.len(), 9);
        for size in 1..=10 {
            let pages = walk(&manager, &format!("/ip-sets?page_size={size}{order}"));
            assert_eq!(pages.len(), 9_usize.div_ceil(size), "{size}{order}");
            assert_eq!(rows(&pages), whole, "{size}{order}");
            // The total stands on every page: npg reads it there.
            assert!(pages.iter().all(|page| page["result_count"] == 9));
        }
    }
}

#[test]
fn every_kind_of_list_can_be_walked_one_by_one() {
    let manager = prepared();
    for sample in samples::all() {
        let path = &sample.path();
        for id in ["one", "two", "three"] {
            manager
                .post(path, with((sample.body)(), json!({"id": id})))
                .expect(sample.declaration().created);
        }
        let list = format!("{}include_system_owned=true", sample.list_with());
        let whole = manager.get(&list).expect(200);
        let pages = walk(&manager, &format!("{list}&page_size=1"));
        let total = whole["result_count"].as_u64().unwrap();
        assert_eq!(rows(&pages).len() as u64, total, "{path}");
        assert!(total < 50 || path == "/ns-services", "{path}");
    }
}

#[test]
fn the_envelope_has_its_members_in_wire_order_and_no_cursor_at_the_end() {
    let manager = sets(2);
    let names = |answer: Answer| -> Vec<String> {
        answer.expect(200).as_object().unwrap().keys().cloned().collect()
    };
    let first = names(manager.get("/ip-sets?page_size=1"));
    assert_eq!(first, ["results", "cursor", "result_count", "sort_by", "sort_ascending"]);
    let only = manager.get("/ip-sets");
    assert_eq!(only.body["sort_by"], "display_name", "[miq]");
    assert_eq!(only.body["sort_ascending"], true);
    assert_eq!(names(only), ["results", "result_count", "sort_by", "sort_ascending"]);
}

#[test]
fn an_empty_list_has_all_its_members() {
    let expected = json!({
        "results": [], "result_count": 0, "sort_by": "display_name", "sort_ascending": true,
    });
    assert_eq!(Manager::new().get("/mac-sets").expect(200), expected);
}

#[test]
fn a_page_of_groups_holds_fifty_whatever_is_asked_for() {
    let manager = Manager::new();
    for at in 0..51 {
        manager.post("/ns-groups", json!({"id": format!("{at:02}")})).expect(201);
    }
    // [spec ListNSGroups]
    let first = manager.get("/ns-groups?page_size=1000").expect(200);
    assert_eq!(
        (first["results"].as_array().unwrap().len(), &first["result_count"]),
        (50, &json!(51))
    );
    assert!(first["cursor"].is_string());
    assert_eq!(rows(&walk(&manager, "/ns-groups?page_size=1000")).len(), 51);
}

#[test]
fn page_sizes_lie_between_0_and_1000() {
    let manager = sets(2);
    manager.get("/ip-sets?page_size=1000").expect(200);
    assert_eq!(manager.get("/ip-sets?page_size=0").expect(200)["result_count"], 2);
    for wrong in ["1001", "-1", "many"] {
        manager.get(&format!("/ip-sets?page_size={wrong}")).refused(400, 255);
    }
    // nsxt_exporter sends empty ones.
    assert_eq!(manager.get("/ip-sets?cursor=&page_size=").results().len(), 2);
    manager.get("/ip-sets?cursor=0036af24").refused(400, 255);
}

#[test]
fn lists_sort_by_the_field_asked_for_either_way() {
    let manager = Manager::new();
    for (name, vlan) in [("b", 9), ("a", 10), ("c", 2)] {
        let body = json!({
            "display_name": name, "transport_zone_id": VLAN, "admin_state": "UP", "vlan": vlan,
        });
        manager.post("/logical-switches", body).expect(201);
    }
    let names =
        |query: &str| manager.get(&format!("/logical-switches{query}")).column("display_name");
    assert_eq!(names(""), ["a", "b", "c"]);
    assert_eq!(names("?sort_ascending=False"), ["c", "b", "a"]);
    assert_eq!(names("?sort_by=vlan"), ["c", "b", "a"], "numbers sort as numbers");
    assert_eq!(names("?sort_by=vlan&sort_ascending=false"), ["a", "b", "c"]);
    manager.get("/logical-switches?sort_by=nothing").refused(400, 255);
    manager.get("/logical-switches?sort_by=switching_profile_ids").refused(400, 255);
    manager.get("/logical-switches?sort_ascending=maybe").refused(400, 255);
}

#[test]
fn a_filter_that_most_objects_pass_keeps_the_order_of_the_list() {
    let manager = Manager::new();
    for id in ["wide", "narrow"] {
        switch(&manager, id);
    }
    for at in 0..1_300 {
        // Equal names: rows stand by id then.
        let body = json!({
            "id": format!("p{at}"), "display_name": format!("n{}", at % 7), "admin_state": "UP",
            "logical_switch_id": if at % 5 == 0 { "narrow" } else { "wide" },
        });
        manager.post("/logical-ports", body).expect(201);
    }
    for order in ["true", "false"] {
        let all = walk(&manager, &format!("/logical-ports?page_size=1000&sort_ascending={order}"));
        for id in ["wide", "narrow"] {
            let own = |row: &Value| row["logical_switch_id"] == id;
            let expected: Vec<Value> = rows(&all).into_iter().filter(own).collect();
            let path = format!(
                "/logical-ports?logical_switch_id={id}&page_size=300&sort_ascending={order}"
            );
            let pages = walk(&manager, &path);
            assert!(pages.iter().all(|page| page["result_count"] == expected.len()));
            assert_eq!(rows(&pages), expected, "{path}");
        }
    }
}

#[test]
fn included_fields_narrow_the_rows_and_keep_the_id() {
    let manager = Manager::new();
    manager.post("/ip-sets", json!({"id": "i", "tags": [tag("s", "t")]})).expect(201);
    let row = &manager.get("/ip-sets?included_fields=display_name,_revision").results()[0];
    assert_eq!(*row, json!({"id": "i", "display_name": "i", "_revision": 0}));
}

#[test]
fn profiles_of_the_manager_itself_are_listed_only_on_request() {
    let manager = Manager::new();
    assert_eq!(manager.get("/switching-profiles").results().len(), 0);
    // Python clients print their booleans so [nsxlib].
    let all = manager.get("/switching-profiles?include_system_owned=True").results();
    assert_eq!(all.len(), 8);
    assert!(all.iter().all(|own| own["_system_owned"] == true && own["_create_user"] == "system"));
    manager.get("/switching-profiles?include_system_owned=maybe").refused(400, 255);
}

#[test]
fn sections_and_rules_stand_in_the_order_of_judgement_however_they_are_paged() {
    let manager = Manager::new();
    let rules =
        [json!({"action": "DROP"}), json!({"action": "ALLOW"}), json!({"action": "REJECT"})];
    section(&manager, "z", &[]);
    let ids = section(&manager, "a", &rules);
    section(&manager, "m", &[]);
    let expected = ["m", "a", "z", "Default Layer3 Section"];
    for query in ["", "&sort_by=id", "&sort_ascending=false"] {
        let path = format!("/firewall/sections?page_size=1{query}");
        let names: Vec<Value> =
            rows(&walk(&manager, &path)).iter().map(|own| own["display_name"].clone()).collect();
        assert_eq!(names, expected, "{path}");
        let path = format!("/firewall/sections/{}/rules?page_size=1{query}", ids.section);
        let found: Vec<Value> =
            rows(&walk(&manager, &path)).iter().map(|own| own["id"].clone()).collect();
        assert_eq!(found, ids.rules, "{path}");
    }
}

#[test]
fn a_section_that_comes_between_two_pages_neither_hides_nor_repeats_another() {
    let manager = Manager::new();
    for name in ["c", "b", "a"] {
        section(&manager, name, &[]);
    }
    let first = manager.get("/firewall/sections?page_size=2").expect(200);
    let cursor = first["cursor"].as_str().unwrap().to_owned();
    section(&manager, "new", &[]);
    let rest = manager.get(&format!("/firewall/sections?cursor={cursor}")).column("display_name");
    assert_eq!(rest, ["c", "Default Layer3 Section"]);
}

#[test]
fn switches_are_found_by_their_members() {
    let manager = Manager::new();
    switch(&manager, "overlay");
    let body = json!({
        "id": "vlan", "transport_zone_id": VLAN, "admin_state": "UP", "vlan": 7,
        "uplink_teaming_policy_name": "up",
    });
    manager.post("/logical-switches", body).expect(201);
    let vni = manager.get("/logical-switches/overlay").expect(200)["vni"].clone();
    let found = |query: &str| manager.get(&format!("/logical-switches?{query}")).column("id");
    assert_eq!(found(&format!("transport_zone_id={VLAN}")), ["vlan"]);
    assert_eq!(found("transport_type=OVERLAY"), ["overlay"]);
    assert_eq!(found("vlan=7"), ["vlan"]);
    assert_eq!(found("vlan=07"), ["vlan"]);
    for wrong in ["vlan=seven", "vni=x", "vni=7.5"] {
        manager.get(&format!("/logical-switches?{wrong}")).refused(400, 255);
    }
    assert_eq!(found(&format!("vni={vni}")), ["overlay"]);
    assert_eq!(found("uplink_teaming_policy_name=up"), ["vlan"]);
    assert_eq!(found("switching_profile_id=1e7101c8-cfef-415a-9c8c-ce3d8dd078fb").len(), 2);
    assert_eq!(found("switching_profile_id=other").len(), 0);
    assert_eq!(found(&format!("transport_zone_id={VLAN}&vlan=8")).len(), 0, "filters add up");
    manager.get("/logical-switches?transport_type=vlan").refused(400, 255);
}

#[test]
fn zones_and_profiles_and_services_are_found_by_their_members() {
    let manager = prepared();
    let zone = json!({
        "id": "z", "transport_type": "VLAN", "is_default": true, "uplink_teaming_policy_names": ["up"],
    });
    manager.post("/transport-zones", zone).expect(201);
    let found = |path: &str| manager.get(path).column("id");
    assert_eq!(
        found("/transport-zones?transport_type=VLAN"),
        ["a95c914d-748d-497c-94ab-10d4647daeba", "z"]
    );
    assert_eq!(found("/transport-zones?is_default=True"), ["z"]);
    assert_eq!(found("/transport-zones?uplink_teaming_policy_name=up"), ["z"]);
    let types = "QosSwitchingProfile,SpoofGuardSwitchingProfile";
    let profiles = manager.get(&format!(
        "/switching-profiles?include_system_owned=true&switching_profile_type={types}"
    ));
    assert_eq!(profiles.results().len(), 2);
    assert_eq!(found("/ns-services?default_service=false"), ["service"]);
    assert_eq!(found("/ns-service-groups?default_service=False").len(), 0);
    assert_eq!(found("/loadbalancer/application-profiles?type=LbFastTcpProfile").len(), 1);
    assert_eq!(found("/loadbalancer/monitors?type=LbUdpMonitor").len(), 0);
    manager.get("/loadbalancer/application-profiles?type=FastTcpProfile").refused(400, 255);
}

#[test]
fn boolean_filters_read_any_case_and_nothing_else() {
    let manager = prepared();
    for path in [
        "/transport-zones?is_default",
        "/ns-services?default_service",
        "/ns-service-groups?default_service",
        "/logical-ports?container_ports_only",
        "/firewall/sections?locked",
        "/logical-ports?diagnostic",
        "/logical-ports/status?diagnostic",
        "/logical-switches?diagnostic",
        "/logical-switches/status?diagnostic",
    ] {
        let plain = manager.get(&format!("{path}=true")).expect(200);
        let shouted = manager.get(&format!("{path}=TRUE")).expect(200);
        assert_eq!(plain["result_count"], shouted["result_count"], "{path}");
        manager.get(&format!("{path}=maybe")).refused(400, 255);
    }
}
