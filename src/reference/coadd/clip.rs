//! Pixels whose residuals only a defect explains: a cosmic ray, a trail, scattered light.
//!
//! A residual that a wrong velocity explains is no defect: as long as an exposure has not settled, the flanks of its lines are
//! off the others by as much as a cosmic ray.
//!
//! What is narrower than the line-spread function did not come through the spectrograph. What is wider may be a defect as
//! well, if only one of several exposures has it.
//!
//! The numbers are those of docs/method.md, section 11, "Clipping", and were chosen by hand; `tests/integration/agreement_rays.rs`
//! and `coadd_plates.rs` show on simulated spectra what they give.

use std::ops::Range;

/// A pixel that is off the coadd of the others by more than this many sigma and narrower than a line is a defect.
const CLIP_SIGMA: f64 = 5.0;

/// The true distance that an exposure still has to go may be this many times the step that was found, because lines are not straight
/// slopes.
const STEP_REACH: f64 = 1.5;

/// A defect is narrow if the neighbouring pixels that are at least half as far off as its farthest one are no more than this part of
/// the line-spread function's width. What comes through the spectrograph is as wide as that function at least.
const NARROW: f64 = 2.0 / 3.0;

/// A wider defect, such as a trail or a blob of scattered light, can only be told by this, that none of the star's other exposures
/// has it. So it is looked for only with at least so many exposures.
const WIDE_EXPOSURES: usize = 3;
/// No other exposure may be off to the same side by this many sigma where a wide defect is.
const OTHERS_SIGMA: f64 = 4.0;
/// A wide defect is clipped as far as its exposure is off by this many sigma.
const WIDE_END_SIGMA: f64 = 2.0;
/// An exposure with more wide defects than this is another spectrum and not a spoiled one: nothing wide is clipped.
const MOST_WIDE: usize = 3;

/// Pixels on either side that go with a clipped one.
pub(super) const CLIP_MARGIN: usize = 2;

/// Pixels on either side within which only the farthest-off pixel of all exposures is clipped in one round. It was part of the coadds
/// that the other exposures are compared with, and puts these off as well, until it is clipped.
const CLIP_REACH: usize = 4;

/// An exposure against the coadd of the others, as far as clipping goes.
pub(super) struct Residuals<'a> {
    /// Pixel positions on the common scale.
    pub x: &'a [f64],
    /// Width of the line-spread function, pixels.
    pub lsf_pixels: f64,
    /// Residual of each pixel in sigma; 0 where there is none.
    pub z: &'a [f64],
    /// Pixels that are off ([`off`]).
    pub off: &'a [usize],
    /// Pixels that are off whatever the exposure's velocity ([`far_off`]).
    pub far: &'a [usize],
}

/// Pixels that are off by as much as a defect, whatever the reason; `z` are the residuals in sigma.
pub(super) fn off(z: &[f64]) -> Vec<usize> {
    let is_off = |k: &usize| z[*k].abs() > CLIP_SIGMA;
    (0..z.len()).filter(is_off).collect()
}

/// Those of the pixels that are [`off`] that are too far off for the exposure's velocity to be the reason.
///
/// `z` are the residuals in sigma, `step` (pixels) how far the exposure has to go, `flux` that of the others near a pixel with
/// a shift (pixels), in sigma of that pixel.
pub(super) fn far_off(
    z: &[f64],
    off: &[usize],
    step: f64,
    flux: impl Fn(usize, f64) -> f64,
) -> Vec<usize> {
    let reach = STEP_REACH * step.abs();
    let is_far = |k: &usize| {
        // The range of the flux over all shifts within reach, tried at every half pixel.
        let here = flux(*k, 0.0);
        let n = (2.0 * reach).ceil();
        let (mut low, mut high) = (0.0f64, 0.0f64);
        for i in 1..=n as usize {
            let shift = reach * i as f64 / n;
            for there in [flux(*k, shift), flux(*k, -shift)] {
                low = low.min(there - here);
                high = high.max(there - here);
            }
        }
        (z[*k] - high).max(low - z[*k]) > CLIP_SIGMA
    };
    off.iter().copied().filter(is_far).collect()
}

/// Pixels of one exposure that a defect has spoiled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Defect {
    pub exposure: usize,
    pub pixels: Range<usize>,
    /// It is not narrow, and was found because no other exposure has it.
    pub is_wide: bool,
}

/// The defects among `exposures`, on a scale of `n` pixels; `n_wide` is the number of wide ones that each had before.
pub(super) fn defects(
    exposures: &[Option<Residuals<'_>>],
    n: usize,
    n_wide: &[usize],
) -> Vec<Defect> {
    let top = highest(exposures, n);
    let mut out = Vec::new();
    for (i, e) in exposures.iter().enumerate() {
        let Some(e) = e else { continue };
        let mut wide: Vec<Defect> = Vec::new();
        let narrow = (NARROW * e.lsf_pixels).round() as usize;
        for k in e.far {
            let at = place(e.x[*k], n);
            let around = &top[at.saturating_sub(CLIP_REACH)..(at + CLIP_REACH + 1).min(n)];
            if around.iter().any(|t| *t > score(e.z[*k])) {
                continue;
            }
            let defect = |pixels, is_wide| Defect {
                exposure: i,
                pixels,
                is_wide,
            };
            if run(e.z, *k, 0.5 * e.z[*k].abs()).len() <= narrow {
                out.push(defect(*k..k + 1, false));
                continue;
            }
            let pixels = run(e.z, *k, WIDE_END_SIGMA);
            if is_alone(exposures, i, &pixels, e.z[*k].signum()) {
                wide.push(defect(pixels, true));
            }
        }
        wide.dedup_by(|a, b| a.pixels == b.pixels);
        if wide.len() + n_wide[i] <= MOST_WIDE {
            out.extend(wide);
        }
    }
    out
}

/// Size of a residual, a little less for downward ones: of two exposures that differ from each other, one is off upwards and one
/// downwards by the same amount, and the upward one has the cosmic ray.
fn score(z: f64) -> f64 {
    if z > 0.0 { z } else { -0.999 * z }
}

fn place(x: f64, n: usize) -> usize {
    (x.round() as usize).min(n - 1)
}

/// The farthest-off pixel of all exposures at each pixel of the scale.
fn highest(exposures: &[Option<Residuals<'_>>], n: usize) -> Vec<f64> {
    let mut top = vec![0.0f64; n];
    for e in exposures.iter().flatten() {
        for k in e.off {
            let top = &mut top[place(e.x[*k], n)];
            *top = top.max(score(e.z[*k]));
        }
    }
    top
}

/// Neighbouring pixels that are off by more than `limit` to the same side as pixel `k`, and `k` itself.
fn run(z: &[f64], k: usize, limit: f64) -> Range<usize> {
    let is_off = |other: &&f64| **other * z[k].signum() > limit;
    let above = z[k + 1..].iter().take_while(is_off).count();
    let below = z[..k].iter().rev().take_while(is_off).count();
    k - below..k + above + 1
}

/// Whether no other exposure is off to the same side where exposure `i` is; they may well be off to the other one, as the
/// coadd that they are compared with has the defect in it.
fn is_alone(
    exposures: &[Option<Residuals<'_>>],
    i: usize,
    pixels: &Range<usize>,
    sign: f64,
) -> bool {
    let Some(e) = &exposures[i] else {
        return false;
    };
    if exposures.iter().flatten().count() < WIDE_EXPOSURES {
        return false;
    }
    let (first, last) = (e.x[pixels.start], e.x[pixels.end - 1]);
    let others = exposures
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != i);
    others.filter_map(|(_, e)| e.as_ref()).all(|other| {
        let mut pixels = other.x.iter().zip(other.z);
        pixels.all(|(x, z)| !(*x >= first && *x <= last) || z * sign < OTHERS_SIGMA)
    })
}
