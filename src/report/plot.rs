//! What the figures share: colours, axes, statistics.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::tick::tick;
use crate::Arm;
use crate::numbers::statistics::median;

/// Colours of Okabe & Ito's palette, which colour-blind readers can tell apart.
pub const RED_ARM: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
pub const BLUE_ARM: RGBColor = RGBColor(0x00, 0x72, 0xb2);
pub const BEFORE: RGBColor = RGBColor(0x99, 0x99, 0x99);
pub const CONSTANT: RGBColor = RGBColor(0x00, 0x9e, 0x73);
pub const VARIABLE: RGBColor = RGBColor(0xcc, 0x79, 0xa7);

/// Text of captions and axes, pixels in a figure about 1000 wide: readable at half the size.
pub const CAPTION: (&str, u32) = ("sans-serif", 20);
pub const LABEL: (&str, u32) = ("sans-serif", 17);
pub const SMALL: (&str, u32) = ("sans-serif", 15);

/// Points that a panel shows at most; of more, every so many-th is shown.
pub const MAX_POINTS: usize = 4000;

pub type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Drawn<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A drawn figure.
pub struct Figure {
    /// Its file without ending.
    pub name: &'static str,
    pub title: &'static str,
    /// What is seen, one or two sentences.
    pub caption: String,
    pub svg: String,
}

/// Why a figure of velocities is not there.
pub const NO_VELOCITIES: &str = "there are no velocities";
/// Why a figure of constant stars is not there.
pub const NO_CONSTANTS: &str = "no star is called constant";

/// A figure, or why there is none: panels without anything in them would say less.
pub enum Shown {
    Figure(Figure),
    /// The title that it would have, and why it is not there, as the end of a sentence.
    Nothing(&'static str, &'static str),
}

impl Figure {
    pub fn file_name(&self) -> String {
        format!("{}.svg", self.name)
    }
}

/// What there is to draw of each arm, without the arms that have nothing.
pub fn of_arms<T>(of: impl Fn(Arm) -> Option<T>) -> Vec<(Arm, T)> {
    let arms = [Arm::Red, Arm::Blue].into_iter();
    arms.filter_map(|arm| Some((arm, of(arm)?))).collect()
}

/// What the caption says of an arm that is not drawn.
pub fn absent<T>(drawn: &[(Arm, T)], why: &str) -> String {
    match drawn {
        [(arm, _)] => {
            let other = if *arm == Arm::Red {
                Arm::Blue
            } else {
                Arm::Red
            };
            format!(" The {other} arm is not shown: {why}.")
        }
        _ => String::new(),
    }
}

pub fn arm_colour(arm: Arm) -> RGBColor {
    match arm {
        Arm::Red => RED_ARM,
        Arm::Blue => BLUE_ARM,
    }
}

/// An SVG of `size` pixels that `draw` fills.
pub fn svg(size: (u32, u32), draw: impl FnOnce(&Panel) -> Drawn) -> Drawn<String> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        root.fill(&WHITE)?;
        draw(&root)?;
        root.present()?;
    }
    // Without a fixed size the figure scales with the page.
    let fixed = format!("width=\"{}\" height=\"{}\" viewBox", size.0, size.1);
    let text = text.replacen(&fixed, "viewBox", 1);
    // Titles hold names of plates and stars. XML allows no controls, not even as numbers.
    Ok(crate::text::plain::lines(&text).into_owned())
}

type Chart<'a, 'b, X, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, Y>>;
pub type Linear = super::axis::Axis;
type Log = super::log_axis::LogAxis;

/// A panel with linear axes.
pub type LinearChart<'a, 'b> = Chart<'a, 'b, Linear, Linear>;
/// A panel with logarithmic axes.
pub type LogChart<'a, 'b> = Chart<'a, 'b, Log, Log>;

/// The names of the series, at the upper right.
pub fn legend<'a, 'b: 'a, X, Y>(chart: &mut Chart<'a, 'b, X, Y>) -> Drawn
where
    X: Ranged,
    Y: Ranged,
{
    legend_at(chart, SeriesLabelPosition::UpperRight)
}

/// The names of the series, at this place.
pub fn legend_at<'a, 'b: 'a, X, Y>(
    chart: &mut Chart<'a, 'b, X, Y>,
    position: SeriesLabelPosition,
) -> Drawn
where
    X: Ranged,
    Y: Ranged,
{
    chart
        .configure_series_labels()
        .position(position)
        .label_font(LABEL)
        .border_style(WHITE.mix(0.0))
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(())
}

/// A linear axis; see [`super::axis`].
pub fn axis(range: Range<f64>) -> Linear {
    Linear::new(range)
}

/// A night ends where nothing was exposed for this long, minutes.
const NIGHT_GAP_MIN: i64 = 6 * 60;

/// Where nights end on an axis that counts exposures from 1; `minutes` are those of the exposures in the order of time.
pub fn night_ends(minutes: impl Iterator<Item = i64> + Clone) -> Vec<f64> {
    let pairs = minutes.clone().zip(minutes.skip(1));
    let ends = pairs.enumerate();
    ends.filter(|(_, (a, b))| b - a > NIGHT_GAP_MIN)
        .map(|(i, _)| i as f64 + 1.5)
        .collect()
}

/// The number at a tick of an axis that counts; nothing between whole numbers.
pub fn count_tick(x: &f64) -> String {
    match (x - x.round()).abs() < 0.01 {
        true => format!("{x:.0}"),
        false => String::new(),
    }
}

/// Axes without a mesh, the one upwards of how many there are.
pub fn count_axes<'a, 'b>(
    area: &Panel<'b>,
    title: &str,
    x: (Range<f64>, &str),
    y: (Range<f64>, &str),
) -> Drawn<LinearChart<'a, 'b>> {
    axes(area, title, x, y, &count_tick)
}

/// Axes without a mesh.
#[cfg(feature = "lab")]
pub fn linear_axes<'a, 'b>(
    area: &Panel<'b>,
    title: &str,
    x: (Range<f64>, &str),
    y: (Range<f64>, &str),
) -> Drawn<LinearChart<'a, 'b>> {
    axes(area, title, x, y, &tick)
}

fn axes<'a, 'b>(
    area: &Panel<'b>,
    title: &str,
    (x, x_desc): (Range<f64>, &str),
    (y, y_desc): (Range<f64>, &str),
    name_y: &dyn Fn(&f64) -> String,
) -> Drawn<LinearChart<'a, 'b>> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, CAPTION)
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(axis(x), axis(y))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_label_formatter(&tick)
        .y_label_formatter(name_y)
        .label_style(LABEL)
        .x_desc(x_desc)
        .y_desc(y_desc)
        .draw()?;
    Ok(chart)
}

/// Logarithmic axes.
pub fn log_axes<'a, 'b>(
    area: &Panel<'b>,
    title: &str,
    (x, x_desc): (Range<f64>, &str),
    (y, y_desc): (Range<f64>, &str),
) -> Drawn<LogChart<'a, 'b>> {
    let (x, y) = (Log::new(x), Log::new(y));
    let mut chart = ChartBuilder::on(area)
        .caption(title, CAPTION)
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(BLACK.mix(0.12))
        .x_label_formatter(&|v| x.name(*v))
        .y_label_formatter(&|v| y.name(*v))
        .label_style(LABEL)
        .x_desc(x_desc)
        .y_desc(y_desc)
        .draw()?;
    Ok(chart)
}

/// Words where there is nothing to draw.
pub fn nothing(area: &Panel, title: &str, why: &str) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let centre = (width as i32 / 2, height as i32 / 2);
    area.draw(&Text::new(title.to_owned(), (70, 14), CAPTION.into_font()))?;
    let style = LABEL.into_font().color(&BLACK.mix(0.6));
    let middle = plotters::style::text_anchor::Pos::new(
        plotters::style::text_anchor::HPos::Center,
        plotters::style::text_anchor::VPos::Center,
    );
    area.draw(&Text::new(why.to_owned(), centre, style.pos(middle)))?;
    Ok(())
}

/// Thins to [`MAX_POINTS`] at most.
pub fn thin<T>(values: Vec<T>) -> Vec<T> {
    let every = values.len().div_ceil(MAX_POINTS).max(1);
    values.into_iter().step_by(every).collect()
}

/// Velocities that a bin of [`running_median`] holds at least, and the most bins.
const MEDIAN_LEAST: usize = 20;
const MEDIAN_BINS: usize = 14;

/// Medians of y in equal steps of ln x between the ends of x: (x, y), where 20 points or more are. Fewer points have fewer steps, so that
/// the line shows no noise.
pub fn running_median(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (low, high) = points
        .iter()
        .fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p.0), h.max(p.0)));
    if points.is_empty() || low <= 0.0 || low >= high {
        return Vec::new();
    }
    let n = (points.len() / (2 * MEDIAN_LEAST)).clamp(1, MEDIAN_BINS);
    let mut bins = vec![Vec::new(); n];
    for (x, y) in points {
        let place = n as f64 * (x / low).ln() / (high / low).ln();
        bins[(place as usize).min(n - 1)].push((*x, *y));
    }
    let full = bins.into_iter().filter(|bin| bin.len() >= MEDIAN_LEAST);
    let medians = full.map(|bin| {
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = bin.into_iter().unzip();
        (median(&mut x), median(&mut y))
    });
    medians.collect()
}

/// A name beside the last bin of a histogram, which holds all that lies beyond it; `n` are in it.
pub fn name_last_bin(chart: &mut LinearChart, right: f64, n: usize, beyond: &str) -> Drawn {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    if n > 0 {
        let style = SMALL.into_font().color(&BLACK.mix(0.8));
        let place = (right, n as f64);
        let text = Text::new(
            beyond.to_owned(),
            place,
            style.pos(Pos::new(HPos::Right, VPos::Bottom)),
        );
        chart.draw_series([text])?;
    }
    Ok(())
}
