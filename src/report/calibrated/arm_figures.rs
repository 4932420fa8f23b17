//! The figures of an arm: its zero points, its constant stars' velocities by exposure before and after, and how much these stars scatter.

use std::ops::Range;

use super::ArmOfTable;
use crate::numbers::statistics::{median, quantile};
use crate::report::one_star::svg::{Drawing, Panel};

const RADIUS: f64 = 3.5;
/// Half the width of the ends of an error bar.
const CAP: f64 = 5.0;
const HEIGHT: f64 = 260.0;
/// Exposures that are drawn at most; of more, every so many-th.
const EXPOSURES: usize = 400;
/// Velocities that quartiles take at least.
const LEAST: usize = 4;
/// Bins of a histogram.
const BINS: usize = 30;
/// Share of the largest values that has no room of its own on an axis.
const TAIL: f64 = 0.02;

/// A drawing and its caption.
type Shown = (Drawing, String);

/// The figures; `number` tells those of an arm from those of another.
pub fn of(arm: &ArmOfTable, number: usize, unit: &str) -> Vec<Shown> {
    let all = [
        zero_points(arm, number, unit),
        residuals(arm, number, unit),
        scatter(arm, number, unit),
    ];
    all.into_iter().flatten().collect()
}

/// A name of an axis with its unit.
fn axis_name(what: &str, unit: &str) -> String {
    match unit.is_empty() {
        true => what.to_owned(),
        false => format!("{what}, {unit}"),
    }
}

/// The range from the least to the greatest of these numbers, with room beyond.
fn around(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let finite = values.filter(|v| v.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
        (l.min(v), h.max(v))
    });
    let room = 0.08 * (high - low);
    (low <= high).then_some(low - room..high + room)
}

/// Every so many-th exposure is drawn.
fn every(n: usize) -> usize {
    n.div_ceil(EXPOSURES).max(1)
}

fn title(arm: &ArmOfTable, what: &str) -> String {
    match arm.name.is_empty() {
        true => what.to_owned(),
        false => format!("{what}, arm {}", arm.name),
    }
}

fn zero_points(arm: &ArmOfTable, number: usize, unit: &str) -> Option<Shown> {
    let found = arm.zero_points.iter();
    let ends = found.flat_map(|z| [z.zp - z.err.max(0.0), z.zp + z.err.max(0.0), z.zp]);
    let y = around(ends)?;
    let n = arm.zero_points.len();
    let what = title(arm, "Zero points of the exposures");
    let mut drawing = Drawing::new(format!("zero_points_{number}"), &what, HEIGHT + 100.0);
    let panel = Panel::new(0.0..n as f64 + 1.0, y, 40.0, HEIGHT);
    drawing.text((panel.left() + 6.0, 26.0), "start", "head", &what);
    drawing.axes(
        &panel,
        None,
        "exposure, as numbered below",
        &axis_name("zero point", unit),
    );
    if panel.y.contains(&0.0) {
        let (_, zero) = panel.place(0.0, 0.0);
        drawing.line("zero", (panel.left(), zero), (panel.right(), zero));
    }
    let mut drawn = 0;
    for (i, z) in arm.zero_points.iter().enumerate().step_by(every(n)) {
        if !z.zp.is_finite() {
            continue;
        }
        drawn += 1;
        let (x, y) = panel.place(i as f64 + 1.0, z.zp);
        let says = format!(
            "{}: {:.4} +- {:.4} {unit}, {} constant stars",
            z.exposure, z.zp, z.err, z.n_constants
        );
        drawing.group("blue", &says, |d| {
            d.circle("dot", (x, y), RADIUS);
            if z.err.is_finite() {
                let [low, high] = [z.zp - z.err, z.zp + z.err].map(|end| panel.place(0.0, end).1);
                bar(d, x, low, high);
            }
        });
    }
    let caption = format!(
        "What is subtracted from the velocities of each exposure, with formal 1-sigma errors: {drawn} of {n} exposures are drawn. Zero points of one component have the mean 0; those of different components cannot be compared."
    );
    Some((drawing, caption))
}

/// A bar with ends.
fn bar(d: &mut Drawing, x: f64, low: f64, high: f64) {
    d.line("bar", (x, low), (x, high));
    for end in [low, high] {
        d.line("bar", (x - CAP, end), (x + CAP, end));
    }
}

/// Quartiles of the constant stars' velocities about their means, by exposure.
fn residuals(arm: &ArmOfTable, number: usize, unit: &str) -> Option<Shown> {
    let n = arm.zero_points.len();
    let mut by_exposure: Vec<[Vec<f64>; 2]> = vec![Default::default(); n];
    for r in &arm.residuals {
        if let (Some([before, after]), true) = (
            by_exposure.get_mut(r.zero_point),
            r.before.is_finite() && r.after.is_finite(),
        ) {
            before.push(r.before);
            after.push(r.after);
        }
    }
    let quartiles = |values: &mut Vec<f64>| {
        (values.len() >= LEAST).then(|| {
            [
                quantile(values, 0.25),
                median(values),
                quantile(values, 0.75),
            ]
        })
    };
    let found: Vec<[Option<[f64; 3]>; 2]> = by_exposure
        .iter_mut()
        .map(|both| both.each_mut().map(quartiles))
        .collect();
    let y = around(found.iter().flatten().flatten().flatten().copied())?;
    let what = title(arm, "Constant stars, exposure by exposure");
    let mut drawing = Drawing::new(format!("residuals_{number}"), &what, 2.0 * HEIGHT + 150.0);
    let words = [("before calibration", "red"), ("after calibration", "blue")];
    for (k, (word, class)) in words.into_iter().enumerate() {
        let panel = Panel::new(
            0.0..n as f64 + 1.0,
            y.clone(),
            40.0 + k as f64 * (HEIGHT + 50.0),
            HEIGHT,
        );
        drawing.text(
            (panel.left() + 6.0, panel.top - 14.0),
            "start",
            "head",
            &format!("{what}: {word}"),
        );
        let x_name = if k == 1 {
            "exposure, as numbered below"
        } else {
            ""
        };
        drawing.axes(
            &panel,
            None,
            x_name,
            &axis_name("about the star's mean", unit),
        );
        for (i, both) in found.iter().enumerate().step_by(every(n)) {
            let Some([low, middle, high]) = both[k] else {
                continue;
            };
            let says = format!(
                "{}: median {middle:.4}, quartiles {low:.4} and {high:.4} {unit}",
                arm.zero_points[i].exposure
            );
            let (x, y) = panel.place(i as f64 + 1.0, middle);
            drawing.group(class, &says, |d| {
                d.circle("dot", (x, y), RADIUS);
                bar(d, x, panel.place(0.0, low).1, panel.place(0.0, high).1);
            });
        }
    }
    let caption = format!(
        "Median and quartiles of the constant stars' velocities about each star's mean, for exposures with {LEAST} of them or more, on one scale. What is common to all stars of an exposure is gone below."
    );
    Some((drawing, caption))
}

/// How much the constant stars scatter, before and after.
fn scatter(arm: &ArmOfTable, number: usize, unit: &str) -> Option<Shown> {
    let constant = arm
        .stars
        .iter()
        .filter(|s| s.is_constant == Some(true) && s.n > 1);
    let both: Vec<[f64; 2]> = constant
        .map(|s| [s.before, s.after])
        .filter(|both| both.iter().all(|v| v.is_finite()))
        .collect();
    let mut all: Vec<f64> = both.iter().flatten().copied().collect();
    if all.is_empty() {
        return None;
    }
    let most = 1.05 * quantile(&mut all, 1.0 - TAIL);
    let most = if most > 0.0 { most } else { 1.0 };
    let counts = [0, 1].map(|k| {
        let mut counts = [0_usize; BINS];
        for values in &both {
            let bin = (BINS as f64 * values[k] / most) as usize;
            counts[bin.min(BINS - 1)] += 1;
        }
        counts
    });
    let highest = counts.iter().flatten().copied().max().unwrap_or(0);
    let what = title(arm, "Scatter of the constant stars");
    let mut drawing = Drawing::new(format!("scatter_{number}"), &what, HEIGHT + 100.0);
    let panel = Panel::new(0.0..most, 0.0..1.1 * highest as f64, 40.0, HEIGHT);
    drawing.text((panel.left() + 6.0, 26.0), "start", "head", &what);
    drawing.axes(
        &panel,
        None,
        &axis_name("standard deviation of a star's velocities", unit),
        "stars",
    );
    let medians = [0, 1].map(|k| median(&mut both.iter().map(|v| v[k]).collect::<Vec<f64>>()));
    for (k, (word, class)) in [("before", "red"), ("after", "blue")]
        .into_iter()
        .enumerate()
    {
        drawing.group(class, "", |d| {
            steps(d, &panel, &counts[k]);
            let y = 60.0 + 24.0 * k as f64;
            let x = panel.right() - 230.0;
            d.line("bar", (x - 30.0, y - 6.0), (x - 8.0, y - 6.0));
            d.text(
                (x, y),
                "start",
                "num",
                &format!("{word}: median {:.4}", medians[k]),
            );
        });
    }
    let caption = format!(
        "{} constant stars with two velocities or more. The last bin holds all that scatter more.",
        both.len()
    );
    Some((drawing, caption))
}

/// The outline of a histogram over the whole width of a panel.
fn steps(d: &mut Drawing, panel: &Panel, counts: &[usize]) {
    let width = (panel.x.end - panel.x.start) / counts.len() as f64;
    let mut at = panel.place(panel.x.start, 0.0);
    for (i, n) in counts.iter().enumerate() {
        let ends =
            [i, i + 1].map(|edge| panel.place(panel.x.start + edge as f64 * width, *n as f64));
        for end in ends {
            d.line("bar", at, end);
            at = end;
        }
    }
    d.line("bar", at, panel.place(panel.x.end, 0.0));
}
