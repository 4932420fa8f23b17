//! Damage to the exposure that would serve as a star's reference.

use rand::{Rng, RngExt};

use crate::lab::simulate::lines::air_to_vacuum_aa;
use crate::lab::simulate::params::{StellarParams, typical_vsini_km_s};
use crate::{Arm, C_KM_S};

/// What is wrong with an exposure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Damage {
    /// Emission as wide as a line, on the strongest line of the arm.
    Emission(Blob),
    /// Half of the light is scattered sunlight.
    Scattered,
    /// The fibre was on another star.
    WrongFibre {
        /// That star.
        params: StellarParams,
        /// Its velocity, km/s.
        rv_km_s: f64,
    },
}

/// Share of scattered sunlight in the continuum.
pub const SCATTERED_SHARE: f64 = 0.5;

/// Emission of a Gaussian profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blob {
    /// Height over the continuum.
    pub height: f64,
    /// Standard deviation, km/s.
    pub sigma_km_s: f64,
    /// Velocity relative to the star's line, km/s.
    pub offset_km_s: f64,
}

impl Damage {
    /// A random kind of damage, for a star of effective temperature `teff_k`.
    pub fn draw<R: Rng>(rng: &mut R, teff_k: f64) -> Damage {
        match rng.random_range(0..3) {
            0 => Damage::Emission(Blob {
                height: rng.random_range(0.4..1.2),
                sigma_km_s: rng.random_range(20.0..45.0),
                offset_km_s: rng.random_range(-30.0..30.0),
            }),
            1 => Damage::Scattered,
            _ => {
                // A star of another type.
                let other_k = if teff_k > 5500.0 {
                    rng.random_range(3800.0..4800.0)
                } else {
                    rng.random_range(6500.0..9000.0)
                };
                let side = if rng.random() { 1.0 } else { -1.0 };
                Damage::WrongFibre {
                    params: StellarParams {
                        vsini_km_s: typical_vsini_km_s(other_k),
                        ..StellarParams::dwarf(other_k)
                    },
                    rv_km_s: side * rng.random_range(20.0..90.0),
                }
            }
        }
    }

    /// Word for the truth table.
    pub fn name(&self) -> &'static str {
        match self {
            Damage::Emission(_) => "emission",
            Damage::Scattered => "scattered",
            Damage::WrongFibre { .. } => "wrong_fibre",
        }
    }
}

impl Blob {
    /// Adds the emission to `norm_flux` (pixels at `ln_wave`), for a star that is seen to move at `rv_km_s`.
    pub fn add(&self, arm: Arm, rv_km_s: f64, ln_wave: &[f64], norm_flux: &mut [f64]) {
        let lines: &[f64] = match arm {
            Arm::Red => &[6562.80],
            Arm::Blue => &[5167.32, 5172.68, 5183.60],
        };
        for air_aa in lines {
            let ln_centre =
                air_to_vacuum_aa(*air_aa).ln() + ((rv_km_s + self.offset_km_s) / C_KM_S).ln_1p();
            for (ln, flux) in ln_wave.iter().zip(norm_flux.iter_mut()) {
                let x = (ln - ln_centre) * C_KM_S / self.sigma_km_s;
                *flux += self.height * (-0.5 * x * x).exp();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn all_kinds_are_drawn_and_the_other_star_is_of_another_type() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut counts = std::collections::BTreeMap::new();
        for i in 0..300 {
            let teff_k = 4000.0 + 20.0 * f64::from(i);
            let damage = Damage::draw(&mut rng, teff_k);
            *counts.entry(damage.name()).or_insert(0) += 1;
            if let Damage::WrongFibre { params, rv_km_s } = damage {
                assert!((params.teff_k - teff_k).abs() > 600.0 && rv_km_s.abs() >= 20.0);
            }
        }
        assert_eq!(counts.len(), 3);
        assert!(counts.values().all(|n| (70..130).contains(n)), "{counts:?}");
    }

    #[test]
    fn emission_stands_on_the_line_of_the_moving_star() {
        let blob = Blob {
            height: 0.7,
            sigma_km_s: 30.0,
            offset_km_s: 10.0,
        };
        let ln: Vec<f64> = (0..4000)
            .map(|i| (6500.0 + 0.03 * f64::from(i)).ln())
            .collect();
        let mut flux = vec![0.0; ln.len()];
        blob.add(Arm::Red, 40.0, &ln, &mut flux);
        let top = (0..ln.len())
            .max_by(|a, b| flux[*a].total_cmp(&flux[*b]))
            .unwrap();
        assert!((flux[top] - 0.7).abs() < 1e-3);
        let rv = C_KM_S * (ln[top].exp() / 6564.61 - 1.0);
        assert!((rv - 50.0).abs() < 2.0, "{rv}");
    }
}
