//! Whether broad lines are wider in one exposure than in another: docs/method.md, section 12.
//!
//! Where two stars' lines are wider than their distance, no second set stands beside the first. But together they are wider
//! when the stars are apart than when they move alike, and a single star's lines keep their width.

use super::coarse::{CoarseExposure, CoarseReference};
use super::second_copy::{Matrix, solve};

/// Distance of the copies that widen a line, bins: about the half-width of lines that are broad.
const REACH: usize = 14;

/// Lines are broad if their correlation with themselves, moved by this many bins, is above this limit. Simulated pulsating stars
/// reach 0.2; stars that rotate with 80 km/s or more are above 0.67 (docs/method.md, section 12).
const BROAD_LAG: usize = 6;
const BROAD_CORRELATION: f64 = 0.5;

/// If more than this part of the lines' squared depth is noise, the star has no narrow lines in which a second set could be seen.
/// And a change of width is not looked for where its noise is more than this part of what is measured.
const MAX_NOISE_SHARE: f64 = 0.5;

/// Variance of the difference of the flux one bin to either side, over that of the flux: noise of a spline with knots
/// every 3 pixels.
const SLOPE_NOISE: f64 = 1.4;

/// A star is double if the squared changes of width, in units of their errors, add up to more than the first number and so much more
/// for each comparison. A comparison counts with [`MOST_EACH`] at most, so that a defect in one exposure is never enough. Chosen with
/// `REACH` on the 267 broad-lined of 730 simulated single stars; docs/method.md, (29), says what these give.
const ENOUGH: f64 = 14.0;
const ENOUGH_EACH: f64 = 5.0;
const MOST_EACH: f64 = 30.0;

/// What a band's reference allows to say of widths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lines {
    /// No exposure in this band, or none that can be used.
    #[default]
    Unknown,
    /// Narrow lines: a second set is seen beside the first.
    Narrow,
    /// Broad lines, or none.
    Broad,
}

/// The kind of lines of a reference.
pub(super) fn lines(reference: &CoarseReference) -> Lines {
    let window = reference.sharp_at(0);
    let power = product(window, window);
    let noise: f64 = reference.variance().iter().sum();
    let moved = product(window, reference.sharp_at(BROAD_LAG as isize));
    let is_broad = noise > MAX_NOISE_SHARE * power || moved > BROAD_CORRELATION * (power - noise);
    match is_broad {
        true => Lines::Broad,
        false => Lines::Narrow,
    }
}

/// By how many of its errors a line is wider in `exposure` than in `reference`. None where the reference's noise hides it.
///
/// The exposure is fitted with three patterns: the reference, its slope (which moves it by a fraction of a bin), and the difference
/// of two copies to either side from one in the middle (which widens it). The reference's own noise is taken off the products of
/// these; otherwise the mean of two copies would fit better only because it is less noisy.
pub(super) fn change_sigma(reference: &CoarseReference, exposure: &CoarseExposure) -> Option<f64> {
    let CoarseExposure { sharp, weight, .. } = exposure;
    let weighed: Vec<f32> = sharp
        .iter()
        .zip(weight)
        .map(|(v, w)| (v * w) as f32)
        .collect();
    // Element q of the correlation is of lag max_lag - q. In this range both copies lie within the reference.
    let max_lag = reference.max_lag;
    let fits = reference.correlate(&weighed);
    let places = REACH..=2 * max_lag - REACH;
    let place = places
        .clone()
        .max_by(|a, b| fits[*a].total_cmp(&fits[*b]))
        .filter(|place| place != places.start() && place != places.end())?;
    let lag = max_lag as isize - place as isize;
    let reach = REACH as isize;
    let parts = [lag, lag - 1, lag + 1, lag - reach, lag + reach];
    let parts = parts.map(|lag| reference.sharp_at(lag));
    let mut products: Matrix = [[0.0; 3]; 3];
    let (mut right, mut noise) = ([0.0; 3], 0.0);
    let variance = reference.variance();
    for (k, (weight, value)) in weight.iter().zip(sharp).enumerate() {
        let [middle, before, after, left, right_side] = parts.map(|part| f64::from(part[k]));
        let row = [middle, after - before, 0.5 * (left + right_side) - middle];
        for i in 0..3 {
            right[i] += weight * row[i] * value;
            for j in 0..3 {
                products[i][j] += weight * row[i] * row[j];
            }
        }
        noise += weight * variance[k];
    }
    let of_noise = [[1.0, 0.0, -1.0], [0.0, SLOPE_NOISE, 0.0], [-1.0, 0.0, 1.5]];
    let clean: Matrix = std::array::from_fn(|i| {
        std::array::from_fn(|j: usize| products[i][j] - noise * of_noise[i][j])
    });
    let wide = solve(&clean, &[0.0, 0.0, 1.0]);
    // What is left of the third pattern when the other two are fitted out of it, and the noise in it.
    let new = 1.0 / wide[2];
    if !(new > 0.0 && 0.5 * noise < MAX_NOISE_SHARE * new) {
        return None;
    }
    let change: f64 = wide.iter().zip(right).map(|(a, b)| a * b).sum();
    let variance: f64 = (0..3)
        .map(|i| {
            (0..3)
                .map(|j| wide[i] * products[i][j] * wide[j])
                .sum::<f64>()
        })
        .sum();
    Some(change / variance.sqrt()).filter(|sigma| sigma.is_finite())
}

/// The change of width, in its errors, above which the two stars of an exposure are taken to be farther from each other, or nearer,
/// than in the reference. None if all changes in all bands together are no more than noise gives: then they do not show that the star
/// is double. If there is a limit, at least one exposure is above it.
///
/// The test is made only where the first band has broad lines and no other band has narrow ones. The second band would not do alone:
/// the survey's has H alpha, which is broad in stars that pulsate too, and changes with the temperature.
pub(super) fn least_change(
    mut lines: impl Iterator<Item = Lines>,
    sigma: impl Iterator<Item = f64>,
) -> Option<f64> {
    if lines.next() != Some(Lines::Broad) || lines.any(|l| l == Lines::Narrow) {
        return None;
    }
    let (mut sum, mut n) = (0.0, 0.0);
    for sigma in sigma {
        sum += (sigma * sigma).min(MOST_EACH);
        n += 1.0;
    }
    let enough = ENOUGH + ENOUGH_EACH * n;
    (sum > enough).then(|| (enough / n).sqrt())
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum()
}
