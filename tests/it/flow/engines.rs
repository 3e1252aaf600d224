//! The engine of the whole dataplane, by name.

use super::{DEFAULT, Net, groups, rule};
use dataplane::EngineKind;
use serde_json::{Value, json};
use tests::Manager;

fn engines(net: &Net) -> Value {
    net.0.get("/sim/v1/dataplane").expect(200)
}

#[test]
fn each_engine_can_be_forced_and_all_give_the_same_verdicts() {
    for kind in EngineKind::ALL {
        let net = Net::on(Manager::of_engine(*kind));
        // Before any rule names a group, the engines of fixed addresses serve.
        let without_groups = match kind {
            EngineKind::Auto => "walk",
            kind => kind.name(),
        };
        let filters = json!({ without_groups: 3 });
        assert_eq!(engines(&net), json!({"engine": kind.name(), "filters": filters}));
        assert_eq!(net.connect("a", "b"), format!("DELIVERED: a OUT {DEFAULT}, b IN {DEFAULT}"));

        let open = json!({"sources": groups(&["a"]), "destinations": groups(&["b"])});
        let deny = json!({"destinations": groups(&["b"])});
        let many = (0..EngineKind::MOST_WALKED).map(|number| rule(&number.to_string(), "DROP", json!({
            "sources": groups(&["b"]), "destinations": groups(&["c"]),
            "services": [{"service": {"resource_type": "L4PortSetNSService", "l4_protocol": "TCP",
                "destination_ports": [(8_000 + number).to_string()]}}],
        })));
        let rules: Vec<Value> = [rule("open", "ALLOW", open), rule("deny", "REJECT", deny)]
            .into_iter()
            .chain(many)
            .collect();
        net.section(json!({}), &rules);
        let with_groups = match kind {
            EngineKind::Auto | EngineKind::Bitmap => "bitmap",
            _ => "walk",
        };
        let filters = json!({ with_groups: 3 });
        assert_eq!(engines(&net), json!({"engine": kind.name(), "filters": filters}));
        assert_eq!(net.connect("c", "a"), format!("DELIVERED: c OUT {DEFAULT}, a IN {DEFAULT}"));
        assert_eq!(net.connect("c", "b"), "REJECTED with TCP_RESET: c OUT deny", "{kind}");
        let dropped = net.send(json!({"from": "b", "to": "c", "dst_port": 8_001}));
        assert_eq!(dropped, "DROPPED: b OUT 1", "{kind}");
    }
}
