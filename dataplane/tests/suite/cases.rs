//! Which rule matches first: the suite that every engine passes.

use std::sync::Arc;

use dataplane::engine::RuleList;
use dataplane::{AddressSets, Direction, EngineKind, Key, Member, SetId, Term};

use crate::text::{packet, rule, term};

struct Case {
    name: &'static str,
    /// Members by set, `s1=10.0.0.1,10.0.0.2 s2=…`.
    sets: &'static str,
    rules: &'static [&'static str],
    /// Direction and packet with the expected position in the list.
    packets: &'static [(&'static str, Option<usize>)],
}

const CASES: &[Case] = &[
    Case {
        name: "an empty list matches nothing",
        sets: "",
        rules: &[],
        packets: &[("in tcp 10.0.0.1:999 > 10.0.0.2:80", None)],
    },
    Case {
        name: "the first match wins, whatever comes later",
        sets: "",
        rules: &["drop from 10.0.0.9 to any", "allow from 10.0.0.1 to any", "drop from any to any"],
        packets: &[
            ("in tcp 10.0.0.1:999 > 10.0.0.2:80", Some(1)),
            ("in tcp 10.0.0.9:999 > 10.0.0.2:80", Some(0)),
            ("in tcp 10.0.0.3:999 > 10.0.0.2:80", Some(2)),
        ],
    },
    Case {
        name: "direction is the vNIC's",
        sets: "",
        rules: &["drop out from any to any", "drop in from any to any"],
        packets: &[
            ("in udp 10.0.0.1:9 > 10.0.0.2:53", Some(1)),
            ("out udp 10.0.0.1:9 > 10.0.0.2:53", Some(0)),
        ],
    },
    Case {
        name: "family",
        sets: "",
        rules: &["drop v6 from any to any", "drop v4 from any to any"],
        packets: &[
            ("in udp 10.0.0.1:9 > 10.0.0.2:53", Some(1)),
            ("in udp [fd00::1]:9 > [fd00::2]:53", Some(0)),
        ],
    },
    Case {
        name: "terms are alternatives: set, network, range, address",
        sets: "s1=10.1.0.0/16,fd00::/64",
        rules: &["drop from s1,10.2.0.0/16,10.3.0.1-10.3.0.5,fd01::1 to any"],
        packets: &[
            ("in udp 10.1.2.3:9 > 10.9.0.1:53", Some(0)),
            ("in udp 10.2.2.3:9 > 10.9.0.1:53", Some(0)),
            ("in udp 10.3.0.5:9 > 10.9.0.1:53", Some(0)),
            ("in udp 10.3.0.6:9 > 10.9.0.1:53", None),
            ("in udp [fd00::9]:9 > [fd02::1]:53", Some(0)),
            ("in udp [fd01::1]:9 > [fd02::1]:53", Some(0)),
            ("in udp [fd01::2]:9 > [fd02::1]:53", None),
        ],
    },
    Case {
        name: "an empty or unknown set, or no term, is nobody",
        sets: "s1=",
        rules: &[
            "drop from s1 to any",
            "drop from s7 to any",
            "drop from nobody to any",
            "drop from any to s1,s7",
        ],
        packets: &[("in udp 10.0.0.1:9 > 10.0.0.2:53", None)],
    },
    Case {
        name: "nobody turned round is everybody",
        sets: "s1=",
        rules: &["drop out from !s1 to !nobody", "drop from !s7 to any"],
        packets: &[
            ("in udp 10.0.0.1:9 > 10.0.0.2:53", Some(1)),
            ("out udp [fd00::1]:9 > [fd00::2]:53", Some(0)),
        ],
    },
    Case {
        name: "negation turns the whole field round",
        sets: "s1=10.0.0.1 s2=10.0.0.2",
        rules: &["drop from !s1,s2 to any"],
        packets: &[
            ("in udp 10.0.0.1:9 > 10.0.0.9:53", None),
            ("in udp 10.0.0.2:9 > 10.0.0.9:53", None),
            ("in udp 10.0.0.3:9 > 10.0.0.9:53", Some(0)),
        ],
    },
    Case {
        name: "IP rules look at IP addresses only",
        sets: "s1=mac01",
        rules: &["drop from mac01,s1 to any", "drop from !mac00,s1 to any"],
        packets: &[("in udp 10.0.0.1:9 > 10.0.0.2:53", Some(1))],
    },
    Case {
        name: "Ethernet rules look at Ethernet addresses only",
        sets: "s1=mac01,10.0.0.1",
        rules: &["drop eth from any to 0.0.0.0/0", "drop eth from s1 to mac02"],
        packets: &[
            ("in arp mac01 > mac02", Some(1)),
            ("in arp mac02 > mac01", None),
            ("in udp 10.0.0.1:9 > 10.0.0.2:53", None),
        ],
    },
    Case {
        name: "Ethernet services are Ethernet types",
        sets: "",
        rules: &[
            "drop eth from any to any svc tcp,proto:6",
            "drop eth from any to any svc type:0806",
            "drop eth v4 from any to any",
            "drop eth from any to any svc type:86dd,type:0800",
        ],
        packets: &[
            ("in arp mac01 > mac02", Some(1)),
            ("in tcp 10.0.0.1:9 > 10.0.0.2:53", Some(2)),
            ("in tcp [fd00::1]:9 > [fd00::2]:53", Some(3)),
        ],
    },
    Case {
        name: "an IP rule never matches a frame that is not IP",
        sets: "",
        rules: &["drop from any to any", "drop from any to any svc type:0806"],
        packets: &[("in arp mac01 > mac02", None)],
    },
    Case {
        name: "an Ethernet type is no IP service",
        sets: "",
        rules: &["drop from any to any svc type:0800"],
        packets: &[("in tcp 10.0.0.1:9 > 10.0.0.2:53", None)],
    },
    Case {
        name: "ports: source and destination must both hold, empty is any",
        sets: "",
        rules: &[
            "drop from any to any svc tcp:1000-2000>80",
            "drop from any to any svc tcp:53>",
            "drop from any to any svc tcp:80+443,udp:53",
            "drop from any to any svc tcp",
        ],
        packets: &[
            ("in tcp 10.0.0.1:1000 > 10.0.0.2:80", Some(0)),
            ("in tcp 10.0.0.1:2001 > 10.0.0.2:80", Some(2)),
            ("in tcp 10.0.0.1:53 > 10.0.0.2:81", Some(1)),
            ("in tcp 10.0.0.1:9 > 10.0.0.2:443", Some(2)),
            ("in tcp 10.0.0.1:9 > 10.0.0.2:53", Some(3)),
            ("in udp 10.0.0.1:9 > 10.0.0.2:53", Some(2)),
            ("in udp 10.0.0.1:9 > 10.0.0.2:80", None),
        ],
    },
    Case {
        name: "ICMP by version, type and code",
        sets: "",
        rules: &[
            "drop from any to any svc icmp4:8:1",
            "drop from any to any svc icmp4:8",
            "drop from any to any svc icmp6",
            "drop from any to any svc icmp4:8,icmp4:0",
        ],
        packets: &[
            ("in icmp 10.0.0.1 > 10.0.0.2 8/1", Some(0)),
            ("in icmp 10.0.0.1 > 10.0.0.2 8/0", Some(1)),
            ("in icmp 10.0.0.1 > 10.0.0.2 0/0", Some(3)),
            ("in icmp 10.0.0.1 > 10.0.0.2 3/3", None),
            ("in icmp fd00::1 > fd00::2 8/0", Some(2)),
        ],
    },
    Case {
        name: "protocols by number, ICMP's by version",
        sets: "",
        rules: &[
            "drop from any to any svc proto:58",
            "drop from any to any svc proto:47,proto:6",
            "drop from any to any svc proto:1",
        ],
        packets: &[
            ("in gre 10.0.0.1 > 10.0.0.2", Some(1)),
            ("in tcp 10.0.0.1:9 > 10.0.0.2:80", Some(1)),
            ("in icmp 10.0.0.1 > 10.0.0.2", Some(2)),
            ("in icmp fd00::1 > fd00::2 128/0", Some(0)),
            ("in udp 10.0.0.1:9 > 10.0.0.2:80", None),
        ],
    },
    Case {
        name: "a service list without services is nothing",
        sets: "",
        rules: &["drop from any to any svc nothing"],
        packets: &[("in udp 10.0.0.1:9 > 10.0.0.2:80", None)],
    },
];

fn sets(text: &str) -> AddressSets {
    let mut sets = AddressSets::default();
    for set in text.split_whitespace() {
        let (id, members) = set.split_once('=').unwrap();
        let id = SetId(id.strip_prefix('s').unwrap().parse().unwrap());
        for member in members.split(',').filter(|member| !member.is_empty()) {
            let member = match term(member) {
                Term::Range(range) => Member::Range(range),
                Term::Mac(mac) => Member::Mac(mac),
                Term::Set(_) => panic!("sets do not nest"),
            };
            sets.add(id, member);
        }
    }
    sets
}

#[test]
fn every_engine_passes_the_suite() {
    for engine in EngineKind::ALL {
        for case in CASES {
            let rules: RuleList =
                (0..).zip(case.rules).map(|(id, text)| Arc::new(rule(id, text))).collect();
            let classifier = engine.build_or_walk(rules);
            let sets = sets(case.sets);
            for (text, expected) in case.packets {
                let (direction, text) = text.split_once(' ').unwrap();
                let direction = if direction == "in" { Direction::In } else { Direction::Out };
                let packet = packet(text);
                let key = Key { direction, packet: &packet };
                let found = classifier.classify(&sets, key);
                assert_eq!(found, *expected, "{engine:?}, {}: {text}", case.name);

                let mut batch = vec![Some(usize::MAX)];
                classifier.classify_batch(&sets, &[key, key], &mut batch);
                assert_eq!(batch, [found, found], "{engine:?}, {}: batch", case.name);
            }
        }
    }
}
