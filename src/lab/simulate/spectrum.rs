//! One simulated exposure in memory, without a file.

use rand::Rng;

use super::continuum::Continuum;
use super::grid::{GridShift, N_PIXELS, log10_wave};
use super::noise::{Defects, Pixels, measured_snr, observe};
use super::template::Template;
use crate::Arm;
use crate::lamost::raw::{RawSpectrum, StoredWave};

/// A light source of a spectrum: one star, or one of two.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    /// Its spectrum.
    pub template: &'a Template,
    /// Its velocity, km/s, v > 0 away from us.
    pub rv_km_s: f64,
    /// Its share of the continuum; the shares of a spectrum's components add to 1.
    pub light: f64,
}

/// Everything about an exposure but the star.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpectrumOptions {
    /// Local (UTC+8) Modified Julian Minute of the start.
    pub lmjm: i64,
    /// Exposure time, s.
    pub exptime_s: f64,
    /// Where the pixels lie.
    pub shift: GridShift,
    /// Shape of the continuum; none for the arm's blaze.
    pub continuum: Option<Continuum>,
    /// Change of that shape from exposure to exposure (0.05 = 5 %).
    pub continuum_rms: f64,
    /// Noise beyond the photons'.
    pub defects: Defects,
}

impl Default for SpectrumOptions {
    fn default() -> Self {
        SpectrumOptions {
            lmjm: 84_454_650,
            exptime_s: 1200.0,
            shift: GridShift::default(),
            continuum: None,
            continuum_rms: 0.05,
            defects: Defects::default(),
        }
    }
}

impl SpectrumOptions {
    /// An exposure without any defect, its inverse variance exact: for tests against a bound.
    pub fn clean() -> Self {
        SpectrumOptions {
            defects: Defects::NONE,
            ..Self::default()
        }
    }
}

/// A simulated exposure and the truth behind it. All vectors have one entry per pixel, in ascending wavelength.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// What a file would hold, in the layout of DR7 (LOGLAM rounded to float32).
    pub raw: RawSpectrum,
    /// log10 of the wavelength (A, vacuum), not rounded.
    pub log10_wave: Vec<f64>,
    /// Noise-free flux over the continuum.
    pub norm_flux: Vec<f64>,
    /// Noise-free continuum in the unit of the flux.
    pub continuum: Vec<f64>,
    /// True standard deviation of the flux, in its unit.
    pub sigma: Vec<f64>,
    /// Pixels spoiled by a cosmic ray, a wild edge or death.
    pub spoiled: Vec<bool>,
    /// Quoted inverse variance over the true one.
    pub ivar_factor: f64,
    /// Number of cosmic rays.
    pub cosmics: usize,
}

impl Simulated {
    /// True standard deviation of the normalised flux: sigma over the continuum.
    pub fn norm_sigma(&self) -> Vec<f64> {
        self.sigma
            .iter()
            .zip(&self.continuum)
            .map(|(s, c)| s / c)
            .collect()
    }
}

/// One exposure of one star in the template's arm. What a perfect measurement finds is `rv_km_s` + `zp_km_s`: the zero
/// point stands for an error of the wavelength calibration. `snr` is the median flux / sigma over the window of the
/// arm's likelihood.
pub fn spectrum<R: Rng + ?Sized>(
    rng: &mut R,
    template: &Template,
    rv_km_s: f64,
    zp_km_s: f64,
    snr: f64,
    options: &SpectrumOptions,
) -> RawSpectrum {
    let component = Component {
        template,
        rv_km_s,
        light: 1.0,
    };
    spectrum_with_truth(rng, template.arm(), &[component], zp_km_s, snr, options).raw
}

/// As [`spectrum`], for any number of components (all of `arm`), with the truth.
pub fn spectrum_with_truth<R: Rng + ?Sized>(
    rng: &mut R,
    arm: Arm,
    components: &[Component<'_>],
    zp_km_s: f64,
    snr: f64,
    options: &SpectrumOptions,
) -> Simulated {
    let log10_wave = log10_wave(arm, &options.shift);
    let ln_wave: Vec<f64> = log10_wave
        .iter()
        .map(|l| l * std::f64::consts::LN_10)
        .collect();

    let mut norm_flux = vec![0.0; N_PIXELS];
    let mut one = Vec::with_capacity(N_PIXELS);
    for component in components {
        component
            .template
            .fill(&ln_wave, component.rv_km_s + zp_km_s, &mut one);
        for (sum, flux) in norm_flux.iter_mut().zip(&one) {
            *sum += component.light * flux;
        }
    }

    detected(rng, arm, (log10_wave, norm_flux), None, snr, options)
}

/// What the detector makes of light whose flux over continuum is given with log10 of its wavelengths. `response` is
/// the factor of each pixel.
pub(super) fn detected<R: Rng + ?Sized>(
    rng: &mut R,
    arm: Arm,
    (log10_wave, norm_flux): (Vec<f64>, Vec<f64>),
    response: Option<&[f64]>,
    snr: f64,
    options: &SpectrumOptions,
) -> Simulated {
    let shape = options
        .continuum
        .unwrap_or_else(|| Continuum::blaze(arm))
        .varied(rng, options.continuum_rms);
    let mut continuum: Vec<f64> = (0..N_PIXELS)
        .map(|i| shape.at(2.0 * i as f64 / (N_PIXELS - 1) as f64 - 1.0))
        .collect();
    let mut expected: Vec<f64> = norm_flux
        .iter()
        .zip(&continuum)
        .map(|(f, c)| f * c)
        .collect();
    for (flux, factor) in expected.iter_mut().zip(response.unwrap_or_default()) {
        *flux *= factor;
    }

    let (from_aa, to_aa) = arm.window_aa();
    let window = log10_wave.partition_point(|l| *l < from_aa.log10())
        ..log10_wave.partition_point(|l| *l <= to_aa.log10());
    let pixels = observe(rng, arm, &expected, window.clone(), snr, &options.defects);
    let snr_key = measured_snr(&pixels, window);
    continuum.iter_mut().for_each(|c| *c *= pixels.scale);
    let Pixels {
        flux,
        ivar,
        masked,
        sigma,
        spoiled,
        ivar_factor,
        cosmics,
        ..
    } = pixels;
    let raw = RawSpectrum {
        arm,
        hdu: format!("{}-{}", arm.letter(), options.lmjm),
        lmjm: options.lmjm,
        mid_s: options.exptime_s / 2.0,
        time_uncertain: false,
        helio_rv_km_s: None,
        frame_moved: false,
        frame_doubtful: false,
        // Two decimals, as in the files.
        snr: (snr_key * 100.0).round() / 100.0,
        pixels: crate::spectrum::Pixels {
            wave: StoredWave::Log10(log10_wave.iter().map(|l| *l as f32).collect()),
            flux: flux.iter().map(|f| *f as f32).collect(),
            ivar: ivar.iter().map(|i| *i as f32).collect(),
            masked,
        },
    };
    Simulated {
        raw,
        log10_wave,
        norm_flux,
        continuum,
        sigma,
        spoiled,
        ivar_factor,
        cosmics,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::simulate::params::StellarParams;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn velocity_and_zero_point_add_and_leave_the_noise_alone() {
        let template = Template::new(&StellarParams::dwarf(5777.0), Arm::Blue);
        let options = SpectrumOptions::clean();
        let make = |rv, zp| {
            let mut rng = ChaCha8Rng::seed_from_u64(5);
            spectrum(&mut rng, &template, rv, zp, 40.0, &options)
        };
        assert_eq!(make(12.0, -3.0), make(9.0, 0.0));
        assert_ne!(make(12.0, -3.0), make(12.0, 0.0));
        assert!((make(0.0, 0.0).snr / 40.0 - 1.0).abs() < 0.02);
    }

    #[test]
    fn noise_free_truth_matches_the_observed_flux() {
        let template = Template::new(&StellarParams::dwarf(6200.0), Arm::Red);
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let star = Component {
            template: &template,
            rv_km_s: 33.0,
            light: 1.0,
        };
        let s = spectrum_with_truth(
            &mut rng,
            Arm::Red,
            &[star],
            1.0,
            80.0,
            &SpectrumOptions::clean(),
        );
        let chi2: f64 = (0..N_PIXELS)
            .map(|i| {
                ((f64::from(s.raw.pixels.flux[i]) - s.norm_flux[i] * s.continuum[i]) / s.sigma[i])
                    .powi(2)
            })
            .sum::<f64>()
            / N_PIXELS as f64;
        // Scatter of a reduced chi^2 of 4136 pixels: 0.022.
        assert!((chi2 - 1.0).abs() < 0.09, "{chi2}");
        let at = 1234;
        let direct = template.flux(10f64.powf(s.log10_wave[at]), 34.0);
        assert!((direct - s.norm_flux[at]).abs() < 1e-9);
    }

    #[test]
    fn two_stars_share_the_light() {
        let a = Template::new(&StellarParams::dwarf(6000.0), Arm::Red);
        let b = Template::new(&StellarParams::dwarf(5000.0), Arm::Red);
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let pair = [
            Component {
                template: &a,
                rv_km_s: 60.0,
                light: 0.7,
            },
            Component {
                template: &b,
                rv_km_s: -80.0,
                light: 0.3,
            },
        ];
        let s = spectrum_with_truth(
            &mut rng,
            Arm::Red,
            &pair,
            0.0,
            50.0,
            &SpectrumOptions::clean(),
        );
        let wave = 10f64.powf(s.log10_wave[2000]);
        let expected = 0.7 * a.flux(wave, 60.0) + 0.3 * b.flux(wave, -80.0);
        assert!((s.norm_flux[2000] - expected).abs() < 1e-9);
    }
}
