//! A survey-sized table of RVs: does the calibration scale, and are its errors right there too?

pub mod section;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::statistics::rms;
use crate::calibrate::observations::{ArmObservations, Observations};

/// What is drawn. The defaults have the size of the paper's sample: 59 plates of 16 spectrographs.
#[derive(Clone, Debug, PartialEq)]
pub struct SurveyConfig {
    /// Random seed.
    pub seed: u64,
    /// Plates; three in a row lie on the same field and share stars.
    pub n_plates: usize,
    /// Exposures of each plate.
    pub n_exposures: usize,
    /// Stars of one plate and spectrograph.
    pub stars_per_group: usize,
    /// Mean number of RVs of a star.
    pub rvs_per_star: f64,
    /// Fraction of stars that a second plate of the field observed too, in the same or the next spectrograph.
    pub shared: f64,
    /// Fraction of stars observed in the next field too; 0 leaves the fields apart.
    pub linked: f64,
    /// Slopes of the zero points along the slit: standard deviation, km/s from the middle to an end.
    pub slope_km_s: f64,
    /// Fraction of stars that vary, with a semi-amplitude of 1-15 km/s.
    pub variable: f64,
}

impl Default for SurveyConfig {
    fn default() -> Self {
        SurveyConfig {
            seed: 1,
            n_plates: 59,
            n_exposures: 64,
            stars_per_group: 106,
            rvs_per_star: 20.0,
            shared: 0.2,
            linked: 0.0,
            slope_km_s: 0.0,
            variable: 0.2,
        }
    }
}

/// Spectrographs of a plate.
const SPECTROGRAPHS: usize = 16;
/// Plates of a field.
const PLATES_PER_FIELD: usize = 3;

/// A drawn survey.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The observations, one arm.
    pub observations: Observations,
    /// True zero point by group and exposure: `[group * n_exposures + exposure]`, km/s.
    pub zp_km_s: Vec<f64>,
    /// Exposures of each plate.
    pub n_exposures: usize,
}

impl Survey {
    /// Draws the survey.
    pub fn new(config: &SurveyConfig) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let n_groups = config.n_plates * SPECTROGRAPHS;
        let normal = |rng: &mut ChaCha8Rng| -> f64 { StandardNormal.sample(rng) };
        let mut zp_km_s = Vec::with_capacity(n_groups * config.n_exposures);
        for _ in 0..n_groups {
            let mut night = 0.0;
            for t in 0..config.n_exposures {
                if t % 5 == 0 {
                    night = rng.random_range(-3.0..3.0);
                }
                zp_km_s.push(night + 0.3 * normal(&mut rng));
            }
        }
        let mut slopes = ChaCha8Rng::seed_from_u64(config.seed + 1);
        let slope_km_s: Vec<f64> = (0..zp_km_s.len())
            .map(|_| config.slope_km_s * normal(&mut slopes))
            .collect();
        let mut place = Vec::new();
        let (mut star, mut exposure, mut group) = (Vec::new(), Vec::new(), Vec::new());
        let (mut rv, mut err) = (Vec::new(), Vec::new());
        let n_stars = n_groups * config.stars_per_group;
        for s in 0..n_stars {
            let home = s / config.stars_per_group;
            let groups = groups_of(home, config, &mut rng);
            let chance = config.rvs_per_star / (config.n_exposures * groups.len()) as f64;
            let varies = rng.random::<f64>() < config.variable;
            let amplitude = if varies {
                rng.random_range(1.0..15.0)
            } else {
                0.0
            };
            let snr_err: f64 = rng.random_range(0.15..2.0);
            let first = rv.len();
            for g in groups {
                let at: f64 = slopes.random_range(-1.0..1.0);
                for t in 0..config.n_exposures {
                    if rng.random::<f64>() < chance {
                        let e = snr_err * rng.random_range(0.7..1.5);
                        let phase: f64 = rng.random_range(0.0..std::f64::consts::TAU);
                        star.push(s as u32);
                        exposure.push(t as u32);
                        group.push(g as u32);
                        place.push(at);
                        rv.push(
                            amplitude * phase.sin()
                                + zp_km_s[g * config.n_exposures + t]
                                + at * slope_km_s[g * config.n_exposures + t]
                                + e * normal(&mut rng),
                        );
                        err.push(e);
                    }
                }
            }
            // Relative to the first: every star's RVs carry one exposure's zero point and noise.
            if let Some(&reference) = rv.get(first) {
                rv[first..].iter_mut().for_each(|v| *v -= reference);
            }
        }
        let n_rows = rv.len();
        Survey {
            observations: Observations {
                star,
                exposure,
                group,
                place,
                arms: vec![ArmObservations {
                    lines: Vec::new(),
                    leads: true,
                    row: (0..n_rows as u32).collect(),
                    rv,
                    err,
                    flags: vec![crate::calibrate::CalFlags::empty(); n_rows],
                }],
            },
            zp_km_s,
            n_exposures: config.n_exposures,
        }
    }

    /// Rms difference of the zero points from the truth (km/s; each component's mean removed), the rms of the quoted
    /// errors, and the rms of their ratio.
    pub fn score(&self, arm: &crate::calibrate::arms::CalibratedArm) -> (f64, f64, f64) {
        let s = &arm.solution;
        let truth = |z: usize| {
            let (g, e) = (
                arm.graph.zp_group[z] as usize,
                arm.graph.zp_exposure[z] as usize,
            );
            self.zp_km_s[g * self.n_exposures + e]
        };
        let mut mean = vec![(0.0, 0.0); s.n_components];
        for z in 0..s.zp.len() {
            if let Some(c) = s.component[z] {
                mean[c as usize].0 += s.zp[z] - truth(z);
                mean[c as usize].1 += 1.0;
            }
        }
        let mut differences = Vec::new();
        let mut errors = Vec::new();
        for z in 0..s.zp.len() {
            if let Some(c) = s.component[z] {
                let (sum, n) = mean[c as usize];
                differences.push(s.zp[z] - truth(z) - sum / n);
                errors.push(s.zp_err[z]);
            }
        }
        let pulls: Vec<f64> = differences
            .iter()
            .zip(&errors)
            .map(|(d, e)| d / e)
            .collect();
        (rms(&differences), rms(&errors), rms(&pulls))
    }
}

/// Groups that observe a star of group `home`.
fn groups_of(home: usize, config: &SurveyConfig, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let (plate, spectrograph) = (home / SPECTROGRAPHS, home % SPECTROGRAPHS);
    let field = plate / PLATES_PER_FIELD;
    let mut groups = vec![home];
    let neighbour = |rng: &mut ChaCha8Rng| (spectrograph + rng.random_range(0..2)) % SPECTROGRAPHS;
    if rng.random::<f64>() < config.shared {
        let other = field * PLATES_PER_FIELD + rng.random_range(0..PLATES_PER_FIELD);
        let other = other.min(config.n_plates - 1);
        groups.push(other * SPECTROGRAPHS + neighbour(rng));
    }
    if rng.random::<f64>() < config.linked {
        let other = (plate + PLATES_PER_FIELD) % config.n_plates;
        groups.push(other * SPECTROGRAPHS + neighbour(rng));
    }
    groups.sort_unstable();
    groups.dedup();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::arms::{CalibrateOptions, calibrate};

    #[test]
    fn small_surveys_are_recovered_with_right_errors() {
        for linked in [0.0, 0.02] {
            // The offsets between groups are few random numbers: one survey's pull scatters by 15 %.
            let pulls: Vec<f64> = (1..=6)
                .map(|seed| {
                    let mut survey = Survey::new(&SurveyConfig {
                        seed,
                        n_plates: 6,
                        n_exposures: 20,
                        stars_per_group: 40,
                        rvs_per_star: 10.0,
                        linked,
                        ..SurveyConfig::default()
                    });
                    let arms =
                        calibrate(&mut survey.observations, &CalibrateOptions::default()).unwrap();
                    let (found, quoted, pull) = survey.score(&arms[0]);
                    println!(
                        "linked {linked}: rms {found:.4}, quoted {quoted:.4} km/s, pull {pull:.3}"
                    );
                    assert_eq!(
                        arms[0].solution.n_components,
                        if linked > 0.0 { 1 } else { 2 }
                    );
                    pull
                })
                .collect();
            let pull = rms(&pulls);
            assert!((0.9..1.15).contains(&pull), "{pull}");
        }
    }

    #[test]
    fn probed_errors_agree_with_exact_ones() {
        let mut survey = Survey::new(&SurveyConfig {
            n_plates: 12,
            n_exposures: 16,
            stars_per_group: 40,
            rvs_per_star: 8.0,
            linked: 0.01,
            ..SurveyConfig::default()
        });
        let mut config = CalibrateOptions::default();
        let exact = calibrate(&mut survey.observations, &config).unwrap();
        config.joint.max_exact = 0;
        let probed = calibrate(&mut survey.observations, &config).unwrap();
        let ratio: Vec<f64> = probed[0]
            .solution
            .zp_err
            .iter()
            .zip(&exact[0].solution.zp_err)
            .filter(|(_, e)| e.is_finite())
            .map(|(p, e)| p / e)
            .collect();
        let (mean, std) = crate::numbers::statistics::mean_and_std(ratio.iter().copied());
        println!(
            "{} errors, probed / exact: mean {mean:.4}, scatter {std:.4}",
            ratio.len()
        );
        assert!((mean - 1.0).abs() < 0.03 && std < 0.1, "{mean} {std}");
    }
}
