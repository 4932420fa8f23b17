//! Drawings that follow the page's light and dark colours, with places finer than a pixel and a text behind each point.
//!
//! Spectra have more pixels than a figure, and the figures of the whole run are drawn in whole pixels and in fixed colours.

use std::fmt::Write;
use std::ops::Range;

use crate::report::page::escape;

/// Width of all figures, in units of which a page shows about one a pixel.
pub const WIDTH: f64 = 1000.0;
/// What a panel leaves at its left for the numbers of its axis, and at its right.
const LEFT: f64 = 92.0;
const RIGHT: f64 = 28.0;

/// Ticks of an axis, about.
const TICKS: f64 = 6.0;

/// Colours by name, light and dark. Those of arms and reasons are of Okabe and Ito's palette or near it, which colour-blind readers can
/// tell apart; the dark ones are lighter.
pub const STYLE: &str = include_str!("figure.css");

/// What a page shows, and is a file of its own too.
pub struct Drawing {
    /// Its file without ending.
    pub name: String,
    /// What it is, in a few words.
    pub title: String,
    height: f64,
    body: String,
}

impl Drawing {
    /// An empty one.
    pub fn new(name: impl Into<String>, title: impl Into<String>, height: f64) -> Self {
        Drawing {
            name: name.into(),
            title: title.into(),
            height,
            body: String::new(),
        }
    }

    /// The SVG as a part of a page, which has the style.
    pub fn inline(&self) -> String {
        self.svg("")
    }

    /// The SVG as a file, with the style in it.
    pub fn file(&self, mark: &str) -> String {
        let style = format!("<style>{STYLE}</style>");
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        format!("{head}\n<!-- {mark} -->\n{}\n", self.svg(&style))
    }

    fn svg(&self, style: &str) -> String {
        let Drawing { height, body, .. } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" class=\"fig\" role=\"img\" aria-label=\"{}\">{style}\
             <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>{body}</svg>",
            escape(&self.title)
        )
    }

    /// A text; `anchor` is start, middle or end.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: &str, class: &str, text: &str) {
        // Writing to a String cannot fail.
        let _ = write!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{}</text>",
            escape(text)
        );
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, a: (f64, f64), b: (f64, f64)) {
        let _ = write!(
            self.body,
            "<path class=\"{class}\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
            a.0, a.1, b.0, b.1
        );
    }

    /// A rectangle from one corner to the other, with a text behind it.
    pub fn rect(&mut self, class: &str, a: (f64, f64), b: (f64, f64), title: &str) {
        let (x, y) = (a.0.min(b.0), a.1.min(b.1));
        let (w, h) = ((a.0 - b.0).abs(), (a.1 - b.1).abs());
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\">{}</rect>",
            title_of(title)
        );
    }

    /// A line through points of a panel, as far as they lie in it; it is broken where a number is missing.
    pub fn curve(&mut self, class: &str, panel: &Panel, points: impl Iterator<Item = (f64, f64)>) {
        let mut path = String::new();
        let mut is_down = false;
        for (x, y) in points {
            if !(x.is_finite() && y.is_finite() && panel.x.contains(&x)) {
                is_down = false;
                continue;
            }
            let (x, y) = panel.place(x, y);
            let pen = if is_down { 'L' } else { 'M' };
            let _ = write!(path, "{pen}{x:.1} {y:.1}");
            is_down = true;
        }
        if !path.is_empty() {
            let _ = write!(self.body, "<path class=\"{class}\" d=\"{path}\"/>");
        }
    }

    /// Any marks, between the tags of a group with a text behind them.
    pub fn group(&mut self, class: &str, title: &str, draw: impl FnOnce(&mut Self)) {
        let _ = write!(self.body, "<g class=\"{class}\">{}", title_of(title));
        draw(self);
        self.body += "</g>";
    }

    /// A circle.
    pub fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        let _ = write!(
            self.body,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>"
        );
    }

    /// The frame of a panel with ticks and their numbers; `x_ticks` has them where they are no plain numbers.
    pub fn axes(
        &mut self,
        panel: &Panel,
        x_ticks: Option<&[(f64, String)]>,
        x_name: &str,
        y_name: &str,
    ) {
        let (left, right) = (panel.left, panel.left + panel.width);
        let (top, bottom) = (panel.top, panel.top + panel.height);
        for y in ticks(&panel.y, TICKS.min(panel.height / 40.0)) {
            let (_, at) = panel.place(panel.x.start, y);
            self.line("grid", (left, at), (right, at));
            self.text((left - 8.0, at + 6.0), "end", "num", &number(y, &panel.y));
        }
        let plain: Vec<(f64, String)>;
        let x_ticks = match x_ticks {
            Some(named) => named,
            None => {
                let all = ticks(&panel.x, TICKS.max(panel.width / 130.0));
                plain = all.map(|x| (x, number(x, &panel.x))).collect();
                &plain
            }
        };
        for (x, name) in x_ticks {
            let (at, _) = panel.place(*x, panel.y.start);
            self.line("axis", (at, bottom), (at, bottom + 5.0));
            if !x_name.is_empty() {
                self.text((at, bottom + 22.0), "middle", "num", name);
            }
        }
        self.line("axis", (left, top), (left, bottom));
        self.line("axis", (left, bottom), (right, bottom));
        self.text(
            (left + panel.width / 2.0, bottom + 44.0),
            "middle",
            "name",
            x_name,
        );
        let (x, y) = (left - 70.0, top + panel.height / 2.0);
        let _ = write!(
            self.body,
            "<text transform=\"translate({x:.1} {y:.1}) rotate(-90)\" text-anchor=\"middle\" class=\"name\">{}</text>",
            escape(y_name)
        );
    }
}

fn title_of(text: &str) -> String {
    match text.is_empty() {
        true => String::new(),
        false => format!("<title>{}</title>", escape(text)),
    }
}

/// A place of a drawing with two axes.
pub struct Panel {
    /// Numbers from left to right.
    pub x: Range<f64>,
    /// Numbers from bottom to top.
    pub y: Range<f64>,
    left: f64,
    width: f64,
    /// Its upper edge.
    pub top: f64,
    height: f64,
}

impl Panel {
    /// One of the whole width. Ranges that no axis can have are changed.
    pub fn new(x: Range<f64>, y: Range<f64>, top: f64, height: f64) -> Self {
        Panel {
            x: sound(x),
            y: sound(y),
            left: LEFT,
            width: WIDTH - LEFT - RIGHT,
            top,
            height,
        }
    }

    /// The left or the right half of it, `which` being 0 or 1.
    pub fn half(mut self, which: usize) -> Self {
        self.width = (WIDTH - 2.0 * (LEFT + RIGHT)) / 2.0;
        self.left = LEFT + which as f64 * (self.width + LEFT + RIGHT);
        self
    }

    /// Where a point is, at the edge where it lies above or below.
    pub fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let share = |v: f64, range: &Range<f64>| (v - range.start) / (range.end - range.start);
        let (x, y) = (share(x, &self.x), share(y, &self.y).clamp(0.0, 1.0));
        (
            self.left + self.width * x.clamp(-0.01, 1.01),
            self.top + self.height * (1.0 - y),
        )
    }

    /// Its right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Its lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Its left edge.
    pub fn left(&self) -> f64 {
        self.left
    }
}

/// A range that an axis can have.
fn sound(range: Range<f64>) -> Range<f64> {
    const LARGEST: f64 = 1e9;
    let end = |x: f64, or: f64| {
        if x.is_nan() {
            or
        } else {
            x.clamp(-LARGEST, LARGEST)
        }
    };
    let (low, high) = (end(range.start, -1.0), end(range.end, 1.0));
    let least = 1e-6 * low.abs().max(high.abs()).max(1e-3);
    match high - low >= least {
        true => low..high,
        false => low - least..low + least,
    }
}

/// Step between about so many ticks: 1, 2 or 5 times a power of ten.
fn step(range: &Range<f64>, n: f64) -> f64 {
    let least = (range.end - range.start) / n.max(1.0);
    let power = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|m| m * power);
    steps
        .into_iter()
        .find(|s| *s >= least)
        .unwrap_or(10.0 * power)
}

/// Places of about so many ticks.
pub fn ticks(range: &Range<f64>, n: f64) -> impl Iterator<Item = f64> + use<> {
    let step = step(range, n);
    let (first, last) = ((range.start / step).ceil(), (range.end / step).floor());
    // A sound range has no more ticks than asked for.
    let n = (last - first).clamp(-1.0, 50.0) as i64;
    (0..=n).map(move |i| (first + i as f64) * step)
}

/// A tick's number, with as many decimals as tell it from the next.
fn number(x: f64, range: &Range<f64>) -> String {
    let decimals = (-step(range, TICKS).log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{x:.decimals$}");
    match text
        .trim_start_matches('-')
        .bytes()
        .all(|b| b == b'0' || b == b'.')
    {
        true => text.trim_start_matches('-').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_within_the_axis() {
        for (range, first, last) in [
            (0.0..1.0, 0.0, 1.0),
            (-3.7..12.9, 0.0, 10.0),
            (4992.0..5308.0, 5000.0, 5300.0),
            (-0.021..0.034, -0.02, 0.03),
        ] {
            let all: Vec<f64> = ticks(&range, 6.0).collect();
            assert!((3..=8).contains(&all.len()), "{range:?}: {all:?}");
            let ends = (all[0], all[all.len() - 1]);
            assert!(
                (ends.0 - first).abs() < 1e-9 && (ends.1 - last).abs() < 1e-9,
                "{range:?}: {all:?}"
            );
        }
        assert_eq!(number(-0.0, &(-1.0..1.0)), "0.0");
        assert_eq!(number(5100.0, &(5000.0..5300.0)), "5100");
    }

    #[test]
    fn any_range_gives_a_drawing_and_no_number_that_is_none() {
        let ends = [
            0.0,
            -1.0,
            1e-300,
            1e300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        for low in ends {
            for high in ends {
                let panel = Panel::new(low..high, high..low, 10.0, 200.0);
                let mut drawing = Drawing::new("a", "b", 300.0);
                drawing.axes(&panel, None, "x", "y");
                let points = ends.iter().map(|x| (*x, *x));
                drawing.curve("c", &panel, points);
                let svg = drawing.inline();
                assert!(
                    !svg.contains("NaN") && !svg.contains("inf"),
                    "{low} {high}: {svg}"
                );
                assert!(svg.len() < 20_000, "{low}..{high}");
            }
        }
    }

    #[test]
    fn texts_are_escaped() {
        let evil = "<script>\"&\u{202e}";
        let mut drawing = Drawing::new("a", evil, 10.0);
        drawing.text((0.0, 0.0), "end", "t", evil);
        drawing.rect("r", (0.0, 0.0), (1.0, 1.0), evil);
        drawing.group("g", evil, |_| ());
        drawing.axes(&Panel::new(0.0..1.0, 0.0..1.0, 0.0, 5.0), None, evil, evil);
        let svg = drawing.file("mark");
        assert!(
            !svg.contains("<script") && !svg.contains('\u{202e}'),
            "{svg}"
        );
        assert_eq!(svg.matches("&lt;script&gt;&quot;&amp;").count(), 6, "{svg}");
    }
}
