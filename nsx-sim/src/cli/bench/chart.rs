//! Charts of horizontal bars as SVG, to be read on light and dark pages alike.
#![allow(clippy::cast_precision_loss)] // Places on a page have no sixteen digits.

use std::fmt::Write;

/// Bars in groups, on one axis.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    /// What there is to know beside the bars, below the title.
    pub(super) notes: Vec<String>,
    /// Whether each step of the axis is ten times the last.
    pub(super) logarithmic: bool,
    /// What the bars of a group are, in order.
    pub(super) series: Vec<&'static str>,
    pub(super) groups: Vec<Group>,
}

/// The bars of one thing.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    /// One for each series; none where there is nothing to show.
    pub(super) bars: Vec<Option<Bar>>,
}

/// A bar, what is written behind it, and where it should have ended.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) value: f64,
    pub(super) label: String,
    pub(super) wanted: Option<f64>,
    /// It falls short: its label is in another colour.
    pub(super) missed: bool,
}

const WIDTH: f64 = 860.0;
/// Where bars begin, and the longest ends.
const LEFT: f64 = 165.0;
const RIGHT: f64 = 700.0;
const ROW: f64 = 13.0;
const GAP: f64 = 9.0;

const STYLE: &str = "\
    text { font: 12px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2933; }
    .title { font-size: 15px; font-weight: 600; }
    .note, .tick { fill: #5b6875; }
    .tick { font-size: 11px; text-anchor: middle; }
    .name { text-anchor: end; }
    .label { font-size: 11px; }
    .missed { fill: #c0341d; font-weight: 600; }
    .grid { stroke: #8894a0; stroke-opacity: .35; }
    .wanted { stroke: #c0341d; stroke-width: 2px; }
    .s0 { fill: #2c6fbb; }
    .s1 { fill: #98a4b0; }
    .s2 { fill: #d98e04; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e3e8ee; }
      .note, .tick { fill: #a3afbb; }
      .missed { fill: #ff8a70; }
      .wanted { stroke: #ff8a70; }
      .s0 { fill: #5aa0ee; }
      .s1 { fill: #75828f; }
      .s2 { fill: #e9ab3c; }
    }
";

impl Chart {
    /// The chart as a document by itself.
    pub(super) fn svg(&self) -> String {
        let axis = Axis::over(self);
        let top = 40.0 + 18.0 * (self.notes.len() as f64 + 1.0) + 20.0;
        let rows = ROW * self.series.len() as f64 + GAP;
        let bottom = top + rows * self.groups.len() as f64;
        let height = bottom + 12.0;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             aria-labelledby=\"title\">\n  <title id=\"title\">{}</title>\n  <style>\n{STYLE}  </style>\n",
            escaped(&self.title)
        );
        text(&mut out, "title", 12.0, 24.0, &self.title);
        for (line, note) in (0_u8..).zip(&self.notes) {
            text(&mut out, "note", 12.0, 44.0 + 18.0 * f64::from(line), note);
        }
        self.legend(&mut out, 44.0 + 18.0 * self.notes.len() as f64);
        for tick in &axis.ticks {
            let at = axis.place(*tick);
            let _ = writeln!(
                out,
                "  <line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>",
                top - 4.0
            );
            text(&mut out, "tick", at, top - 8.0, &number(*tick));
        }
        for (at, group) in self.groups.iter().enumerate() {
            group.draw(&mut out, &axis, top + rows * at as f64 + GAP / 2.0);
        }
        out.push_str("</svg>\n");
        out
    }

    fn legend(&self, out: &mut String, y: f64) {
        let mut x = LEFT;
        for (at, name) in self.series.iter().enumerate() {
            rect(out, at, x, y - 9.0, 10.0);
            text(out, "note", x + 15.0, y, name);
            x += 40.0 + 6.5 * name.chars().count() as f64;
        }
        let bars = self.groups.iter().flat_map(|group| group.bars.iter().flatten());
        if bars.clone().any(|bar| bar.wanted.is_some()) {
            wanted(out, x, y - 10.0);
            text(out, "note", x + 7.0, y, "wanted");
            x += 75.0;
        }
        if bars.clone().any(|bar| bar.missed) {
            text(out, "missed", x, y, "falls short");
        }
    }
}

impl Group {
    fn draw(&self, out: &mut String, axis: &Axis, top: f64) {
        let middle = top + ROW * self.bars.len() as f64 / 2.0 + 4.0;
        text(out, "name", LEFT - 8.0, middle, &self.name);
        for (at, bar) in self.bars.iter().enumerate() {
            let (y, Some(bar)) = (top + ROW * at as f64, bar) else { continue };
            let end = axis.place(bar.value);
            rect(out, at, LEFT, y, (end - LEFT).max(1.0));
            let mark = bar.wanted.map(|value| axis.place(value));
            if let Some(mark) = mark {
                wanted(out, mark, y - 1.0);
            }
            // Not across the mark.
            let near = mark.filter(|mark| (-2.0..90.0).contains(&(mark - end)));
            let class = if bar.missed { "label missed" } else { "label" };
            text(out, class, near.unwrap_or(end) + 6.0, y + ROW - 3.0, &bar.label);
        }
    }
}

/// From values to places.
struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
}

impl Axis {
    fn over(chart: &Chart) -> Self {
        let bars = chart.groups.iter().flat_map(|group| group.bars.iter().flatten());
        let values = bars.flat_map(|bar| [Some(bar.value), bar.wanted]).flatten();
        let values: Vec<f64> = values.filter(|value| value.is_finite() && *value > 0.0).collect();
        let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let least = values.iter().copied().fold(most, f64::min);
        if chart.logarithmic {
            let (low, high) = (least.log10().floor(), most.log10().ceil());
            let high = if high > low { high } else { low + 1.0 };
            let steps = std::iter::successors(Some(low), |own| Some(own + 1.0));
            let ticks = steps.take_while(|own| *own <= high).map(|own| 10_f64.powf(own)).collect();
            return Self { low, high, logarithmic: true, ticks };
        }
        // 1, 2 or 5 times a power of ten, at most seven of them.
        let power = 10_f64.powf((most / 7.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
        let step = step.into_iter().find(|step| most / step <= 7.0).unwrap_or(most);
        let steps = std::iter::successors(Some(0.0), |own| Some(own + step));
        let ticks = steps.take_while(|own| *own <= most).collect();
        Self { low: 0.0, high: most, logarithmic: false, ticks }
    }

    fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        LEFT + part * (RIGHT - LEFT)
    }
}

/// A number as short as it may be: of large ones the thousands, of small ones two digits.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 10_000.0 => format!("{:.0}k", value / 1_000.0),
        size if size >= 99.5 => format!("{value:.0}"),
        size if size >= 9.95 => trimmed(&format!("{value:.1}")),
        size if size >= 0.1 => trimmed(&format!("{value:.2}")),
        _ => trimmed(&format!("{value:.4}")),
    }
}

fn trimmed(text: &str) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn rect(out: &mut String, series: usize, x: f64, y: f64, width: f64) {
    let height = ROW - 2.0;
    let _ = writeln!(
        out,
        "  <rect class=\"s{series}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\"/>"
    );
}

fn wanted(out: &mut String, x: f64, y: f64) {
    let end = y + ROW;
    let _ = writeln!(
        out,
        "  <line class=\"wanted\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{y:.1}\" y2=\"{end:.1}\"/>"
    );
}

fn text(out: &mut String, class: &str, x: f64, y: f64, what: &str) {
    let what = escaped(what);
    let _ = writeln!(out, "  <text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{what}</text>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(logarithmic: bool, values: &[f64]) -> Chart {
        let bar = |value: &f64| Bar {
            value: *value,
            label: number(*value),
            wanted: Some(2.0 * value),
            missed: true,
        };
        let group = |value| Group { name: "a<b".into(), bars: vec![Some(bar(value)), None] };
        let groups = values.iter().map(group).collect();
        let series = vec!["ours", "theirs"];
        Chart { title: "T & U".into(), notes: vec!["n".into()], logarithmic, series, groups }
    }

    #[test]
    fn bars_are_as_long_as_their_values_and_names_are_escaped() {
        let svg = chart(false, &[10.0, 20.0]).svg();
        let lengths: Vec<f64> = svg
            .lines()
            .filter(|line| line.contains("class=\"s0\""))
            .filter_map(|line| line.split("width=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        // The first is the legend's; the axis ends at twice the largest value.
        assert_eq!(lengths, [10.0, 133.8, 267.5]);
        assert!(svg.contains("a&lt;b") && svg.contains("T &amp; U") && !svg.contains("a<b"));
        assert!(svg.contains("wanted") && svg.contains("falls short"));
    }

    #[test]
    fn ticks_are_round_and_a_logarithmic_axis_has_powers_of_ten() {
        assert_eq!(
            Axis::over(&chart(false, &[70.0])).ticks,
            [0., 20., 40., 60., 80., 100., 120., 140.]
        );
        let axis = Axis::over(&chart(true, &[0.5, 400.0]));
        assert_eq!(axis.ticks, [0.1, 1.0, 10.0, 100.0, 1000.0]);
        assert!((axis.place(10.0) - f64::midpoint(LEFT, RIGHT)).abs() < 1e-9);
    }

    #[test]
    fn nothing_and_what_is_no_number_do_no_harm() {
        for values in [&[][..], &[0.0], &[f64::NAN, f64::INFINITY]] {
            for logarithmic in [false, true] {
                assert!(chart(logarithmic, values).svg().ends_with("</svg>\n"));
            }
        }
    }

    #[test]
    fn numbers_are_short() {
        let told = [21_113.0, 1_223.4, 57.04, 2.71, 0.25, 0.0012].map(number);
        assert_eq!(told, ["21k", "1223", "57", "2.71", "0.25", "0.0012"]);
    }
}
