//! Tables as the server prints them for kubectl: columns, cells and ages.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

/// A column of a table.
pub struct Column {
    /// Its header, which clients print in capitals.
    pub name: &'static str,
    /// `string` or `integer`.
    pub kind: &'static str,
    /// 0 is always printed, 1 for wide output.
    pub priority: u8,
}

/// A column of text.
pub const fn text(name: &'static str) -> Column {
    Column { name, kind: "string", priority: 0 }
}

/// A column of numbers.
pub const fn integer(name: &'static str) -> Column {
    Column { name, kind: "integer", priority: 0 }
}

/// A column of wide output.
pub const fn wide(name: &'static str) -> Column {
    Column { name, kind: "string", priority: 1 }
}

/// The columns of kinds that have none of their own.
pub const PLAIN: &[Column] = &[text("Name"), text("Age")];

/// Their cells.
pub fn plain(object: &Value) -> Vec<Value> {
    vec![name(object), age(object)]
}

/// The cell of the name.
pub fn name(object: &Value) -> Value {
    object["metadata"]["name"].clone()
}

/// The cell of the age.
pub fn age(object: &Value) -> Value {
    since(object["metadata"]["creationTimestamp"].as_str().unwrap_or_default()).into()
}

/// How long ago this moment was, as tables say it.
pub fn since(moment: &str) -> String {
    match moment.parse::<Timestamp>() {
        Ok(at) => duration(Timestamp::now().as_second() - at.as_second()),
        Err(_) => "<unknown>".to_owned(),
    }
}

/// A time span in two units at most, coarser the longer it is (apimachinery's `HumanDuration`).
pub fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |big: i64, b: &str, small: i64, s: &str| match small {
        0 => format!("{big}{b}"),
        small => format!("{big}{b}{small}{s}"),
    };
    match seconds {
        i64::MIN..=-2 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => pair(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

/// Labels of a selector as tables say them.
pub fn labels(selector: &Value) -> Value {
    let Some(members) = selector.as_object().filter(|m| !m.is_empty()) else {
        return "<none>".into();
    };
    let pairs: Vec<String> =
        members.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    pairs.join(",").into()
}

/// A whole label selector: labels and expressions.
pub fn selector(selector: &Value) -> Value {
    match super::super::selector::printed(selector) {
        text if text.is_empty() => "<none>".into(),
        text => text.into(),
    }
}

/// One member of each in a list, with commas between.
pub fn joined(list: &[Value], member: &str) -> Value {
    let all: Vec<&str> = list.iter().filter_map(|v| v[member].as_str()).collect();
    all.join(",").into()
}

/// The definitions of these columns in a table.
pub fn definitions(columns: &[Column]) -> Value {
    columns
        .iter()
        .map(|c| {
            let format = if c.name == "Name" { "name" } else { "" };
            json!({"name": c.name, "type": c.kind, "format": format, "description": "",
                   "priority": c.priority})
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_as_kubernetes_tells_them() {
        let cases = [
            (0, "0s"),
            (105, "105s"),
            (120, "2m"),
            (159, "2m39s"),
            (599, "9m59s"),
            (600, "10m"),
            (7_620, "127m"),
            (11_100, "3h5m"),
            (28_800, "8h"),
            (72_000, "20h"),
            (273_600, "3d4h"),
            (1_036_800, "12d"),
            (63_072_000, "2y"),
            (70_000_000, "2y80d"),
        ];
        for (seconds, told) in cases {
            assert_eq!(duration(seconds), told);
        }
    }
}
