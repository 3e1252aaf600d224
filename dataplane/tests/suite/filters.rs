//! Five-tuple engines against the scan, on filters that overlap heavily.

use dataplane::engine::Unsupported;
use dataplane::engine::tuple::{
    Carried, Crossed, Filter, FlowCache, Forest, Header, HeaderClassifier, Kind, NONE, Paired,
    Scan, Span,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::strategies::cases;

type Build = fn(&[Filter]) -> Result<Box<dyn HeaderClassifier>, Unsupported>;

/// Every engine for headers, by name.
const ENGINES: &[(&str, Build)] = &[
    ("crossed", |filters| Ok(Box::new(Crossed::new(filters)?))),
    ("crossed, scalar", |filters| Ok(Box::new(Crossed::new(filters)?.without_simd()))),
    ("paired", |filters| Ok(Box::new(Paired::new(filters)?))),
    ("paired, scalar", |filters| Ok(Box::new(Paired::new(filters)?.without_simd()))),
    ("forest", |filters| Ok(Box::new(Forest::new(filters)?))),
    ("forest, scalar", |filters| Ok(Box::new(Forest::new(filters)?.without_simd()))),
];

/// Few numbers far apart and next to each other, with the ends of the range among them.
fn address() -> impl Strategy<Value = u32> {
    let near = select(vec![0x0a00_0000, 0x0a00_0100, 0x0a01_0000, 0xc0a8_0000, 0]);
    prop_oneof![
        6 => (near, 0_u32..4).prop_map(|(base, host)| base + host),
        1 => select(vec![u32::MAX, u32::MAX - 1, 0x7fff_ffff, 0x8000_0000]),
    ]
}

fn addresses() -> impl Strategy<Value = Span<u32>> {
    prop_oneof![
        3 => (address(), select(vec![0_u8, 1, 8, 16, 23, 24, 30, 31, 32]))
            .prop_map(|(address, length)| Span::<u32>::prefix(address, length)),
        1 => (address(), address()).prop_map(|(a, b)| Span { first: a.min(b), last: a.max(b) }),
    ]
}

fn port() -> impl Strategy<Value = u16> {
    select(vec![0_u16, 1, 53, 80, 443, 1023, 1024, 65534, 65535])
}

fn ports() -> impl Strategy<Value = Span<u16>> {
    prop_oneof![
        2 => Just(Span::<u16>::ALL),
        2 => port().prop_map(|port| Span { first: port, last: port }),
        1 => (port(), port()).prop_map(|(a, b)| Span { first: a.min(b), last: a.max(b) }),
    ]
}

fn kind() -> impl Strategy<Value = u16> {
    (select(vec![1_u16, 6, 17, 255]), 0_u16..4).prop_map(|(protocol, low)| protocol << 2 | low)
}

fn carried() -> impl Strategy<Value = Carried> {
    let masks = vec![0, Kind::PROTOCOL, Kind::PROTOCOL | Kind::BARE, Kind::DIRECTION, 0x3ff];
    let kind = (kind(), select(masks)).prop_map(|(kind, mask)| (mask, kind & mask));
    let part = (ports(), ports(), kind).prop_map(|(src_port, dst_port, (kind_mask, kind))| {
        Carried { src_port, dst_port, kind_mask, kind }
    });
    prop_oneof![1 => Just(Carried::ANY), 5 => part]
}

pub(crate) fn filters(most: usize) -> impl Strategy<Value = Vec<Filter>> {
    let filter = (addresses(), addresses(), carried(), 0_u32..40);
    vec(filter, 0..most).prop_map(|filters| {
        let ranked = (0..).step_by(2).zip(filters);
        // Some share a rank, as the filters of one rule do.
        let filter = |(at, (src, dst, carried, shared))| {
            let rank = if shared < 8 { shared } else { at };
            Filter { src, dst, carried, rank }
        };
        ranked.map(filter).collect()
    })
}

pub(crate) fn header() -> impl Strategy<Value = Header> {
    (address(), address(), port(), port(), kind()).prop_map(
        |(src, dst, src_port, dst_port, kind)| {
            Header::new(src, dst, src_port, dst_port, Kind(kind))
        },
    )
}

/// Headers at and just beyond the filters' corners.
pub(crate) fn corners(filters: &[Filter]) -> Vec<Header> {
    let mut headers = Vec::new();
    for Filter { src, dst, carried, .. } in filters {
        let Carried { src_port, dst_port, kind, .. } = *carried;
        let kind = Kind(kind);
        headers.push(Header::new(src.first, dst.last, src_port.first, dst_port.last, kind));
        headers.push(Header::new(src.last, dst.first, src_port.last, dst_port.first, kind));
        let (before, after) = (src.first.wrapping_sub(1), dst.last.wrapping_add(1));
        headers.push(Header::new(before, dst.first, src_port.first, dst_port.first, kind));
        headers.push(Header::new(src.first, after, src_port.first, dst_port.first, kind));
        let beyond = dst_port.last.wrapping_add(1);
        headers.push(Header::new(src.last, dst.last, src_port.last, beyond, Kind(kind.0 ^ 4)));
    }
    headers
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn every_engine_for_headers_equals_the_scan(
        filters in filters(60),
        mut headers in vec(header(), 0..200),
    ) {
        headers.extend(corners(&filters));
        let mut expected = vec![NONE; headers.len()];
        Scan::new(filters.clone()).classify_headers(&headers, &mut expected);
        for (name, build) in ENGINES {
            let engine = build(&filters).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let mut ranks = vec![7; headers.len()];
            engine.classify_headers(&headers, &mut ranks);
            prop_assert_eq!(&ranks, &expected, "{}", name);
            // One after another: what is left of a batch goes another way.
            for (header, expected) in headers.iter().zip(&expected) {
                let mut rank = [7];
                engine.classify_headers(&[*header], &mut rank);
                prop_assert_eq!(rank[0], *expected, "{}: {:?}", name, header);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn large_lists_of_every_engine_equal_the_scan(filters in filters(400)) {
        let headers = corners(&filters);
        let mut expected = vec![NONE; headers.len()];
        Scan::new(filters.clone()).classify_headers(&headers, &mut expected);
        for (name, build) in ENGINES {
            // Crossed tables may say that they can not.
            let Ok(engine) = build(&filters) else { continue };
            let mut ranks = vec![7; headers.len()];
            engine.classify_headers(&headers, &mut ranks);
            prop_assert_eq!(&ranks, &expected, "{}", name);
        }
    }

    #[test]
    fn a_cache_answers_like_its_engine_however_full(
        filters in filters(20),
        flows in vec(header(), 1..80),
        order in vec(any::<prop::sample::Index>(), 0..400),
        room in 0_usize..100,
    ) {
        let engine = Scan::new(filters);
        let simd = FlowCache::new(room, 5);
        let headers: Vec<Header> = order.iter().map(|at| *at.get(&flows)).collect();
        let (mut expected, mut ranks) = (vec![NONE; headers.len()], vec![7; headers.len()]);
        engine.classify_headers(&headers, &mut expected);
        for mut cache in [simd.clone().without_simd(), simd] {
            for _ in 0..2 {
                cache.classify_headers(&engine, &headers, &mut ranks);
                prop_assert_eq!(&ranks, &expected);
            }
            cache.clear();
            cache.classify_headers(&Scan::default(), &headers, &mut ranks);
            prop_assert!(ranks.iter().all(|rank| *rank == NONE));
        }
    }
}

#[test]
fn a_cache_keeps_no_rank_that_does_not_fit() {
    let all = Filter {
        src: Span::<u32>::ALL,
        dst: Span::<u32>::ALL,
        carried: Carried::ANY,
        rank: NONE - 1,
    };
    let (engine, mut cache) = (Scan::new(vec![all]), FlowCache::new(8, 1));
    for _ in 0..2 {
        let mut ranks = [7; 3];
        cache.classify_headers(&engine, &[Header::default(); 3], &mut ranks);
        assert_eq!(ranks, [NONE - 1; 3]);
    }
}

#[test]
fn answers_are_as_many_as_both_slices_have_places_for() {
    let filters =
        [Filter { src: Span::<u32>::ALL, dst: Span::<u32>::ALL, carried: Carried::ANY, rank: 3 }];
    for (name, build) in ENGINES {
        let engine = build(&filters).unwrap();
        for (headers, places) in [(40, 33), (20, 40), (0, 4), (4, 0), (300, 300)] {
            let mut ranks = vec![7; places];
            engine.classify_headers(&vec![Header::default(); headers], &mut ranks);
            let answered = headers.min(places);
            assert!(ranks[..answered].iter().all(|rank| *rank == 3), "{name}");
            assert!(ranks[answered..].iter().all(|rank| *rank == 7), "{name}");
        }
    }
}
