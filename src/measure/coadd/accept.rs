//! Which exposures agree, and the velocities that come of it.
//!
//! The limits here are those of docs/method.md, section 11 ("Who agrees", "Errors", "Noise and misfits"). Where nothing else is
//! said they were chosen by hand; `tests/integration/agreement_plates.rs` and `coadd.rs` show what they give on simulated plates.

use super::super::alone::Alone;
use super::super::first_pass::FirstPass;
use super::double::FEWEST;
use super::laid::{Laid, Next, is_sure, with_best};
use super::{ripple, trial};
use crate::likelihood::precision::PrecisionSums;
use crate::likelihood::{Measurement, RvFlags, flags};
use crate::numbers::statistics::median_high;
use crate::reference::coadd::{Compared, LineSums, Misfit};

/// An exposure differs from the others if [`Misfit::smooth`], the mean product of neighbouring residuals in units of their
/// variance, is above the first limit and also above so many of its own errors. It is 0 for pure noise.
const SMOOTH_LIMIT: f64 = 0.2;
const SMOOTH_SIGMA: f64 = 5.0;

/// An exposure also differs if its lines are deeper or shallower by this part, and by this many errors.
const DEPTH_LIMIT: f64 = 0.08;
const DEPTH_SIGMA: f64 = 5.0;

/// It also differs if the velocities of the pieces of its window scatter with a reduced chi^2 above this.
const PIECES_LIMIT: f64 = 4.0;

/// It also differs if it holds so much more or less sunlight than the others, as a share of its light. This is only asked where the
/// error of the share is below the second number: in a star like the Sun it is large.
const SUNLIGHT_LIMIT: f64 = 0.25;
const SUNLIGHT_KNOWN: f64 = 0.05;

/// A best exposure was left out because the star looked double with it, and turned out to be single without it. In a band in which
/// the star looked single all along, the exposure is not odd after all if its [`difference`] is no more than this.
const ACQUITTED: f64 = 0.5;

/// An exposure that differs is odd if its [`difference`] is more than this many times the median of the others'.
const ODD_RATIO: f64 = 3.0;

/// Whether an exposure differs from the others by more than its noise.
pub(super) fn differs(misfit: &Misfit) -> bool {
    difference(misfit) > 1.0
}

/// By how much an exposure differs: the largest of its differences over their limits, so that above 1 it differs.
pub(super) fn difference(misfit: &Misfit) -> f64 {
    let smooth = misfit.smooth / SMOOTH_LIMIT.max(SMOOTH_SIGMA * misfit.smooth_sigma);
    let depth = misfit.depth.abs() / DEPTH_LIMIT.max(DEPTH_SIGMA * misfit.depth_sigma);
    let pieces = misfit.pieces_chi2_model / PIECES_LIMIT;
    let sunlight = match misfit.sunlight_sigma < SUNLIGHT_KNOWN {
        true => misfit.sunlight.abs() / SUNLIGHT_LIMIT,
        false => 0.0,
    };
    // `f64::max` passes over NaN, so what cannot be measured counts as no difference.
    [smooth, depth, pieces, sunlight]
        .into_iter()
        .fold(0.0, f64::max)
}

/// Leaves out the exposures that are unlike the others, one after the other, and takes the velocities.
pub(super) fn judged(mut laid: Laid<'_>) -> Next<'_> {
    let n = laid.star.odd.len();
    loop {
        let compared = laid.coadd.compared();
        let differences: Vec<f64> = compared.iter().map(|c| difference(&c.misfit)).collect();
        let Some(worst) = odd_one(&laid, &differences) else {
            if are_no_copies(&laid, &compared) {
                laid.star.sunlit = laid.coadd.sunlit();
                laid.star.slope2 = slopes2(&compared);
                let error_scales = error_scales(&laid, &compared, &vec![1.0; n]);
                let known = Alone {
                    clipped: laid.coadd.clipped(),
                    error_scales,
                    differences,
                };
                return changes(laid, known);
            }
            return take(laid, &compared, &differences);
        };
        laid.star.odd[worst] = true;
        if laid.star.odd.iter().filter(|o| **o).count() > n.saturating_sub(1) / 2 {
            // Most are unlike the others.
            laid.star.odd.fill(false);
            let known = Alone {
                clipped: laid.coadd.clipped(),
                error_scales: vec![1.0; n],
                differences,
            };
            return changes(laid, known);
        }
        if worst == laid.star.best {
            return laid.without_best();
        }
        if !(laid.coadd.leave_out(worst) && laid.coadd.settle()) {
            return unsettled(laid);
        }
    }
}

/// What is done with a star whose exposures are no copies of each other. All lie where they were found against the best one, which may be
/// what is wrong: so they are tried without it. If they are no copies then either, the star changes.
fn changes(laid: Laid<'_>, known: Alone) -> Next<'_> {
    match may_be_tried(laid.star) {
        true => try_without_best(laid.into_clipped(), known),
        // A trial of which nothing came but another best exposure: it is the reference, without what was clipped from it.
        false if laid.star.no_copies.is_none() || !is_best_back(laid.star) => {
            laid.star.no_copies = None;
            laid.with_best_alone(known)
        }
        false => as_before_trial(laid.give_up()),
    }
}

/// What is done with a star whose exposures do not settle: the same, but that nothing is known of them.
pub(super) fn unsettled(laid: Laid<'_>) -> Next<'_> {
    let star = laid.give_up();
    match may_be_tried(star) {
        true => try_without_best(star, Alone::default()),
        false => end_trial(star),
    }
}

/// Whether a star may be tried without its best exposure: it has others enough, and none was left out before.
fn may_be_tried(star: &FirstPass) -> bool {
    star.odd.len() >= FEWEST && star.on_trial.is_none() && !star.odd.contains(&true)
}

fn try_without_best(star: &mut FirstPass, known: Alone) -> Next<'_> {
    trial::begin(star);
    star.no_copies = Some(known);
    Next::Again(star)
}

/// Ends a trial that began with [`changes`] or [`unsettled`], in which the exposures could not be laid over each other.
pub(super) fn end_trial(star: &mut FirstPass) -> Next<'_> {
    match is_best_back(star) {
        true => as_before_trial(star),
        false => {
            star.no_copies = None;
            Next::Done
        }
    }
}

/// Ends a trial in which the exposures did no better; whether the best one of before is the best one again.
fn is_best_back(star: &mut FirstPass) -> bool {
    let tried = star.on_trial;
    trial::end(star);
    tried.is_some_and(|best| !star.odd[best])
}

/// What was to be done with a star before it was tried without its best exposure.
fn as_before_trial(star: &mut FirstPass) -> Next<'_> {
    match star.no_copies.take() {
        Some(known) if !known.differences.is_empty() => with_best(star, known),
        _ => Next::Done,
    }
}

/// Puts what is known into the measurements of a star.
pub(super) fn put(known: Alone, star: &mut FirstPass) {
    note_differences(star, &known.differences);
    for (m, scale) in star.measurements.iter_mut().zip(known.error_scales) {
        m.rv_err_km_s *= scale;
        m.rv_err_own_km_s *= scale;
    }
}

/// Whether [`Misfit::smooth`] is above [`NO_COPIES`] for a fourth of the star's exposures: then the star changes, or has two sets of
/// lines that move. What sunlight explains does not count.
fn are_no_copies(laid: &Laid<'_>, compared: &[Compared]) -> bool {
    let are_above = |smooth: &dyn Fn(usize) -> f64| {
        let members = (0..compared.len()).filter(|i| laid.coadd.is_member(*i));
        let mut smooth: Vec<f64> = members.map(smooth).collect();
        smooth.sort_by(f64::total_cmp);
        let quartile = smooth.len().saturating_sub(1) * 3 / 4;
        smooth.get(quartile).is_some_and(|s| *s > NO_COPIES)
    };
    if !are_above(&|i| compared[i].misfit.smooth) {
        return false;
    }
    let without_sunlight = laid.coadd.smooth_without_sunlight();
    are_above(&|i| match without_sunlight[i] {
        Some((share, smooth)) if share.abs() < SUNLIGHT_LIMIT => smooth,
        _ => compared[i].misfit.smooth,
    })
}

/// Limit of the upper quartile of [`Misfit::smooth`] over a star's exposures, above which they are no copies of each other. It lies
/// between single stars, simulated with all effects of sky and detector (below 0.1), and double-lined ones; docs/method.md, section
/// 11, "No coadd".
const NO_COPIES: f64 = 0.12;

/// Flags the exposures that differ, of a star that gets no coadd. If there are only two, both are flagged: nothing tells which of
/// them is the wrong one.
fn note_differences(star: &mut FirstPass, differences: &[f64]) {
    let are_two = differences.len() == 2;
    for (m, difference) in star.measurements.iter_mut().zip(differences) {
        if are_two {
            m.flags |= RvFlags::NOT_AS_OTHERS;
        } else if *difference > 1.0 {
            m.flags |= RvFlags::CHI2_HIGH;
        }
    }
}

/// The exposure that differs most, if it differs by [`ODD_RATIO`] times as much as the others. None if there are only two: nothing
/// tells which of them is the wrong one.
fn odd_one(laid: &Laid<'_>, differences: &[f64]) -> Option<usize> {
    let members = || (0..differences.len()).filter(|i| laid.coadd.is_member(*i));
    if members().count() < 3 {
        return None;
    }
    let worst = members().max_by(|a, b| differences[*a].total_cmp(&differences[*b]))?;
    let mut others: Vec<f64> = members()
        .filter(|i| *i != worst)
        .map(|i| differences[i])
        .collect();
    let usual = median_high(&mut others).unwrap_or(0.0);
    (differences[worst] > 1.0 && differences[worst] > ODD_RATIO * usual).then_some(worst)
}

/// Takes the velocities against the coadds of the others for the star's.
fn take<'a>(laid: Laid<'a>, compared: &[Compared], differences: &[f64]) -> Next<'a> {
    let best = laid.coadd.best();
    let mut measured: Vec<Measurement> = laid
        .star
        .measurements
        .iter()
        .zip(compared)
        .enumerate()
        .map(|(i, (first, now))| {
            let searched = laid.searched[i].as_ref();
            match searched {
                Some(m) if !is_sure(m) && i != best => *m,
                _ => measurement(searched.unwrap_or(first), now),
            }
        })
        .collect();
    let n_members = laid.coadd.n_members();
    let noise: Vec<f64> = match n_members < NOISE_EXPOSURES {
        true => vec![1.0; compared.len()],
        false => compared.iter().map(noise_scale).collect(),
    };
    let scales = error_scales(&laid, compared, &noise);
    let by_sunlight: Vec<f64> = compared.iter().map(sunlight_err_km_s).collect();
    for (i, m) in measured.iter_mut().enumerate() {
        for err_km_s in [&mut m.rv_err_km_s, &mut m.rv_err_own_km_s] {
            *err_km_s = (*err_km_s * noise[i] * scales[i]).hypot(by_sunlight[i]);
        }
    }
    laid.star.sunlight_err_km_s = by_sunlight;
    laid.star.noise_scale = noise;
    laid.star.sunlit = laid.coadd.sunlit();
    laid.star.slope2 = slopes2(compared);
    laid.star.lines = compared.iter().map(|c| c.lines).sum::<LineSums>().lines();
    let of_best = measured[best].rv_err_own_km_s;
    let trial = laid.star.on_trial.filter(|_| !laid.star.is_suspected);
    if let Some(i) = trial.filter(|i| differences[*i] <= ACQUITTED) {
        laid.star.odd[i] = false;
    }
    for (i, m) in measured.iter_mut().enumerate() {
        let two_disagree = n_members == 2 && laid.coadd.is_member(i) && differences[i] > 1.0;
        if two_disagree || compared[i].widest_clip > WIDE_CLIP_PIXELS {
            m.flags |= RvFlags::NOT_AS_OTHERS;
        } else if differences[i] > 1.0 {
            m.flags |= RvFlags::CHI2_HIGH;
        }
        if i != best {
            m.rv_err_km_s = m.rv_err_own_km_s.hypot(of_best);
        }
    }
    laid.star.n_reference = n_members as i32;
    laid.star.measurements = measured;
    Next::Done
}

/// Factors by which the errors are larger than those that noise gives. If the velocities of the pieces of a window scatter by more
/// than their errors, so does their mean; a misfit that moves no velocity makes no error larger (docs/method.md, (20b)).
///
/// The exposures of a star mostly have the same misfits, so each exposure's factor is drawn to that of all.
fn error_scales(laid: &Laid<'_>, compared: &[Compared], noise: &[f64]) -> Vec<f64> {
    let pieces = |i: usize| {
        let misfit = &compared[i].misfit;
        (
            misfit.pieces_chi2 / (noise[i] * noise[i]),
            misfit.pieces_dof,
        )
    };
    let (mut chi2, mut dof) = (PRIOR_DOF, PRIOR_DOF);
    for i in (0..compared.len()).filter(|i| laid.coadd.is_member(*i)) {
        let of_one = pieces(i);
        if of_one.0.is_finite() {
            chi2 += of_one.0;
            dof += of_one.1;
        }
    }
    let usual = chi2 / dof;
    let scale = |i: usize| {
        let (chi2, dof) = pieces(i);
        let reduced = (chi2 + STAR_DOF * usual) / (dof + STAR_DOF);
        // `f64::max` gives 1 also where `reduced` is NaN.
        (reduced / CHANCE).sqrt().max(1.0)
    };
    (0..compared.len()).map(scale).collect()
}

/// The noise of an exposure over the quoted one, from pixel to pixel; 1 where the residuals do not tell.
fn noise_scale(compared: &Compared) -> f64 {
    let scale = compared.misfit.noise_scale;
    match NOISE_SCALES.contains(&scale) {
        true => scale,
        false => 1.0,
    }
}

/// With fewer exposures in the coadd the scale of the noise is not measured: the others' coadd is then so noisy itself, with noise
/// that neighbouring pixels share, that the differences of residuals do not give the exposure's own noise.
const NOISE_EXPOSURES: usize = 3;

/// Scales of the noise that are believed: a quoted variance is wrong by 20 to 25 % in public files, and by more in some of them. A
/// scale outside of this range has another reason than the noise, and is not used.
const NOISE_SCALES: std::ops::RangeInclusive<f64> = 0.7..=1.5;

/// A reduced chi^2 that is above 1 by so much is chance: it is the scatter of the sums over a star of ten exposures.
const CHANCE: f64 = 1.1;

/// Weights, in degrees of freedom, with which each chi^2 is drawn to what is expected: that of all exposures of the star to 1, and
/// that of one exposure to that of all.
const PRIOR_DOF: f64 = 22.0;
const STAR_DOF: f64 = 44.0;

/// A clipped stretch wider than this, in pixels, is no cosmic ray: the exposure gets the flag `not_as_others`.
const WIDE_CLIP_PIXELS: usize = 8;

/// By how much sunlight in an exposure may have moved its velocity, km/s.
fn sunlight_err_km_s(compared: &Compared) -> f64 {
    let km_s = compared.misfit.sunlight_rv_km_s.abs();
    if km_s.is_finite() { km_s } else { 0.0 }
}

/// Mean squared slopes of the references of all exposures.
fn slopes2(compared: &[Compared]) -> Vec<f64> {
    compared.iter().map(|c| c.misfit.slope2).collect()
}

/// The measurement of an exposure against the coadd of the others. `searched` is its last measurement on the whole grid, from which
/// the second peak and the flags about peaks are kept.
fn measurement(searched: &Measurement, now: &Compared) -> Measurement {
    let sums = PrecisionSums {
        slope2: now.slope2,
        slope_noise: now.slope_noise,
        own_slope2: now.own_slope2,
        chi2: now.chi2,
        n_pix: now.n_pix,
    };
    let precision = sums.precision(now.response);
    let mut flag = searched.flags & !(RvFlags::CHI2_HIGH | RvFlags::LOW_INFORMATION);
    if precision.noise_share.is_nan()
        || precision.noise_share > flags::LOW_INFORMATION_LIMIT
        || ripple::hides(now.misfit.slope2)
    {
        flag |= RvFlags::LOW_INFORMATION;
    }
    let of_ripple = ripple::error_km_s(now.misfit.slope2);
    Measurement {
        rv_km_s: now.rv_km_s,
        rv_err_km_s: precision.rv_err_km_s.hypot(of_ripple),
        rv_err_own_km_s: precision.rv_err_own_km_s.hypot(of_ripple),
        lnl_max: now.ln_l,
        chi2_red: precision.chi2_red,
        n_pix: now.n_pix,
        second_peak: searched.second_peak,
        flags: flag,
    }
}
