//! The types that the published API takes, as facts to hold the kinds against
//! (`fixtures/api/types.txt`).

use serde_json::Value;
use std::collections::BTreeMap;

/// All types by name.
pub struct Facts(BTreeMap<&'static str, Type>);

/// A type of the published API.
pub enum Type {
    /// An object with these members.
    Object(BTreeMap<&'static str, Member>),
    /// One of these types, told by the value of a member.
    OneOf {
        /// The types' names.
        variants: Vec<&'static str>,
        /// The member that tells them apart.
        by: &'static str,
    },
}

/// A member of an object.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// `text`, `int`, `bool`, `float`, `object`, `any`, a type's name, or one of these in brackets.
    pub form: &'static str,
    /// Whether callers must send it.
    pub required: bool,
    /// Whether only the manager sets it.
    pub read_only: bool,
    /// The least length, size or value.
    pub min: Option<i64>,
    /// The greatest length, size or value.
    pub max: Option<i64>,
    /// The words that a text may be; of an array's items where it is one.
    pub words: Vec<String>,
    /// The form of a text; of an array's items where it is one.
    pub format: Option<&'static str>,
    /// What it is where callers leave it out.
    pub default: Option<Value>,
}

impl Member {
    /// What an array holds; none where it is no array.
    pub fn items(&self) -> Option<&'static str> {
        self.form.strip_prefix('[')?.strip_suffix(']')
    }
}

impl Facts {
    /// Reads the table.
    ///
    /// # Panics
    /// Where the table is not in its form: a mistake in this repository.
    pub fn read() -> Self {
        let mut types = BTreeMap::new();
        let mut last = "";
        let lines = fixtures::API_TYPES.lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            match line.strip_prefix("  ") {
                Some(member) => {
                    let mut words = member.split(' ');
                    let name = words.next().unwrap_or_default();
                    let Some(Type::Object(members)) = types.get_mut(last) else {
                        panic!("a member without a type: {line}");
                    };
                    members.insert(name, read_member(words));
                }
                None => {
                    let (name, kind) = read_type(line);
                    last = name;
                    types.insert(name, kind);
                }
            }
        }
        Self(types)
    }

    /// The name of a kind's type: of the one that joins its variants, where it has some; none where the
    /// published API has no such type.
    pub fn name_of_kind(&self, kind: &str) -> Option<String> {
        let name = |before: &str| format!("{before}{kind}");
        [name("Base"), name("")].into_iter().find(|name| self.get(name).is_some())
    }

    /// A type by its name.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.0.get(name)
    }
}

fn read_type(line: &'static str) -> (&'static str, Type) {
    match line.split_once(" = ") {
        None => (line, Type::Object(BTreeMap::new())),
        Some((name, rest)) => {
            let (variants, by) = rest.rsplit_once(" by ").unwrap_or((rest, "resource_type"));
            (name, Type::OneOf { variants: variants.split(" | ").collect(), by })
        }
    }
}

fn read_member(words: std::str::Split<'static, char>) -> Member {
    let mut member = Member::default();
    for (place, word) in words.enumerate() {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            _ if place == 0 => member.form = word,
            "required" => member.required = true,
            "read-only" => member.read_only = true,
            "min" => member.min = value.parse().ok(),
            "max" => member.max = value.parse().ok(),
            "enum" | "item-enum" => {
                member.words = value.split('|').map(|word| word.replace("%20", " ")).collect();
            }
            // The width is a limit, too.
            "format" if value == "int32" => member.max = Some(i32::MAX.into()),
            "format" | "item-format" => member.format = Some(value),
            "default" => member.default = serde_json::from_str(value).ok(),
            "item-min" | "item-max" => {}
            other => panic!("{other} says nothing here"),
        }
    }
    member
}
