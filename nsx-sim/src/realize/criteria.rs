//! Whether an object fits a group's criterion.

use crate::inventory::{Object, Tag};
use crate::kinds::expression::{Expression, Simple, TagMatch, TargetType};
use crate::kinds::fabric::virtual_machine::{MachineType, VirtualMachine};

/// How tags are compared. Later releases document that case does not count; for 2.5 no source is
/// certain, so it is a choice (docs/fidelity.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum TagMatching {
    /// Letter by letter.
    #[default]
    Exact,
    /// Upper and lower case alike.
    IgnoreCase,
}

impl TagMatching {
    /// The form in which texts are compared.
    pub fn fold(self, text: &str) -> String {
        match self {
            Self::Exact => text.to_owned(),
            Self::IgnoreCase => text.to_lowercase(),
        }
    }

    /// Whether all of a criterion's expressions hold for an object.
    pub fn fits(self, criterion: &[Expression], object: &Object) -> bool {
        criterion.iter().all(|expression| match expression {
            Expression::NSGroupTagExpression(tag) => {
                is_a(object, tag.target_type)
                    && object.header.tags().iter().any(|own| self.has_tag(tag, own))
            }
            Expression::NSGroupSimpleExpression(simple) => {
                is_a(object, simple.target_type) && has_property(simple, object)
            }
            // Refused where groups are made: complex expressions do not nest.
            Expression::NSGroupComplexExpression(_) => false,
        })
    }

    fn has_tag(self, wanted: &TagMatch, own: &Tag) -> bool {
        let scope = wanted.scope.as_ref();
        let tag = wanted.tag.as_ref();
        scope.is_none_or(|scope| self.fold(scope) == self.fold(&own.scope))
            && tag.is_none_or(|tag| wanted.tag_op.holds(&self.fold(&own.tag), &self.fold(tag)))
    }
}

/// Machines of edges and services are nobody's by criterion [facts §4.5].
fn is_a(object: &Object, kind: TargetType) -> bool {
    let machine = object.body::<VirtualMachine>();
    object.kind.name == kind.word() && machine.is_none_or(|own| own.r#type == MachineType::Regular)
}

fn has_property(simple: &Simple, object: &Object) -> bool {
    let guest = object.body::<VirtualMachine>().map(|own| &own.guest_info);
    let own = match simple.target_property.as_str() {
        "id" => Some(object.header.id.as_str()),
        "name" | "display_name" => Some(object.header.name()),
        "os_name" => guest.and_then(|own| own.os_name.as_deref()),
        "computer_name" => guest.and_then(|own| own.computer_name.as_deref()),
        _ => None,
    };
    own.is_some_and(|own| simple.op.holds(own, &simple.value))
}
