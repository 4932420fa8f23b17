//! Pixels that only a defect can put where they are.
//!
//! A residual that a wrong velocity explains is no defect: where an exposure is still on its way, the flanks of its lines are
//! off the others by as much as a cosmic ray.

/// A pixel that is off the coadd of the others by more than this many sigma and narrower than a line is a defect.
const CLIP_SIGMA: f64 = 5.0;

/// An exposure may have this many times farther to go than the step that was found, as lines are no straight slopes.
const STEP_REACH: f64 = 1.5;

/// Pixels at least half as far off as the farthest one of a defect: no more than this, as the line-spread function of what
/// comes through the spectrograph is 6 pixels wide.
const DEFECT_PIXELS: usize = 4;

/// Pixels on either side that go with a clipped one.
pub(super) const CLIP_MARGIN: usize = 2;

/// Pixels on either side within which only the farthest-off pixel of all exposures is clipped in one round: the coadd that
/// it was part of puts the others off, too.
const CLIP_REACH: usize = 4;

/// An exposure against the coadd of the others, as far as clipping goes.
pub(super) struct Residuals<'a> {
    /// Pixel positions on the common scale.
    pub x: &'a [f64],
    /// Residual of each pixel in sigma; 0 where there is none.
    pub z: &'a [f64],
    /// Pixels that are off whatever the exposure's velocity ([`far_off`]).
    pub far: &'a [usize],
}

/// Pixels that are too far off for the exposure's velocity to be the reason.
///
/// `z` are the residuals in sigma, `step` (pixels) how far the exposure has to go, `flux` that of the others near a pixel with
/// a shift (pixels), in sigma of that pixel.
pub(super) fn far_off(z: &[f64], step: f64, flux: impl Fn(usize, f64) -> f64) -> Vec<usize> {
    let reach = STEP_REACH * step.abs();
    let is_far = |k: &usize| {
        if z[*k].abs() <= CLIP_SIGMA {
            return false;
        }
        // What a shift within reach makes of the flux, at every half pixel.
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
    (0..z.len()).filter(is_far).collect()
}

/// Exposure and pixel of the defects among `exposures`, on a scale of `n` pixels.
pub(super) fn defects(exposures: &[Option<Residuals<'_>>], n: usize) -> Vec<(usize, usize)> {
    // Of an upward and a downward pixel equally far off, as in two exposures, the upward one is the cosmic ray.
    let score = |z: f64| if z > 0.0 { z } else { -0.999 * z };
    let place = |x: f64| (x.round() as usize).min(n - 1);
    let mut top = vec![0.0f64; n];
    for e in exposures.iter().flatten() {
        for (z, x) in e.z.iter().zip(e.x).filter(|(z, _)| z.abs() > CLIP_SIGMA) {
            let top = &mut top[place(*x)];
            *top = top.max(score(*z));
        }
    }
    let mut out = Vec::new();
    for (i, e) in exposures.iter().enumerate() {
        let Some(e) = e else { continue };
        let is_defect = |k: &&usize| {
            let at = place(e.x[**k]);
            let around = &top[at.saturating_sub(CLIP_REACH)..(at + CLIP_REACH + 1).min(n)];
            let is_top = around.iter().all(|t| *t <= score(e.z[**k]));
            is_top && width(e.z, **k) <= DEFECT_PIXELS
        };
        out.extend(e.far.iter().filter(is_defect).map(|k| (i, *k)));
    }
    out
}

/// Neighbouring pixels at least half as far off as pixel `k`, to the same side; with itself.
fn width(z: &[f64], k: usize) -> usize {
    let is_far = |other: &&f64| **other * z[k].signum() > 0.5 * z[k].abs();
    let above = z[k + 1..].iter().take_while(is_far).count();
    let below = z[..k].iter().rev().take_while(is_far).count();
    above + below + 1
}
