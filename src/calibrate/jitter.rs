//! The jitter common to all stars: a scatter that constant stars have beyond their quoted errors. Its square is added to the variance
//! of every velocity.

use rayon::prelude::*;

use super::fit::{Fit, Model};

/// Stars looked at in [`from_p_values`], at most: the fractions of 2000 stars are good to a percent.
const SAMPLE: usize = 2000;
/// Bisection steps in [`from_p_values`]. They narrow a factor of 4 to 0.5 %, which is finer than the sample can tell.
const ROUGH_STEPS: usize = 8;
/// Steps of the search in [`from_constants`]: to the last bits.
const FINE_STEPS: usize = 100;
/// Jitter squared beyond which no search goes, in units of the median error squared.
const LARGEST: f64 = 1e12;

/// Square of the least jitter with which the p-values above 0.05 are uniform, that is, half of those between 0.05 and 1
/// lie above 0.525. Variable stars have p-values below 0.05 and do not enter, however many they are. In the first steps the zero
/// points are still a few errors off; this jitter then makes up for that as well.
pub(super) fn from_p_values(model: &Model<'_>, may: &(dyn Fn(usize) -> bool + Sync)) -> f64 {
    let eligible: Vec<usize> = (0..model.graph.n_stars())
        .filter(|&s| may(s) && model.graph.counted(s).count() >= 2)
        .collect();
    let stride = eligible.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<usize> = eligible.into_iter().step_by(stride).collect();
    let too_small = |jitter2: f64| {
        let p: Vec<f64> = sample
            .par_iter()
            .map(|&s| model.fit(s, jitter2).p_value)
            .filter(|p| p.is_finite())
            .collect();
        let quiet = p.iter().filter(|&&p| p > 0.05).count() as f64;
        let upper = p.iter().filter(|&&p| p > 0.525).count() as f64;
        // One standard deviation short of a half is no evidence: with few stars there is no jitter.
        upper < 0.5 * quiet - 0.5 * quiet.sqrt()
            // Hardly any star looks constant: the errors are too small, or the zero points wrong.
            || quiet < 0.05 * p.len() as f64
    };
    if !too_small(0.0) {
        return 0.0;
    }
    let mut high = 1e-6_f64;
    while too_small(high) {
        high *= 4.0;
        if high > LARGEST {
            return 0.0;
        }
    }
    let mut low = high / 4.0;
    for _ in 0..ROUGH_STEPS {
        let middle = (low * high).sqrt();
        if too_small(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Square of the jitter by restricted maximum likelihood over the constants' observations:
/// sum of (w r)^2 = sum of w (1 - h), w = 1 / (err^2 + jitter^2), h the part of an observation in its own prediction.
/// `before` is the present value, with which `fits` were made.
pub(super) fn from_constants(model: &Model<'_>, fits: &[Fit], before: f64) -> f64 {
    let edges: Vec<(f64, f64, f64)> = (0..model.graph.n_stars())
        .into_par_iter()
        .filter(|&s| model.is_constant[s])
        .flat_map_iter(|s| {
            let fit = &fits[s];
            let weight = |k: usize| 1.0 / (model.graph.var[k] + before);
            let total: f64 = fit.edges.iter().map(|e| weight(e.k)).sum();
            fit.edges
                .iter()
                .filter(|e| e.robust == 1.0)
                .map(move |e| {
                    let w = weight(e.k);
                    let h = w / total + w * model.zp_var[model.graph.zp[e.k] as usize];
                    (
                        e.residual * e.residual,
                        model.graph.var[e.k],
                        (1.0 - h).max(0.0),
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let excess = |jitter2: f64| -> f64 {
        edges
            .iter()
            .map(|(r2, var, free)| {
                let w = 1.0 / (var + jitter2);
                w * (w * r2 - free)
            })
            .sum()
    };
    if edges.is_empty() || excess(0.0) <= 0.0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1e-6);
    while excess(high) > 0.0 && high < LARGEST {
        low = high;
        high *= 4.0;
    }
    for _ in 0..FINE_STEPS {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if excess(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}
