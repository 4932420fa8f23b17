//! Noise-free normalised spectra of stars, as the spectrograph's resolution leaves them, at any velocity.

use super::broad::{apply_balmer, apply_bands};
use super::lines::{GROUPS, LineGroup, SUN_K, air_to_vacuum_aa, forest};
use super::opacity::{CurveOfGrowth, DAMPING, Layer, profile};
use super::params::StellarParams;
use crate::{Arm, C_KM_S};

/// Resolving power of the spectrographs, about 7500.
pub const RESOLVING_POWER: f64 = 7500.0;

/// Step of the tabulated spectra, km/s.
const STEP_KM_S: f64 = 0.5;

/// Deepest that a metal line can get.
const LINE_DEPTH: f64 = 0.9;

/// Optical depth below which a line's wing is cut.
const WING_CUT: f64 = 1e-5;

/// One normalised spectrum (continuum = 1) in one arm, convolved with rotation and the line-spread function
/// (Gaussian, FWHM = lambda / [`RESOLVING_POWER`]).
///
/// It is tabulated every 0.5 km/s in ln(lambda), 80 times finer than the line-spread function's FWHM, and read by
/// cubic interpolation: good to 1e-6 of the continuum at any shift (tested), so no pixel phase enters.
#[derive(Clone, Debug)]
pub struct Template {
    arm: Arm,
    params: StellarParams,
    ln_first: f64,
    flux: Vec<f64>,
}

impl Template {
    /// Wavelengths (A, vacuum, at rest) that templates of an arm cover; beyond them the flux is that of the end.
    /// Wider than the detector by 1500 km/s or more.
    pub fn range_aa(arm: Arm) -> (f64, f64) {
        match arm {
            Arm::Blue => (4865.0, 5440.0),
            Arm::Red => (6225.0, 6895.0),
        }
    }

    /// The spectrum of a star. Takes some 20 ms.
    pub fn new(params: &StellarParams, arm: Arm) -> Template {
        Self::with_kernel(params, arm, &broadening_kernel(params.vsini_km_s))
    }

    /// The spectrum of a star as it reaches the Earth, without the line-spread function.
    pub fn sharp(params: &StellarParams, arm: Arm) -> Template {
        let mut rotation = rotation_kernel(params.vsini_km_s / STEP_KM_S);
        let sum: f64 = rotation.iter().sum();
        rotation.iter_mut().for_each(|k| *k /= sum);
        Self::with_kernel(params, arm, &rotation)
    }

    fn with_kernel(params: &StellarParams, arm: Arm, kernel: &[f64]) -> Template {
        let (first_aa, last_aa) = Self::range_aa(arm);
        let step = STEP_KM_S / C_KM_S;
        let count = ((last_aa / first_aa).ln() / step) as usize;
        let ln_first = first_aa.ln();
        let wave_aa: Vec<f64> = (0..count)
            .map(|i| (ln_first + step * i as f64).exp())
            .collect();

        let opacity = line_opacity(params, first_aa, last_aa, ln_first, count);
        let mut flux: Vec<f64> = opacity
            .iter()
            .map(|tau| 1.0 + LINE_DEPTH * (-tau).exp_m1())
            .collect();
        apply_balmer(params, &wave_aa, &mut flux);
        apply_bands(params, &wave_aa, &mut flux);
        Template {
            arm,
            params: *params,
            ln_first,
            flux: convolve(&flux, kernel),
        }
    }

    /// A spectrum given by a function of the rest wavelength (A, vacuum) instead of a star, for tests whose answer is
    /// known by hand. Nothing is convolved: the function must vary over tens of km/s.
    pub fn from_fn(arm: Arm, flux: impl Fn(f64) -> f64) -> Template {
        let (first_aa, last_aa) = Self::range_aa(arm);
        let step = STEP_KM_S / C_KM_S;
        let count = ((last_aa / first_aa).ln() / step) as usize;
        let ln_first = first_aa.ln();
        Template {
            arm,
            params: StellarParams::dwarf(SUN_K),
            ln_first,
            flux: (0..count)
                .map(|i| flux((ln_first + step * i as f64).exp()))
                .collect(),
        }
    }

    /// The arm.
    pub fn arm(&self) -> Arm {
        self.arm
    }

    /// The star.
    pub fn params(&self) -> &StellarParams {
        &self.params
    }

    /// Flux (continuum = 1) at an observed wavelength (A, vacuum) of the star moving at `rv_km_s`:
    /// lambda_observed = lambda_rest (1 + v/c), v > 0 away from us.
    pub fn flux(&self, wave_aa: f64, rv_km_s: f64) -> f64 {
        self.at(wave_aa.ln() - (rv_km_s / C_KM_S).ln_1p()).0
    }

    /// Flux at every ln(observed wavelength / A), into `out` (same length).
    pub fn fill(&self, ln_wave: &[f64], rv_km_s: f64, out: &mut Vec<f64>) {
        let shift = (rv_km_s / C_KM_S).ln_1p();
        out.clear();
        out.extend(ln_wave.iter().map(|ln| self.at(ln - shift).0));
    }

    /// Change of the flux with velocity, per km/s, at an observed wavelength: what a Cramer-Rao bound needs.
    pub fn slope_per_km_s(&self, wave_aa: f64, rv_km_s: f64) -> f64 {
        let beta = rv_km_s / C_KM_S;
        // d flux / dv = -(d flux / d ln lambda_rest) / (c + v).
        -self.at(wave_aa.ln() - beta.ln_1p()).1 / (C_KM_S * (1.0 + beta))
    }

    /// Flux and its derivative by ln(lambda) at ln(rest wavelength), by the cubic through the four nearest entries.
    #[inline]
    fn at(&self, ln_rest: f64) -> (f64, f64) {
        const PER_LN: f64 = C_KM_S / STEP_KM_S;
        // The range of a template is fixed, so there are more than four entries.
        let last = (self.flux.len() - 3) as f64;
        let x = ((ln_rest - self.ln_first) * PER_LN).clamp(1.0, last);
        let i = (x as usize).min(self.flux.len() - 3);
        let t = x - i as f64;
        let [a, b, c, d] = [
            self.flux[i - 1],
            self.flux[i],
            self.flux[i + 1],
            self.flux[i + 2],
        ];
        // Lagrange's cubic in Newton's form about b.
        let c3 = (d - a) / 6.0 + (b - c) / 2.0;
        let c2 = (a + c) / 2.0 - b;
        let c1 = c - a / 3.0 - b / 2.0 - d / 6.0;
        let value = b + t * (c1 + t * (c2 + t * c3));
        let slope = (c1 + t * (2.0 * c2 + 3.0 * t * c3)) * PER_LN;
        (value, slope)
    }
}

/// Sum of the optical depths of all lines, on `count` steps from `ln_first`.
fn line_opacity(
    params: &StellarParams,
    first_aa: f64,
    last_aa: f64,
    ln_first: f64,
    count: usize,
) -> Vec<f64> {
    let star = Layer::new(params);
    let curve = CurveOfGrowth::new();
    let mut opacity = vec![0.0; count];
    let mut add = |air_aa: f64, width_ma: f64, group: &LineGroup, reference: &Layer| {
        let wave = air_to_vacuum_aa(air_aa);
        let b_reference = reference.doppler_km_s(&group.element);
        let widths = width_ma * 1e-3 / wave * C_KM_S / b_reference / LINE_DEPTH;
        let ratio = star.line_strength(&group.element, group.stage, group.excitation_ev)
            / reference.line_strength(&group.element, group.stage, group.excitation_ev);
        let b = star.doppler_km_s(&group.element);
        let tau = curve.optical_depth(widths) * ratio * b_reference / b;
        add_line(
            &mut opacity,
            (wave.ln() - ln_first) * C_KM_S / STEP_KM_S,
            tau,
            b / STEP_KM_S,
        );
    };
    // A line just outside still has wings inside.
    let inside = |air_aa: f64| (first_aa - 20.0..last_aa + 20.0).contains(&air_aa);
    for group in GROUPS {
        let reference = Layer::new(&StellarParams::dwarf(group.reference_teff_k));
        for &(air_aa, width_ma) in group.lines.iter().filter(|line| inside(line.0)) {
            add(air_aa, width_ma, group, &reference);
        }
    }
    let reference = Layer::new(&StellarParams::dwarf(SUN_K));
    // The blue is crowded, the red is not.
    let (per_aa, mean_ma) = if first_aa < 6000.0 {
        (1.3, 14.0)
    } else {
        (0.6, 6.0)
    };
    for line in forest((first_aa, last_aa), per_aa, mean_ma) {
        let group = LineGroup {
            element: line.element,
            stage: line.stage,
            excitation_ev: line.excitation_ev,
            reference_teff_k: SUN_K,
            lines: &[],
        };
        add(line.air_aa, line.width_ma, &group, &reference);
    }
    opacity
}

/// Adds a line of central depth `tau` at entry `centre` (fractional), Doppler width `b` entries.
fn add_line(opacity: &mut [f64], centre: f64, tau: f64, b: f64) {
    if tau < WING_CUT {
        return;
    }
    let wing = (tau * DAMPING / WING_CUT).sqrt();
    let reach = b * wing.max(6.0);
    let from = (centre - reach).max(0.0) as usize;
    let to = ((centre + reach).max(0.0) as usize).min(opacity.len());
    for (i, sum) in opacity.iter_mut().enumerate().take(to).skip(from) {
        *sum += tau * profile((i as f64 - centre) / b);
    }
}

/// Rotation and line-spread function together, sampled every [`STEP_KM_S`], odd length, sum 1.
fn broadening_kernel(vsini_km_s: f64) -> Vec<f64> {
    // FWHM = lambda / R is the same velocity everywhere.
    let sigma = C_KM_S / RESOLVING_POWER / (8.0 * std::f64::consts::LN_2).sqrt() / STEP_KM_S;
    let gauss_half = (6.0 * sigma) as i64;
    let rotation = rotation_kernel(vsini_km_s / STEP_KM_S);
    let rotation_half = (rotation.len() / 2) as i64;
    let half = gauss_half + rotation_half;
    let mut kernel: Vec<f64> = (-half..=half)
        .map(|i| {
            (-rotation_half..=rotation_half)
                .zip(&rotation)
                .map(|(j, weight)| weight * (-0.5 * ((i - j) as f64 / sigma).powi(2)).exp())
                .sum()
        })
        .collect();
    let sum: f64 = kernel.iter().sum();
    kernel.iter_mut().for_each(|k| *k /= sum);
    kernel
}

/// Rotational profile with linear limb darkening 0.6 (Gray eq. 18.14), half width `half` entries.
fn rotation_kernel(half: f64) -> Vec<f64> {
    const LIMB: f64 = 0.6;
    if half < 1.0 {
        return vec![1.0];
    }
    let reach = half as i64;
    (-reach..=reach)
        .map(|i| {
            let q = 1.0 - (i as f64 / half).powi(2);
            2.0 * (1.0 - LIMB) * q.max(0.0).sqrt() + 0.5 * std::f64::consts::PI * LIMB * q.max(0.0)
        })
        .collect()
}

/// Convolution with an odd symmetric kernel of sum 1 (another one turned round); beyond the ends the end value goes on.
pub(super) fn convolve(flux: &[f64], kernel: &[f64]) -> Vec<f64> {
    let half = kernel.len() / 2;
    let (Some(first), Some(last)) = (flux.first(), flux.last()) else {
        return Vec::new();
    };
    let mut padded = vec![*first; half];
    padded.extend_from_slice(flux);
    padded.resize(flux.len() + 2 * half, *last);
    let mut out = vec![0.0; flux.len()];
    // Kernel outside, spectrum inside: the inner loop runs over contiguous entries and vectorises.
    // In blocks, so that a block's output stays in the nearest cache.
    for (block, chunk) in out.chunks_mut(1024).enumerate() {
        let start = block * 1024;
        for (j, weight) in kernel.iter().enumerate() {
            let source = &padded[start + j..start + j + chunk.len()];
            for (sum, value) in chunk.iter_mut().zip(source) {
                *sum += weight * value;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equivalent width (A) between two wavelengths.
    fn width_aa(template: &Template, from: f64, to: f64) -> f64 {
        let step = 0.02;
        let count = ((to - from) / step) as usize;
        (0..count)
            .map(|i| step * (1.0 - template.flux(from + step * i as f64, 0.0)))
            .sum()
    }

    /// Depth of the deepest point between two wavelengths.
    fn depth(template: &Template, from: f64, to: f64) -> f64 {
        let step = 0.05;
        let count = ((to - from) / step) as usize;
        (0..count)
            .map(|i| 1.0 - template.flux(from + step * i as f64, 0.0))
            .fold(0.0, f64::max)
    }

    fn dwarf(teff_k: f64, arm: Arm) -> Template {
        Template::new(&StellarParams::dwarf(teff_k), arm)
    }

    #[test]
    fn interpolation_is_exact_to_a_millionth_at_any_phase() {
        // The narrowest thing a template can hold: a line as wide as the line-spread function.
        let sigma = C_KM_S / RESOLVING_POWER / (8.0 * std::f64::consts::LN_2).sqrt() / C_KM_S;
        let exact = |ln: f64| 1.0 - 0.9 * (-0.5 * ((ln - 5150f64.ln()) / sigma).powi(2)).exp();
        let template = Template::from_fn(Arm::Blue, |wave| exact(wave.ln()));
        let worst = (0..40_000)
            .map(|i| {
                let wave = 5145.0 + 2.5e-4 * f64::from(i);
                let rv = 0.37 * f64::from(i % 53);
                let truth = exact(wave.ln() - (rv / C_KM_S).ln_1p());
                (template.flux(wave, rv) - truth).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst < 1e-6, "{worst}");
    }

    #[test]
    fn slope_is_the_derivative_of_the_flux_by_velocity() {
        let template = dwarf(5800.0, Arm::Blue);
        for i in 0..200 {
            let wave = 5010.0 + 1.3 * f64::from(i);
            let numeric = (template.flux(wave, 20.01) - template.flux(wave, 19.99)) / 0.02;
            assert!((template.slope_per_km_s(wave, 20.0) - numeric).abs() < 1e-6);
        }
    }

    #[test]
    fn positive_velocity_moves_lines_to_the_red() {
        let template = dwarf(5800.0, Arm::Red);
        let minimum = |rv: f64| {
            (0..4000)
                .map(|i| 6550.0 + 0.01 * f64::from(i))
                .min_by(|a, b| template.flux(*a, rv).total_cmp(&template.flux(*b, rv)))
                .unwrap()
        };
        let (rest, moved) = (minimum(0.0), minimum(100.0));
        assert!((rest - 6564.61).abs() < 0.1, "{rest}");
        assert!((moved / rest - 1.0 - 100.0 / C_KM_S).abs() < 3e-6);
    }

    #[test]
    fn h_alpha_is_broadest_in_a_stars() {
        let width = |teff: f64| width_aa(&dwarf(teff, Arm::Red), 6510.0, 6620.0);
        let (o, b, a, f, g, k) = (
            width(40e3),
            width(2e4),
            width(9500.0),
            width(7000.0),
            width(5777.0),
            width(4300.0),
        );
        assert!((8.0..15.0).contains(&a), "A {a}");
        assert!((1.2..4.0).contains(&o), "O {o}");
        assert!((2.0..6.0).contains(&b), "B {b}");
        assert!((4.0..9.0).contains(&f), "F {f}");
        assert!((3.0..6.0).contains(&g), "G {g}");
        assert!(k < g, "K {k}");
    }

    #[test]
    fn lines_come_and_go_with_temperature_and_metallicity() {
        let mg_b = |t: &Template| depth(t, 5184.0, 5186.2);
        assert!(mg_b(&dwarf(5777.0, Arm::Blue)) > 0.5);
        assert!(mg_b(&dwarf(5777.0, Arm::Blue)) > mg_b(&dwarf(7500.0, Arm::Blue)));
        assert!(mg_b(&dwarf(20e3, Arm::Blue)) < 0.1);
        let he = |t: &Template| depth(t, 6679.0, 6681.0);
        assert!(he(&dwarf(20e3, Arm::Red)) > 0.1);
        assert!(he(&dwarf(9000.0, Arm::Red)) < 0.02);
        let sun = StellarParams::dwarf(5777.0);
        let poor = StellarParams { feh: -1.5, ..sun };
        let iron = |p: &StellarParams| width_aa(&Template::new(p, Arm::Blue), 5050.0, 5150.0);
        assert!(
            iron(&poor) < 0.5 * iron(&sun),
            "{} {}",
            iron(&poor),
            iron(&sun)
        );
        // TiO: a wide depression only in M.
        let tio = |teff: f64| dwarf(teff, Arm::Blue).flux(5172.0, 0.0);
        assert!(tio(3300.0) < 0.5 * tio(4600.0) + 0.3);
    }

    #[test]
    fn flux_stays_between_zero_and_the_continuum() {
        for teff in [3000.0, 3600.0, 4500.0, 6000.0, 9000.0, 15e3, 30e3, 45e3] {
            for arm in Arm::ALL {
                let t = dwarf(teff, arm);
                assert!(
                    t.flux.iter().all(|f| (0.0..=1.0 + 1e-12).contains(f)),
                    "{teff} {arm}"
                );
            }
        }
    }
}
