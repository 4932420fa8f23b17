//! The water lines of a unit's exposures: a sample of its stars is looked at before the others are measured.
//!
//! All stars of an exposure saw the same atmosphere, so a few of them tell for all. The sample depends on the unit alone: not on
//! the threads, and not on what an earlier start of the run has measured.

use rayon::prelude::*;

use super::config::MeasureConfig;
use super::drift;
use super::memory::{self, Budget};
use super::plan::{Plan, Unit};
use super::stages::{Stage, StageClocks};
use super::workspace::Workspace;
use crate::lamost::mrs;
use crate::lamost::stars::Star;
use crate::reference::telluric;
use crate::reference::telluric::night::{self, SAME_NIGHT_MIN};
use crate::reference::telluric::star::StarSystem;
use crate::reference::telluric::strength::Strength;
use crate::reference::telluric::{Absorption, own};
use crate::spectrum::Normalized;
use crate::{Arm, Result};

/// So many stars are looked at, where there are as many. Chosen on simulated plates (seeds 9101-9106, 9201-9206); docs/method.md, section 13,
/// says what the pass costs and how well it finds the strengths.
const STARS: usize = 16;

/// Exposures with a lower signal-to-noise ratio say next to nothing of lines of 2 %.
const SNR_MIN: f64 = 10.0;

/// Exposures of one star that are looked at, at most: the time grows with their square, and for many of them with their cube. No field
/// has been observed in so many nights.
const MOST_EXPOSURES: usize = 512;

/// Of the memory that a star takes while it is read so much is kept until all of the sample have been looked at: its red exposures on a
/// coarse grid, 30 kB each.
const KEPT: f64 = 0.06;

/// Strengths of the water lines in a unit's exposures, by time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Air {
    strengths: Vec<Strength>,
    /// The lines as the unit's stars show them; none where they are as listed.
    water: Option<Absorption>,
    /// By how much the wavelengths of each of these exposures are too large, km/s, about their mean.
    drift_km_s: Vec<f64>,
}

impl Air {
    /// Looks at a sample of the unit's stars.
    ///
    /// # Errors
    /// [`crate::Error::Io`] where the system has no descriptors left: a sample that depends on that would be none.
    pub fn of_unit(
        config: &MeasureConfig,
        unit: &Unit,
        plan: &Plan,
        clocks: &StageClocks,
    ) -> Result<Self> {
        if !config.corrects_water() {
            return Ok(Air::default());
        }
        let system = |workspace: &mut Workspace, &i: &usize| {
            clocks.time(Stage::Telluric, || {
                let exposures = red_exposures(config, &unit.stars[i].1, plan, workspace)?;
                let exposures: Vec<(i64, f64, &Normalized)> =
                    exposures.iter().map(|(t, v, n)| (*t, *v, n)).collect();
                Ok(StarSystem::new(&exposures))
            })
        };
        let mut systems: Vec<Option<StarSystem>> = Vec::new();
        for stars in that_fit(config, unit, plan) {
            let stars = stars.par_iter().map_init(Workspace::default, system);
            systems.extend(stars.collect::<Result<Vec<_>>>()?);
        }
        let mut systems: Vec<StarSystem> = systems.into_iter().flatten().collect();
        let (strengths, water) = clocks.time(Stage::Telluric, || own::found(&mut systems));
        let drift_km_s = drift(&systems, &strengths);
        Ok(Air {
            strengths,
            water,
            drift_km_s,
        })
    }

    /// Memory that [`Air::of_unit`] takes, bytes.
    pub fn bytes_to_find(config: &MeasureConfig, unit: &Unit, plan: &Plan) -> f64 {
        if !config.corrects_water() {
            return 0.0;
        }
        let star = |&i: &usize| memory::of_star(config, plan, &unit.stars[i].1);
        let of_part = |stars: &Vec<usize>| stars.iter().map(star).sum::<f64>();
        let parts: Vec<f64> = that_fit(config, unit, plan).iter().map(of_part).collect();
        let most = parts.iter().copied().fold(0.0, f64::max);
        most + KEPT * parts.iter().sum::<f64>()
    }

    /// Strengths as measured.
    pub fn strengths(&self) -> &[Strength] {
        &self.strengths
    }

    /// What is to be divided out of an exposure of this time.
    pub fn strength(&self, lmjm: i64) -> f64 {
        night::to_divide_out(&self.strengths, lmjm)
    }

    /// What water left of the light at each pixel of an exposure; none where it has no such lines, or none are to be divided out, or
    /// its file does not say how it was moved.
    pub fn left_of(&self, spectrum: &Normalized, lmjm: i64) -> Option<Vec<f64>> {
        let has_water = spectrum.band.sky.is_some_and(|sky| sky.has_water);
        let helio_rv_km_s = spectrum.helio_rv_km_s.filter(|_| has_water)?;
        // Where wavelengths are too large, so are those of the water lines.
        let shift_km_s = helio_rv_km_s - self.drift_km_s(lmjm);
        let strength = self.strength(lmjm);
        let water = self.water.as_ref().unwrap_or(Absorption::listed());
        (strength > 0.0).then(|| telluric::left_by(water, strength, &spectrum.ln_wave, shift_km_s))
    }

    /// Divides the water lines out of an exposure.
    pub fn divide_out(&self, spectrum: &mut Normalized, lmjm: i64) {
        if let Some(left) = self.left_of(spectrum, lmjm) {
            telluric::divide_out(spectrum, &left);
        }
    }

    /// Drift of the exposure of this time, or of the nearest in time.
    fn drift_km_s(&self, lmjm: i64) -> f64 {
        let all = self.strengths.iter().zip(&self.drift_km_s);
        let nearest = all.min_by_key(|(s, _)| s.lmjm.abs_diff(lmjm));
        nearest.map_or(0.0, |(_, drift_km_s)| *drift_km_s)
    }
}

/// What the velocities of the stars have in common in each of these exposures, km/s.
fn drift(systems: &[StarSystem], strengths: &[Strength]) -> Vec<f64> {
    let place = |lmjm: i64| strengths.partition_point(|s| s.lmjm < lmjm);
    let of_star = |system: &StarSystem| {
        let known = system
            .moved()
            .filter(|(_, _, err_km_s)| err_km_s.is_finite());
        known
            .map(|(lmjm, by, err)| (place(lmjm), by, err))
            .collect()
    };
    let stars: Vec<Vec<(usize, f64, f64)>> = systems.iter().map(of_star).collect();
    drift::of_exposures(&stars, strengths.len())
}

/// Which of `n` stars are looked at: evenly spread.
fn sample(n: usize) -> Vec<usize> {
    let m = STARS.min(n);
    (0..m).map(|i| (2 * i + 1) * n / (2 * m)).collect()
}

/// The sample in parts that the memory holds.
fn that_fit(config: &MeasureConfig, unit: &Unit, plan: &Plan) -> Vec<Vec<usize>> {
    let budget = Budget::new(config);
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0.0;
    for i in sample(unit.stars.len()) {
        let more = memory::of_star(config, plan, &unit.stars[i].1);
        bytes += more;
        match parts.last_mut() {
            Some(part) if budget.holds_bite(bytes) => part.push(i),
            _ => {
                parts.push(vec![i]);
                bytes = more;
            }
        }
    }
    parts
}

/// Normalised exposures of a star in the red arm with time and HELIO_RV. What cannot be read is told when the star is measured.
fn red_exposures(
    config: &MeasureConfig,
    star: &Star,
    plan: &Plan,
    workspace: &mut Workspace,
) -> Result<Vec<(i64, f64, Normalized)>> {
    let mut out = Vec::new();
    for &member in &star.members {
        let file = match mrs::read_file(&plan.paths[member], &mut workspace.inflater) {
            Ok(file) => file,
            Err(rejection) => match rejection.fault() {
                Some(fault) => return Err(fault),
                None => continue,
            },
        };
        for raw in file.spectra.iter().filter(|raw| raw.arm == Arm::Red) {
            let Some(helio_rv_km_s) = raw.helio_rv_km_s else {
                continue;
            };
            let vmax_km_s = config.grid.max_shift_km_s();
            let normalizer = &mut workspace.normalizer;
            if let Ok(spectrum) = normalizer.normalize(&config.spectrum, raw, vmax_km_s)
                && spectrum.snr >= config.snr_min.max(SNR_MIN)
            {
                out.push((raw.lmjm, helio_rv_km_s, spectrum));
            }
        }
    }
    // These bytes are read again, and counted, when the star is measured.
    workspace.inflater.take_traffic();
    if out.len() > MOST_EXPOSURES {
        out.sort_by_key(|(lmjm, ..)| *lmjm);
        let minutes: Vec<i64> = out.iter().map(|(lmjm, ..)| *lmjm).collect();
        let mut is_kept = thinned(&minutes).into_iter();
        out.retain(|_| is_kept.next().unwrap_or(false));
    }
    Ok(out)
}

/// Which of too many exposures of a star, in order of time, are looked at: as many of each night, and not all nights where these are
/// too many themselves.
fn thinned(minutes: &[i64]) -> Vec<bool> {
    let is_same = |a: &i64, b: &i64| a.abs_diff(*b) < SAME_NIGHT_MIN;
    let nights: Vec<&[i64]> = minutes.chunk_by(is_same).collect();
    let of_each = (MOST_EXPOSURES / nights.len().max(1)).max(1);
    let every = nights.len().div_ceil(MOST_EXPOSURES).max(1);
    let of_night = |(i, night): (usize, &&[i64])| -> Vec<bool> {
        let n = night.len();
        // Evenly spread: the exposures at which the next of `of_each` parts of the night begins.
        let part = |k: usize| k * of_each / n;
        let is_first = |k: usize| k == 0 || part(k) != part(k - 1);
        (0..n)
            .map(|k| i % every == 0 && (n <= of_each || is_first(k)))
            .collect()
    };
    nights.iter().enumerate().flat_map(of_night).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_over_the_unit() {
        assert!(sample(0).is_empty());
        assert_eq!(sample(1), [0]);
        assert_eq!(sample(6), [0, 1, 2, 3, 4, 5]);
        let of_32: Vec<usize> = (0..16).map(|i| 2 * i + 1).collect();
        assert_eq!(sample(32), of_32);
        let all = sample(250);
        assert_eq!(all.len(), STARS);
        assert!(all.windows(2).all(|p| (15..=16).contains(&(p[1] - p[0]))));
        assert!(all[15] < 250);
    }

    #[test]
    fn a_star_with_very_many_exposures_is_thinned_and_keeps_its_nights() {
        let nights = |n: i64, of_each: i64| -> Vec<i64> {
            (0..n)
                .flat_map(|night| (0..of_each).map(move |i| 1440 * night + i))
                .collect()
        };
        // Nights, exposures of each, and how many of all are looked at.
        for (n, of_each, expected) in [
            (365, 13, 365),
            (100, 13, 500),
            (2000, 1, 500),
            (1, 700, 512),
        ] {
            let minutes = nights(n, of_each);
            let kept = thinned(&minutes);
            assert_eq!(kept.len(), minutes.len());
            assert_eq!(
                kept.iter().filter(|k| **k).count(),
                expected,
                "{n} x {of_each}"
            );
            let seen = minutes.iter().zip(&kept).filter(|(_, kept)| **kept);
            let seen: std::collections::BTreeSet<i64> = seen.map(|(m, _)| m / 1440).collect();
            assert_eq!(seen.len(), n.min(500) as usize, "{n} x {of_each}");
        }
    }

    #[test]
    fn an_exposure_that_was_not_sampled_has_the_strength_of_its_night() {
        let strength = |lmjm, value| Strength {
            lmjm,
            value,
            error: 0.01,
        };
        let air = Air {
            strengths: vec![
                strength(1000, 1.0),
                strength(1100, 2.0),
                strength(9000, 0.5),
            ],
            water: None,
            drift_km_s: vec![-1.0, 2.0, 0.5],
        };
        assert!((air.strength(1100) / 2.0 - 1.0).abs() < 1e-3);
        assert!((air.strength(1080) / 2.0 - 1.0).abs() < 1e-3);
        assert!((air.strength(300) - 1.0).abs() < 1e-3);
        assert_eq!(air.strength(4000), 0.0);
        assert_eq!(Air::default().strength(4000), 0.0);
        let drifts = [0, 1049, 1051, 8000].map(|lmjm| air.drift_km_s(lmjm));
        assert_eq!(drifts, [-1.0, -1.0, 2.0, 0.5]);
        assert_eq!(Air::default().drift_km_s(4000), 0.0);
    }

    #[test]
    fn water_is_divided_out_where_the_drift_has_put_it() {
        let (helio_rv_km_s, drift_km_s, water) = (12.0, 2.5, 2.0);
        // Wavelengths of the file are too large by the drift.
        let to_observed = telluric::to_observed(helio_rv_km_s) - drift_km_s / crate::C_KM_S;
        let ln_wave: Vec<f64> = (0..1000)
            .map(|i| 6450_f64.ln() + 6.6 * f64::from(i) / crate::C_KM_S)
            .collect();
        let transmission = |ln: &f64| Absorption::listed().transmission(water, ln + to_observed);
        let left_with = |drift_km_s: f64| {
            let mut spectrum = Normalized {
                band: Arm::Red.band(),
                flux: ln_wave.iter().map(transmission).collect(),
                ivar: vec![1.0; ln_wave.len()],
                snr: 100.0,
                wave_as_stored: false,
                helio_rv_km_s: Some(helio_rv_km_s),
                ln_wave: ln_wave.clone(),
            };
            let strength = Strength {
                lmjm: 1000,
                value: water,
                error: 1e-6,
            };
            let air = Air {
                strengths: vec![strength],
                water: None,
                drift_km_s: vec![drift_km_s],
            };
            air.divide_out(&mut spectrum, 1000);
            let off = spectrum.flux.iter().map(|f| (f - 1.0).abs());
            off.fold(0.0, f64::max)
        };
        assert!(left_with(drift_km_s) < 1e-5, "{}", left_with(drift_km_s));
        assert!(left_with(0.0) > 3e-3 && left_with(-drift_km_s) > 6e-3);
    }

    #[test]
    fn a_night_has_water_or_none() {
        let night = |values: [f64; 2]| {
            let strengths = (1000..).zip(values).map(|(lmjm, value)| Strength {
                lmjm,
                value,
                error: 0.1,
            });
            let air = Air {
                strengths: strengths.collect(),
                water: None,
                drift_km_s: Vec::new(),
            };
            [air.strength(1000), air.strength(1001)]
        };
        let [more, less] = night([0.5, 0.25]);
        assert!((more / less - 2.0).abs() < 1e-9 && (0.1..0.25).contains(&less));
        assert_eq!(night([0.35, 0.15]), [0.0, 0.0]);
        assert_eq!(night([-0.1, 1.5])[0], 0.0);
    }
}
