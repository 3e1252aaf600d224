//! Pools of addresses and numbers [facts §4.14].

use serde_json::{Value, json};
use tests::{Manager, OVERLAY, switch};

/// A pool of the addresses from 10.0.0.2 to 10.0.0.N.
fn pool(manager: &Manager, last: u8) -> Value {
    let range = json!({"start": "10.0.0.2", "end": format!("10.0.0.{last}")});
    json_pool(manager, json!([range]))
}

fn json_pool(manager: &Manager, ranges: Value) -> Value {
    let mut subnet = json!({"cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.1"});
    subnet["allocation_ranges"] = ranges;
    manager.post("/pools/ip-pools", json!({"id": "pool", "subnets": [subnet]})).expect(201)
}

fn allocate(manager: &Manager, path: &str) -> String {
    let taken = manager.post(&format!("{path}?action=ALLOCATE"), json!({})).expect(200);
    taken["allocation_id"].as_str().unwrap().to_owned()
}

fn address(address: &str) -> Value {
    json!({"allocation_id": address})
}

#[test]
fn a_pool_gives_each_address_once_and_takes_it_back() {
    let manager = Manager::new();
    pool(&manager, 4);
    // Clients send null where they want any [nsxlib].
    let any = json!({"allocation_id": null});
    let taken = manager.post("/pools/ip-pools/pool?action=ALLOCATE", any).expect(200);
    assert_eq!(taken, address("10.0.0.2"));
    assert_eq!(allocate(&manager, "/pools/ip-pools/pool"), "10.0.0.3");
    let listed = manager.get("/pools/ip-pools/pool/allocations").expect(200);
    assert_eq!(listed["results"], json!([address("10.0.0.2"), address("10.0.0.3")]));
    let usage = json!({"total_ids": 3, "allocated_ids": 2, "free_ids": 1});
    let read = manager.get("/pools/ip-pools/pool").expect(200);
    assert_eq!((&read["pool_usage"], &read["_revision"]), (&usage, &json!(0)));
    let release = "/pools/ip-pools/pool?action=RELEASE";
    let released = manager.post(release, address("10.0.0.2"));
    assert_eq!((released.status, released.body), (200, Value::Null), "an empty body [tf]");
    manager.post(release, address("10.0.0.2")).refused(400, 5110);
    manager.post(release, json!({})).refused(400, 255);
    assert_eq!(allocate(&manager, "/pools/ip-pools/pool"), "10.0.0.4", "the released one rests");
    assert_eq!(allocate(&manager, "/pools/ip-pools/pool"), "10.0.0.2");
    manager.post("/pools/ip-pools/pool?action=ALLOCATE", json!({})).refused(409, 5109);
}

#[test]
fn a_certain_address_can_be_asked_for() {
    let manager = Manager::new();
    pool(&manager, 9);
    let path = "/pools/ip-pools/pool?action=ALLOCATE";
    assert_eq!(manager.post(path, address("10.0.0.7")).expect(200), address("10.0.0.7"));
    manager.post(path, address("10.0.0.7")).refused(409, 5141);
    manager.post(path, address("10.0.0.10")).refused(400, 5110);
    manager.post(path, address("host")).refused(400, 255);
    manager.post(path, json!({"address": "10.0.0.8"})).refused(400, 287);
    manager.post("/pools/ip-pools/none?action=ALLOCATE", json!({})).refused(404, 600);
    manager.post("/pools/ip-pools/pool?action=TAKE", json!({})).refused(400, 255);
}

#[test]
fn a_pool_gives_from_all_its_ranges_of_either_family() {
    let manager = Manager::new();
    let subnet = |cidr: &str, start: &str, end: &str| json!({"cidr": cidr, "allocation_ranges": [{"start": start, "end": end}]});
    let four = subnet("10.0.0.0/24", "10.0.0.5", "10.0.0.5");
    let six = subnet("fd00::/64", "fd00::1", "fd00::ffff:ffff:ffff:ffff");
    let body = json!({"id": "pool", "subnets": [four, six]});
    let made = manager.post("/pools/ip-pools", body).expect(201);
    assert_eq!(made["pool_usage"]["total_ids"], i64::MAX, "it counts no further");
    assert_eq!(allocate(&manager, "/pools/ip-pools/pool"), "10.0.0.5");
    assert_eq!(allocate(&manager, "/pools/ip-pools/pool"), "fd00::1");
}

#[test]
fn a_pool_keeps_the_ranges_from_which_something_is_taken() {
    let manager = Manager::new();
    let range = |start: u8, end: u8| json!({"start": format!("10.0.0.{start}"), "end": format!("10.0.0.{end}")});
    let made = json_pool(&manager, json!([range(10, 19), range(30, 39)]));
    manager.post("/pools/ip-pools/pool?action=ALLOCATE", address("10.0.0.15")).expect(200);
    let put = |ranges: Value| {
        let mut body = made.clone();
        body["subnets"][0]["allocation_ranges"] = ranges;
        manager.put("/pools/ip-pools/pool", body)
    };
    put(json!([range(30, 39)])).refused(400, 5015);
    put(json!([range(10, 14), range(30, 39)])).refused(400, 5016);
    put(json!([range(16, 19), range(30, 39)])).refused(400, 5602);
    put(json!([range(10, 15)])).expect(200);
    manager.delete("/pools/ip-pools/pool").refused(400, 5015);
    manager.delete("/pools/ip-pools/pool?force=true").expect(200);
    pool(&manager, 20);
    assert_eq!(manager.get("/pools/ip-pools/pool/allocations").results(), Vec::<Value>::new());
}

#[test]
fn ranges_lie_in_their_subnet_and_apart() {
    let manager = Manager::new();
    let with = |cidr: &str, ranges: &[(&str, &str)]| {
        let ranges: Vec<Value> =
            ranges.iter().map(|(start, end)| json!({"start": start, "end": end})).collect();
        let subnet = json!({"cidr": cidr, "allocation_ranges": ranges});
        manager.post("/pools/ip-pools", json!({"subnets": [subnet]}))
    };
    with("10.0.0.0/24", &[("10.0.0.2", "10.0.0.9"), ("10.0.0.10", "10.0.0.19")]).expect(201);
    for (cidr, ranges) in [
        ("10.0.0.0/24", vec![("10.0.0.9", "10.0.0.2")]),
        ("10.0.0.0/24", vec![("10.0.0.9", "fd00::1")]),
        ("10.0.0.0/24", vec![("10.0.0.9", "10.0.1.9")]),
        ("10.0.0.0/24", vec![("10.0.0.2", "10.0.0.9"), ("10.0.0.9", "10.0.0.19")]),
        ("10.0.0.0/33", vec![]),
    ] {
        with(cidr, &ranges).refused(400, 255);
    }
    let subnets = |count: u8| -> Value {
        let cidr = |at| json!({"cidr": format!("10.{at}.0.0/16"), "allocation_ranges": []});
        (0..count).map(cidr).collect()
    };
    manager.post("/pools/ip-pools", json!({"subnets": subnets(5)})).expect(201);
    manager.post("/pools/ip-pools", json!({"subnets": subnets(6)})).refused(400, 255);
    let mut twice = subnets(2);
    twice[1]["cidr"] = json!("10.0.1.0/24");
    manager.post("/pools/ip-pools", json!({"subnets": twice})).refused(400, 255);
}

#[test]
fn an_address_belongs_to_who_took_it() {
    let manager = Manager::new();
    pool(&manager, 9);
    let taken = allocate(&manager.principal("ncp"), "/pools/ip-pools/pool");
    let release = "/pools/ip-pools/pool?action=RELEASE";
    manager.post(release, address(&taken)).refused(400, 289);
    manager.principal("ncp").post(release, address(&taken)).expect(200);
}

#[test]
fn subnets_are_carved_out_of_a_block_and_never_overlap() {
    let manager = Manager::new();
    manager.post("/pools/ip-blocks", json!({"id": "block", "cidr": "10.0.0.0/24"})).expect(201);
    let carve =
        |size: i64| manager.post("/pools/ip-subnets", json!({"block_id": "block", "size": size}));
    let first = carve(64).expect(201);
    assert_eq!(first["cidr"], "10.0.0.0/26");
    let range = json!({"start": "10.0.0.1", "end": "10.0.0.62"});
    assert_eq!(first["allocation_ranges"], json!([range]));
    assert_eq!(carve(16).expect(201)["cidr"], "10.0.0.64/28");
    assert_eq!(carve(128).expect(201)["cidr"], "10.0.0.128/25");
    assert_eq!(carve(16).expect(201)["cidr"], "10.0.0.80/28", "gaps are used");
    carve(64).refused(409, 5109);
    for wrong in [0, 3, 100, -4] {
        carve(wrong).refused(400, 255);
    }
    let none = json!({"block_id": "none", "size": 4});
    manager.post("/pools/ip-subnets", none).refused(404, 600);
    let of =
        |block: &str| manager.get(&format!("/pools/ip-subnets?block_id={block}")).results().len();
    assert_eq!((of("block"), of("none")), (4, 0));
    let one = format!("/pools/ip-subnets/{}", first["id"].as_str().unwrap());
    assert_eq!(manager.put(&one, first).status, 405, "a subnet is never changed");
}

#[test]
fn a_subnet_gives_addresses_and_stays_while_some_are_taken() {
    let manager = Manager::new();
    manager.post("/pools/ip-blocks", json!({"id": "block", "cidr": "10.0.0.0/24"})).expect(201);
    let body = json!({"id": "subnet", "block_id": "block", "size": 4});
    manager.post("/pools/ip-subnets", body).expect(201);
    assert_eq!(allocate(&manager, "/pools/ip-subnets/subnet"), "10.0.0.1");
    assert_eq!(allocate(&manager, "/pools/ip-subnets/subnet"), "10.0.0.2");
    manager.post("/pools/ip-subnets/subnet?action=ALLOCATE", json!({})).refused(409, 5109);
    manager.delete("/pools/ip-subnets/subnet").refused(400, 5015);
    for taken in ["10.0.0.1", "10.0.0.2"] {
        manager.post("/pools/ip-subnets/subnet?action=RELEASE", address(taken)).expect(200);
    }
    manager.delete("/pools/ip-blocks/block").expect(400);
    manager.delete("/pools/ip-subnets/subnet").expect(200);
    manager.delete("/pools/ip-blocks/block").expect(200);
}

#[test]
fn a_block_can_grow_but_not_leave_its_subnets() {
    let manager = Manager::new();
    manager.post("/pools/ip-blocks", json!({"id": "block", "cidr": "10.0.0.0/24"})).expect(201);
    manager.post("/pools/ip-subnets", json!({"block_id": "block", "size": 4})).expect(201);
    let put =
        |cidr: &str| manager.put("/pools/ip-blocks/block", json!({"cidr": cidr, "_revision": 0}));
    put("10.1.0.0/16").expect(409);
    put("10.0.0.0/16").expect(200);
    manager.post("/pools/ip-blocks", json!({"cidr": "fd00::/64"})).refused(400, 255);
}

#[test]
fn the_manager_has_pools_of_its_own() {
    let manager = Manager::new();
    let names = |path: &str| manager.get(path).column("display_name");
    assert_eq!(names("/pools/mac-pools"), ["DefaultMacPool"], "[tf]");
    assert_eq!(names("/pools/vni-pools"), ["DefaultVniPool"]);
    assert_eq!(names("/pools/vtep-label-pools"), ["DefaultVtepLabelPool"]);
    assert_eq!(manager.post("/pools/mac-pools", json!({})).status, 405);
}

#[test]
fn overlay_switches_take_their_numbers_from_the_pool() {
    let manager = Manager::new();
    let pools = manager.get("/pools/vni-pools").results();
    let path = format!("/pools/vni-pools/{}", pools[0]["id"].as_str().unwrap());
    let put = |ranges: Value| {
        let mut body = manager.get(&path).expect(200);
        body["ranges"] = ranges;
        manager.put(&path, body)
    };
    put(json!([{"start": 7_000, "end": 7_001}])).expect(200);
    let vni = |id: &str| {
        switch(&manager, id);
        manager.get(&format!("/logical-switches/{id}")).expect(200)["vni"].clone()
    };
    assert_eq!((vni("a"), vni("b")), (json!(7_000), json!(7_001)));
    let body = json!({"transport_zone_id": OVERLAY, "admin_state": "UP"});
    manager.post("/logical-switches", body).refused(409, 5109);
    put(json!([{"start": 7_000, "end": 7_000}])).refused(400, 5016);
    put(json!([{"start": 8_000, "end": 8_000}])).refused(400, 5015);
    put(json!([{"start": 7_000, "end": 7_001}, {"start": 7_001, "end": 7_002}])).refused(400, 255);
    put(json!([{"start": 4_999, "end": 7_001}])).refused(400, 255);
    put(json!([{"start": 7_000, "end": 7_002}])).expect(200);
    assert_eq!(vni("c"), 7_002);
}
