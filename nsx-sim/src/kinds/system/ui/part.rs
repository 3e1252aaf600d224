//! What widgets are made of.

use crate::wire::{Items, Text, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text that may lead somewhere [spec Label].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    text: Text<255>,
    #[serde(default)]
    hover: bool,
    navigation: Option<Text<1024>>,
    condition: Option<Text<1024>>,
    icons: Option<Vec<Icon>>,
}

/// Where a widget reads [spec Datasource].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Datasource {
    display_name: Text<255>,
    urls: Vec<UrlAlias>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Placement {
    #[default]
    Pre,
    Post,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum IconName {
    Error,
    Warning,
    Info,
    Inprogress,
    Success,
    Detail,
    NotAvailable,
    Security,
    Networking,
    LoadBalancer,
    Vpn,
    Domain,
    Group,
    DistributedFirewall,
    NetworkingTier0,
    NetworkingTier1,
    Segment,
    System,
    SystemFabric,
    SystemBackuprestore,
    InventoryGroups,
    SecurityDfw,
}

/// A picture beside a text [spec Icon].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Icon {
    #[serde(default)]
    placement: Placement,
    r#type: Option<IconName>,
    tooltip: Option<Vec<Tooltip>>,
}

/// What stands below a widget [spec Footer].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Footer {
    condition: Option<Text<1024>>,
    actions: Option<Vec<FooterAction>>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum LegendPosition {
    Top,
    Bottom,
    Left,
    #[default]
    Right,
    TopRight,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum LegendMark {
    #[default]
    Circle,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum LegendAlignment {
    Horizontal,
    #[default]
    Vertical,
}

/// What the colours mean [spec Legend].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Legend {
    #[serde(default)]
    position: LegendPosition,
    #[serde(default = "yes")]
    display_count: bool,
    #[serde(default)]
    r#type: LegendMark,
    #[serde(default)]
    alignment: LegendAlignment,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum LayoutForm {
    #[default]
    Horizontal,
    Vertical,
    Grid,
}

/// How parts stand together [spec Layout].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    #[serde(default)]
    r#type: LayoutForm,
    properties: Option<LayoutProperties>,
}

/// A list in an answer, by its path [spec RowListField].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowListField {
    alias: Option<Text<255>>,
    path: Text<1024>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
enum ColumnType {
    #[default]
    String,
    Number,
    Date,
}

/// A column of a grid [spec ColumnItem].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnItem {
    sort_key: Option<Text<255>>,
    r#type: ColumnType,
    tooltip: Option<Vec<Tooltip>>,
    label: Label,
    field: Text<1024>,
    #[serde(default = "yes")]
    sort_ascending: bool,
    drilldown_id: Option<Text<255>>,
    #[serde(default)]
    hidden: bool,
    navigation: Option<Text<1024>>,
    column_identifier: Option<String>,
    render_configuration: Option<Vec<RenderConfiguration>>,
}

/// A ring of a donut, or a group of figures [spec DonutSection].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DonutSection {
    row_list_field: Option<Text<1024>>,
    parts: Items<DonutPart, { usize::MAX }, 1>,
    #[serde(default)]
    template: bool,
}

/// A line or a row of bars [spec GraphDefinition].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphDefinition {
    point_definition: PointDefinition,
    label: Option<Label>,
    render_configuration: Option<Vec<RenderConfiguration>>,
}

/// The names of both axes [spec Axes].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Axes {
    x_label: Option<Label>,
    y_label: Option<Label>,
}

/// A figure [spec StatItem].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatItem {
    drilldown_id: Option<String>,
    total: Option<String>,
    tooltip: Option<Vec<Tooltip>>,
    value: Text<1024>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
enum PropertyType {
    #[default]
    String,
    Number,
    Date,
    Url,
}

/// A value with its label [spec PropertyItem].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PropertyItem {
    field: Text<1024>,
    #[serde(default)]
    separator: bool,
    render_configuration: Option<Vec<RenderConfiguration>>,
    r#type: PropertyType,
    #[serde(default)]
    heading: bool,
    condition: Option<Text<1024>>,
    label: Option<Label>,
}

/// A URL that is called, by a short name [spec UrlAlias].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UrlAlias {
    url: Text<1024>,
    alias: Option<Text<255>>,
    query: Option<Text<1024>>,
}

/// What shows when one points at something [spec Tooltip].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tooltip {
    text: Text<1024>,
    heading: Option<bool>,
    condition: Option<Text<1024>>,
}

/// A link below a widget [spec FooterAction].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FooterAction {
    url: Option<Text<1024>>,
    #[serde(default = "yes")]
    dock_to_container_footer: bool,
    label: Label,
}

/// Rows and columns of a grid [spec LayoutProperties].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayoutProperties {
    num_rows: Option<i32>,
    num_columns: Option<i32>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Color {
    Grey,
    DarkGrey,
    LightGrey,
    SkyBlue,
    Blue,
    Green,
    Yellow,
    Red,
    DarkRed,
}

/// How a value shows where a condition holds [spec RenderConfiguration].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderConfiguration {
    color: Option<Color>,
    condition: Option<Text<1024>>,
    display_value: Option<Text<255>>,
    tooltip: Option<Vec<Tooltip>>,
    icons: Option<Vec<Icon>>,
}

/// A share of a ring [spec DonutPart].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DonutPart {
    field: Text<1024>,
    drilldown_id: Option<String>,
    render_configuration: Option<Vec<RenderConfiguration>>,
    navigation: Option<String>,
    tooltip: Option<Vec<Tooltip>>,
    label: Option<Label>,
}

/// A point of a graph [spec PointDefinition].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointDefinition {
    y_value: String,
    field: String,
    drilldown_id: Option<String>,
    x_value: String,
    navigation: Option<Text<1024>>,
    tooltip: Option<Vec<Tooltip>>,
}
