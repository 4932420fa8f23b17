//! What is left along the slit, all spectrographs together: less the zero points' means alone, and corrected.

use std::collections::HashMap;

use plotters::prelude::*;

use super::finished::Finished;
use super::plot::*;
use super::tick::tick;
use crate::Arm;
use crate::catalogue::FIBRES;
use crate::numbers::statistics::quantile;

/// Fibres that are taken together. Chosen by hand.
const FIBRES_OF_BIN: usize = 10;

/// Residuals of some neighbouring fibres, km/s.
#[derive(Clone, Debug, PartialEq)]
pub struct Bin {
    /// Mean of its first and last fibre.
    pub fibre: f64,
    /// 16 %, 50 % and 84 % of the residuals.
    pub quantiles: [f64; 3],
}

/// Along the slit.
pub type Bins = Vec<Bin>;

/// What is left of the constants' velocities less their star's mean, by fibre, each taken with the sign of its exposure's slope: of
/// velocities less the means of their zero points, and of corrected ones.
///
/// None where no zero point has a slope.
pub fn bins(products: &Finished, arm: Arm) -> Option<[Bins; 2]> {
    let c = &products.catalogue;
    let of_arm = products.zero_points.iter().filter(|z| z.arm == arm);
    let zero_points: HashMap<(&str, i32, i64), (f64, f64)> = of_arm
        .map(|z| ((&*z.planid, z.spid, z.lmjm), (z.found.zp, z.found.slope)))
        .collect();
    let mut cells = [(); 2].map(|()| vec![Vec::new(); FIBRES as usize / FIBRES_OF_BIN]);
    for rows in products.constant_rows(arm).values() {
        // Bin, sign of the slope, and the velocity before and after.
        let of_row = |row: &usize| {
            let e = c.exposure(*row);
            let (zp, slope) = zero_points.get(&(&*e.planid, e.spid, e.lmjm))?;
            let is_fibre = (1..=FIBRES).contains(&e.fiberid);
            let fibre = usize::try_from(e.fiberid).ok().filter(|_| is_fibre)?;
            let velocity = c.arm(arm, *row);
            let pair = [velocity.rv_km_s - zp, velocity.rv_corr_km_s];
            let is_known = slope.is_finite() && pair.iter().all(|v| v.is_finite());
            is_known.then_some(((fibre - 1) / FIBRES_OF_BIN, slope.signum(), pair))
        };
        let known: Vec<(usize, f64, [f64; 2])> = rows.iter().filter_map(of_row).collect();
        if known.len() < 2 {
            continue;
        }
        for (k, cells) in cells.iter_mut().enumerate() {
            let mean = known.iter().map(|r| r.2[k]).sum::<f64>() / known.len() as f64;
            for (bin, sign, pair) in &known {
                cells[*bin].push(sign * (pair[k] - mean));
            }
        }
    }
    let bin = |(i, mut values): (usize, Vec<f64>)| {
        let first = (i * FIBRES_OF_BIN + 1) as f64;
        (!values.is_empty()).then(|| Bin {
            fibre: first + 0.5 * (FIBRES_OF_BIN as f64 - 1.0),
            quantiles: [0.16, 0.5, 0.84].map(|q| quantile(&mut values, q)),
        })
    };
    let bins =
        cells.map(|cells| -> Bins { cells.into_iter().enumerate().filter_map(bin).collect() });
    (!bins[0].is_empty()).then_some(bins)
}

pub fn panel(area: &Panel, [before, after]: &[Bins; 2], arm: Arm) -> Drawn {
    let title = format!("{arm} arm, all spectrographs");
    let all = before.iter().chain(after);
    let sizes = all.flat_map(|b| [b.quantiles[0].abs(), b.quantiles[2].abs()]);
    let limit = (1.1 * sizes.fold(0.0, f64::max)).max(1e-3);
    // Room for the legend.
    let top = 1.45 * limit;
    let mut chart = ChartBuilder::on(area)
        .caption(title, CAPTION)
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(axis(-4.0..f64::from(FIBRES) + 5.0), axis(-limit..top))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE.mix(0.0))
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .label_style(LABEL)
        .x_desc("fibre")
        .y_desc("RV - star's mean (km/s)")
        .draw()?;
    let zero = [(-4.0, 0.0), (f64::from(FIBRES) + 5.0, 0.0)];
    chart.draw_series([PathElement::new(zero, BLACK.mix(0.4))])?;
    let series = [
        (before, BEFORE, -1.6, "less mean zero point"),
        (after, arm_colour(arm), 1.6, "corrected"),
    ];
    for (bins, colour, aside, name) in series {
        let range = |b: &Bin| {
            let x = b.fibre + aside;
            let [low, _, high] = b.quantiles;
            PathElement::new([(x, low), (x, high)], colour.stroke_width(2))
        };
        chart.draw_series(bins.iter().map(range))?;
        let middle = |b: &Bin| Circle::new((b.fibre + aside, b.quantiles[1]), 4, colour.filled());
        chart
            .draw_series(bins.iter().map(middle))?
            .label(name)
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    legend_at(&mut chart, SeriesLabelPosition::UpperLeft)
}
