//! What all managed resources have in common: names, tags, and how leniently values are read.

use serde_json::{Value, json};
use tests::{Manager, OVERLAY, tag};

const LIMIT: &str = "Field level validation errors";

fn set(manager: &Manager, more: Value) -> tests::Answer {
    manager.post("/ip-sets", more)
}

#[test]
fn thirty_tags_fit_and_thirty_one_do_not() {
    let manager = Manager::new();
    let tags = |count: usize| -> Value { (0..count).map(|at| tag("n", &at.to_string())).collect() };
    let made = set(&manager, json!({"tags": tags(30)})).expect(201);
    assert_eq!(made["tags"], tags(30), "in the caller's order");
    let text = set(&manager, json!({"tags": tags(31)})).refused(400, 255);
    // The product's own words [bosh spec].
    assert_eq!(text, format!("{LIMIT}: {{tags has exceeded maximum size 30}}"));
}

#[test]
fn scopes_hold_128_characters_and_tags_256() {
    let manager = Manager::new();
    let long =
        |scope: usize, own: usize| json!({"tags": [tag(&"ü".repeat(scope), &"ü".repeat(own))]});
    set(&manager, long(128, 256)).expect(201);
    let text = set(&manager, long(129, 256)).refused(400, 255);
    assert_eq!(text, format!("{LIMIT}: {{tags[0].scope has exceeded maximum size 128}}"));
    let text = set(&manager, long(128, 257)).refused(400, 255);
    assert_eq!(text, format!("{LIMIT}: {{tags[0].tag has exceeded maximum size 256}}"));
}

#[test]
fn either_part_of_a_tag_may_be_absent_and_is_then_empty() {
    let manager = Manager::new();
    let made = set(&manager, json!({"tags": [{"scope": "s"}, {"tag": "t"}, {"scope": null}]}));
    assert_eq!(made.expect(201)["tags"], json!([tag("s", ""), tag("", "t"), tag("", "")]));
    set(&manager, json!({"tags": [{"scope": "s", "value": "t"}]})).refused(400, 287);
}

#[test]
fn names_hold_255_characters_and_descriptions_1024() {
    let manager = Manager::new();
    set(&manager, json!({"display_name": "n".repeat(255), "description": "d".repeat(1024)}))
        .expect(201);
    set(&manager, json!({"display_name": "n".repeat(256)})).refused(400, 255);
    set(&manager, json!({"description": "d".repeat(1025)})).refused(400, 255);
}

#[test]
fn display_names_need_not_be_unique() {
    let manager = Manager::new();
    for _ in 0..2 {
        set(&manager, json!({"display_name": "twin"})).expect(201);
    }
}

#[test]
fn numbers_stand_for_strings_where_strings_are_meant() {
    // nsxlib sends ports and tags as numbers.
    let manager = Manager::new();
    let element = json!({
        "resource_type": "L4PortSetNSService", "l4_protocol": "UDP", "destination_ports": [67, "68-69"],
    });
    let body = json!({"display_name": 42, "tags": [{"scope": "n", "tag": 7}], "nsservice_element": element});
    let made = manager.post("/ns-services", body).expect(201);
    assert_eq!(made["nsservice_element"]["destination_ports"], json!(["67", "68-69"]));
    assert_eq!((&made["display_name"], &made["tags"][0]["tag"]), (&json!("42"), &json!("7")));
}

#[test]
fn strings_stand_for_numbers_and_the_empty_one_for_none() {
    // sapcc sends ICMP types so.
    let manager = Manager::new();
    let icmp = |kind: Value, code: Value| {
        let element = json!({
            "resource_type": "ICMPTypeNSService",
            "protocol": "ICMPv4",
            "icmp_type": kind,
            "icmp_code": code,
        });
        manager.post("/ns-services", json!({"nsservice_element": element}))
    };
    let made = icmp(json!("8"), json!("0")).expect(201);
    assert_eq!(made["nsservice_element"]["icmp_type"], 8);
    assert_eq!(made["nsservice_element"]["icmp_code"], 0);
    let any_code = icmp(json!("3"), json!("")).expect(201);
    assert_eq!(any_code["nsservice_element"].get("icmp_code"), None);
    let any = icmp(json!(null), json!(null)).expect(201);
    assert_eq!(any["nsservice_element"].get("icmp_type"), None);
    icmp(json!("eight"), json!(0)).refused(400, 255);
    icmp(json!(256), json!(0)).refused(400, 255);
    icmp(json!(8.5), json!(0)).refused(400, 255);
}

#[test]
fn the_words_true_and_false_stand_for_booleans() {
    let manager = Manager::new();
    let zone = |default: Value| {
        let body = json!({"transport_type": "OVERLAY", "is_default": default});
        manager.post("/transport-zones", body)
    };
    assert_eq!(zone(json!("true")).expect(201)["is_default"], true);
    assert_eq!(zone(json!("False")).expect(201)["is_default"], false);
    zone(json!("yes")).refused(400, 255);
    zone(json!([])).refused(400, 255);
}

#[test]
fn enumerated_words_are_case_sensitive() {
    let manager = Manager::new();
    let body = json!({"transport_zone_id": OVERLAY, "admin_state": "up"});
    let text = manager.post("/logical-switches", body).refused(400, 255);
    assert!(text.contains("admin_state"), "{text}");
    let wrong = json!({"resource_type": "ipprotocolnsservice", "protocol_number": 1});
    manager.post("/ns-services", json!({"nsservice_element": wrong})).refused(400, 255);
}

#[test]
fn a_fault_names_its_place_in_the_body() {
    let manager = Manager::new();
    let element = json!({
        "resource_type": "L4PortSetNSService", "l4_protocol": "TCP", "destination_ports": ["1", "70000"],
    });
    let text =
        manager.post("/ns-services", json!({"nsservice_element": element})).refused(400, 255);
    assert!(text.contains("nsservice_element.destination_ports[1] must be a port"), "{text}");
    let element = json!({"resource_type": "IGMPTypeNSService", "ttl": 1});
    let text =
        manager.post("/ns-services", json!({"nsservice_element": element})).refused(400, 287);
    assert!(text.contains("property nsservice_element.ttl is unrecognized"), "{text}");
}

#[test]
fn ids_with_characters_that_paths_escape_can_be_called() {
    let manager = Manager::new();
    set(&manager, json!({"id": "a b/ü"})).expect(201);
    assert_eq!(manager.get("/ip-sets/a%20b%2F%C3%BC").expect(200)["id"], "a b/ü");
    manager.delete("/ip-sets/a%20b%2F%C3%BC").expect(200);
}

#[test]
fn the_same_seed_and_calls_give_the_same_bytes() {
    let calls = || {
        let manager = Manager::new();
        set(&manager, json!({})).expect(201);
        manager.get("/ip-sets").expect(200).to_string()
            + &manager.get("/ns-services").expect(200).to_string()
    };
    assert_eq!(calls(), calls());
}
