//! What of the API is modelled, and how much of it: `GET /sim/coverage`.

use super::call::Reply;
use super::routes::{Listed, Routes};
use crate::inventory::Level;
use serde_json::{Value, json};

impl Level {
    /// All of them, from none to all.
    pub const ALL: [Self; 4] = [Self::Absent, Self::Shape, Self::Stateful, Self::Semantic];

    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Shape => "shape",
            Self::Stateful => "stateful",
            Self::Semantic => "semantic",
        }
    }
}

/// Adds the route.
pub fn register(routes: &mut Routes) {
    routes.at("GET", "/sim/coverage", |call| {
        let words = Level::ALL.map(Level::word);
        let asked = call.query.one_of("level", &words)?;
        Ok(Reply::ok(report(&call.api.operations(), asked)))
    });
}

/// Counts over the published operations, and a row for each operation of the level asked for.
fn report(listed: &[Listed], asked: Option<&str>) -> Value {
    let published = || listed.iter().filter(|own| own.published.is_some());
    let count = |level| published().filter(|own| own.level == level).count();
    let levels = Level::ALL.map(|level| (level.word().to_owned(), Value::from(count(level))));
    let rows = listed.iter().filter(|own| asked.is_none_or(|word| own.level.word() == word));
    let rows = rows.map(|own| {
        let (path, level) = (&own.path, own.level.word());
        let mut row = json!({ "method": own.method, "path": path, "level": level });
        if let Some(published) = own.published {
            row["path"] = format!("/api/v1{}", published.path).into();
            row["operation_id"] = published.name.into();
        }
        row
    });
    json!({
        "api_version": "2.5.1",
        "operations": published().count(),
        "modelled": published().filter(|own| own.level > Level::Absent).count(),
        "levels": serde_json::Map::from_iter(levels),
        "results": rows.collect::<Vec<_>>(),
    })
}
