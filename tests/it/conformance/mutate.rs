//! Bodies made from one that is right and the facts on its type: each wrong in one thing, or right
//! in another way.

use super::values;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use tests::{Facts, Member, Type};

/// What must come of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It is taken.
    Taken,
    /// It is refused with 400.
    Refused,
    /// It is taken, or refused for a reason that the type does not tell.
    Judged,
    /// As `Judged`, and where it is taken, what was sent is told as it was sent.
    Kept,
}

/// A body and what must come of it.
pub struct Case {
    /// Where it differs and how.
    pub name: String,
    /// The member in which it differs, as a pointer.
    pub member: String,
    /// The body.
    pub body: Value,
    /// What must come of it.
    pub expect: Expect,
}

/// All cases around a body of a type.
pub fn cases(facts: &Facts, of: &str, body: &Value) -> Vec<Case> {
    let base = Cow::Borrowed(body);
    let mut around = Around { facts, base, within: String::new(), cases: Vec::new() };
    around.object(of, "", 0);
    around.cases
}

/// Objects within objects are followed so far; those that the body does not have and that are made
/// up for the purpose, less far.
const DEPTH: usize = 4;
const MADE_UP: usize = 2;

struct Around<'a> {
    facts: &'a Facts,
    base: Cow<'a, Value>,
    /// What was put into the body to come here; it may be refused for its own sake.
    within: String,
    cases: Vec<Case>,
}

impl Around<'_> {
    /// The base with something put into the object at a place; none takes it away.
    fn changed(&self, place: &str, member: &str, value: Option<Value>) -> Option<Value> {
        let mut body = self.base.clone().into_owned();
        let object = body.pointer_mut(place)?.as_object_mut()?;
        match value {
            Some(value) => object.insert(member.to_owned(), value),
            None => object.shift_remove(member),
        };
        Some(body)
    }

    /// A case in which the object at a place has a member set, or lacks it.
    fn case(&mut self, place: &str, member: &str, how: &str, value: Option<Value>, expect: Expect) {
        let sure = self.within.is_empty() || expect != Expect::Taken;
        let expect = if sure { expect } else { Expect::Judged };
        if let Some(body) = self.changed(place, member, value) {
            let name = format!("{}{place}/{member} {how}", self.within);
            let member = format!("{place}/{member}");
            self.cases.push(Case { name, member, body, expect });
        }
    }

    /// A case of which the type does not tell what must come.
    fn judged(&mut self, name: &str, member: &str, body: &Value) {
        let (name, member, body) = (name.to_owned(), member.to_owned(), body.clone());
        self.cases.push(Case { name, member, body, expect: Expect::Judged });
    }

    /// The cases around a body that has something more.
    fn around(&mut self, with: Value, within: String, of: &str, place: &str, depth: usize) {
        let (facts, base) = (self.facts, Cow::Owned(with));
        let mut inner = Around { facts, base, within, cases: Vec::new() };
        inner.object(of, place, depth);
        self.cases.append(&mut inner.cases);
    }

    fn object(&mut self, of: &str, place: &str, depth: usize) {
        let facts = self.facts;
        let Some(own) = self.base.pointer(place).filter(|own| own.is_object()).cloned() else {
            return;
        };
        self.case(place, "no_such_member", "unknown", Some(json!(1)), Expect::Refused);
        match facts.get(of) {
            Some(Type::Object(members)) => {
                for (name, fact) in members {
                    self.member(name, fact, own.get(*name), place, depth);
                }
            }
            Some(Type::OneOf { variants, by }) => {
                let told = own.get(*by).and_then(Value::as_str).unwrap_or_default();
                self.case(place, by, "of no type", Some(json!("NoSuchType")), Expect::Refused);
                self.case(place, by, "left out", None, Expect::Refused);
                self.case(place, by, "null", Some(Value::Null), Expect::Refused);
                self.case(place, by, "a number", Some(json!(7)), Expect::Refused);
                for variant in variants {
                    let Some(Type::Object(members)) = facts.get(variant) else { continue };
                    if *variant == told {
                        for (name, fact) in members.iter().filter(|(name, _)| *name != by) {
                            self.member(name, fact, own.get(*name), place, depth);
                        }
                    } else if self.within.is_empty() {
                        self.variant(variant, by, members.iter(), place, depth);
                    }
                }
            }
            None => {}
        }
    }

    /// The cases around the body with another variant in the place of the object that is there.
    fn variant<'m>(
        &mut self,
        variant: &str,
        by: &str,
        members: impl Iterator<Item = (&'m &'static str, &'m Member)>,
        place: &str,
        depth: usize,
    ) {
        let mut example = self.smallest(members, depth);
        example[by] = json!(variant);
        let mut with = self.base.clone().into_owned();
        if let Some(own) = with.pointer_mut(place) {
            *own = example;
        }
        let within = format!("{place} = {variant} ");
        self.judged(&within, place, &with);
        self.around(with, within, variant, place, depth);
    }

    fn member(
        &mut self,
        name: &str,
        fact: &Member,
        own: Option<&Value>,
        place: &str,
        depth: usize,
    ) {
        if fact.read_only {
            return self.case(place, name, "sent", Some(json!({"x": [1]})), Expect::Taken);
        }
        // Some members are both required and have a default: those may be left out.
        if fact.required && own.is_some() && fact.default.is_none() {
            self.case(place, name, "left out", None, Expect::Refused);
            self.case(place, name, "null", Some(Value::Null), Expect::Refused);
        } else if own.is_some() {
            self.case(place, name, "left out", None, Expect::Judged);
            self.case(place, name, "null", Some(Value::Null), Expect::Judged);
        } else if !fact.required {
            self.case(place, name, "null", Some(Value::Null), Expect::Taken);
        }
        let item = fact.items();
        let form = item.unwrap_or(fact.form);
        let is_type = self.facts.get(form).is_some();
        for (how, value, expect) in values::of_another_form(form, item.is_some(), is_type) {
            self.case(place, name, &how, Some(value), expect);
        }
        if item.is_some() {
            for (how, value, expect) in values::of_another_form(form, false, is_type) {
                self.case(
                    place,
                    name,
                    &format!("of which one {how}"),
                    Some(json!([value])),
                    expect,
                );
            }
            self.case(place, name, "of which one is null", Some(json!([null])), Expect::Judged);
            self.sizes(name, fact, own, place, depth);
        }
        for (how, value, expect) in values::plain(form, fact) {
            let value = if item.is_some() { json!([value]) } else { value };
            self.case(place, name, &how, Some(value), expect);
        }
        if is_type {
            self.nested(name, fact, own, place, depth);
        }
    }

    /// Lists as short and as long as can be, and beyond.
    fn sizes(&mut self, name: &str, fact: &Member, own: Option<&Value>, place: &str, depth: usize) {
        let form = fact.items().unwrap_or_default();
        let one = own.and_then(|own| own.get(0)).cloned();
        let one = one.unwrap_or_else(|| self.example(form, fact, depth + 1));
        let many = |size: usize| Some(Value::Array(vec![one.clone(); size]));
        let limit = |limit: Option<i64>| limit.and_then(|own| usize::try_from(own).ok());
        if let Some(min) = limit(fact.min).filter(|min| *min > 0) {
            self.case(place, name, "too few", many(min - 1), Expect::Refused);
            self.case(place, name, "just enough", many(min), Expect::Judged);
        } else {
            self.case(place, name, "none", many(0), Expect::Judged);
        }
        if let Some(max) = limit(fact.max).filter(|max| *max <= 2000) {
            self.case(place, name, "as many as can be", many(max), Expect::Judged);
            self.case(place, name, "too many", many(max + 1), Expect::Refused);
        }
    }

    /// What is within a member that is an object, or a list of such.
    fn nested(
        &mut self,
        name: &str,
        fact: &Member,
        own: Option<&Value>,
        place: &str,
        depth: usize,
    ) {
        let form = fact.items().unwrap_or(fact.form);
        let depths = if self.within.is_empty() { DEPTH } else { MADE_UP };
        if depth >= depths {
            return;
        }
        match own {
            Some(Value::Array(items)) if !items.is_empty() => {
                for at in 0..items.len().min(2) {
                    self.object(form, &format!("{place}/{name}/{at}"), depth + 1);
                }
            }
            Some(Value::Object(_)) => self.object(form, &format!("{place}/{name}"), depth + 1),
            _ => {
                let example = self.example(form, fact, depth + 1);
                let is_list = fact.items().is_some();
                let value = if is_list { json!([example]) } else { example };
                let Some(with) = self.changed(place, name, Some(value)) else { return };
                let how = format!("{}{place}/{name} as small as can be ", self.within);
                self.judged(&how, &format!("{place}/{name}"), &with);
                let inner = if is_list { "/0" } else { "" };
                self.around(with, how, form, &format!("{place}/{name}{inner}"), depth + 1);
            }
        }
    }

    /// The smallest value of a form that the type allows.
    fn example(&self, form: &str, fact: &Member, depth: usize) -> Value {
        if let Some(word) = fact.words.first() {
            return json!(word);
        }
        match form {
            "text" => json!(match fact.format {
                Some("ip" | "ipv4" | "address-or-block-or-range" | "hostname-or-ip") => "10.9.8.7",
                Some("ipv6") => "fd00::7",
                Some("ip-cidr-block" | "ipv4-cidr-block") => "10.9.8.0/24",
                Some("ipv6-cidr-block") => "fd00::/64",
                Some("port-or-range") => "80",
                _ => "text",
            }),
            "int" => json!(fact.min.unwrap_or(1)),
            "bool" => json!(true),
            "float" => json!(1.0),
            "object" | "any" => json!({}),
            name => match self.facts.get(name) {
                Some(Type::Object(members)) if depth < DEPTH + 2 => {
                    self.smallest(members.iter(), depth)
                }
                Some(Type::OneOf { variants, by }) if depth < DEPTH + 2 => {
                    let Some(Type::Object(members)) = self.facts.get(variants[0]) else {
                        return json!({});
                    };
                    let mut value = self.smallest(members.iter(), depth);
                    value[*by] = json!(variants[0]);
                    value
                }
                _ => json!({}),
            },
        }
    }

    fn smallest<'m>(
        &self,
        members: impl Iterator<Item = (&'m &'static str, &'m Member)>,
        depth: usize,
    ) -> Value {
        let needed = members.filter(|(_, fact)| fact.required && !fact.read_only);
        let made = needed.map(|(name, fact)| {
            let form = fact.items().unwrap_or(fact.form);
            let value = self.example(form, fact, depth + 1);
            let several = || vec![value.clone(); fact.min.map_or(1, |min| min.max(1) as usize)];
            let value = if fact.items().is_some() { several().into() } else { value.clone() };
            ((*name).to_owned(), value)
        });
        Value::Object(made.collect::<Map<_, _>>())
    }
}
