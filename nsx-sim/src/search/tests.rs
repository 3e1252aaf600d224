use super::{Expression, Searched, at, everywhere};
use serde_json::{Value, json};

struct Document(Value);

impl Searched for Document {
    fn at(&self, path: &str, enough: &mut dyn FnMut(&str) -> bool) -> bool {
        at(&self.0, path, enough)
    }

    fn everywhere(&self, enough: &mut dyn FnMut(&str) -> bool) -> bool {
        everywhere(&self.0, enough)
    }
}

fn port() -> Document {
    Document(json!({
        "resource_type": "LogicalPort",
        "id": "9a1c-77",
        "display_name": "App VM-1",
        "description": "serves the /infra/web",
        "vni": 5001,
        "up": true,
        "tags": [
            {"scope": "tier", "tag": "web"},
            {"scope": "ncp/pod", "tag": "shop-7"},
        ],
        "attachment": {"attachment_type": "VIF", "id": "vif:1"},
    }))
}

#[track_caller]
fn finds(query: &str, expected: bool) {
    let read = Expression::parse(query);
    let expression = read.unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_eq!(expression.matches(&port()), expected, "{query}: {expression:?}");
}

#[test]
fn terms_are_whole_values_or_words_in_any_case() {
    for (query, expected) in [
        ("display_name:\"App VM-1\"", true),
        ("display_name:\"app vm-1\"", true),
        ("display_name:VM-1", true),
        ("display_name:VM", false),
        ("display_name:\"VM-1 App\"", false),
        ("display_name:App\\ VM\\-1", true),
        ("DISPLAY_NAME:App", false),
        ("vni:5001", true),
        ("up:TRUE", true),
        ("web", true),
        ("\"serves the\"", true),
        ("nothing", false),
    ] {
        finds(query, expected);
    }
}

#[test]
fn dots_step_into_members_and_through_lists() {
    for (query, expected) in [
        ("tags.scope:tier AND tags.tag:web", true),
        // Flat, not pair by pair.
        ("tags.scope:tier AND tags.tag:shop-7", true),
        ("tags.tag:db", false),
        ("tags:web", true),
        ("attachment.id:vif:1", true),
        ("attachment.id:vif\\:1", true),
        ("tags.scope:ncp\\/pod", true),
        ("attachment.nothing:1", false),
        ("_exists_:attachment.id", true),
        ("_exists_:nothing", false),
        ("attachment.id:*", true),
    ] {
        finds(query, expected);
    }
}

#[test]
fn wildcards_cover_whole_values() {
    for (query, expected) in [
        ("display_name:App*", true),
        ("display_name:app?vm-?", true),
        ("display_name:VM*", false),
        ("display_name:*VM*", true),
        ("*vm*", true),
        ("display_name:a*p*v*1", true),
        ("display_name:App\\*", false),
        ("*", true),
        ("*:*", true),
    ] {
        finds(query, expected);
    }
}

#[test]
fn operators_bind_as_everybody_expects() {
    for (query, expected) in [
        ("vni:1 OR vni:5001", true),
        ("vni:1 || vni:5001", true),
        ("vni:5001 AND vni:1 OR web", true),
        ("vni:5001 AND (vni:1 OR db)", false),
        ("vni:5001 && NOT vni:1", true),
        ("NOT vni:5001", false),
        ("!vni:5001", false),
        ("NOT NOT web", true),
        ("web db", false),
        ("web up:true", true),
        ("resource_type:(LogicalSwitch OR LogicalPort)", true),
        ("tags.tag:(web AND NOT db)", true),
        ("(web)AND(shop-7)", true),
        ("Android", false),
    ] {
        finds(query, expected);
    }
}

#[test]
fn ranges_compare_numbers_as_numbers() {
    for (query, expected) in [
        ("vni:[5000 TO 5001]", true),
        ("vni:[5000 TO 5001}", false),
        ("vni:{5000 TO *]", true),
        ("vni:[600 TO *]", true),
        ("vni:>5000", true),
        ("vni:>=5001", true),
        ("vni:<5001", false),
        ("vni:<=5001", true),
        ("display_name:[a TO b]", true),
    ] {
        finds(query, expected);
    }
}

#[test]
fn what_is_no_query_says_where() {
    for (query, place) in [
        ("", 1),
        ("  ", 3),
        ("(web", 5),
        ("web)", 4),
        ("web AND", 8),
        ("OR web", 1),
        ("NOT", 4),
        (":web", 1),
        ("a:", 3),
        ("a:\"b", 3),
        ("a\\", 3),
        ("a:[1 TO", 8),
        ("a:[1 2]", 5),
        ("a:[1 TO 2", 10),
        ("()", 2),
    ] {
        let error = Expression::parse(query).err();
        assert_eq!(error.as_ref().map(|error| error.place), Some(place), "{query}: {error:?}");
    }
    let deep = "(".repeat(10_000);
    assert!(Expression::parse(&deep).is_err());
}

#[test]
fn a_query_tells_the_types_that_it_is_limited_to() {
    let types = |query: &str| {
        let expression = Expression::parse(query).unwrap();
        expression
            .demands("resource_type")
            .map(|texts| texts.into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(types("resource_type:LogicalPort AND web"), Some(vec!["logicalport".to_owned()]));
    assert_eq!(types("web AND resource_type:(A OR B)"), Some(vec!["a".to_owned(), "b".into()]));
    assert_eq!(types("resource_type:A OR web"), None);
    assert_eq!(types("NOT resource_type:A"), None);
    assert_eq!(types("resource_type:A*"), None);
}
