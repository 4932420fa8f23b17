//! One star through all exposures of its plate.

use std::borrow::Cow;

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::config::Config;
use super::continuum::Continuum;
use super::cosmics::CosmicShapes;
use super::effects::{Above, Asked, Damage, Place, SkyRow};
use super::grid::GridShift;
use super::motion::Motion;
use super::noise::{Defects, brightness};
use super::params::StellarParams;
use super::plate::{EXPTIME_S, Exposure, Plate, Star};
use super::sky::velocity_towards_km_s;
use super::spectrum::{Component, Simulated, SpectrumOptions, spectrum_with_truth};
use super::streams::{Purpose, stream};
use super::template::Template;
use super::truth_row::TruthRow;
use crate::Arm;

/// A row of the truth table; with a sky that is not [`Sky::KIND`](super::effects::Sky::KIND) also what it did to the spectrum.
pub(super) type Truth = (TruthRow, Option<SkyRow>);

/// Factor by which the signal-to-noise ratio of a damaged exposure is higher than asked for, so that it stays the star's best exposure in
/// both arms although the damage lowers the ratio that is measured.
const DAMAGED_SNR_FACTOR: f64 = 1.15;

/// The spectra of a star and its companion, one per arm; none where they change from exposure to exposure.
struct Templates {
    primary: Option<[Template; 2]>,
    secondary: Option<[Template; 2]>,
}

impl Templates {
    fn new(star: &Star, make: fn(&StellarParams, Arm) -> Template) -> Self {
        let pair = |params: &StellarParams| Arm::ALL.map(|arm| make(params, arm));
        match &star.motion {
            Motion::Pulsator(_) => Templates {
                primary: None,
                secondary: None,
            },
            Motion::Sb2 { companion, .. } => Templates {
                primary: Some(pair(&star.params)),
                secondary: Some(pair(companion)),
            },
            Motion::Constant | Motion::Sb1(_) => Templates {
                primary: Some(pair(&star.params)),
                secondary: None,
            },
        }
    }
}

/// The exposure of a star that is damaged, in both arms: their light came through the same fibre.
#[derive(Default)]
pub(super) struct Damaged {
    /// Night and exposure.
    best: Option<[usize; 2]>,
    kind: Option<Damage>,
}

impl Damaged {
    /// What is wrong with an exposure (night, exposure) in each arm.
    pub(super) fn at(&self, indices: [usize; 2]) -> [Option<Damage>; 2] {
        [self.kind.filter(|_| self.best == Some(indices)); 2]
    }
}

/// One star of a plate, ready to be observed.
pub(super) struct Observer<'a> {
    config: &'a Config,
    plate: &'a Plate,
    above: Option<&'a Above>,
    index: usize,
    star: &'a Star,
    templates: Templates,
    continua: [Continuum; 2],
    make: fn(&StellarParams, Arm) -> Template,
}

impl<'a> Observer<'a> {
    /// The star `index` of `plate`; `above` is None where the sky is kind (without effects).
    pub(super) fn new(
        config: &'a Config,
        plate: &'a Plate,
        above: Option<&'a Above>,
        index: usize,
    ) -> Self {
        let star = &plate.stars[index];
        // Under a sky with effects the line-spread function comes after the air.
        let make = match above {
            Some(_) => Template::sharp,
            None => Template::new,
        };
        Observer {
            config,
            plate,
            above,
            index,
            star,
            templates: Templates::new(star, make),
            continua: Arm::ALL.map(|arm| {
                let rng = &mut stream(config.seed, Purpose::Star, [0xFFFF, index, arm as usize]);
                Continuum::blaze(arm)
                    .with_slope_of(star.params.teff_k)
                    .varied(rng, 0.07)
            }),
            make,
        }
    }

    /// Exposures of a night that the star has, with the signal-to-noise ratio of the red arm.
    pub(super) fn present(&self, night: usize) -> Vec<(usize, f64)> {
        let rng = &mut stream(self.config.seed, Purpose::Presence, [self.index, night, 0]);
        let mut out = Vec::new();
        for (index, exposure) in self.plate.nights[night].exposures.iter().enumerate() {
            let own: f64 = StandardNormal.sample(rng);
            if rng.random::<f64>() < self.config.missing {
                continue;
            }
            let snr = self.star.snr * exposure.throughput * (0.06 * own).exp();
            out.push((index, snr));
        }
        out
    }

    /// Chooses whether the star's best exposure is damaged, and how. Which exposure is the best is told by the signal-to-noise ratios in
    /// the files, so all exposures are simulated to find it.
    pub(super) fn damaged(&self) -> Damaged {
        let rng = &mut stream(self.config.seed, Purpose::Damage, [self.index, 0, 0]);
        if rng.random::<f64>() >= self.config.sky.damaged {
            return Damaged::default();
        }
        let kind = Some(Damage::draw(rng, self.star.params.teff_k));
        let mut all: Vec<([usize; 2], [f64; 2])> = Vec::new();
        for night in 0..self.plate.nights.len() {
            for (exposure, snr) in self.present(night) {
                let (spectra, _) = self.observe([night, exposure], snr, [None; 2]);
                all.push(([night, exposure], spectra.each_ref().map(|s| s.raw.snr)));
            }
        }
        let most = [0, 1].map(|arm| all.iter().map(|(_, snr)| snr[arm]).fold(0.0, f64::max));
        // The exposure that is the best one of both arms, or nearly so.
        let worse = |snr: &[f64; 2]| (snr[0] / most[0]).min(snr[1] / most[1]);
        let best = all
            .iter()
            .max_by(|a, b| worse(&a.1).total_cmp(&worse(&b.1)));
        Damaged {
            best: best.map(|(indices, _)| *indices),
            kind,
        }
    }

    /// Takes an exposure (night, exposure).
    pub(super) fn observe(
        &self,
        indices: [usize; 2],
        snr_red: f64,
        damage: [Option<Damage>; 2],
    ) -> ([Simulated; 2], [Truth; 2]) {
        let [night, index] = indices;
        let star = self.star;
        let exposure = &self.plate.nights[night].exposures[index];
        let mjd = exposure.mid_mjd_utc();
        let rng = &mut stream(self.config.seed, Purpose::Noise, [self.index, night, index]);
        let drift: f64 = StandardNormal.sample(rng);
        let spectrograph = &self.plate.spectrographs[star.spectrograph];
        let shift = GridShift {
            // Exposures of a night share their pixels to 0.2 km/s, a thirtieth of a pixel.
            pixels: star.pixels + spectrograph.pixels[night] + 0.02 * drift,
            heliocentric_km_s: velocity_towards_km_s(star.ra_deg, star.dec_deg, mjd),
        };
        let (low, high) = self.config.snr;
        let both = Arm::ALL.map(|arm| {
            let a = arm as usize;
            let factor = if arm == Arm::Blue {
                star.blue_snr_factor()
            } else {
                1.0
            };
            let mut snr = (snr_red * factor).clamp(low, high);
            if damage[a].is_some() {
                snr *= DAMAGED_SNR_FACTOR;
            }
            let options = self.options(arm, exposure, shift);
            let (primary, secondary, flux_ratio) = self.sources(arm, mjd);
            let ratio = flux_ratio.unwrap_or(0.0);
            let (rv_km_s, rv2_km_s) = star.rv_km_s(mjd);
            let mut components = vec![Component {
                template: &primary,
                rv_km_s,
                light: 1.0 / (1.0 + ratio),
            }];
            if let (Some(template), Some(rv_km_s)) = (secondary, rv2_km_s) {
                components.push(Component {
                    template,
                    rv_km_s,
                    light: ratio / (1.0 + ratio),
                });
            }
            let zp_km_s = spectrograph.zero_points_km_s[night][index][a];
            let (simulated, zp_km_s, sky) = match self.above {
                None => {
                    let made = spectrum_with_truth(rng, arm, &components, zp_km_s, snr, &options);
                    (made, zp_km_s, None)
                }
                Some(above) => {
                    let asked = Asked {
                        components: &components,
                        place: Place {
                            spid: spectrograph.spid,
                            fiberid: star.fiberid,
                            night,
                            exposure: index,
                            arm: a,
                        },
                        zp_km_s,
                        snr,
                        brightness: brightness(arm, snr, (low * high).sqrt()),
                        damage: damage[a],
                        weak_lined: star.weak_lined,
                    };
                    let taken = above.spectrum(rng, arm, &asked, &options);
                    (taken.simulated, taken.zp_km_s, Some(taken.row))
                }
            };
            let row = self.row(arm, exposure, snr, zp_km_s);
            (simulated, (row, sky))
        });
        let [(blue, blue_truth), (red, red_truth)] = both;
        ([blue, red], [blue_truth, red_truth])
    }

    /// Grid, continuum and noise of an exposure.
    fn options(&self, arm: Arm, exposure: &Exposure, shift: GridShift) -> SpectrumOptions {
        let sky = &self.config.sky;
        SpectrumOptions {
            lmjm: exposure.lmjm,
            exptime_s: EXPTIME_S as f64,
            shift,
            continuum: Some(self.continua[arm as usize]),
            continuum_rms: 0.05,
            defects: Defects {
                ivar_error: sky.ivar_error,
                cosmics_per_spectrum: self.config.cosmics_per_spectrum,
                cosmic_shapes: if sky.real_cosmics {
                    CosmicShapes::Real
                } else {
                    CosmicShapes::Simple
                },
                noise_correlation: sky.noise_correlation,
                ..Defects::default()
            },
        }
    }

    /// Spectra of the primary and of a companion that is seen, and the companion's light over the primary's.
    fn sources(&self, arm: Arm, mjd: f64) -> (Cow<'_, Template>, Option<&Template>, Option<f64>) {
        let primary = match &self.templates.primary {
            Some(pair) => Cow::Borrowed(&pair[arm as usize]),
            None => Cow::Owned((self.make)(&self.star.params_at(mjd), arm)),
        };
        let secondary = self.templates.secondary.as_ref().map(|p| &p[arm as usize]);
        let flux_ratio = match self.star.motion {
            Motion::Sb2 { flux_ratio, .. } => Some(flux_ratio),
            _ => None,
        };
        (primary, secondary, flux_ratio)
    }

    /// The truth of a spectrum, but for its file's name.
    fn row(&self, arm: Arm, exposure: &Exposure, snr: f64, zp_km_s: f64) -> TruthRow {
        let star = self.star;
        let mjd = exposure.mid_mjd_utc();
        let (rv_km_s, rv2_km_s) = star.rv_km_s(mjd);
        let params = star.params_at(mjd);
        let flux_ratio = match star.motion {
            Motion::Sb2 { flux_ratio, .. } => Some(flux_ratio),
            _ => None,
        };
        TruthRow {
            file: String::new(),
            arm: arm.name().to_owned(),
            lmjm: exposure.lmjm,
            spid: self.plate.spectrographs[star.spectrograph].spid,
            fiberid: star.fiberid,
            star: star.designation.clone(),
            kind: star.motion.name().to_owned(),
            teff: round(params.teff_k, 1),
            snr: round(snr, 3),
            rv_true: round(rv_km_s, 6),
            zp_true: round(zp_km_s, 6),
            feh: round(params.feh, 3),
            logg: params.logg,
            vsini: round(params.vsini_km_s, 2),
            rv2_true: rv2_km_s.map(|v| round(v, 6)),
            flux_ratio: flux_ratio.map(|v| round(v, 4)),
        }
    }
}

/// `value` rounded, for the truth table.
pub(super) fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
}
