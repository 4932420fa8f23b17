//! What is left at each fibre after calibration (paper, figures 6 and 7).

use std::collections::BTreeMap;

use plotters::prelude::*;

use super::finished::Finished;
use super::plot::*;
use super::slit;
use super::slits::Slits;
use super::slopes::NO_SLOPE;
use super::tick::tick;
use crate::Arm;
use crate::numbers::statistics::quantile;

/// Heights of a panel by fibre, and of those along the slit, pixels.
const PANEL: u32 = 380;
const SLIT: u32 = 420;

const TITLE: &str = "Fibres";
const NONE: &str = "no constant star has two corrected velocities";

/// What is left of the velocities at each fibre of each spectrograph.
type Left = BTreeMap<(i32, i32), Vec<f64>>;

pub fn figure(products: &Finished) -> Drawn<Shown> {
    let arms = of_arms(|arm| left(products, arm));
    if arms.is_empty() {
        return Ok(Shown::Nothing(TITLE, NONE));
    }
    let slits = of_arms(|arm| slit::bins(products, arm));
    let upper = PANEL * arms.len() as u32;
    let lower = if slits.is_empty() { 0 } else { SLIT };
    let svg = svg((1100, upper + lower), |root| {
        let (top, bottom) = root.split_vertically(upper);
        let areas = top.split_evenly((arms.len(), 1));
        for (area, (arm, left)) in areas.iter().zip(&arms) {
            panel(area, left, *arm)?;
        }
        if slits.is_empty() {
            return Ok(());
        }
        let areas = bottom.split_evenly((1, slits.len()));
        for (area, (arm, bins)) in areas.iter().zip(&slits) {
            slit::panel(area, bins, *arm)?;
        }
        Ok(())
    })?;
    Ok(Shown::Figure(Figure {
        name: "fibres",
        title: TITLE,
        caption: caption(&arms, &slits),
        svg,
    }))
}

fn caption(arms: &[(Arm, Left)], slits: &[(Arm, [slit::Bins; 2])]) -> String {
    let fibres = "corrected velocities of the constant stars less their star's mean, by fibre: the median (point) and the range \
            that holds 68 % (line), spectrograph by spectrograph, of which only those are shown that have constant stars (paper, figures 6 and 7). A star that keeps \
            its fibre has a mean of 0 by construction; only stars on several fibres show differences between them.";
    let absent_arm = absent(arms, NONE);
    if slits.is_empty() {
        return format!("The {fibres}{absent_arm}");
    }
    format!(
        "Top: {fibres}{absent_arm} Bottom: the same along the slit, ten fibres at a time and all spectrographs together, of velocities less the mean of their zero point along the slit (grey) and \
            corrected (colour). A tilt of the wavelengths along the slit has another sign in each exposure and would average out; so the \
            residuals of exposures whose zero point falls along the slit are shown with the other sign. A tilt that is not taken off then shows \
            as a line that rises from left to right.{}",
        absent(slits, NO_SLOPE)
    )
}

fn left(products: &Finished, arm: Arm) -> Option<Left> {
    let rv = |row: usize| products.catalogue.arm(arm, row).rv_corr_km_s;
    let mut fibres = Left::new();
    for rows in products.constant_rows(arm).values() {
        let rows: Vec<usize> = rows
            .iter()
            .copied()
            .filter(|r| rv(*r).is_finite())
            .collect();
        if rows.len() < 2 {
            continue;
        }
        let mean = rows.iter().map(|r| rv(*r)).sum::<f64>() / rows.len() as f64;
        for row in rows {
            let e = products.catalogue.exposure(row);
            let fibre = fibres.entry((e.spid, e.fiberid)).or_default();
            fibre.push(rv(row) - mean);
        }
    }
    (!fibres.is_empty()).then_some(fibres)
}

fn panel(area: &Panel, fibres: &Left, arm: Arm) -> Drawn {
    let title = format!("{arm} arm");
    let slits = Slits::of(fibres.keys().map(|(spid, _)| *spid));
    let bars: Vec<(f64, f64, f64, f64)> = fibres
        .iter()
        .map(|(fibre, values)| {
            let mut values = values.clone();
            let [low, middle, high] = [0.16, 0.5, 0.84].map(|q| quantile(&mut values, q));
            (slits.place(*fibre), low, middle, high)
        })
        .collect();
    let mut sizes: Vec<f64> = bars.iter().flat_map(|b| [b.1.abs(), b.3.abs()]).collect();
    let limit = (1.3 * quantile(&mut sizes, 0.99)).max(1e-3);
    let mut chart = ChartBuilder::on(area)
        .caption(title, CAPTION)
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(axis(slits.range()), axis(-limit..limit))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE.mix(0.0))
        .x_labels(slits.n_ticks())
        .x_label_formatter(&|x| slits.tick(*x))
        .y_label_formatter(&tick)
        .label_style(LABEL)
        .x_desc(slits.description())
        .y_desc("corrected RV - star's mean (km/s)")
        .draw()?;
    for x in slits.ends() {
        chart.draw_series([PathElement::new([(x, -limit), (x, limit)], BLACK.mix(0.4))])?;
    }
    let colour = arm_colour(arm);
    for (x, low, middle, high) in thin(bars) {
        let line = [(x, low.max(-limit)), (x, high.min(limit))];
        chart.draw_series([PathElement::new(line, colour.mix(0.7).stroke_width(2))])?;
        chart.draw_series([Circle::new(
            (x, middle.clamp(-limit, limit)),
            3,
            BLACK.filled(),
        )])?;
    }
    Ok(())
}
