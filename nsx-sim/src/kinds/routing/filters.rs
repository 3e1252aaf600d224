//! What routers compare routes with: lists of networks, lists of communities, maps of both
//! [spec IPPrefixList, BGPCommunityList, RouteMap].

use super::{ROUTER, of_router};
use crate::inventory::{Error, Header, Kind, Reference, Resource, Transaction};
use crate::kinds::values::Formed;
use crate::wire::{Int, Items, Told};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of lists of networks.
pub static PREFIX_LIST: Kind = Kind {
    parent: ROUTER,
    created: 200, // [spec AddIPPrefixList]
    ..Kind::of::<IpPrefixList>("IPPrefixList", "/logical-routers/{}/routing/ip-prefix-lists")
};

/// The declaration of lists of communities.
pub static COMMUNITY_LIST: Kind = Kind {
    parent: ROUTER,
    created: 200, // [spec CreateBGPCommunityList]
    ..Kind::of::<BgpCommunityList>(
        "BGPCommunityList",
        "/logical-routers/{}/routing/bgp/community-lists",
    )
};

/// The declaration of route maps.
pub static ROUTE_MAP: Kind = Kind {
    parent: ROUTER,
    created: 200, // [spec AddRouteMap]
    ..Kind::of::<RouteMap>("RouteMap", "/logical-routers/{}/routing/route-maps")
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum FilterAction {
    Permit,
    Deny,
}

/// Networks, in order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpPrefixList {
    prefixes: Items<Prefix, 1_330_000, 1>,
    #[serde(default)]
    logical_router_id: Told<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Prefix {
    /// None is any.
    network: Option<Formed<IpNet>>,
    action: FilterAction,
    ge: Option<Int<1, 128>>,
    le: Option<Int<1, 128>>,
}

/// Communities.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BgpCommunityList {
    communities: Vec<String>,
    #[serde(default)]
    community_type: CommunityType,
    #[serde(default)]
    logical_router_id: Told<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum CommunityType {
    #[default]
    NormalBGPCommunity,
    LargeBGPCommunity,
}

impl CommunityType {
    /// Whether a text is a community of this type [spec BGPCommunityList.community_type].
    fn takes(self, text: &str) -> bool {
        const KNOWN: [&str; 3] = ["NO_EXPORT", "NO_ADVERTISE", "NO_EXPORT_SUBCONFED"];
        let parts: Vec<Option<u32>> = text.split(':').map(|part| part.parse().ok()).collect();
        let half = |part: Option<u32>| part.is_some_and(|own| (1..=65_535).contains(&own));
        let whole = |part: Option<u32>| part.is_some_and(|own| own >= 1);
        match (self, parts.as_slice()) {
            (Self::NormalBGPCommunity, &[one]) => whole(one) || KNOWN.contains(&text),
            (Self::NormalBGPCommunity, &[one, two]) => half(one) && half(two),
            (Self::LargeBGPCommunity, &[one, two, three]) => {
                whole(one) && whole(two) && whole(three)
            }
            _ => false,
        }
    }
}

/// What becomes of routes, in order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteMap {
    sequences: Items<Sequence, 1000, 1>,
    #[serde(default)]
    logical_router_id: Told<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sequence {
    action: FilterAction,
    match_criteria: Criteria,
    set_criteria: Option<Settings>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Criteria {
    ip_prefix_lists: Option<Items<String, 500, 1>>,
    match_community_expression: Option<CommunityExpression>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommunityExpression {
    #[serde(default)]
    operator: Told<Operator>,
    expression: Vec<CommunityMatch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Operator {
    And,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommunityMatch {
    #[serde(default)]
    match_operator: MatchOperator,
    community_list_id: Option<String>,
    regular_expression: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum MatchOperator {
    #[default]
    MatchAny,
    MatchAll,
    MatchExact,
    MatchNone,
    MatchRegex,
    MatchLargeCommunityRegex,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    as_path_prepend: Option<String>,
    community: Option<String>,
    large_community: Option<String>,
    local_preference: Option<Int<0, 4_294_967_295>>,
    multi_exit_discriminator: Option<Int<0, 4_294_967_295>>,
    weight: Option<Int<0, 65_535>>,
}

impl Resource for IpPrefixList {
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.logical_router_id = of_router(header);
        for (place, prefix) in self.prefixes.iter().enumerate() {
            if let (Some(ge), Some(le)) = (prefix.ge, prefix.le)
                && ge > le
            {
                return Err(Error::field(format!("prefixes[{place}].ge"), "must not exceed le"));
            }
        }
        Ok(())
    }
}

impl Resource for BgpCommunityList {
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.logical_router_id = of_router(header);
        let wrong = self.communities.iter().position(|own| !self.community_type.takes(own));
        match wrong {
            Some(place) => {
                let field = format!("communities[{place}]");
                Err(Error::field(field, "is no community of the list's type"))
            }
            None => Ok(()),
        }
    }
}

impl Resource for RouteMap {
    fn references(&self) -> Vec<Reference> {
        let criteria = self.sequences.iter().map(|sequence| &sequence.match_criteria);
        criteria
            .flat_map(|criteria| {
                let lists = criteria.ip_prefix_lists.iter().flat_map(|lists| lists.iter());
                let lists = lists.map(|id| Reference::new(PREFIX_LIST.name, id));
                let matches = criteria.match_community_expression.iter();
                let matches = matches.flat_map(|own| &own.expression);
                let communities = matches.filter_map(|own| own.community_list_id.as_ref());
                lists.chain(communities.map(|id| Reference::new(COMMUNITY_LIST.name, id)))
            })
            .collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.logical_router_id = of_router(header);
        Ok(())
    }
}
