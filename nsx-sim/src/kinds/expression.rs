//! What makes an object a member of a group [spec NSGroupExpression].

use crate::kinds::reference::ResourceReference;
use crate::wire::{Items, Text, Told, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// One expression of a group.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum Expression {
    /// An object by id, or objects by a property such as the name.
    NSGroupSimpleExpression(Simple),
    /// Objects by a tag.
    NSGroupTagExpression(TagMatch),
    /// Objects for which several expressions hold.
    NSGroupComplexExpression(Complex),
}

polymorphic!(Expression {
    NSGroupSimpleExpression,
    NSGroupTagExpression,
    NSGroupComplexExpression,
});

/// An object by id, or objects by a property.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Simple {
    /// The kind of member.
    pub target_type: TargetType,
    /// `id`, `name` and so on.
    pub target_property: String,
    /// How the property is compared.
    pub op: Comparison,
    /// What it is compared with.
    pub value: String,
    #[serde(default, skip_serializing, rename = "target_resource")]
    _target_resource: Told<ResourceReference>,
    /// Where the type is the only one possible, callers still name it.
    #[serde(default, skip_serializing, rename = "resource_type")]
    _resource_type: Option<SimpleName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
enum SimpleName {
    NSGroupSimpleExpression,
}

impl PartialEq for Simple {
    fn eq(&self, other: &Self) -> bool {
        let parts = |own: &Self| (own.target_type, own.op);
        parts(self) == parts(other)
            && self.target_property == other.target_property
            && self.value == other.value
    }
}

impl Simple {
    /// Exactly this object.
    pub fn by_id(target_type: TargetType, id: impl Into<String>) -> Self {
        Self {
            target_type,
            target_property: "id".into(),
            op: Comparison::Equals,
            value: id.into(),
            _target_resource: Told(None),
            _resource_type: None,
        }
    }

    /// Whether it names one object by its id.
    pub fn is_by_id(&self) -> bool {
        self.target_property == "id" && self.op == Comparison::Equals
    }
}

/// Objects by a tag: scope and tag must both fit; an absent part fits anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagMatch {
    /// The kind of member.
    #[serde(deserialize_with = "tagged")]
    #[schemars(with = "Tagged")]
    pub target_type: TargetType,
    /// The scope.
    pub scope: Option<Text<128>>,
    #[serde(default)]
    scope_op: ScopeComparison,
    /// The tag.
    pub tag: Option<Text<256>>,
    /// How the tag is compared; for other kinds than virtual machines only `EQUALS`.
    #[serde(default, deserialize_with = "tag_op")]
    #[schemars(with = "TagComparison")]
    pub tag_op: Comparison,
}

/// The kinds of member that a tag can choose [spec NSGroupTagExpression].
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
enum Tagged {
    LogicalSwitch,
    LogicalPort,
    VirtualMachine,
    IPSet,
}

fn tagged<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TargetType, D::Error> {
    Ok(match Tagged::deserialize(deserializer)? {
        Tagged::LogicalSwitch => TargetType::LogicalSwitch,
        Tagged::LogicalPort => TargetType::LogicalPort,
        Tagged::VirtualMachine => TargetType::VirtualMachine,
        Tagged::IPSet => TargetType::IPSet,
    })
}

/// How a tag can be compared [spec NSGroupTagExpression].
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum TagComparison {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
}

fn tag_op<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Comparison, D::Error> {
    Ok(match TagComparison::deserialize(deserializer)? {
        TagComparison::Equals => Comparison::Equals,
        TagComparison::Contains => Comparison::Contains,
        TagComparison::StartsWith => Comparison::StartsWith,
        TagComparison::EndsWith => Comparison::EndsWith,
    })
}

/// Objects for which two to five expressions hold at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Complex {
    /// What must hold, all of it.
    pub expressions: Items<Expression, 5, 2>,
}

/// How a property is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Comparison {
    #[default]
    Equals,
    Contains,
    StartsWith,
    EndsWith,
    NotEquals,
}

impl Comparison {
    /// Whether `text` compares so with `value`.
    pub fn holds(self, text: &str, value: &str) -> bool {
        match self {
            Self::Equals => text == value,
            Self::Contains => text.contains(value),
            Self::StartsWith => text.starts_with(value),
            Self::EndsWith => text.ends_with(value),
            Self::NotEquals => text != value,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum ScopeComparison {
    #[default]
    Equals,
}

/// The kinds that can be members.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum TargetType {
    NSGroup,
    IPSet,
    MACSet,
    LogicalSwitch,
    LogicalPort,
    VirtualMachine,
    DirectoryGroup,
    VirtualNetworkInterface,
    TransportNode,
}

impl TargetType {
    /// The kind's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::NSGroup => "NSGroup",
            Self::IPSet => "IPSet",
            Self::MACSet => "MACSet",
            Self::LogicalSwitch => "LogicalSwitch",
            Self::LogicalPort => "LogicalPort",
            Self::VirtualMachine => "VirtualMachine",
            Self::DirectoryGroup => "DirectoryGroup",
            Self::VirtualNetworkInterface => "VirtualNetworkInterface",
            Self::TransportNode => "TransportNode",
        }
    }
}

impl Expression {
    /// The kind of member it selects; none where a complex expression mixes kinds.
    pub fn target_type(&self) -> Option<TargetType> {
        match self {
            Self::NSGroupSimpleExpression(simple) => Some(simple.target_type),
            Self::NSGroupTagExpression(tag) => Some(tag.target_type),
            Self::NSGroupComplexExpression(complex) => {
                let mut kinds = complex.expressions.iter().map(Expression::target_type);
                let first = kinds.next()??;
                kinds.all(|kind| kind == Some(first)).then_some(first)
            }
        }
    }
}
