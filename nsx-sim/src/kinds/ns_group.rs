//! NSGroups: who belongs to them, by name and by criterion [spec NSGroup].

use super::expression::{Comparison, Complex, Expression, Simple, TargetType};
use super::reference::ResourceReference;
use crate::inventory::{
    Action, Error, Filter, Header, Inventory, Kind, Level, Query, Reference, Resource, Transaction,
};
use crate::wire::{self, Fields, Items};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashSet;

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    // Pages of groups hold 50 whatever is asked for [spec ListNSGroups].
    page_cap: 50,
    forceable: true,
    read_only: &["member_count"],
    filters: &[Filter {
        name: "member_types",
        words: None,
        passes: |_, object, types| {
            object.body::<NSGroup>().is_some_and(|group| {
                types.split(',').any(|wanted| {
                    group.member_types().iter().any(|own| own.word() == wanted.trim())
                })
            })
        },
    }],
    actions: &[
        Action { word: "ADD_MEMBERS", status: 200, run: add_members },
        Action { word: "REMOVE_MEMBERS", status: 200, run: remove_members },
    ],
    ..Kind::of::<NSGroup>("NSGroup", "/ns-groups")
};

/// A set of objects, chosen one by one and by criteria.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NSGroup {
    /// Members by id.
    #[serde(default)]
    pub members: Items<Simple, 500>,
    /// Members by criterion: any of these.
    #[serde(default)]
    pub membership_criteria: Items<Expression, 5>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberList {
    members: Items<Expression, 500>,
}

impl NSGroup {
    /// The kinds of members that the group speaks of, each once.
    pub fn member_types(&self) -> Vec<TargetType> {
        let fixed = self.members.iter().map(|member| member.target_type);
        let chosen = self.membership_criteria.iter().filter_map(Expression::target_type);
        let mut types: Vec<_> = fixed.chain(chosen).collect();
        types.sort_unstable();
        types.dedup();
        types
    }

    /// Every criterion taken apart into the expressions that must all hold.
    pub fn criteria(&self) -> impl Iterator<Item = &[Expression]> {
        self.membership_criteria.iter().map(|criterion| match criterion {
            Expression::NSGroupComplexExpression(complex) => &*complex.expressions,
            plain => std::slice::from_ref(plain),
        })
    }

    /// Wire form, with the members' present names where asked for.
    pub fn populated_fields(&self, inventory: &Inventory) -> Fields {
        let mut fields = self.plain_fields();
        let Some(Value::Array(members)) = fields.get_mut("members") else { return fields };
        for (member, simple) in members.iter_mut().zip(self.members.iter()) {
            let target = ResourceReference::to_object(simple.target_type.word(), &simple.value);
            member["target_resource"] = Value::Object(target.fields(inventory));
        }
        fields
    }

    fn plain_fields(&self) -> Fields {
        let mut fields = wire::fields_of(self);
        for member in fields.get_mut("members").and_then(Value::as_array_mut).into_iter().flatten()
        {
            if let Value::Object(member) = member {
                member.shift_insert(0, "resource_type".into(), "NSGroupSimpleExpression".into());
            }
        }
        fields.insert("member_count".into(), self.members.len().into());
        fields
    }

    fn check_members(&self) -> Result<(), Error> {
        for (index, member) in self.members.iter().enumerate() {
            let field = |name: &str| format!("members[{index}].{name}");
            if !member.is_by_id() {
                return Err(Error::field(field("target_property"), "must be id with op EQUALS"));
            }
            if member.target_type == TargetType::VirtualMachine {
                let problem = "VirtualMachine can not be a static member";
                return Err(Error::field(field("target_type"), problem));
            }
        }
        Ok(())
    }

    /// Following members that are groups must not lead back to this one.
    fn check_cycles(&self, own_id: &str, transaction: &Transaction<'_>) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let mut ahead = self.nested().map(str::to_owned).collect::<Vec<_>>();
        while let Some(id) = ahead.pop() {
            if id == own_id {
                return Err(Error::field("members", "would make the group a member of itself"));
            }
            if let Some(object) = transaction.find(KIND.name, &id)
                && let Some(group) = object.body::<Self>()
                && seen.insert(id)
            {
                ahead.extend(group.nested().map(str::to_owned));
            }
        }
        Ok(())
    }

    fn nested(&self) -> impl Iterator<Item = &str> {
        let groups = self.members.iter().filter(|own| own.target_type == TargetType::NSGroup);
        groups.map(|member| &*member.value)
    }
}

impl Resource for NSGroup {
    fn fields(&self, _: &Header, _: &Inventory) -> Fields {
        self.plain_fields()
    }

    fn references(&self) -> Vec<Reference> {
        let members = self.members.iter();
        members.map(|member| Reference::new(member.target_type.word(), &member.value)).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.check_members()?;
        for (index, criterion) in self.membership_criteria.iter().enumerate() {
            check_criterion(criterion, &format!("membership_criteria[{index}]"))?;
        }
        self.check_cycles(&header.id, transaction)
    }
}

fn check_criterion(criterion: &Expression, path: &str) -> Result<(), Error> {
    match criterion {
        Expression::NSGroupSimpleExpression(simple) => check_simple(simple, path),
        Expression::NSGroupTagExpression(tag) => {
            if tag.scope.is_none() && tag.tag.is_none() {
                return Err(Error::field(path, "must have a scope or a tag"));
            }
            // Other comparisons are for virtual machines only [spec NSGroupTagExpression].
            if tag.tag_op != Comparison::Equals && tag.target_type != TargetType::VirtualMachine {
                return Err(Error::field(format!("{path}.tag_op"), "must be EQUALS"));
            }
            Ok(())
        }
        Expression::NSGroupComplexExpression(complex) => check_complex(complex, path),
    }
}

fn check_simple(simple: &Simple, path: &str) -> Result<(), Error> {
    // Groups chosen by a criterion could come to hold each other without either being changed.
    if simple.target_type == TargetType::NSGroup {
        let problem = "NSGroup can not be chosen by a criterion";
        return Err(Error::field(format!("{path}.target_type"), problem));
    }
    match simple.target_property.as_str() {
        "id" | "name" | "display_name" | "os_name" | "computer_name" => Ok(()),
        other => {
            Err(Error::field(format!("{path}.target_property"), format!("can not be {other}")))
        }
    }
}

fn check_complex(complex: &Complex, path: &str) -> Result<(), Error> {
    let first = complex.expressions.first().and_then(Expression::target_type);
    for (index, inner) in complex.expressions.iter().enumerate() {
        let path = format!("{path}.expressions[{index}]");
        if matches!(inner, Expression::NSGroupComplexExpression(_)) {
            return Err(Error::field(path, "can not be complex itself"));
        }
        if inner.target_type() != first {
            return Err(Error::field(format!("{path}.target_type"), "must be the same for all"));
        }
        check_criterion(inner, &path)?;
    }
    Ok(())
}

fn add_members(
    transaction: &mut Transaction<'_>,
    id: &str,
    body: Value,
    _: &Query,
) -> Result<Value, Error> {
    let members = read_members(body)?;
    edit_members(transaction, id, |group| {
        for member in members {
            if !group.members.contains(&member) && !group.members.try_push(member) {
                return Err(Error::field("members", "has exceeded maximum size 500"));
            }
        }
        Ok(())
    })
}

fn remove_members(
    transaction: &mut Transaction<'_>,
    id: &str,
    body: Value,
    _: &Query,
) -> Result<Value, Error> {
    let members = read_members(body)?;
    edit_members(transaction, id, |group| {
        for member in members {
            // Clients tell an absent member by the error [nsxlib security.py].
            if !group.members.contains(&member) {
                let problem = format!("{} is not a member", member.value);
                return Err(Error::field("members", problem));
            }
            group.members.retain(|own| *own != member);
        }
        Ok(())
    })
}

/// Both actions take any revision: clients send none [bosh, nsxlib].
fn edit_members(
    transaction: &mut Transaction<'_>,
    id: &str,
    edit: impl FnOnce(&mut NSGroup) -> Result<(), Error>,
) -> Result<Value, Error> {
    let object = transaction.edit(&KIND, id, |group: &mut NSGroup, _| edit(group))?;
    Ok(Value::Object(object.fields(transaction.inventory(), transaction.actor())))
}

fn read_members(body: Value) -> Result<Vec<Simple>, Error> {
    let list: MemberList = wire::read(body)?;
    list.members
        .iter()
        .cloned()
        .map(|expression| match expression {
            Expression::NSGroupSimpleExpression(simple) => Ok(simple),
            other => Err(Error::field("members", format!("can not be {}", other.variant()))),
        })
        .collect()
}
