//! The smooth shape under the lines: the grating's blaze, the star's slope, and what the atmosphere does to an exposure.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::Arm;

/// Highest Legendre order of the wiggle.
const ORDERS: usize = 4;

/// A positive smooth curve over the detector: ln of it is a parabola (the blaze) plus a few Legendre polynomials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Continuum {
    /// Centre and width of the blaze in the detector coordinate -1..1.
    blaze: (f64, f64),
    /// Coefficients of the Legendre polynomials of orders 1 to 4.
    legendre: [f64; ORDERS],
}

impl Continuum {
    /// The bare blaze of an arm, as wide as in the public DR7 files.
    pub fn blaze(arm: Arm) -> Self {
        Continuum {
            blaze: match arm {
                Arm::Blue => (-0.05, 0.72),
                Arm::Red => (0.12, 0.95),
            },
            legendre: [0.0; ORDERS],
        }
    }

    /// This curve changed at the level `rms` (0.1 = 10 %), less in the higher orders.
    pub fn varied<R: Rng + ?Sized>(&self, rng: &mut R, rms: f64) -> Self {
        let mut out = *self;
        for (order, c) in out.legendre.iter_mut().enumerate() {
            let normal: f64 = StandardNormal.sample(rng);
            *c += rms * normal / (1.0 + order as f64);
        }
        out
    }

    /// This curve with the slope of a star's light: a black body's, normalised to the Sun's.
    pub fn with_slope_of(&self, teff_k: f64) -> Self {
        let mut out = *self;
        // ln of the black body's change over half an arm, from Wien's law: h c / (lambda k) = 26,000 K, 5 % of lambda.
        out.legendre[0] += 0.05 * 26_000.0 * (1.0 / teff_k - 1.0 / 5777.0);
        out
    }

    /// Value at the detector coordinate `x` = -1..1 from the bluest to the reddest pixel.
    pub fn at(&self, x: f64) -> f64 {
        let (centre, width) = self.blaze;
        let u = (x - centre) / width;
        let x2 = x * x;
        let polynomials = [
            x,
            1.5 * x2 - 0.5,
            x * (2.5 * x2 - 1.5),
            0.375 - 3.75 * x2 + 4.375 * x2 * x2,
        ];
        let wiggle: f64 = self
            .legendre
            .iter()
            .zip(polynomials)
            .map(|(c, p)| c * p)
            .sum();
        (wiggle - 0.5 * u * u).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn stays_positive_and_changes_at_the_level_asked_for() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        for arm in Arm::ALL {
            let blaze = Continuum::blaze(arm);
            // The ends get a third to two thirds of the middle's light, as in the public files.
            for end in [-1.0, 1.0] {
                assert!(
                    (0.3..0.7).contains(&(blaze.at(end) / blaze.at(0.0))),
                    "{arm}"
                );
            }
            let mut square = 0.0;
            for _ in 0..1000 {
                let one = blaze.varied(&mut rng, 0.1);
                assert!((0..=100).all(|i| one.at(f64::from(i) / 50.0 - 1.0) > 0.0));
                square += (one.at(0.7) / blaze.at(0.7)).ln().powi(2);
            }
            let rms = (square / 1000.0).sqrt();
            assert!((0.05..0.12).contains(&rms), "{rms}");
        }
    }

    #[test]
    fn hot_stars_are_bluer() {
        let tilt = |teff| {
            let c = Continuum::blaze(Arm::Red).with_slope_of(teff);
            c.at(1.0) / c.at(-1.0)
        };
        assert!(tilt(30_000.0) < tilt(5777.0) && tilt(5777.0) < tilt(3500.0));
    }
}
