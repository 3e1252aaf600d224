//! Widgets: what each form of them shows [spec WidgetConfiguration].

use super::WidgetItem;
use super::part::{
    Axes, ColumnItem, Datasource, DonutSection, Footer, GraphDefinition, Icon, Label, Layout,
    Legend, PropertyItem, RowListField, StatItem,
};
use crate::inventory::{Kind, Resource};
use crate::kinds::appliance::entries;
use crate::wire::{Items, Text, polymorphic, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of widgets; they are reached through the views that show them.
pub static WIDGET: Kind =
    Kind { polymorphic: true, ..entries::<WidgetConfiguration>("WidgetConfiguration") };

/// A widget.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum WidgetConfiguration {
    /// Several widgets in one.
    ContainerConfiguration(Box<ContainerConfiguration>),
    /// A table.
    GridConfiguration(Box<GridConfiguration>),
    /// One or two widgets that belong together.
    MultiWidgetConfiguration(Box<MultiWidgetConfiguration>),
    /// A donut chart.
    DonutConfiguration(Box<DonutConfiguration>),
    /// Lines or bars.
    GraphConfiguration(Box<GraphConfiguration>),
    /// Figures.
    StatsConfiguration(Box<StatsConfiguration>),
    /// Values with their labels.
    LabelValueConfiguration(Box<LabelValueConfiguration>),
}

polymorphic!(WidgetConfiguration {
    ContainerConfiguration,
    GridConfiguration,
    MultiWidgetConfiguration,
    DonutConfiguration,
    GraphConfiguration,
    StatsConfiguration,
    LabelValueConfiguration,
});

impl Resource for WidgetConfiguration {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }
}

impl WidgetConfiguration {
    /// The widgets that a container holds.
    pub fn contents(&self) -> &[WidgetItem] {
        match self {
            Self::ContainerConfiguration(own) => own.widgets.as_deref().unwrap_or_default(),
            Self::MultiWidgetConfiguration(own) => &own.widgets,
            _ => &[],
        }
    }
}

/// Several widgets in one [spec ContainerConfiguration].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerConfiguration {
    datasources: Option<Vec<Datasource>>,
    weight: Option<i32>,
    icons: Option<Vec<Icon>>,
    shared: Option<bool>,
    footer: Option<Footer>,
    drilldown_id: Option<Text<255>>,
    #[serde(default)]
    is_drilldown: bool,
    legend: Option<Legend>,
    widgets: Option<Vec<WidgetItem>>,
    navigation: Option<Text<1024>>,
    labels: Option<Vec<Label>>,
    #[serde(default = "two")]
    span: i32,
    layout: Option<Layout>,
}

/// A table [spec GridConfiguration].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GridConfiguration {
    datasources: Option<Vec<Datasource>>,
    weight: Option<i32>,
    icons: Option<Vec<Icon>>,
    shared: Option<bool>,
    footer: Option<Footer>,
    drilldown_id: Option<Text<255>>,
    #[serde(default)]
    is_drilldown: bool,
    legend: Option<Legend>,
    #[serde(default = "thirty")]
    page_size: i32,
    #[serde(default = "two")]
    span: i32,
    row_list_fields: Items<RowListField, { usize::MAX }, 1>,
    columns: Vec<ColumnItem>,
}

/// One or two widgets that belong together [spec MultiWidgetConfiguration].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MultiWidgetConfiguration {
    datasources: Option<Vec<Datasource>>,
    weight: Option<i32>,
    icons: Option<Vec<Icon>>,
    shared: Option<bool>,
    footer: Option<Footer>,
    drilldown_id: Option<Text<255>>,
    #[serde(default)]
    is_drilldown: bool,
    legend: Option<Legend>,
    widgets: Items<WidgetItem, 2, 1>,
    navigation: Option<Text<1024>>,
}

/// A donut chart [spec DonutConfiguration].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DonutConfiguration {
    datasources: Option<Vec<Datasource>>,
    weight: Option<i32>,
    icons: Option<Vec<Icon>>,
    shared: Option<bool>,
    footer: Option<Footer>,
    drilldown_id: Option<Text<255>>,
    #[serde(default)]
    is_drilldown: bool,
    legend: Option<Legend>,
    navigation: Option<Text<1024>>,
    #[serde(default = "yes")]
    display_count: bool,
    sections: Items<DonutSection, { usize::MAX }, 1>,
    label: Option<Label>,
}

/// Lines or bars [spec GraphConfiguration].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphConfiguration {
    datasources: Option<Vec<Datasource>>,
    weight: Option<i32>,
    icons: Option<Vec<Icon>>,
    shared: Option<bool>,
    footer: Option<Footer>,
    drilldown_id: Option<Text<255>>,
    #[serde(default)]
    is_drilldown: bool,
    legend: Option<Legend>,
    graphs: Items<GraphDefinition, { usize::MAX }, 1>,
    axes: Option<Axes>,
    navigation: Option<String>,
    #[serde(default)]
    sub_type: GraphForm,
    #[serde(default)]
    display_x_value: bool,
}

/// Figures [spec StatsConfiguration].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatsConfiguration {
    datasources: Option<Vec<Datasource>>,
    weight: Option<i32>,
    icons: Option<Vec<Icon>>,
    shared: Option<bool>,
    footer: Option<Footer>,
    drilldown_id: Option<Text<255>>,
    #[serde(default)]
    is_drilldown: bool,
    legend: Option<Legend>,
    navigation: Option<Text<1024>>,
    stat: Option<StatItem>,
    sections: Option<Vec<DonutSection>>,
    sub_type: Option<StatsForm>,
    label: Option<Label>,
}

/// Values with their labels [spec LabelValueConfiguration].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelValueConfiguration {
    datasources: Option<Vec<Datasource>>,
    weight: Option<i32>,
    icons: Option<Vec<Icon>>,
    shared: Option<bool>,
    footer: Option<Footer>,
    drilldown_id: Option<Text<255>>,
    #[serde(default)]
    is_drilldown: bool,
    legend: Option<Legend>,
    layout: Option<Layout>,
    navigation: Option<Text<1024>>,
    sub_type: Option<LabelForm>,
    properties: Vec<PropertyItem>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum GraphForm {
    LineGraph,
    #[default]
    BarGraph,
    StackedBarGraph,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum StatsForm {
    Compact,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum LabelForm {
    VerticallyAligned,
}

fn two() -> i32 {
    2
}

fn thirty() -> i32 {
    30
}
