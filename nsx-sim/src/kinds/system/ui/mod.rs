//! Views of the user interface, and the widgets on them [spec View]. They are kept for interfaces
//! that read them; this manager draws none.

mod part;
mod widget;

pub use widget::{WIDGET, WidgetConfiguration};

use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use crate::kinds::appliance::entries;
use crate::wire::Text;
use part::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of views; their lists have a form of their own.
pub static VIEW: Kind = entries::<View>("View");

/// Widgets in an order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct View {
    include_roles: Option<Text<1024>>,
    exclude_roles: Option<Text<1024>>,
    #[serde(default = "weight")]
    weight: i32,
    widgets: Vec<WidgetItem>,
    #[serde(default)]
    shared: bool,
}

/// A widget on a view, and how it stands there [spec WidgetItem].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WidgetItem {
    #[serde(default)]
    alignment: Alignment,
    #[serde(default)]
    separator: bool,
    /// The widget's id.
    pub widget_id: Text<255>,
    #[serde(default = "weight")]
    weight: i32,
    label: Option<Label>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Alignment {
    #[default]
    Left,
    Right,
}

fn weight() -> i32 {
    10_000
}

impl Resource for View {
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        // Every other type has its id for a name.
        if header.display_name.is_none() {
            return Err(Error::field("display_name", "is required"));
        }
        Ok(())
    }
}

impl View {
    /// The ids of its widgets, in order.
    pub fn widgets(&self) -> impl Iterator<Item = &str> {
        self.widgets.iter().map(|item| &*item.widget_id)
    }

    /// Whether others than who made it may see it.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// Puts a widget behind the others.
    pub fn attach(&mut self, widget: &str) {
        if !self.widgets().any(|own| own == widget) {
            self.widgets.push(WidgetItem {
                widget_id: Text::cut(widget),
                label: None,
                alignment: Alignment::default(),
                separator: false,
                weight: weight(),
            });
        }
    }

    /// Takes a widget away.
    pub fn detach(&mut self, widget: &str) {
        self.widgets.retain(|own| &*own.widget_id != widget);
    }
}
