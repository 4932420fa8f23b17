//! The run on a simulated plate against the truth, in numbers and words.

use crate::Arm;
use crate::lab::validate::end_to_end::score::{
    ARMS, Comparison, KINDS, Residuals, SB2_LIMITS, Taken,
};
use crate::lab::validate::section::Grid;
use crate::lab::validate::statistics::{half_width, mean, quantile};
use crate::report::finished::Finished;
use crate::table::Table;

/// All numbers: a row per arm and what is compared.
pub fn table(comparison: &Comparison) -> Table {
    let mut rows: Vec<(Arm, String, f64, Residuals)> = Vec::new();
    for arm in ARMS {
        let (score, injected, _) = comparison.zero_point_score(arm);
        rows.push((arm, "zero points".to_owned(), injected, score));
        for v in comparison.velocities.iter().filter(|v| v.arm == arm) {
            rows.push((
                arm,
                format!("velocities, {}", v.kind),
                v.before.rms_km_s,
                v.after,
            ));
        }
    }
    let taken = |arm: Arm, what: &str| -> Option<Taken> {
        let kind = what.strip_prefix("velocities, ")?;
        let found = comparison.taken.iter().find(|t| t.0 == arm && t.1 == kind);
        found.map(|t| t.2)
    };
    let count = |f: fn(&Taken) -> usize| -> Vec<i32> {
        let counts = rows
            .iter()
            .map(|r| taken(r.0, &r.1).map_or(0, |t| f(&t) as i32));
        counts.collect()
    };
    let f = |value: fn(&Residuals) -> f64| rows.iter().map(|r| value(&r.3)).collect::<Vec<f64>>();
    let mut t = Table::new();
    t.push_text(
        "arm",
        "",
        "blue or red",
        rows.iter().map(|r| r.0.name().to_owned()).collect(),
    );
    t.push_text(
        "what",
        "",
        "what is compared",
        rows.iter().map(|r| r.1.clone()).collect(),
    );
    t.push_i32(
        "n",
        "",
        "values",
        rows.iter().map(|r| r.3.n as i32).collect(),
    );
    t.push_f64(
        "before",
        "km/s",
        "rms before the correction (zero points: as injected)",
        rows.iter().map(|r| r.2).collect(),
    );
    t.push_f64("rms", "km/s", "rms error", f(|r| r.rms_km_s));
    t.push_f64("quoted", "km/s", "rms quoted error", f(|r| r.quoted_km_s));
    t.push_f64("pull", "", "rms of error over quoted error", f(|r| r.pull));
    t.push_i32("n_stars", "", "stars", count(|t| t.n));
    t.push_i32(
        "n_constant",
        "",
        "taken for constant",
        count(|t| t.constant),
    );
    t.push_i32(
        "n_variable",
        "",
        "taken for variable",
        count(|t| t.variable),
    );
    t.push_i32("n_sb2", "", "taken for double-lined", count(|t| t.sb2));
    t
}

/// Tables for readers.
pub fn grids(comparison: &Comparison, products: &Finished) -> Vec<Grid> {
    vec![
        zero_points(comparison),
        velocities(comparison),
        stars(comparison),
        table_2(products),
    ]
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

fn zero_points(comparison: &Comparison) -> Grid {
    let rows = ARMS.map(|arm| {
        let (score, injected, largest) = comparison.zero_point_score(arm);
        vec![
            arm.name().to_owned(),
            score.n.to_string(),
            format!("{injected:.3}"),
            format!("{largest:.2}"),
            format!("{:.4}", score.rms_km_s),
            format!("{:.4}", score.quoted_km_s),
            format!("{:.2}", score.pull),
        ]
    });
    Grid {
        title: "Zero points against the truth".to_owned(),
        headers: texts(&[
            "arm",
            "zero points",
            "injected, rms (km/s)",
            "largest (km/s)",
            "error, rms (km/s)",
            "quoted, rms (km/s)",
            "pull",
        ]),
        rows: rows.to_vec(),
        note: "The mean of each component is taken off: only differences can be known. Pull: rms of error / quoted error.".to_owned(),
    }
}

fn velocities(comparison: &Comparison) -> Grid {
    let rows = comparison.velocities.iter().map(|v| {
        vec![
            v.arm.name().to_owned(),
            v.kind.to_owned(),
            v.after.n.to_string(),
            v.n_flagged.1.to_string(),
            format!("{:.3}", v.before.rms_km_s),
            format!("{:.3}", v.after.rms_km_s),
            format!("{:.3}", v.after.quoted_km_s),
            format!("{:.2}", v.after.pull),
        ]
    });
    Grid {
        title: "Velocities against the truth".to_owned(),
        headers: texts(&[
            "arm",
            "stars",
            "velocities",
            "flagged, left out",
            "before, rms (km/s)",
            "after, rms (km/s)",
            "quoted, rms (km/s)",
            "pull",
        ]),
        rows: rows.collect(),
        note: "Measured (before) and corrected (after) less true velocity, about each star's mean; without the references.".to_owned(),
    }
}

fn stars(comparison: &Comparison) -> Grid {
    let rows = comparison.taken.iter().map(|(arm, kind, t)| {
        let share = |n: usize| format!("{n} ({:.0} %)", 100.0 * n as f64 / t.n.max(1) as f64);
        vec![
            arm.name().to_owned(),
            (*kind).to_owned(),
            t.n.to_string(),
            share(t.constant),
            share(t.variable),
            share(t.sb2),
        ]
    });
    let (separation, light, snr, least) = SB2_LIMITS;
    Grid {
        title: "What stars were taken for".to_owned(),
        headers: texts(&[
            "arm",
            "kind",
            "stars",
            "constant",
            "variable",
            "double-lined candidate",
        ]),
        rows: rows.collect(),
        note: format!(
            "Kinds: {}. sb2 wide: double-lined, light ratio {light} or more, {least} or more exposures of SNR {snr} or more with components {separation} km/s or \
            more apart.",
            KINDS.join(", ")
        ),
    }
}

/// Stars and rows of each that are shown of the catalogue.
const SHOWN: (usize, usize) = (4, 4);

fn table_2(products: &Finished) -> Grid {
    let c = &products.catalogue;
    let number = |x: f64, digits: usize| {
        if x.is_finite() {
            // No -0.00.
            let least = 0.5 * 10f64.powi(-(digits as i32));
            format!("{:.digits$}", if x.abs() < least { 0.0 } else { x })
        } else {
            "-".to_owned()
        }
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for star in 0..SHOWN.0 {
        let of = (0..c.len()).filter(|r| c.star[*r] == star).take(SHOWN.1);
        for (k, r) in of.enumerate() {
            let place = |x: f64| {
                if k == 0 {
                    format!("{x:.6}")
                } else {
                    String::new()
                }
            };
            let e = c.exposure(r);
            let mut row = vec![place(e.ra_deg), place(e.dec_deg), number(e.hjd, 6)];
            for arm in [Arm::Red, Arm::Blue].map(|arm| c.arm(arm, r)) {
                row.push(number(arm.snr, 2));
                row.push(number(arm.rv_km_s, 2));
                row.push(number(arm.rv_err_km_s, 2));
                row.push(number(arm.rv_corr_km_s, 2));
                row.push(number(arm.rv_corr_err_km_s, 2));
            }
            rows.push(row);
        }
    }
    Grid {
        title: "First rows of the catalogue (paper, table 2)".to_owned(),
        headers: texts(&[
            "ra", "dec", "hjd", "snr_r", "drv_r", "drv_r_err", "drv_r_corr", "drv_r_corr_err", "snr_b", "drv_b", "drv_b_err", "drv_b_corr", "drv_b_corr_err",
        ]),
        rows,
        note: "ra, dec in degrees, hjd in days, velocities in km/s. The paper's columns, and drv_x_corr_err: the exposure's own error and that of the zero \
            point together. The catalogue has more columns (docs/columns.md)."
            .to_owned(),
    }
}

/// What figures 3 to 7 and table 2 show, in words.
pub fn facts(comparison: &Comparison, products: &Finished) -> Vec<(&'static str, String)> {
    let zp = |arm: Arm| comparison.zero_point_score(arm);
    let (red, blue) = (zp(Arm::Red), zp(Arm::Blue));
    vec![
        (
            "figure3",
            format!(
                "Injected zero points of {:.2} km/s rms (red; largest {:.1}) and {:.2} km/s rms (blue; largest {:.1}) move the constants' velocities together, \
                exposure by exposure. They come back to {:.3} km/s rms (red, quoted {:.3}) and {:.3} km/s rms (blue, quoted {:.3}).",
                red.1,
                red.2,
                blue.1,
                blue.2,
                red.0.rms_km_s,
                red.0.quoted_km_s,
                blue.0.rms_km_s,
                blue.0.quoted_km_s
            ),
        ),
        ("figure4", errors_fact(products)),
        ("figure5", scatter_fact(products)),
        ("figure6_7", fibres_fact(products)),
        ("table2", catalogue_fact(comparison)),
    ]
}

fn catalogue_fact(comparison: &Comparison) -> String {
    let of = |arm: Arm| {
        let found = comparison
            .velocities
            .iter()
            .find(|v| v.arm == arm && v.kind == "constant");
        found.map_or(f64::NAN, |v| v.after.pull)
    };
    format!(
        "The same columns, and an error of the corrected velocity. Corrected velocities of a constant star scatter by {:.2} (red) and {:.2} (blue) of it.",
        of(Arm::Red),
        of(Arm::Blue)
    )
}

fn errors_fact(products: &Finished) -> String {
    let median_at = |arm: Arm, low: f64, high: f64| {
        let velocities = products.catalogue.rows.iter().map(|row| row.arm(arm));
        let near = velocities.filter(|v| (low..high).contains(&v.snr));
        let errors: Vec<f64> = near
            .map(|v| v.rv_err_km_s)
            .filter(|e| e.is_finite())
            .collect();
        quantile(&errors, 0.5)
    };
    let of = |arm: Arm| {
        format!(
            "{:.2}, {:.2} and {:.2} km/s",
            median_at(arm, 8.0, 12.5),
            median_at(arm, 16.0, 25.0),
            median_at(arm, 40.0, 62.5)
        )
    };
    format!(
        "Median quoted errors near SNR 10, 20 and 50: {} (red) and {} (blue). What lies far above the running median are hot and fast-rotating stars \
        (compare figure 8).",
        of(Arm::Red),
        of(Arm::Blue)
    )
}

fn scatter_fact(products: &Finished) -> String {
    let of = |arm: Arm| {
        let stars: Vec<_> = products
            .stars
            .iter()
            .filter(|s| s.arm == arm && s.found.scatter_after.is_finite() && s.found.n_used >= 2)
            .filter(|s| {
                let number = products
                    .catalogue
                    .stars
                    .iter()
                    .position(|n| *n == s.designation);
                number.is_some_and(|n| products.constants.contains(&(n, arm)))
            })
            .collect();
        let before: Vec<f64> = stars.iter().map(|s| s.found.scatter_before).collect();
        let after: Vec<f64> = stars.iter().map(|s| s.found.scatter_after).collect();
        format!(
            "mean {:.2} km/s before and {:.2} after (medians {:.2} and {:.2}) in the {arm} arm",
            mean(&before),
            mean(&after),
            quantile(&before, 0.5),
            quantile(&after, 0.5)
        )
    };
    format!(
        "Var_rv of the constants: {}, {}. What is left is the noise of each velocity and falls with SNR.",
        of(Arm::Red),
        of(Arm::Blue)
    )
}

fn fibres_fact(products: &Finished) -> String {
    let c = &products.catalogue;
    let of = |arm: Arm| {
        let rv = |row: usize| c.arm(arm, row).rv_corr_km_s;
        let mut fibres: std::collections::BTreeMap<(i32, i32), Vec<f64>> = Default::default();
        for rows in products.constant_rows(arm).values() {
            let rows: Vec<usize> = rows
                .iter()
                .copied()
                .filter(|r| rv(*r).is_finite())
                .collect();
            let centre = mean(&rows.iter().map(|r| rv(*r)).collect::<Vec<_>>());
            for r in rows {
                fibres
                    .entry((c.exposure(r).spid, c.exposure(r).fiberid))
                    .or_default()
                    .push(rv(r) - centre);
            }
        }
        let middles: Vec<f64> = fibres.values().map(|v| quantile(v, 0.5)).collect();
        format!(
            "median {:+.3}, 68 % within +-{:.3} km/s ({arm}, {} fibres)",
            quantile(&middles, 0.5),
            half_width(&middles),
            middles.len()
        )
    };
    format!(
        "Medians of the constants' corrected velocities by fibre: {}, {}. No offset of fibres was injected and every star keeps its fibre, so this is the noise of medians.",
        of(Arm::Red),
        of(Arm::Blue)
    )
}
