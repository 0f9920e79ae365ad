//! Bar charts in SVG, readable on light and on dark pages.

use std::fmt::Write;

pub struct Bar {
    pub label: String,
    pub value: f64,
    /// What stands beside it.
    pub text: String,
    /// The one that this is about.
    pub is_ours: bool,
}

pub struct Panel {
    pub title: String,
    pub bars: Vec<Bar>,
    /// Where a line says that it could not be better.
    pub mark: Option<f64>,
}

pub struct Chart<'a> {
    pub title: &'a str,
    pub subtitle: &'a str,
    /// For values of several orders of magnitude.
    pub logarithmic: bool,
    pub panels: Vec<Panel>,
}

const WIDTH: f64 = 760.0;
const LABELS: f64 = 190.0;
const TEXTS: f64 = 110.0;
const BAR: f64 = 18.0;
const STEP: f64 = 25.0;

const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.page { fill: #ffffff } .title { font-size: 17px; font-weight: 600 } .panel { font-weight: 600 } .quiet { fill: #59636e }
.bar { fill: #8c959f } .ours { fill: #0969da } .mark { stroke: #59636e; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .page { fill: #0d1117 } .quiet { fill: #9198a1 }
.bar { fill: #656c76 } .ours { fill: #4493f8 } .mark { stroke: #9198a1 } }
";

impl Chart<'_> {
    pub fn svg(&self) -> String {
        let mut body = String::new();
        let mut y = 68.0;
        for panel in &self.panels {
            text(&mut body, 20.0, y, "panel", "start", &panel.title);
            y += 10.0;
            y = self.panel(&mut body, panel, y) + 30.0;
        }
        let height = y - 8.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{}\">\n<style>\n{STYLE}</style>\n\
             <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n",
            escape(self.title)
        );
        text(&mut svg, 20.0, 28.0, "title", "start", self.title);
        text(&mut svg, 20.0, 46.0, "quiet", "start", self.subtitle);
        svg + &body + "</svg>\n"
    }

    /// Draws from `top` down, and returns where it ends.
    fn panel(&self, body: &mut String, panel: &Panel, top: f64) -> f64 {
        let values = panel.bars.iter().map(|bar| bar.value);
        let largest = values.chain(panel.mark).fold(f64::MIN_POSITIVE, f64::max);
        let room = WIDTH - 20.0 - LABELS - TEXTS;
        let scale = |value: f64| {
            let share = if self.logarithmic {
                value.max(1.0).ln() / largest.max(std::f64::consts::E).ln()
            } else {
                value.max(0.0) / largest
            };
            share * room
        };
        let mut y = top;
        for bar in &panel.bars {
            let middle = y + BAR - 4.5;
            text(body, LABELS + 12.0, middle, "", "end", &bar.label);
            let width = scale(bar.value).max(1.0);
            let class = if bar.is_ours { "ours" } else { "bar" };
            let x = LABELS + 20.0;
            // Writing to a string cannot fail.
            let _ = writeln!(
                body,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>"
            );
            text(body, x + width + 6.0, middle, "quiet", "start", &bar.text);
            y += STEP;
        }
        if let Some(mark) = panel.mark {
            let x = LABELS + 20.0 + scale(mark);
            let end = y - STEP + BAR + 3.0;
            let _ = writeln!(
                body,
                "<line class=\"mark\" x1=\"{x:.1}\" y1=\"{}\" x2=\"{x:.1}\" y2=\"{end}\"/>",
                top - 3.0
            );
        }
        y
    }
}

fn text(body: &mut String, x: f64, y: f64, class: &str, anchor: &str, text: &str) {
    let text = escape(text);
    let _ = writeln!(
        body,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{Bar, Chart, Panel};

    #[test]
    fn bars_are_as_long_as_their_values_and_stay_inside() {
        let bar = |value: f64| Bar {
            label: "a < b".to_owned(),
            value,
            text: value.to_string(),
            is_ours: value > 1.0,
        };
        let chart = Chart {
            title: "\"Title\"",
            subtitle: "",
            logarithmic: false,
            panels: vec![Panel {
                title: String::new(),
                bars: vec![bar(2.0), bar(1.0), bar(-1.0)],
                mark: None,
            }],
        };
        let svg = chart.svg();
        for expected in [
            "width=\"440.0\"",
            "width=\"220.0\"",
            "width=\"1.0\"",
            "a &lt; b",
            "&quot;Title&quot;",
        ] {
            assert!(svg.contains(expected), "no {expected} in {svg}");
        }
    }
}
