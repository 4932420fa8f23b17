//! How much moonlight each exposure of a unit has.

use super::colour;
use super::levels::{FEWEST_STARS, Levels};
use super::star::Star;
use crate::measure::drift;
use crate::numbers::statistics::median;

/// Rounds of the solution; the changes of the last ones are below a thousandth.
const ROUNDS: usize = 20;

/// The drift of the exposures' wavelengths is found anew after so many rounds: moonlight that is not known yet is part of it.
const DRIFT_AGAIN: usize = 5;

/// Scatter of the stars' factors, and of one star's moonlight from exposure to exposure, before the stars have told theirs.
const OF_FIBRE: f64 = 0.25;
const OF_EXPOSURE: f64 = 0.1;

/// Bounds of what the stars may tell.
const OF_FIBRE_RANGE: (f64, f64) = (0.1, 1.0);
const OF_EXPOSURE_RANGE: (f64, f64) = (0.05, 0.5);

/// A star tells of the scatter of factors if it knows its own to a fifth.
const KNOWN_FACTOR: f64 = 0.2;

/// So many stars must know their factor before its scatter is believed.
const FEWEST_FACTORS: usize = 5;

/// Standard deviation of the moonlight that all exposures share, before anything is known.
const COMMON: f64 = 0.05;

/// Error of a level that no number of stars makes smaller: what the flat field and the line-spread function do alike in all of them.
const SYSTEMATIC: f64 = 0.003;

/// There is moonlight if the levels' mean square about their mean is so many times that of their errors, or if their mean is so many of
/// its errors.
const CHANGES: f64 = 3.0;
const MEAN_SIGMA: f64 = 5.0;

/// From all stars, whose factors are found with it; none where there is no moonlight, or too few stars tell.
///
/// `drift_km_s` is by how much the wavelengths of each exposure are too large,
/// `other_arm` is the moonlight that was found in the other arm of each exposure, and its error.
pub fn find(
    stars: &mut [Star],
    drift_km_s: &[f64],
    other_arm: &[Option<(f64, f64)>],
) -> Option<Levels> {
    let n_exposures = drift_km_s.len();
    let mut sky = Levels {
        level: vec![0.0; n_exposures],
        level_err: vec![0.0; n_exposures],
        common_err: COMMON,
        mismatch: 0.0,
        of_fibre: OF_FIBRE,
        of_exposure: OF_EXPOSURE,
        drift_km_s: drift_km_s.to_vec(),
        n_stars: vec![0; n_exposures],
    };
    let telling: Vec<usize> = (0..stars.len()).filter(|i| stars[*i].tells()).collect();
    if telling.len() < FEWEST_STARS {
        return None;
    }
    for &i in &telling {
        for seen in stars[i].seen.iter().filter(|s| s.is_copy) {
            sky.n_stars[seen.exposure] += 1;
        }
    }
    for round in 0..ROUNDS {
        if round % DRIFT_AGAIN == 1 {
            let velocities: Vec<_> = stars.iter().map(|star| star.unmoved(&sky)).collect();
            sky.drift_km_s = drift::again(&velocities, sky.drift_km_s);
        }
        find_levels(&mut sky, stars, &telling);
        find_common(&mut sky, stars, &telling);
        colour::follow(&mut sky, other_arm);
        find_mismatch(&mut sky, stars, &telling);
        for star in stars.iter_mut() {
            star.fit(&sky);
        }
        find_scatter(&mut sky, stars, &telling);
    }
    for err in &mut sky.level_err {
        *err = err.hypot(SYSTEMATIC);
    }
    sky.common_err = sky.common_err.hypot(SYSTEMATIC);
    let are_finite = sky
        .level
        .iter()
        .chain(&sky.level_err)
        .all(|v| v.is_finite());
    let is_told = other_arm.iter().any(Option::is_some);
    (are_finite && (is_told || is_moonlit(&sky))).then_some(sky)
}

/// Each level from the shares of its exposure, what the others hold being that of the last round.
fn find_levels(sky: &mut Levels, stars: &[Star], telling: &[usize]) {
    let n = sky.level.len();
    let (mut sum, mut power) = (vec![0.0; n], vec![1e-6; n]);
    for star in telling.iter().map(|i| &stars[*i]) {
        let others = star.in_others(&star.shares(|e| sky.level[e]));
        for ((seen, weight), others) in star.seen.iter().zip(star.weights()).zip(others) {
            let response = Star::response(seen, sky.mismatch);
            let part = response * seen.faintness * star.factor;
            sum[seen.exposure] += weight * part * (seen.sunlit.share + response * others);
            power[seen.exposure] += weight * part * part;
        }
    }
    for e in 0..n {
        sky.level[e] = sum[e] / power[e];
        sky.level_err[e] = power[e].powf(-0.5);
    }
}

/// What all levels share is only seen in stars that have moved against the Earth, so that the rounds would find it slowly. It is
/// found by itself.
fn find_common(sky: &mut Levels, stars: &[Star], telling: &[usize]) {
    let (mut sum, mut power) = (0.0, COMMON.powi(-2));
    for star in telling.iter().map(|i| &stars[*i]) {
        let (now, one) = (star.shares(|e| sky.level[e]), star.shares(|_| 1.0));
        let (of_now, of_one) = (star.in_others(&now), star.in_others(&one));
        for (i, weight) in star.weights().into_iter().enumerate() {
            let seen = &star.seen[i];
            let response = Star::response(seen, sky.mismatch);
            let change = response * (one[i] - of_one[i]);
            let left = seen.sunlit.share - response * (now[i] - of_now[i]);
            sum += weight * change * left;
            power += weight * change * change;
        }
    }
    for level in &mut sky.level {
        *level += sum / power;
    }
    sky.common_err = power.powf(-0.5);
}

/// Where sunlight has little of its own, errors of its table hide it: shares come out smaller by the mismatch over
/// [`crate::reference::Sunlit::distinct`].
fn find_mismatch(sky: &mut Levels, stars: &[Star], telling: &[usize]) {
    let (mut sum, mut power) = (0.0, 0.0);
    for star in telling.iter().map(|i| &stars[*i]) {
        let shares = star.shares(|e| sky.level[e]);
        let others = star.in_others(&shares);
        for (i, weight) in star.weights().into_iter().enumerate() {
            let sunlit = &star.seen[i].sunlit;
            let expected = shares[i] - others[i];
            let hidden = expected / sunlit.distinct;
            sum += weight * hidden * (expected - sunlit.share);
            power += weight * hidden * hidden;
        }
    }
    // `f64::max` gives 0 also where there is no moonlight.
    sky.mismatch = (sum / power).max(0.0);
}

/// How much stars differ from what their brightness suggests, and exposures from their star.
fn find_scatter(sky: &mut Levels, stars: &[Star], telling: &[usize]) {
    let (mut factors, mut squares, mut of_shares) = (Vec::new(), 0.0, 0.0);
    for star in telling.iter().map(|i| &stars[*i]) {
        let (factor, variance) = star.free_factor;
        if variance < KNOWN_FACTOR * KNOWN_FACTOR {
            factors.push(factor);
        }
        let (square, of_share) = star.scatter(sky);
        squares += square;
        of_shares += of_share;
    }
    if factors.len() >= FEWEST_FACTORS {
        let middle = median(&mut factors.clone());
        let mut off: Vec<f64> = factors.iter().map(|f| (f - middle).abs()).collect();
        sky.of_fibre = (1.4826 * median(&mut off)).clamp(OF_FIBRE_RANGE.0, OF_FIBRE_RANGE.1);
    }
    let of_exposure = (squares / of_shares).max(0.0).sqrt();
    sky.of_exposure = of_exposure.clamp(OF_EXPOSURE_RANGE.0, OF_EXPOSURE_RANGE.1);
}

/// Whether the levels show moonlight at all.
fn is_moonlit(sky: &Levels) -> bool {
    let known = || (0..sky.level.len()).filter(|e| sky.is_known(*e));
    let n = known().count() as f64;
    let mean = known().map(|e| sky.level[e]).sum::<f64>() / n;
    let square = |e: usize| ((sky.level[e] - mean) / sky.level_err[e]).powi(2);
    known().map(square).sum::<f64>() / n > CHANGES || mean > MEAN_SIGMA * sky.common_err
}
