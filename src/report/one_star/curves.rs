//! A star's velocities against time, as measured and corrected, and folded with its period.

use std::ops::Range;

use super::period::Sinusoid;
use super::svg::{Drawing, Panel, ticks};
use super::times::Times;
use crate::Arm;
use crate::RvFlags;
use crate::catalogue::flags::CatalogueFlags;
use crate::catalogue::row::ArmVelocity;
use crate::report::finished::Finished;

/// Radius of a point, and half the width of the ends of its error bar: wider, so that they are seen where the error is smaller than the point.
const RADIUS: f64 = 4.5;
const CAP: f64 = 7.0;
/// The two arms of an exposure are drawn so far apart to either side.
const APART: f64 = 4.5;
/// Velocities whose flags say that they may be no velocities of the star are shown within the axis as long as it gets no longer by more than
/// this factor: else the errors of the others could not be seen.
const LONGER: f64 = 8.0;

/// The same for the fitted sinusoid: one that reaches much farther than the velocities is cut.
const CURVE_LONGER: f64 = 2.0;
/// Height of a panel.
const HEIGHT: f64 = 300.0;

/// A velocity as it is drawn.
pub struct Point {
    /// The arm.
    pub arm: Arm,
    /// Row of the catalogue.
    pub row: usize,
    /// Velocity and its error, km/s.
    pub rv_km_s: f64,
    /// Its error.
    pub err_km_s: f64,
    /// Its flags.
    pub flags: CatalogueFlags,
}

impl Point {
    /// Whether it says something of the star.
    pub fn is_velocity(&self) -> bool {
        !self.measured().intersects(RvFlags::NO_VELOCITY)
    }

    /// The flags of the measurement.
    fn measured(&self) -> RvFlags {
        RvFlags::from_bits_truncate(self.flags.bits())
    }
}

/// Which of two velocities is meant.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    /// As measured.
    Measured,
    /// Less the zero point.
    Corrected,
}

/// The velocities of some rows in some arms.
pub fn points(products: &Finished, rows: &[usize], arms: &[Arm], kind: Kind) -> Vec<Point> {
    let of = |v: &ArmVelocity| match kind {
        Kind::Measured => (v.rv_km_s, v.rv_err_own_km_s),
        Kind::Corrected => (v.rv_corr_km_s, v.rv_corr_err_km_s),
    };
    let all = arms
        .iter()
        .flat_map(|arm| rows.iter().map(|row| (*arm, *row)));
    all.filter_map(|(arm, row)| {
        let velocity = products.catalogue.arm(arm, row);
        let (rv_km_s, err_km_s) = of(velocity);
        rv_km_s.is_finite().then_some(Point {
            arm,
            row,
            rv_km_s,
            err_km_s,
            flags: velocity.flags,
        })
    })
    .collect()
}

/// Mean of an arm's velocities that say something of the star, weighted by their errors; 0 where there are none.
pub fn mean_km_s(points: &[Point], arm: Arm) -> f64 {
    let mut sums = (0.0, 0.0);
    for p in points.iter().filter(|p| p.arm == arm && p.is_velocity()) {
        let weight = match p.err_km_s > 0.0 {
            true => 1.0 / (p.err_km_s * p.err_km_s),
            false => 0.0,
        };
        if weight.is_finite() {
            sums = (sums.0 + weight, sums.1 + weight * p.rv_km_s);
        }
    }
    match sums.0 > 0.0 {
        true => sums.1 / sums.0,
        false => 0.0,
    }
}

/// Velocities about the means of their arms.
pub fn about_means(mut points: Vec<Point>, arms: &[Arm]) -> (Vec<Point>, Vec<(Arm, f64)>) {
    let means: Vec<(Arm, f64)> = arms
        .iter()
        .map(|arm| (*arm, mean_km_s(&points, *arm)))
        .collect();
    for p in &mut points {
        let mean = means.iter().find(|(arm, _)| *arm == p.arm);
        p.rv_km_s -= mean.map_or(0.0, |(_, mean)| *mean);
    }
    (points, means)
}

/// The range that shows what says something of the star with its errors, and of the other velocities what it can.
fn range(points: &[Point]) -> Range<f64> {
    let ends = |all: &mut dyn Iterator<Item = &Point>| {
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| {
            let err = match p.err_km_s.is_finite() {
                true => p.err_km_s,
                false => 0.0,
            };
            (low.min(p.rv_km_s - err), high.max(p.rv_km_s + err))
        })
    };
    let nothing = RvFlags::EDGE | RvFlags::NO_CURVATURE;
    let is_any = |p: &&Point| !p.measured().intersects(nothing);
    let sure = ends(&mut points.iter().filter(|p| p.is_velocity()));
    let all = ends(&mut points.iter().filter(is_any));
    let least = (sure.1 - sure.0).max(1.0);
    let (low, high) = match (sure.0 <= sure.1, all.0 <= all.1) {
        (true, true) if all.1 - all.0 > LONGER * least => sure,
        (_, true) => all,
        _ => ends(&mut points.iter()),
    };
    let margin = (0.08 * (high - low)).max(0.1);
    low - margin..high + margin
}

/// A range with room for the whole sinusoid, unless it reaches much farther than the velocities.
fn with_curve(range: Range<f64>, fit: &Sinusoid) -> Range<f64> {
    let half = 1.08 * fit.amplitude_km_s();
    match half < CURVE_LONGER * (range.end - range.start) {
        true => range.start.min(-half)..range.end.max(half),
        false => range,
    }
}

/// Velocities against time as measured, and below them the corrected ones where there are any; none where nothing has a velocity.
pub fn velocities(products: &Finished, rows: &[usize], arms: &[Arm]) -> Option<(Drawing, String)> {
    let dates = rows
        .iter()
        .map(|row| products.catalogue.exposure(*row).bjd_tdb);
    let times = Times::of(dates)?;
    let measured = points(products, rows, arms, Kind::Measured);
    let corrected = points(products, rows, arms, Kind::Corrected);
    if measured.is_empty() {
        return None;
    }
    let panels = match corrected.is_empty() {
        true => vec![(
            measured,
            "as measured: uncorrected, as no exposure has a zero point",
        )],
        false => vec![
            (measured, "as measured"),
            (corrected, "corrected for the zero points"),
        ],
    };
    let n = panels.len();
    let height = n as f64 * (HEIGHT + 50.0) + 90.0;
    let mut drawing = Drawing::new("velocities", "Velocities against time", height);
    legend(&mut drawing, 26.0, arms);
    let mut means_told = Vec::new();
    for (i, (points, title)) in panels.into_iter().enumerate() {
        let (points, means) = about_means(points, arms);
        let top = 70.0 + i as f64 * (HEIGHT + 50.0);
        let panel = Panel::new(times.range(), range(&points), top, HEIGHT);
        drawing.text((panel.left() + 6.0, top - 8.0), "start", "head", title);
        let name = if i + 1 == n { times.name() } else { "" };
        drawing.axes(&panel, Some(&times.ticks()), name, "km/s about the mean");
        for end in times.breaks() {
            let (x, _) = panel.place(end, 0.0);
            drawing.line("zero", (x, panel.top), (x, panel.bottom()));
        }
        let places = |row: usize| vec![times.place(products.catalogue.exposure(row).bjd_tdb)];
        draw(
            &mut drawing,
            products,
            &panel,
            &points,
            &means,
            places,
            APART,
        );
        let is_there = |(arm, _): &&(Arm, f64)| points.iter().any(|p| p.arm == *arm);
        let told = means.iter().filter(is_there);
        let told: Vec<String> = told
            .map(|(arm, mean)| format!("{arm} {mean:.3} km/s"))
            .collect();
        let which = if i == 0 { "measured" } else { "corrected" };
        means_told.push(format!("{which}: {}", told.join(", ")));
    }
    let errors = match n {
        1 => "Bars are 1-sigma errors of a velocity by itself.",
        _ => {
            "Bars are 1-sigma errors: of a velocity by itself above, with the zero point's and the star's jitter below."
        }
    };
    let caption = format!(
        "Each arm counts from a reference of its own, so each is shown about its weighted mean ({}). {errors}{} Points with an arrow lie outside.",
        means_told.join("; "),
        times.caption()
    );
    Some((drawing, caption))
}

/// The corrected velocities against phase, and the sinusoid of this period that fits them best.
pub fn folded(
    products: &Finished,
    rows: &[usize],
    arms: &[Arm],
    period_d: f64,
) -> Option<(Drawing, String)> {
    let points: Vec<Point> = points(products, rows, arms, Kind::Corrected);
    let points: Vec<Point> = points.into_iter().filter(Point::is_velocity).collect();
    let time = |row: usize| products.catalogue.exposure(row).bjd_tdb;
    let first = points
        .iter()
        .map(|p| time(p.row))
        .fold(f64::INFINITY, f64::min);
    if !(first.is_finite() && period_d > 0.0) {
        return None;
    }
    let phase = |row: usize| ((time(row) - first) / period_d).rem_euclid(1.0);
    let of = |p: &Point| {
        (
            phase(p.row),
            p.rv_km_s,
            p.err_km_s,
            usize::from(p.arm == Arm::Blue),
        )
    };
    let fit = Sinusoid::fit(points.iter().map(of))?;
    let offset = |arm: Arm| fit.mean_km_s[usize::from(arm == Arm::Blue)];
    let means: Vec<(Arm, f64)> = arms.iter().map(|arm| (*arm, offset(*arm))).collect();
    let points: Vec<Point> = points
        .into_iter()
        .map(|p| Point {
            rv_km_s: p.rv_km_s - offset(p.arm),
            ..p
        })
        .collect();
    let mut drawing = Drawing::new("folded", "Velocities against phase", HEIGHT + 140.0);
    legend(&mut drawing, 26.0, arms);
    let panel = Panel::new(0.0..2.0, with_curve(range(&points), &fit), 50.0, HEIGHT);
    let at: Vec<(f64, String)> = ticks(&(0.0..2.0), 10.0)
        .map(|x| (x, format!("{x:.1}")))
        .collect();
    drawing.axes(&panel, Some(&at), "phase", "km/s about the fit");
    drawing.curve(
        "fit",
        &panel,
        (0..=400).map(|i| {
            let x = f64::from(i) / 200.0 - 1e-9;
            (x.max(0.0), fit.at(x))
        }),
    );
    let places = |row: usize| vec![phase(row), phase(row) + 1.0];
    draw(&mut drawing, products, &panel, &points, &means, places, 0.0);
    let caption = format!(
        "Corrected velocities folded with {period_d:.6} d, each twice; phase 0 is BJD {first:.5} (TDB). The line is the sinusoid of this \
         period that fits both arms with a mean for each; its semi-amplitude is {:.2} km/s.",
        fit.amplitude_km_s()
    );
    Some((drawing, caption))
}

/// Draws points with their error bars in front, each at all of its places.
fn draw(
    drawing: &mut Drawing,
    products: &Finished,
    panel: &Panel,
    points: &[Point],
    means: &[(Arm, f64)],
    places: impl Fn(usize) -> Vec<f64>,
    apart: f64,
) {
    for p in points {
        let e = products.catalogue.exposure(p.row);
        let mean = means
            .iter()
            .find(|(arm, _)| *arm == p.arm)
            .map_or(0.0, |(_, m)| *m);
        let mut title = format!(
            "{} arm, LMJM {}: {:.3} +- {:.3} km/s",
            p.arm,
            e.lmjm,
            p.rv_km_s + mean,
            p.err_km_s
        );
        if !p.flags.is_empty() {
            title += &format!(" ({})", p.flags);
        }
        let class = match p.is_velocity() {
            true => p.arm.name().to_owned(),
            false => format!("{} none", p.arm.name()),
        };
        // A row may lack its time.
        for x in places(p.row).into_iter().filter(|x| x.is_finite()) {
            let (x, y) = panel.place(x, p.rv_km_s);
            let x = x + if p.arm == Arm::Blue { apart } else { -apart };
            let (_, low) = panel.place(0.0, p.rv_km_s - p.err_km_s);
            let (_, high) = panel.place(0.0, p.rv_km_s + p.err_km_s);
            let is_inside = panel.y.contains(&p.rv_km_s);
            drawing.group(&class, &title, |d| {
                mark(d, p, (x, y), is_inside, p.rv_km_s < panel.y.start);
                if is_inside && p.err_km_s.is_finite() {
                    d.line("bar", (x, low), (x, high));
                    d.line("bar", (x - CAP, low), (x + CAP, low));
                    d.line("bar", (x - CAP, high), (x + CAP, high));
                }
            });
        }
    }
}

/// A point: round for the red arm, square for the blue one; with a ring where it has a flag that says more than what it is counted from;
/// with an arrow where it lies outside.
fn mark(d: &mut Drawing, p: &Point, (x, y): (f64, f64), is_inside: bool, is_below: bool) {
    match p.arm {
        Arm::Red => d.circle("dot", (x, y), RADIUS),
        Arm::Blue => d.rect(
            "dot",
            (x - RADIUS, y - RADIUS),
            (x + RADIUS, y + RADIUS),
            "",
        ),
    }
    let is_flagged = !(p.flags - CatalogueFlags::REFERENCE).is_empty();
    if !p.is_velocity() || is_flagged {
        d.circle("ring", (x, y), RADIUS + 4.0);
    }
    if !is_inside {
        // `place` has put it at the edge, and the arrow points on.
        let out = if is_below { 8.0 } else { -8.0 };
        d.line("bar", (x, y), (x, y + 2.0 * out));
        d.line("bar", (x - 5.0, y + out), (x, y + 2.0 * out));
        d.line("bar", (x + 5.0, y + out), (x, y + 2.0 * out));
    }
}

/// What the marks are.
fn legend(drawing: &mut Drawing, y: f64, arms: &[Arm]) {
    let mut x = 100.0;
    for arm in arms {
        drawing.group(arm.name(), "", |d| {
            match arm {
                Arm::Red => d.circle("dot", (x, y - 6.0), RADIUS),
                Arm::Blue => d.rect("dot", (x - RADIUS, y - 11.0), (x + RADIUS, y - 1.0), ""),
            }
            d.line("bar", (x, y - 16.0), (x, y + 4.0));
        });
        drawing.text((x + 14.0, y), "start", "num", &format!("{arm} arm"));
        x += 130.0;
    }
    drawing.group("blue", "", |d| {
        d.rect("dot", (x - RADIUS, y - 11.0), (x + RADIUS, y - 1.0), "");
        d.circle("ring", (x, y - 6.0), RADIUS + 4.0);
    });
    drawing.text((x + 16.0, y), "start", "num", "flagged");
    x += 130.0;
    drawing.group("blue none", "", |d| {
        d.rect("dot", (x - RADIUS, y - 11.0), (x + RADIUS, y - 1.0), "");
        d.circle("ring", (x, y - 6.0), RADIUS + 4.0);
    });
    drawing.text(
        (x + 16.0, y),
        "start",
        "num",
        "flagged so that it says nothing of the star's velocity",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sinusoid_is_shown_whole_unless_it_reaches_far_beyond_the_velocities() {
        let of = |amplitude: f64| {
            let at = move |i: i32| {
                let phase = 0.05 * f64::from(i);
                let rv = amplitude * (std::f64::consts::TAU * phase).sin();
                (phase, rv, 0.1, 0)
            };
            Sinusoid::fit((0..20).map(at)).unwrap()
        };
        let shown = with_curve(-2.0..12.0, &of(10.0));
        assert!(
            (shown.start + 10.8).abs() < 1e-9 && shown.end == 12.0,
            "{shown:?}"
        );
        assert_eq!(with_curve(-2.0..3.0, &of(40.0)), -2.0..3.0);
    }
}
