//! The most variable stars and their velocity curves.

use std::collections::HashMap;

use plotters::prelude::*;

use super::finished::Finished;
use super::plot::*;
use super::tick::tick;
use super::uncorrected;
use crate::Arm;
use crate::catalogue::flags::CatalogueFlags;
use crate::catalogue::row::ArmVelocity;
use crate::numbers::statistics::median;

/// Curves shown: rows and columns.
const GRID: (usize, usize) = (4, 3);

/// Bars that a panel has room for, in medians of those of its star.
const LONGEST_BAR: f64 = 3.0;

/// Fewest velocities of a curve.
const MIN_POINTS: u32 = 4;

/// Most double-lined candidates among the curves, unless places are left over: they vary most, but their velocities are those of one
/// star or the other.
const MOST_DOUBLE: usize = 3;

/// Said where nothing tells which stars vary.
const NOT_JUDGED: &str = "which stars vary cannot be said";

/// What the marks are.
const MARKS: &str = "orange circles red arm, blue triangles blue arm, open symbols flagged velocities (those outside a panel are left out). \
                     Each arm's velocities are less their median, since the two have different references";

/// What would tell it.
pub const TO_ADD: &str = " A zero point takes three stars in an exposure that were seen in another one too, so all files of the plate, of \
                      every night, should be given together. Velocities as they were measured, uncorrected, are drv in the catalogue.";

/// Width of a figure, and height of a row of curves, pixels.
const WIDTH: u32 = 1100;
const ROW: u32 = 290;

/// Stars with a curve, and whether their velocities are corrected.
struct Curves {
    stars: Vec<Chosen>,
    kind: Kind,
}

const TITLE: &str = "The most variable stars";

pub fn figure(products: &Finished) -> Drawn<Shown> {
    let none = none_text(products);
    let mut curves = Curves {
        stars: most_variable(products),
        kind: Kind::Corrected,
    };
    if none == NOT_JUDGED {
        let measured = uncorrected::most_scattered(products, GRID.0 * GRID.1);
        let shown = |star| Chosen {
            star,
            is_double: false,
        };
        curves = Curves {
            stars: measured.into_iter().map(shown).collect(),
            kind: Kind::Measured,
        };
    }
    let Curves { stars, kind } = &curves;
    if stars.is_empty() {
        return Ok(Shown::Nothing(TITLE, none));
    }
    // No place is left empty but at the end of the last row.
    let columns = stars.len().min(GRID.1);
    let rows = stars.len().div_ceil(columns);
    let svg = svg((WIDTH, ROW * rows as u32), |root| {
        for (area, star) in root.split_evenly((rows, columns)).iter().zip(stars) {
            curve(area, products, star, *kind)?;
        }
        Ok(())
    })?;
    Ok(Shown::Figure(Figure {
        name: "variables",
        title: match kind {
            Kind::Corrected => TITLE,
            Kind::Measured => "Stars as measured, uncorrected",
        },
        caption: caption(&curves),
        svg,
    }))
}

/// What is said where no star is shown: that none varies, or that nothing tells which do.
fn none_text(products: &Finished) -> &'static str {
    let mut said = products.stars.iter().map(|star| star.found.is_variable);
    match said.any(|variable| variable.is_some()) {
        true => "no star with four velocities or more is called variable",
        false => NOT_JUDGED,
    }
}

fn caption(Curves { stars, kind }: &Curves) -> String {
    if *kind == Kind::Measured {
        return format!(
            "Velocities as measured (drv) of the {}, uncorrected: each has the drift of its exposure, so no velocity here says that a star varies; {MARKS}. \
            They are shown because {NOT_JUDGED}.{TO_ADD}",
            match stars.len() {
                1 => "star that scatters most".to_owned(),
                n => format!("{n} stars that scatter most"),
            }
        );
    }
    format!(
        "Corrected velocities of the {} variable stars whose chi^2 about a constant is largest, against heliocentric time; {MARKS}.{}",
        stars.len(),
        double_text(stars)
    )
}

/// What the caption says of double-lined candidates.
fn double_text(stars: &[Chosen]) -> String {
    if !stars.iter().any(|s| s.is_double) {
        return String::new();
    }
    format!(
        " Double-lined candidates are marked; the velocities of two sets of lines say little. They have {MOST_DOUBLE} places, \
        and those that no other star takes."
    )
}

/// A star with a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Chosen {
    /// Number in the catalogue.
    star: usize,
    /// Double-lined candidate.
    is_double: bool,
}

/// The stars, the most variable first.
fn most_variable(products: &Finished) -> Vec<Chosen> {
    let number: HashMap<&str, usize> = (0..)
        .zip(&products.catalogue.stars)
        .map(|(i, s)| (&**s, i))
        .collect();
    let mut best: HashMap<usize, (f64, bool)> = HashMap::new();
    for star in &products.stars {
        let reduced = star.found.chi2 / star.found.dof;
        if star.found.is_variable == Some(true)
            && star.found.n_used >= MIN_POINTS
            && reduced.is_finite()
            && let Some(number) = number.get(&*star.designation)
        {
            let known = best.entry(*number).or_insert((reduced, false));
            *known = (known.0.max(reduced), known.1 || star.is_double_lined);
        }
    }
    let mut ranked: Vec<(usize, (f64, bool))> = best.into_iter().collect();
    ranked.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then(a.0.cmp(&b.0)));
    let shown = ranked
        .into_iter()
        .map(|(star, (_, is_double))| Chosen { star, is_double });
    share_places(shown.collect(), GRID.0 * GRID.1)
}

/// The first `places` of the stars, at most [`MOST_DOUBLE`] of them double unless places are left; order is kept.
fn share_places(mut stars: Vec<Chosen>, places: usize) -> Vec<Chosen> {
    let n_single = stars.iter().filter(|s| !s.is_double).count();
    let mut doubles = MOST_DOUBLE.max(places.saturating_sub(n_single));
    stars.retain(|s| {
        let stays = !s.is_double || doubles > 0;
        doubles -= usize::from(s.is_double && doubles > 0);
        stays
    });
    stars.truncate(places);
    stars
}

/// Which of two velocities is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Corrected,
    /// With the drift of its exposure in it.
    Measured,
}

/// A velocity of a curve.
struct Point {
    time_d: f64,
    rv_km_s: f64,
    err_km_s: f64,
    flagged: bool,
}

/// Velocities of a star in one arm, less their median.
fn velocities(products: &Finished, rows: &[usize], of: (Arm, Kind), start_d: f64) -> Vec<Point> {
    let c = &products.catalogue;
    let all = rows.iter().map(|r| (c.exposure(*r).hjd, c.arm(of.0, *r)));
    let point = |(hjd, v): (f64, &ArmVelocity)| {
        // That all of them lack a zero point is said once, in words.
        let (rv_km_s, err_km_s, flags) = match of.1 {
            Kind::Corrected => (v.rv_corr_km_s, v.rv_corr_err_km_s, v.flags),
            Kind::Measured => (
                v.rv_km_s,
                v.rv_err_own_km_s,
                v.flags - CatalogueFlags::NO_ZERO_POINT,
            ),
        };
        (rv_km_s.is_finite() && hjd.is_finite()).then_some(Point {
            time_d: hjd - start_d,
            rv_km_s,
            err_km_s,
            flagged: !flags.is_empty(),
        })
    };
    let mut points: Vec<Point> = all.filter_map(point).collect();
    let good = points.iter().filter(|p| !p.flagged).count();
    let used = points
        .iter()
        .filter(|p| !p.flagged || 2 * good < points.len());
    let mut rv: Vec<f64> = used.map(|p| p.rv_km_s).collect();
    let middle = median(&mut rv);
    points.iter_mut().for_each(|p| p.rv_km_s -= middle);
    points
}

fn curve(area: &Panel, products: &Finished, shown: &Chosen, kind: Kind) -> Drawn {
    let star = shown.star;
    let c = &products.catalogue;
    let rows: Vec<usize> = (0..c.len()).filter(|r| c.star[*r] == star).collect();
    let start = rows
        .iter()
        .map(|r| c.exposure(*r).hjd)
        .fold(f64::MAX, f64::min)
        .floor();
    let (red, blue) = (
        velocities(products, &rows, (Arm::Red, kind), start),
        velocities(products, &rows, (Arm::Blue, kind), start),
    );
    let all = || red.iter().chain(&blue);
    let (mark, axis_name) = match (kind, shown.is_double) {
        (Kind::Measured, _) => (", uncorrected", "RV and drift (km/s)"),
        (_, true) => (" double-lined?", "RV (km/s)"),
        _ => ("", "RV (km/s)"),
    };
    let title = format!("{}{mark}", c.stars[star]);
    if all().next().is_none() {
        return nothing(area, &title, "no velocities with a date");
    }
    // Flagged velocities may lie anywhere, so the others set the range, unless most are flagged.
    let mostly_flagged = 2 * all().filter(|p| p.flagged).count() > all().count();
    let used = || all().filter(|p| !p.flagged || mostly_flagged);
    // A bar that is far longer than the others may leave the panel.
    let mut bars: Vec<f64> = used()
        .map(|p| p.err_km_s)
        .filter(|e| e.is_finite())
        .collect();
    let longest = LONGEST_BAR
        * if bars.is_empty() {
            0.0
        } else {
            median(&mut bars)
        };
    let reach = |p: &Point| {
        if p.err_km_s.is_finite() {
            p.err_km_s.min(longest)
        } else {
            0.0
        }
    };
    let ends = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)))
    };
    let x = ends(&mut all().map(|p| p.time_d));
    let y = ends(&mut used().flat_map(|p| [p.rv_km_s - reach(p), p.rv_km_s + reach(p)]));
    let pad = |(low, high): (f64, f64), least: f64| {
        let margin = (0.1 * (high - low)).max(least);
        (low - margin)..(high + margin)
    };
    let (x, y) = (pad(x, 0.02), pad(y, 0.05));
    let mut chart = ChartBuilder::on(area)
        .caption(title, LABEL)
        .margin(8)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(axis(x), axis(y.clone()))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(5)
        .y_labels(6)
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .label_style(("sans-serif", 15))
        .x_desc(format!("HJD - {start:.0} (d)"))
        .y_desc(axis_name)
        .draw()?;
    for (points, arm) in [(&red, Arm::Red), (&blue, Arm::Blue)] {
        let colour = arm_colour(arm);
        let inside = || points.iter().filter(|p| y.contains(&p.rv_km_s));
        let bars = inside().filter(|p| p.err_km_s.is_finite()).map(|p| {
            let low = (p.rv_km_s - p.err_km_s).max(y.start);
            let high = (p.rv_km_s + p.err_km_s).min(y.end);
            PathElement::new([(p.time_d, low), (p.time_d, high)], colour.stroke_width(2))
        });
        let style = |p: &Point| {
            if p.flagged {
                colour.stroke_width(1)
            } else {
                colour.filled()
            }
        };
        match arm {
            Arm::Red => chart
                .draw_series(inside().map(|p| Circle::new((p.time_d, p.rv_km_s), 3, style(p))))?,
            Arm::Blue => chart.draw_series(
                inside().map(|p| TriangleMarker::new((p.time_d, p.rv_km_s), 5, style(p))),
            )?,
        };
        // In front of the markers, which would hide those that are shorter.
        chart.draw_series(bars)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stars by number; `d` is a double one.
    fn stars(kinds: &str) -> Vec<Chosen> {
        let shown = |(star, kind)| Chosen {
            star,
            is_double: kind == 'd',
        };
        kinds.chars().enumerate().map(shown).collect()
    }

    fn kept(kinds: &str, places: usize) -> Vec<usize> {
        let kept = share_places(stars(kinds), places);
        kept.iter().map(|s| s.star).collect()
    }

    #[test]
    fn double_stars_leave_places_for_others() {
        assert_eq!(kept("ddddsss", 6), [0, 1, 2, 4, 5, 6]);
        assert_eq!(kept("dddddss", 6), [0, 1, 2, 3, 5, 6]);
        assert_eq!(kept("sssssss", 3), [0, 1, 2]);
        assert_eq!(kept("ssdsd", 9), [0, 1, 2, 3, 4]);
        assert_eq!(kept("ddddd", 4), [0, 1, 2, 3]);
        assert!(kept("", 4).is_empty());
    }
}
