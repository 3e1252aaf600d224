//! `/batch`: several calls in one [facts §4.17].

use serde_json::{Value, json};
use tests::{Manager, Port, any_rule, section, switch};

fn request(method: &str, uri: &str, body: Value) -> Value {
    if body.is_null() {
        return json!({"method": method, "uri": uri});
    }
    json!({"method": method, "uri": uri, "body": body})
}

fn codes(answer: &Value) -> Vec<u64> {
    answer["results"].as_array().unwrap().iter().map(|own| own["code"].as_u64().unwrap()).collect()
}

#[test]
fn calls_are_answered_in_order_each_by_itself() {
    let manager = Manager::new();
    let requests = json!([
        request("POST", "/v1/ip-sets", json!({"id": "one", "ip_addresses": ["10.0.0.1"]})),
        request("GET", "/v1/ip-sets/one", Value::Null),
        request("GET", "/v1/ip-sets/none", Value::Null),
        request("POST", "v1/ip-sets/one?action=add_ip", json!({"ip_address": "10.0.0.2"})),
        request("PUT", "/api/v1/ip-sets/one/", json!({"_revision": 1})),
        request("DELETE", "/v1/ip-sets/one", Value::Null),
    ]);
    let answer = manager.post("/batch", json!({"requests": requests})).expect(200);
    assert_eq!(codes(&answer), [201, 200, 404, 201, 200, 200]);
    assert_eq!((&answer["has_errors"], &answer["rolled_back"]), (&json!(true), &json!(false)));
    assert_eq!(answer["results"][1]["body"], answer["results"][0]["body"]);
    assert_eq!(answer["results"][2]["body"]["error_code"], 600);
    assert_eq!(answer["results"][5].get("body"), None);
    manager.get("/ip-sets/one").refused(404, 600);
}

#[test]
fn a_batch_may_end_with_its_first_error() {
    let manager = Manager::new();
    let requests = json!([
        request("POST", "/v1/ip-sets", json!({"id": "one"})),
        request("POST", "/v1/ip-sets", json!({"id": "one"})),
        request("POST", "/v1/ip-sets", json!({"id": "two"})),
    ]);
    let body = json!({"continue_on_error": false, "requests": requests});
    let answer = manager.post("/batch", body).expect(200);
    assert_eq!(codes(&answer), [201, 400]);
    manager.get("/ip-sets/one").expect(200);
    manager.get("/ip-sets/two").refused(404, 600);
}

#[test]
fn an_atomic_batch_happens_whole_or_not_at_all() {
    let manager = Manager::new();
    manager.post("/ip-sets", json!({"id": "old", "description": "first"})).expect(201);
    manager.post("/mac-sets", json!({"id": "gone"})).expect(201);
    let before = [manager.get("/ip-sets").expect(200), manager.get("/mac-sets").expect(200)];
    let requests = |last: &str| {
        json!({"requests": [
            request("POST", "/v1/ip-sets", json!({"id": "new"})),
            request("PUT", "/v1/ip-sets/old", json!({"_revision": 0, "description": "second"})),
            request("PUT", "/v1/ip-sets/old", json!({"_revision": 1, "description": "third"})),
            request("DELETE", "/v1/mac-sets/gone", Value::Null),
            request("PUT", "/v1/ip-sets/new", json!({"_revision": 0})),
            request("DELETE", last, Value::Null),
        ]})
    };
    let answer = manager.post("/batch?atomic=true", requests("/v1/ip-sets/none")).expect(200);
    assert_eq!(codes(&answer), [201, 200, 200, 200, 200, 404]);
    assert_eq!((&answer["has_errors"], &answer["rolled_back"]), (&json!(true), &json!(true)));
    let after = [manager.get("/ip-sets").expect(200), manager.get("/mac-sets").expect(200)];
    assert_eq!(after, before);

    let answer = manager.post("/batch?atomic=true", requests("/v1/ip-sets/new")).expect(200);
    assert_eq!((&answer["has_errors"], &answer["rolled_back"]), (&json!(false), &json!(false)));
    assert_eq!(manager.get("/ip-sets/old").expect(200)["description"], "third");
    manager.get("/mac-sets/gone").refused(404, 600);
}

#[test]
fn packets_obey_what_a_batch_left() {
    let manager = Manager::new();
    switch(&manager, "segment");
    for (name, ip) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
        Port::new("segment", name).address(ip).make(&manager);
    }
    let packet = json!({"from": "10.0.0.1", "to": "10.0.0.2", "protocol": "TCP", "dst_port": 80});
    let outcome = |manager: &Manager| {
        manager.post("/sim/v1/packets", packet.clone()).expect(200)["outcome"].clone()
    };
    let block = json!({
        "display_name": "block", "section_type": "LAYER3", "stateful": true,
        "rules": [any_rule("block", "DROP")],
    });
    let uri = "/v1/firewall/sections?action=create_with_rules";
    let failing = json!({"requests": [
        request("POST", uri, block.clone()),
        request("GET", "/v1/nothing", Value::Null),
    ]});
    assert_eq!(manager.post("/batch?atomic=true", failing).expect(200)["rolled_back"], true);
    assert_eq!(outcome(&manager), "DELIVERED", "the section was taken back");
    // What was there before is untouched, and can be built upon.
    section(&manager, "mine", &[any_rule("block", "DROP")]);
    assert_eq!(outcome(&manager), "DROPPED");
}

#[test]
fn a_batch_holds_no_other() {
    let manager = Manager::new();
    let inner = json!({"requests": []});
    for uri in ["/v1/batch", "/v1/batch/", "/v1/batch?atomic=true"] {
        let body = json!({"requests": [request("POST", uri, inner.clone())]});
        assert_eq!(codes(&manager.post("/batch", body).expect(200)), [400], "{uri}");
    }
    manager.post("/batch", json!({"requests": [{"uri": "/v1/node"}]})).refused(400, 255);
    let wrong = json!({"requests": [request("HEAD", "/v1/node", Value::Null)]});
    manager.post("/batch", wrong).refused(400, 255);
    manager.post("/batch?atomic=maybe", inner).refused(400, 255);
}
