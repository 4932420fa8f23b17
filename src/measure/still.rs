//! What stands still on the detector, and holds all velocities of an exposure back alike.
//!
//! The flat field leaves a ripple in the spectra, some 0.8 % over some 50 km/s, that is other in each fibre but the same in all exposures
//! of it. So the reference of a star has it too, and as far as an exposure lies elsewhere on the detector the two ripples ask for another
//! velocity than the two spectra of the star. How much they ask for is random where the ripple meets the star's lines, and averages out
//! over stars. Where it meets itself, it does not: it draws every velocity to that of the detector, by the part of the spectrum's slope
//! that is the ripple's. Between two nights the detector lies 10 to 60 km/s elsewhere, so in a star like the Sun that is some 0.02 km/s,
//! and in hot stars, which have little slope, 1 km/s.
//!
//! The slope of the ripple is not known, but the stars of a unit tell it: velocities of those that have less slope follow the detector
//! more. docs/method.md, section 16, has the equations and what they give.

mod fit;

use super::row::RvRow;
use crate::Arm;
use crate::likelihood::RvFlags;
use fit::{Point, Ripple};

/// How a spectrum lies on the detector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Still {
    /// c ln(wavelength / A) of the middle pixel, km/s: differences between exposures say how the detector has moved.
    pub place_km_s: f64,
    /// Number of pixels: spectra of other numbers cannot be compared.
    pub n_pixels: usize,
    /// Mean squared slope of the reference, (km/s)^-2; NaN where there is no coadd.
    pub slope2: f64,
}

/// Numbers of [`Still::to_numbers`].
pub const N_STILL: usize = 3;

impl Still {
    /// As numbers, to be kept.
    pub fn to_numbers(self) -> [f64; N_STILL] {
        [self.place_km_s, self.n_pixels as f64, self.slope2]
    }

    /// From what [`Still::to_numbers`] gave.
    pub fn from_numbers([place_km_s, n_pixels, slope2]: [f64; N_STILL]) -> Self {
        Still {
            place_km_s,
            n_pixels: n_pixels as usize,
            slope2,
        }
    }
}

/// Width of the ripple's waves, km/s: two places of the detector that are v apart have ripples alike to exp(-v^2 / 4 w^2).
const WAVE_KM_S: f64 = 50.0;

/// The part of a spectrum's slope that is the ripple's is not believed to be more than this.
const MOST_PART: f64 = 0.5;

/// Stars scatter by this part about what the ripple's mean slope says of them: a window holds some 100 waves.
const SCATTER: f64 = 0.15;

/// Takes off the velocities of a unit's `rows` by what the detector held them back, where the unit tells it. `still` is of the rows, in
/// their order; rows of a star and arm are neighbours.
pub(super) fn correct(rows: &mut [RvRow], still: &[Still]) {
    for arm in Arm::ALL {
        let of_arm: Vec<usize> = (0..rows.len()).filter(|i| rows[*i].arm == arm).collect();
        let mut minutes: Vec<i64> = of_arm.iter().map(|i| rows[*i].lmjm).collect();
        minutes.sort_unstable();
        minutes.dedup();
        let stars: Vec<Vec<Held>> = of_arm
            .chunk_by(|a, b| rows[*a].star == rows[*b].star)
            .map(|star| held(rows, still, star))
            .collect();
        let points = stars.iter().map(|star| {
            let telling = star.iter().filter(|held| says_something(&rows[held.row]));
            telling.map(|held| point(rows, held, &minutes)).collect()
        });
        let Some(ripple) = fit::ripple(&points.collect::<Vec<_>>(), minutes.len()) else {
            continue;
        };
        for star in &stars {
            take_off(rows, star, ripple);
        }
    }
}

/// A row, and by how much the ripple moves its velocity for each unit of its mean squared slope.
#[derive(Clone, Copy, Debug)]
struct Held {
    row: usize,
    /// Where the detector lies about the star's reference, km/s.
    from_reference_km_s: f64,
    slope2: f64,
}

/// The rows of a star of which it is known how they lie on the detector.
fn held(rows: &[RvRow], still: &[Still], star: &[usize]) -> Vec<Held> {
    let is_known = |i: &usize| {
        let Still {
            slope2, place_km_s, ..
        } = still[*i];
        slope2 > 0.0 && place_km_s.is_finite() && rows[*i].measurement.rv_km_s.is_finite()
    };
    let known: Vec<usize> = star.iter().copied().filter(is_known).collect();
    // Where the detector lies among the star's lines.
    let place = |i: usize| still[i].place_km_s - rows[i].measurement.rv_km_s;
    let weight = |i: usize| {
        let row = &rows[i];
        let is_one = row.n_reference < 2;
        let is_part = match is_one {
            true => row.is_reference,
            false => !row.measurement.flags.intersects(RvFlags::NO_VELOCITY),
        };
        if is_part { row.snr * row.snr } else { 0.0 }
    };
    // Another fibre has another ripple.
    let fibre = |i: usize| (rows[i].spid, rows[i].fiberid, still[i].n_pixels);
    let of_reference: f64 = known.iter().map(|i| weight(*i)).sum();
    let one = |i: &usize| {
        let from = |j: &usize| match fibre(*i) == fibre(*j) {
            true => weight(*j) * drawn(place(*i) - place(*j)),
            false => 0.0,
        };
        Held {
            row: *i,
            from_reference_km_s: known.iter().map(from).sum::<f64>() / of_reference,
            slope2: still[*i].slope2,
        }
    };
    let all = known.iter().map(one);
    all.filter(|held| held.from_reference_km_s.is_finite())
        .collect()
}

/// By how much a ripple draws to itself, km/s, from a place that is so far away: its waves are alike only near.
pub(super) fn drawn(km_s: f64) -> f64 {
    km_s * (-0.25 * (km_s / WAVE_KM_S).powi(2)).exp()
}

/// By how much a velocity is moved, in units of its distance from the detector as measured, if this part of the squared slope is the
/// ripple's.
pub(super) fn part(of_slope2: f64) -> f64 {
    let part = of_slope2.min(MOST_PART);
    part / (1.0 - part)
}

fn says_something(row: &RvRow) -> bool {
    let nothing = RvFlags::NO_VELOCITY | RvFlags::LOW_INFORMATION;
    row.measurement.rv_err_own_km_s > 0.0 && !row.measurement.flags.intersects(nothing)
}

fn point(rows: &[RvRow], held: &Held, minutes: &[i64]) -> Point {
    let row = &rows[held.row];
    Point {
        exposure: minutes.partition_point(|t| *t < row.lmjm),
        rv_km_s: row.measurement.rv_km_s,
        err_km_s: row.measurement.rv_err_own_km_s,
        per_slope2: held.from_reference_km_s / held.slope2,
    }
}

/// Takes off what held the velocities of a star back. The velocity of its reference stays 0.
fn take_off(rows: &mut [RvRow], star: &[Held], ripple: Ripple) {
    let moved = |held: &Held| held.from_reference_km_s * part(ripple.slope2 / held.slope2);
    let zero = star.iter().find(|held| rows[held.row].is_reference);
    let zero = zero.map_or(0.0, moved);
    let relative = SCATTER.hypot(ripple.sigma / ripple.slope2);
    for held in star {
        let by_km_s = moved(held) - zero;
        let m = &mut rows[held.row].measurement;
        m.rv_km_s -= by_km_s;
        let err_km_s = relative * by_km_s.abs();
        m.rv_err_own_km_s = m.rv_err_own_km_s.hypot(err_km_s);
        m.rv_err_km_s = m.rv_err_km_s.hypot(err_km_s);
    }
}

#[cfg(test)]
mod tests;
