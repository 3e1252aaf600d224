//! The manager itself: version, health, and what clients ask of its types.

use super::call::Reply;
use super::routes::Routes;
use crate::clock::Millis;
use crate::inventory::{MAX_TAG, MAX_TAG_SCOPE, MAX_TAGS};
use serde_json::json;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/node/version", |call| {
        let own = call.world.inventory.version();
        Ok(Reply::ok(json!({"node_version": own.node(), "product_version": own.product()})))
    });
    // Before 2.4 [nsxlib cluster.py], and not in the published API either.
    routes.on("GET", "/operational/application/status", |_| {
        Ok(Reply::ok(json!({"application_status": "WORKING"})))
    });
    // Not in the published API, but the health check of every client since 2.4 [nsxlib cluster.py].
    routes.on("GET", "/reverse-proxy/node/health", |_| {
        Ok(Reply::ok(json!({"healthy": true, "components_health": "MANAGER:UP, SEARCH:UP, UI:UP, NODE_MGMT:UP"})))
    });
    // Nor are these: the schemas from which a client learns the limits of tags [nsxlib lib.py].
    routes.on("GET", "/spec/vmware/types/Tag", |_| {
        let scope = json!({"type": "string", "maxLength": MAX_TAG_SCOPE});
        let tag = json!({"type": "string", "maxLength": MAX_TAG});
        let properties = json!({"scope": scope, "tag": tag});
        Ok(Reply::ok(json!({"id": "Tag", "type": "object", "properties": properties})))
    });
    routes.on("GET", "/spec/vmware/types/ManagedResource", |_| {
        let tags = json!({"type": "array", "maxItems": MAX_TAGS, "items": {"$ref": "Tag"}});
        let properties = json!({"tags": tags});
        Ok(Reply::ok(json!({"id": "ManagedResource", "type": "object", "properties": properties})))
    });
}

/// A date in UTC as `YYYY-MM-DDTHH:MM:SSZ`, by Howard Hinnant's civil calendar.
pub fn date(millis: Millis) -> String {
    let seconds = millis / 1000;
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        // The guide's own moment: ports made May 18, 2020, 20:55:53 UTC.
        assert_eq!(date(1_589_835_353_000), "2020-05-18T20:55:53Z");
        assert_eq!(date(951_782_399_000), "2000-02-28T23:59:59Z");
    }
}
