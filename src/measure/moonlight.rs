//! Moonlight, which is taken off the velocities of a unit when all its stars have been measured.
//!
//! Moonlight adds the Sun's spectrum, at rest in the observer's frame, to that of a star. In a star like the Sun it is a second copy of
//! nearly the same lines: it moves the velocity, and nothing in the spectrum tells it from a velocity. But all fibres of an exposure see
//! the same sky, and in stars of other kinds or velocities sunlight does show. So the stars of a unit are looked at together: they tell
//! how much moonlight each exposure has ([`sky`]), a star's brightness and what it shows itself tell its part of it ([`star`]), and how
//! far that moved its velocity is known from its own lines. No spectrum is read or measured again for it.
//!
//! docs/method.md, section 14, has the equations and what they give.

mod by_velocity;
mod colour;
mod levels;
mod sky;
mod star;

use std::collections::HashSet;

use super::drift;
use super::row::RvRow;
use crate::Arm;
use crate::likelihood::RvFlags;
use crate::reference::SunlitWhere;
use levels::Levels;
use star::{Moved, Seen, Star};

/// What is known of the sunlight in the spectrum of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lit {
    /// Number of the row among those of its star, or of its unit when that is whole.
    pub row: usize,
    /// What was found in it; none where the star has no coadd, or where the file does not say how its wavelengths were moved.
    pub sunlit: Option<SunlitWhere>,
    /// Median flux, in the unit of the file.
    pub light: f64,
    /// HELIO_RV, km/s.
    pub helio_rv_km_s: f64,
    /// By how much what was found has made the velocity's errors larger, km/s.
    pub err_km_s: f64,
    /// It was found to be unlike the star's others.
    pub is_odd: bool,
}

/// An exposure that is unlike the star's others is so by sunlight if it holds this share of it, and this many errors. Chosen on simulated
/// plates (seeds 7341, 7343, 7344).
const ODD_SHARE: f64 = 0.02;
const ODD_SIGMA: f64 = 3.0;

/// Where what sunlight adds has a smaller mean square than this ([`Sunlit::distinct`](crate::reference::Sunlit)), even half of a spectrum may
/// be sunlight and not be seen: stars from 5300 to 6000 K in the red arm have 4e-4 to 7e-4, others more.
const UNSEEN: f64 = 8e-4;

/// Where moonlight is not taken off, a star is not believed to be fainter or brighter than the usual one by more than this factor.
const MOST_FAINTNESS: f64 = 3.0;

/// Numbers of [`Lit::to_numbers`].
pub const N_LIT: usize = 4 + SunlitWhere::N_NUMBERS;

impl Lit {
    /// All but the row's number, as numbers to keep: NaN where there is none.
    pub fn to_numbers(self) -> [f64; N_LIT] {
        let mut numbers = [f64::NAN; N_LIT];
        let is_odd = f64::from(u8::from(self.is_odd));
        numbers[..4].copy_from_slice(&[self.light, self.helio_rv_km_s, is_odd, self.err_km_s]);
        if let Some(sunlit) = self.sunlit {
            numbers[4..].copy_from_slice(&sunlit.to_numbers());
        }
        numbers
    }

    /// From what [`Lit::to_numbers`] gave.
    pub fn from_numbers(row: usize, numbers: [f64; N_LIT]) -> Self {
        let [light, helio_rv_km_s, is_odd, err_km_s, ref sunlit @ ..] = numbers;
        Lit {
            row,
            sunlit: SunlitWhere::from_numbers(*sunlit),
            light,
            helio_rv_km_s,
            err_km_s,
            is_odd: is_odd == 1.0,
        }
    }

    /// Whether the exposure is unlike the star's others, and sunlight is the reason.
    fn is_odd_by_sunlight(&self) -> bool {
        let sunlit = self.sunlit.map(|sunlit| sunlit.moved(0.0));
        let is_lit = sunlit.is_some_and(|s| s.share > ODD_SHARE.max(ODD_SIGMA * s.sigma));
        self.is_odd && is_lit
    }

    /// Whether sunlight would not be seen in it.
    fn hides_sunlight(&self) -> bool {
        let sunlit = self.sunlit.map(|sunlit| sunlit.moved(0.0));
        sunlit.is_some_and(|s| s.distinct < UNSEEN)
    }
}

/// Takes moonlight off the velocities of a unit's `rows` where it is known, and adds to their errors by how much it is not. Rows of a
/// star and arm are neighbours in `lit`.
pub(super) fn correct(rows: &mut [RvRow], lit: &[Lit]) {
    let mut scattered: Vec<usize> = lit
        .iter()
        .filter(|l| l.is_odd_by_sunlight())
        .map(|l| l.row)
        .collect();
    let mut blue: Vec<(i64, (f64, f64))> = Vec::new();
    // The blue arm shows sunlight best, and tells the red arm.
    for arm in [Arm::Blue, Arm::Red] {
        let of_arm: Vec<&Lit> = lit.iter().filter(|l| rows[l.row].arm == arm).collect();
        let mut minutes: Vec<i64> = of_arm.iter().map(|l| rows[l.row].lmjm).collect();
        minutes.sort_unstable();
        minutes.dedup();
        let usual = usual_light(rows, &of_arm, &minutes);
        let same_star = |a: &&Lit, b: &&Lit| rows[a.row].star == rows[b.row].star;
        let velocities = of_arm
            .chunk_by(same_star)
            .map(|lit| velocities(rows, lit, &minutes));
        let drift_km_s = drift::of_exposures(&velocities.collect::<Vec<_>>(), minutes.len());
        let sky = Unlit {
            minutes: &minutes,
            usual: &usual,
            drift_km_s: &drift_km_s,
        };
        let mut stars: Vec<Star> = of_arm
            .chunk_by(same_star)
            .filter_map(|lit| {
                let seen = seen(rows, lit, &sky);
                Star::new(seen, lit.iter().filter(|l| is_velocity(rows, l)).count())
            })
            .collect();
        let of_other = |minute: &i64| {
            let place = blue.binary_search_by_key(minute, |(minute, _)| *minute);
            place.ok().map(|i| blue[i].1)
        };
        let other_arm: Vec<_> = minutes.iter().map(of_other).collect();
        let sky = sky::find(&mut stars, &drift_km_s, &other_arm);
        scattered.extend(stars.iter().flat_map(|star| star.scattered(sky.is_some())));
        let Some(sky) = sky else {
            continue;
        };
        let mut corrected = HashSet::new();
        let mut changes = Vec::new();
        for star in &stars {
            if let Some(moved) = take_off(rows, &sky, star) {
                corrected.extend(star.seen.iter().map(|s| s.row));
                changes.extend(moved);
            }
        }
        let others = of_arm.iter().filter(|l| !corrected.contains(&l.row));
        let usual_light = |l: &Lit| usual[minutes.partition_point(|t| *t < rows[l.row].lmjm)];
        let others: Vec<(usize, f64)> = others.map(|l| (l.row, usual_light(l) / l.light)).collect();
        leave_in(rows, &others, &changes);
        if arm == Arm::Blue {
            let known = (0..minutes.len()).filter(|e| sky.is_known(*e));
            let level = |e: usize| {
                (
                    minutes[e],
                    (sky.level[e], sky.level_err[e].hypot(sky.common_err)),
                )
            };
            blue = known.map(level).collect();
        }
    }
    flag_scattered(rows, lit, &scattered);
}

/// Flags exposures with scattered light, and the same exposures in the other arm where that would not show it: its light came through the same
/// fibre.
fn flag_scattered(rows: &mut [RvRow], lit: &[Lit], scattered: &[usize]) {
    let exposure = |row: &RvRow| (row.star, row.obsid, row.lmjm);
    let known: HashSet<(i64, i64, i64)> = scattered.iter().map(|i| exposure(&rows[*i])).collect();
    let hidden = lit.iter().filter(|l| l.hides_sunlight()).map(|l| l.row);
    let hidden: Vec<usize> = hidden
        .filter(|i| known.contains(&exposure(&rows[*i])))
        .collect();
    for i in hidden.iter().chain(scattered) {
        rows[*i].measurement.flags |= RvFlags::NOT_AS_OTHERS;
    }
}

/// Whether a row has a velocity that says something of its star.
fn is_velocity(rows: &[RvRow], lit: &Lit) -> bool {
    let m = &rows[lit.row].measurement;
    m.rv_km_s.is_finite() && !m.flags.intersects(RvFlags::NO_VELOCITY)
}

/// Median flux of the stars of each exposure.
fn usual_light(rows: &[RvRow], lit: &[&Lit], minutes: &[i64]) -> Vec<f64> {
    let mut lights = vec![Vec::new(); minutes.len()];
    for l in lit.iter().filter(|l| l.light > 0.0) {
        // Every row's minute is among them.
        let exposure = minutes.partition_point(|t| *t < rows[l.row].lmjm);
        lights[exposure].push(l.light);
    }
    let median = |v: &mut Vec<f64>| crate::numbers::statistics::median(v);
    lights.iter_mut().map(median).collect()
}

/// What is known of a unit's exposures but for the moonlight in them.
struct Unlit<'a> {
    /// Their times, in order.
    minutes: &'a [i64],
    /// Median flux of the stars in each.
    usual: &'a [f64],
    /// By how much its wavelengths have moved.
    drift_km_s: &'a [f64],
}

/// Velocities of a star: exposure, velocity and its error.
fn velocities(rows: &[RvRow], lit: &[&Lit], minutes: &[i64]) -> Vec<(usize, f64, f64)> {
    let known = lit.iter().filter(|l| is_velocity(rows, l));
    let one = |l: &&Lit| {
        let m = &rows[l.row].measurement;
        let exposure = minutes.partition_point(|t| *t < rows[l.row].lmjm);
        (exposure, m.rv_km_s, m.rv_err_own_km_s)
    };
    known.map(one).collect()
}

/// The exposures of a star in which sunlight was looked for.
fn seen(rows: &[RvRow], lit: &[&Lit], unlit: &Unlit<'_>) -> Vec<Seen> {
    let one = |l: &&Lit| {
        let row = &rows[l.row];
        let exposure = unlit.minutes.partition_point(|t| *t < row.lmjm);
        let drift_km_s = unlit.drift_km_s[exposure];
        let seen = Seen {
            row: l.row,
            exposure,
            sunlit: l.sunlit?.moved(drift_km_s),
            faintness: unlit.usual[exposure] / l.light,
            against_earth_km_s: row.measurement.rv_km_s - drift_km_s + l.helio_rv_km_s,
            velocity_km_s: is_velocity(rows, l).then_some((
                row.measurement.rv_km_s,
                less(row.measurement.rv_err_own_km_s, l.err_km_s),
            )),
            err_km_s: l.err_km_s,
            weight: row.snr * row.snr,
            is_copy: row.n_reference > 1
                && !row
                    .measurement
                    .flags
                    .intersects(RvFlags::NOT_AS_OTHERS | RvFlags::DOUBLE_LINED),
        };
        seen.is_usable().then_some(seen)
    };
    lit.iter().filter_map(one).collect()
}

/// Takes moonlight off the velocities of a star. The velocity of its reference stays 0.
///
/// What sunlight was found in an exposure has made its errors larger by all that it may have moved the velocity. Of this only what the
/// sky does not explain is left.
///
/// Returns what was taken off each velocity about the star's mean, km/s, for a star of usual brightness; `None` if nothing was.
fn take_off(rows: &mut [RvRow], sky: &Levels, star: &Star) -> Option<Vec<f64>> {
    let own: Vec<f64> = star
        .seen
        .iter()
        .map(|s| less(rows[s.row].measurement.rv_err_own_km_s, s.err_km_s))
        .collect();
    let moved = star.moved(sky, &own)?;
    let is_reference = |s: &Seen| rows[s.row].is_reference;
    let of_zero = star.seen.iter().position(is_reference);
    let (zero, in_zero) =
        of_zero.map_or_else(Default::default, |i| (moved[i], star.seen[i].err_km_s));
    for ((seen, moved), own) in star.seen.iter().zip(&moved).zip(own) {
        let row = &mut rows[seen.row];
        let m = &mut row.measurement;
        m.rv_km_s -= moved.by_km_s - zero.by_km_s;
        let both = less(m.rv_err_km_s, seen.err_km_s);
        m.rv_err_own_km_s = own.hypot(moved.err_km_s);
        m.rv_err_km_s = match row.is_reference {
            true => both.hypot(moved.err_km_s),
            false => less(both, in_zero)
                .hypot(moved.err_km_s)
                .hypot(zero.err_km_s),
        };
    }
    let mean_km_s = moved.iter().map(|m| m.by_km_s).sum::<f64>() / moved.len() as f64;
    let change = |(m, s): (&Moved, &Seen)| (m.by_km_s - mean_km_s) / s.faintness;
    Some(moved.iter().zip(&star.seen).map(change).collect())
}

/// Velocities from which moonlight is not taken off (stars of few exposures, or that change) have it in them: their errors gain what was taken
/// off the other stars, by the faintness of each.
fn leave_in(rows: &mut [RvRow], others: &[(usize, f64)], changes: &[f64]) {
    let squares: f64 = changes.iter().map(|c| c * c).sum();
    let usual_km_s = (squares / changes.len().max(1) as f64).sqrt();
    for (row, faintness) in others {
        let faintness = match faintness.is_finite() {
            true => faintness.clamp(1.0 / MOST_FAINTNESS, MOST_FAINTNESS),
            false => 1.0,
        };
        let m = &mut rows[*row].measurement;
        m.rv_err_own_km_s = m.rv_err_own_km_s.hypot(faintness * usual_km_s);
        m.rv_err_km_s = m.rv_err_km_s.hypot(faintness * usual_km_s);
    }
}

/// An error without a part of it.
fn less(err_km_s: f64, part_km_s: f64) -> f64 {
    (err_km_s * err_km_s - part_km_s * part_km_s)
        .max(0.0)
        .sqrt()
}

#[cfg(test)]
mod tests;
