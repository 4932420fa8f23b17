//! The night's air and the spectrograph's state, drawn for each exposure.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::amounts::Sky;
use super::lsf::Lsf;
use crate::lab::simulate::streams::{Purpose, stream};

/// What holds for one spectrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// Strength of the water lines, the same all night and all over the plate.
    pub water: f64,
    /// Share of moonlight in the continuum of a star of the plate's middle brightness, the same for all fibres.
    pub moon: f64,
    /// Line-spread function, the same for all fibres of a spectrograph.
    pub lsf: Lsf,
    /// Stretch of the wavelengths, km/s at the red end of the window, the same for all fibres.
    pub stretch_km_s: f64,
    /// Part of the zero point that belongs to the fibre, km/s.
    pub fibre_zp_km_s: f64,
}

/// Where and when a spectrum is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Number of the spectrograph, 1-16.
    pub spid: i32,
    /// Fibre, 1-250.
    pub fiberid: i32,
    /// Index of the night.
    pub night: usize,
    /// Index of the exposure in the night.
    pub exposure: usize,
    /// Arm, in the order of [`crate::Arm::ALL`].
    pub arm: usize,
}

impl Place {
    /// A number of its own for each fibre of the plate in each arm, for random streams.
    pub fn fibre_and_arm(&self) -> usize {
        (self.spid as usize) << 9 | (self.fiberid as usize) << 1 | self.arm
    }
}

fn normal<R: Rng>(rng: &mut R) -> f64 {
    StandardNormal.sample(rng)
}

impl Conditions {
    /// Conditions of a spectrum: they follow from seed and place.
    pub fn draw(seed: u64, sky: &Sky, place: Place) -> Conditions {
        let Place {
            spid,
            fiberid,
            night,
            exposure,
            arm,
        } = place;
        let air = &mut stream(seed, Purpose::Air, [night, 0, 0]);
        let water = sky.water * (0.5 * normal(air)).exp().clamp(0.4, 2.0);
        let moon_night: f64 = air.random_range(0.5..1.5);
        // The Moon moves, and its light with it.
        let air = &mut stream(seed, Purpose::Air, [night, exposure + 1, 0]);
        let moon = sky.moon * (moon_night * air.random_range(0.85..1.15)).clamp(0.4, 1.6);

        // Half of the variance stays with the spectrograph, half changes from exposure to exposure.
        let own = &mut stream(seed, Purpose::Optics, [spid as usize, 0xFFFF, arm]);
        let (own_width, own_skew) = (normal(own), normal(own));
        let now = &mut stream(
            seed,
            Purpose::Optics,
            [spid as usize, night, 2 * exposure + arm],
        );
        let mix = |own: f64, now: f64| std::f64::consts::FRAC_1_SQRT_2 * (own + now);
        let width = mix(own_width, normal(now)).clamp(-2.5, 2.5);
        let skew = mix(own_skew, normal(now)).clamp(-2.5, 2.5);
        let stretch = now.random_range(-1.0..1.0);
        let slope = now.random_range(-1.0..1.0);
        Conditions {
            water,
            moon,
            lsf: Lsf {
                width: 1.0 + sky.lsf_width * width,
                skew: sky.lsf_skew * skew,
            },
            stretch_km_s: sky.stretch_km_s * stretch,
            fibre_zp_km_s: sky.fibre_zp_km_s * slope * (f64::from(fiberid) - 125.5) / 124.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(place: Place) -> Conditions {
        Conditions::draw(4, &Sky::HARD, place)
    }

    const HERE: Place = Place {
        spid: 3,
        fiberid: 250,
        night: 1,
        exposure: 2,
        arm: 1,
    };

    #[test]
    fn each_effect_is_shared_by_what_shares_its_cause() {
        let here = at(HERE);
        let fibre = at(Place { fiberid: 1, ..HERE });
        assert_eq!(
            fibre,
            Conditions {
                fibre_zp_km_s: -here.fibre_zp_km_s,
                ..here
            }
        );
        let spectrograph = at(Place { spid: 4, ..HERE });
        assert_eq!(
            (here.water, here.moon),
            (spectrograph.water, spectrograph.moon)
        );
        assert!(here.lsf != spectrograph.lsf && here.stretch_km_s != spectrograph.stretch_km_s);
        let exposure = at(Place {
            exposure: 0,
            ..HERE
        });
        assert_eq!(here.water, exposure.water);
        assert!(here.moon != exposure.moon && here.fibre_zp_km_s != exposure.fibre_zp_km_s);
        assert!(here.water != at(Place { night: 0, ..HERE }).water);
        assert!(here.lsf != at(Place { arm: 0, ..HERE }).lsf);
    }

    #[test]
    fn amounts_are_those_asked_for() {
        let all: Vec<Conditions> = (0..2000)
            .map(|i| {
                at(Place {
                    night: i / 4,
                    exposure: i % 4,
                    spid: 1 + (i % 16) as i32,
                    ..HERE
                })
            })
            .collect();
        let range = |pick: fn(&Conditions) -> f64| {
            all.iter()
                .map(pick)
                .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)))
        };
        assert_eq!(range(|c| c.water), (0.4, 2.0));
        let moon = range(|c| c.moon);
        assert!(
            moon.0 >= 0.02 && moon.0 < 0.023 && moon.1 < 0.08 + 1e-9 && moon.1 > 0.077,
            "{moon:?}"
        );
        for (low, high, most) in [range(|c| c.stretch_km_s), range(|c| c.fibre_zp_km_s)]
            .iter()
            .zip([0.4, 0.25])
            .map(|(r, most)| (r.0, r.1, most))
        {
            assert!(low >= -most && low < -0.98 * most && high <= most && high > 0.98 * most);
        }
        let rms = |pick: fn(&Conditions) -> f64| {
            (all.iter().map(|c| pick(c).powi(2)).sum::<f64>() / all.len() as f64).sqrt()
        };
        let (width, skew) = (rms(|c| c.lsf.width - 1.0), rms(|c| c.lsf.skew));
        assert!((0.038..0.062).contains(&width), "{width}");
        assert!((0.076..0.124).contains(&skew), "{skew}");
        let off = Conditions::draw(4, &Sky::KIND, HERE);
        assert_eq!(
            off,
            Conditions {
                water: 0.0,
                moon: 0.0,
                lsf: Lsf::NOMINAL,
                stretch_km_s: 0.0,
                fibre_zp_km_s: 0.0
            }
        );
    }
}
