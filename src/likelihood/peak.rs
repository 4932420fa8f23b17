//! From a curve of likelihoods to a velocity: the maximum, then a parabola through ln L around it, which is a
//! Gaussian through L.
//!
//! The numbers here are those of docs/method.md, section 7; they were chosen by hand. `tests/integration/precision.rs` and
//! `phase.rs` show that the velocities have neither excess scatter nor bias.

use std::f64::consts::TAU;

use super::flags::{self, RvFlags};
use super::grid::{VelocityGrid, rv_of_shift_km_s};
use super::precision::PrecisionSums;

/// Points per step of the grid when the peak is narrow.
pub const FINE_PER_STEP: usize = 4;

/// Steps that the fine grid reaches on either side of the maximum.
pub const FINE_SIDE: usize = 4;

/// The parabola sees points whose ln L is less than this below the maximum (3 sigma), with weights that fall smoothly to
/// zero there, so that no point's coming or going makes the velocity jump.
pub(crate) const PARABOLA_DEPTH: f64 = 4.5;

/// Velocities whose ln L in the search is less than this below the maximum are evaluated exactly. It is more than
/// [`PARABOLA_DEPTH`], because the search, which takes the nearest table entries, is a little off.
pub(crate) const SEARCH_DEPTH: f64 = 6.0;

/// The fit uses this many points at least: a peak narrower than the fine grid is still a parabola over a line's width.
pub(crate) const MIN_POINTS: usize = 5;

/// A rise of ln L by this much on the way down from the maximum starts a second peak (3 sigma).
pub(crate) const PEAK_PROMINENCE: f64 = 4.5;

/// What a back end reports of one spectrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Velocity c z against the reference, km/s; NaN with [`RvFlags::NO_CURVATURE`].
    pub rv_km_s: f64,
    /// 1-sigma error of the difference, km/s.
    pub rv_err_km_s: f64,
    /// 1-sigma error once the star's offset is known, km/s.
    pub rv_err_own_km_s: f64,
    /// ln L at the maximum (Eq. 3 with all its constants).
    pub lnl_max: f64,
    /// Reduced chi^2 at the maximum.
    pub chi2_red: f64,
    /// Pixels used.
    pub n_pix: usize,
    /// Height of the second maximum above the curve's mean, in units of the first one's; 0 when there is none.
    pub second_peak: f64,
    /// What to know before using it.
    pub flags: RvFlags,
}

impl Measurement {
    /// The measurement of a spectrum none of whose pixels can be compared with the reference: its velocity is NaN.
    pub fn without_pixels() -> Self {
        Measurement {
            rv_km_s: f64::NAN,
            rv_err_km_s: f64::NAN,
            rv_err_own_km_s: f64::NAN,
            lnl_max: f64::NAN,
            chi2_red: f64::NAN,
            n_pix: 0,
            second_peak: 0.0,
            flags: RvFlags::FEW_PIXELS | RvFlags::NO_CURVATURE,
        }
    }
}

/// What is needed of a spectrum, beside its curve of likelihoods, to turn a peak into a measurement.
#[derive(Clone, Copy, Debug)]
pub struct PeakContext {
    /// Velocities of the curve.
    pub grid: VelocityGrid,
    /// Pixels used.
    pub n_pix: usize,
    /// Pixels of the window, usable or not.
    pub n_window: usize,
    /// What Eq. 3 has beyond the curve: sum ln(ivar) / 2 - n ln(2 pi) / 2.
    pub ln_constant: f64,
    /// Share of the reference's squared slope that is the star's.
    pub response: f64,
}

impl PeakContext {
    /// Geometric mean of the pixels' inverse variances: the square of the signal-to-noise ratio, for flux over continuum.
    fn mean_ivar(&self) -> f64 {
        (2.0 * self.ln_constant / self.n_pix as f64 + TAU.ln()).exp()
    }
}

/// Velocities at which a back end is asked for exact values of ln L: `n` of them, `per_step` to a step of the grid, the
/// first at position `first` of the grid. Either `2 FINE_SIDE` steps with [`FINE_PER_STEP`] points each, or whole steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refinement {
    /// Position of the first velocity, in steps of the grid.
    pub first: usize,
    /// Points per step.
    pub per_step: usize,
    /// Number of points.
    pub n: usize,
}

impl Refinement {
    /// Positions of the points, in steps of the grid.
    pub fn positions(&self) -> impl Iterator<Item = f64> {
        let Refinement { first, per_step, n } = *self;
        (0..n).map(move |k| first as f64 + k as f64 / per_step as f64)
    }

    /// What the parabola needs around the maximum `top` of `curve`. None at the edge of the grid.
    fn around(curve: &[f64], top: usize) -> Option<Self> {
        if top == 0 || top + 1 >= curve.len() {
            return None;
        }
        let is_near = |value: &&f64| curve[top] - **value < SEARCH_DEPTH;
        let below = curve[..top].iter().rev().take_while(is_near).count();
        let above = curve[top + 1..].iter().take_while(is_near).count();
        let side = below.max(above) + 1;
        if side < FINE_SIDE {
            let first = top.checked_sub(FINE_SIDE)?;
            let n = 2 * FINE_SIDE * FINE_PER_STEP;
            return (top + FINE_SIDE < curve.len()).then_some(Refinement {
                first,
                per_step: FINE_PER_STEP,
                n,
            });
        }
        let first = top.saturating_sub(side);
        let n = (top + side + 1).min(curve.len()) - first;
        Some(Refinement {
            first,
            per_step: 1,
            n,
        })
    }
}

/// A peak, as a back end finds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Position of the search's maximum, in steps of the grid.
    pub top: usize,
    /// As in [`Measurement`].
    pub second_peak: f64,
    /// Whether the maximum is far enough from the grid's ends to be refined.
    pub refined: bool,
    /// Vertex of the parabola through the exact values: position in steps of the grid, ln L but for the constant.
    pub vertex: Option<(f64, f64)>,
}

/// Finds the peak of `curve` (ln L, but for a constant, at every velocity of the grid), asks `exact` for ln L around it and
/// `sums` for the precision at the shift found.
pub fn measure_peak(
    context: &PeakContext,
    curve: &[f64],
    exact: impl FnOnce(Refinement) -> Vec<f64>,
    sums: impl FnOnce(f64) -> PrecisionSums,
) -> Measurement {
    let Some(top) = highest(curve) else {
        return Measurement {
            n_pix: context.n_pix,
            ..Measurement::without_pixels()
        };
    };
    let refinement = Refinement::around(curve, top);
    let vertex = refinement.and_then(|refinement| {
        let positions: Vec<f64> = refinement.positions().collect();
        let values = exact(refinement);
        highest(&values).and_then(|i| fit_parabola(&positions, &values, i))
    });
    let peak = Peak {
        top,
        second_peak: second_peak(curve, top),
        refined: refinement.is_some(),
        vertex,
    };
    finish(context, &peak, sums)
}

/// The measurement that a peak is: errors, flags, and the constants of Eq. 3. The same for all back ends.
pub fn finish(
    context: &PeakContext,
    peak: &Peak,
    sums: impl FnOnce(f64) -> PrecisionSums,
) -> Measurement {
    let grid = &context.grid;
    let mut flag = RvFlags::empty();
    if 2 * context.n_pix < context.n_window {
        flag |= RvFlags::FEW_PIXELS;
    }
    if peak.second_peak > flags::MULTIPLE_PEAKS_LIMIT {
        flag |= RvFlags::MULTIPLE_PEAKS;
    }
    let at_edge = |(position, _)| is_at_edge(position, grid.len());
    if !peak.refined || peak.vertex.is_some_and(at_edge) {
        flag |= RvFlags::EDGE;
    } else if peak.vertex.is_none() {
        flag |= RvFlags::NO_CURVATURE;
    }
    let (position, height) = peak.vertex.unwrap_or((peak.top as f64, f64::NAN));
    let shift = grid.shift_km_s(position);
    let precision = sums(shift).precision(context.response);
    if precision.chi2_red > flags::chi2_high_limit(context.mean_ivar()) {
        flag |= RvFlags::CHI2_HIGH;
    }
    // The share is NaN for a reference without any slope, which has no information either.
    if precision.noise_share.is_nan() || precision.noise_share > flags::LOW_INFORMATION_LIMIT {
        flag |= RvFlags::LOW_INFORMATION;
    }
    let known = !flag.intersects(RvFlags::NO_CURVATURE);
    let or_nan = |value: f64| if known { value } else { f64::NAN };
    Measurement {
        rv_km_s: or_nan(rv_of_shift_km_s(shift)),
        rv_err_km_s: or_nan(precision.rv_err_km_s),
        rv_err_own_km_s: or_nan(precision.rv_err_own_km_s),
        lnl_max: height + context.ln_constant,
        chi2_red: precision.chi2_red,
        n_pix: context.n_pix,
        second_peak: peak.second_peak,
        flags: flag,
    }
}

/// Index of the highest finite value.
fn highest(values: &[f64]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (i, v) in values.iter().enumerate() {
        if v.is_finite() && best.is_none_or(|b| *v > values[b]) {
            best = Some(i);
        }
    }
    best
}

/// Whether a position lies within two steps of either end of the grid.
fn is_at_edge(position: f64, len: usize) -> bool {
    position < 2.0 || position > len as f64 - 3.0
}

/// Vertex (position, height) of the weighted least-squares parabola through the points around the highest one, `top`.
fn fit_parabola(positions: &[f64], values: &[f64], top: usize) -> Option<(f64, f64)> {
    let peak = values[top];
    let half = MIN_POINTS / 2;
    let nearest = &values[top.saturating_sub(half)..(top + half + 1).min(values.len())];
    let needed = nearest.iter().map(|v| peak - v).fold(0.0, f64::max);
    if !needed.is_finite() {
        return None;
    }
    let depth = PARABOLA_DEPTH.max(1.25 * needed);
    let mut start = top;
    while start > 0 && peak - values[start - 1] < depth {
        start -= 1;
    }
    let mut end = top + 1;
    while end < values.len() && peak - values[end] < depth {
        end += 1;
    }
    // Normal equations of y = a + b x + c x^2 about the highest point.
    let mut m = [0.0; 5];
    let mut r = [0.0; 3];
    for i in start..end {
        let x = positions[i] - positions[top];
        let y = values[i] - peak;
        let w = (1.0 + y / depth).powi(2);
        let mut power = w;
        for (k, m) in m.iter_mut().enumerate() {
            *m += power;
            if k < 3 {
                r[k] += power * y;
            }
            power *= x;
        }
    }
    let minor = |a: f64, b: f64, c: f64, d: f64| a * d - b * c;
    let c00 = minor(m[2], m[3], m[3], m[4]);
    let c01 = minor(m[1], m[3], m[2], m[4]);
    let c02 = minor(m[1], m[2], m[2], m[3]);
    let determinant = m[0] * c00 - m[1] * c01 + m[2] * c02;
    let c11 = minor(m[0], m[2], m[2], m[4]);
    let c12 = minor(m[0], m[1], m[2], m[3]);
    let c22 = minor(m[0], m[1], m[1], m[2]);
    let a = (c00 * r[0] - c01 * r[1] + c02 * r[2]) / determinant;
    let b = (-c01 * r[0] + c11 * r[1] - c12 * r[2]) / determinant;
    let c = (c02 * r[0] - c12 * r[1] + c22 * r[2]) / determinant;
    let x = -0.5 * b / c;
    let inside = positions[top] + x >= positions[start] && positions[top] + x <= positions[end - 1];
    (c < 0.0 && inside).then(|| (positions[top] + x, peak + a - 0.25 * b * b / c))
}

/// Height of the highest maximum beside `top`, above the mean of the curve and in units of `top`'s.
fn second_peak(curve: &[f64], top: usize) -> f64 {
    let mean = curve.iter().sum::<f64>() / curve.len() as f64;
    let mut second = f64::NEG_INFINITY;
    let mut walk = |values: &mut dyn Iterator<Item = f64>| {
        let mut lowest = curve[top];
        let mut risen = false;
        for v in values {
            lowest = lowest.min(v);
            risen |= v > lowest + PEAK_PROMINENCE;
            if risen {
                second = second.max(v);
            }
        }
    };
    walk(&mut curve[top..].iter().copied());
    walk(&mut curve[..top].iter().rev().copied());
    let height = curve[top] - mean;
    if second > mean && height > 0.0 {
        (second - mean) / height
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> PeakContext {
        let grid = VelocityGrid::new(100.0, 1.0).unwrap();
        PeakContext {
            grid,
            n_pix: 1000,
            n_window: 1000,
            ln_constant: 0.0,
            response: 1.0,
        }
    }

    fn sums(_: f64) -> PrecisionSums {
        PrecisionSums {
            slope2: 4.0,
            slope_noise: 0.0,
            own_slope2: 2.0,
            chi2: 999.0,
            n_pix: 1000,
        }
    }

    fn measure(ln_l: impl Fn(f64) -> f64) -> Measurement {
        let context = context();
        let grid = context.grid;
        let curve: Vec<f64> = (0..grid.len())
            .map(|i| ln_l(grid.shift_km_s(i as f64)))
            .collect();
        let exact = |refinement: Refinement| {
            refinement
                .positions()
                .map(|p| ln_l(grid.shift_km_s(p)))
                .collect()
        };
        measure_peak(&context, &curve, exact, sums)
    }

    #[test]
    fn gaussians_of_any_width_are_found() {
        for sigma in [0.02, 0.1, 0.5, 1.1, 1.3, 3.0, 20.0] {
            for centre in [-7.3, 0.0, 0.499, 12.501, 40.26] {
                let found = measure(|u| 1234.5 - 0.5 * ((u - centre) / sigma).powi(2));
                let error = found.rv_km_s - rv_of_shift_km_s(centre);
                assert!(
                    error.abs() < 1e-6 * sigma.max(1.0),
                    "sigma {sigma} centre {centre}: {error}"
                );
                assert!(
                    (found.lnl_max - 1234.5).abs() < 1e-3,
                    "sigma {sigma} centre {centre}: {}",
                    found.lnl_max
                );
                assert_eq!(
                    found.flags,
                    RvFlags::empty(),
                    "sigma {sigma} centre {centre}"
                );
            }
        }
    }

    #[test]
    fn edges_and_flat_curves_are_flagged() {
        assert_eq!(measure(|u| u).flags, RvFlags::EDGE);
        assert_eq!(measure(|u| -u).rv_km_s, rv_of_shift_km_s(-100.0));
        let nan = measure(|_| f64::NAN);
        assert!(nan.rv_km_s.is_nan() && nan.flags.intersects(RvFlags::NO_CURVATURE));
        let flat = measure(|_| 3.0);
        assert!(flat.flags.intersects(RvFlags::NO_CURVATURE | RvFlags::EDGE));
    }

    #[test]
    fn a_second_star_is_seen_and_a_shoulder_is_not() {
        let peak = |u: f64, c: f64, h: f64| h * (-0.5 * ((u - c) / 12.0).powi(2)).exp();
        let two = measure(|u| peak(u, -30.0, 500.0) + peak(u, 40.0, 400.0));
        assert!(two.second_peak > 0.7 && two.flags.intersects(RvFlags::MULTIPLE_PEAKS));
        assert!((two.rv_km_s + 30.0).abs() < 0.1, "{}", two.rv_km_s);
        let shoulder = measure(|u| peak(u, 0.0, 500.0) + peak(u, 22.0, 100.0));
        assert_eq!(shoulder.second_peak, 0.0);
    }
}
