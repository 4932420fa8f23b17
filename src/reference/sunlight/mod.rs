//! The spectrum of the Sun, which moonlight and other scattered sunlight add to that of a star.
//!
//! A contaminated exposure is `(1 - m) star + m sun`, both over their continua, with the Sun at rest in the observer's frame
//! whatever the star does. Here is `sun`, outside the Earth's atmosphere, at the survey's resolving power of 7500: the lines
//! of water in the air are not in it.
//!
//! The table is the observed SAO2010 spectrum (Chance and Kurucz 2010), divided by a continuum and smeared from a resolution
//! of 0.04 nm to 40 km/s; the head of `sun.txt` says where it comes from, and `make.py` beside it makes it. Its wavelengths
//! are good to 0.3 km/s.
//!
//! An exposure is divided by its pseudo-continuum ([`crate::spectrum::continuum`]), which lies below the true one where there are many
//! lines and follows part of the wings of H alpha. [`Sunlight::fill_normalized`] gives the Sun as if it had been such an exposure
//! itself. A mixture of two spectra, normalised, is a mixture of the normalised two times a smooth factor that is 1 to half a
//! per cent for a share of 6 % (tested): who fits the share does well to fit a smooth level of the star along with it.

use std::sync::OnceLock;

use super::telluric::to_observed;
use crate::C_KM_S;
use crate::spectrum::continuum::{ContinuumConfig, ContinuumFitter};

/// The table; its head says where it comes from and how it is laid out.
const TABLE: &str = include_str!("sun.txt");

/// Width of a pixel of the survey, km/s, on the average. As many points weigh in a pseudo-continuum as there are pixels.
const PIXEL_KM_S: f64 = 6.7;

/// The Sun over a stretch of wavelengths, at equal steps of ln(wavelength).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sunlight {
    /// ln(wavelength / A), in vacuum, of the first value.
    ln_first: f64,
    /// Steps per unit of ln(wavelength).
    per_ln: f64,
    /// Flux over continuum.
    flux: Vec<f64>,
    /// Flux over pseudo-continuum.
    normalized: Vec<f64>,
}

impl Sunlight {
    /// The Sun over a window (A, vacuum); `None` where no table holds it. Read once, in some milliseconds.
    pub fn over(window_aa: (f64, f64)) -> Option<&'static Sunlight> {
        static ALL: OnceLock<Vec<Sunlight>> = OnceLock::new();
        ALL.get_or_init(|| parse(TABLE)).iter().find(|sun| {
            let range = sun.range_aa();
            range.0 <= window_aa.0 && window_aa.1 <= range.1
        })
    }

    /// First and last wavelength, A in vacuum.
    pub fn range_aa(&self) -> (f64, f64) {
        let steps = self.flux.len().saturating_sub(1) as f64;
        let last = self.ln_first + steps / self.per_ln;
        (self.ln_first.exp(), last.exp())
    }

    /// Flux over continuum at ln(wavelength / A) in the observer's frame; 1 outside the table.
    #[cfg(test)]
    pub fn flux(&self, ln_wave_observed: f64) -> f64 {
        self.at(&self.flux, ln_wave_observed)
    }

    /// Flux over pseudo-continuum at ln(wavelength / A) in the observer's frame; 1 outside the table.
    pub fn normalized(&self, ln_wave_observed: f64) -> f64 {
        self.at(&self.normalized, ln_wave_observed)
    }

    /// Flux over continuum at each pixel of an exposure, into `out`.
    ///
    /// `ln_wave_file` are the wavelengths (in vacuum) of a file that has been brought to the Sun's rest frame with its
    /// `HELIO_RV`, lambda_file = lambda_observed (1 - HELIO_RV / c); outside the table the flux is 1.
    #[cfg(test)]
    pub fn fill(&self, ln_wave_file: &[f64], helio_rv_km_s: f64, out: &mut Vec<f64>) {
        let to_observed = to_observed(helio_rv_km_s);
        out.clear();
        out.extend(ln_wave_file.iter().map(|ln| self.flux(ln + to_observed)));
    }

    /// Flux over the pseudo-continuum that an exposure of the Sun would be divided by (the default settings), at each pixel of an
    /// exposure, into `out`.
    ///
    /// `ln_wave_file` are the wavelengths (in vacuum) of a file that has been brought to the Sun's rest frame with its
    /// `HELIO_RV`, lambda_file = lambda_observed (1 - HELIO_RV / c); outside the table the flux is 1.
    pub fn fill_normalized(&self, ln_wave_file: &[f64], helio_rv_km_s: f64, out: &mut Vec<f64>) {
        let to_observed = to_observed(helio_rv_km_s);
        out.clear();
        let observed = ln_wave_file.iter().map(|ln| ln + to_observed);
        out.extend(observed.map(|ln| self.normalized(ln)));
    }

    /// The cubic through the four nearest values: good to 2e-4 where lines are 40 km/s wide or more.
    #[inline]
    fn at(&self, values: &[f64], ln_wave: f64) -> f64 {
        let n = values.len();
        let x = (ln_wave - self.ln_first) * self.per_ln;
        // A wavelength that is no number is outside too.
        if n < 4 || !(x >= 0.0 && x <= (n - 1) as f64) {
            return 1.0;
        }
        let i = (x as usize).clamp(1, n - 3);
        let t = x - i as f64;
        let [a, b, c, d] = [values[i - 1], values[i], values[i + 1], values[i + 2]];
        // Lagrange's cubic in Newton's form about b.
        let c3 = (d - a) / 6.0 + (b - c) / 2.0;
        let c2 = (a + c) / 2.0 - b;
        let c1 = c - a / 3.0 - b / 2.0 - d / 6.0;
        b + t * (c1 + t * (c2 + t * c3))
    }

    /// Divides by the pseudo-continuum with the default settings.
    fn normalize(&mut self) {
        let n = self.flux.len();
        let wave_aa: Vec<f64> = (0..n)
            .map(|i| (self.ln_first + i as f64 / self.per_ln).exp())
            .collect();
        let mut config = ContinuumConfig::default();
        // The sum over the points counts against the bending of the spline: less for each where there are more.
        config.p *= C_KM_S / self.per_ln / PIXEL_KM_S;
        let mut level = vec![1.0; n];
        let mut fitter = ContinuumFitter::default();
        let fitted = fitter.fit(&config, &wave_aa, &self.flux, &vec![true; n], &mut level);
        self.normalized = self.flux.clone();
        if fitted {
            for (flux, level) in self.normalized.iter_mut().zip(level) {
                *flux /= level;
            }
        }
    }
}

/// The table's stretches of wavelengths. What is no table is none.
fn parse(text: &str) -> Vec<Sunlight> {
    let mut all: Vec<Sunlight> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_ascii_whitespace().peekable();
        let has_name = words.peek().is_some_and(|word| is_name(word));
        if has_name {
            words.next();
            let mut number = || words.next().and_then(|w| w.parse::<f64>().ok());
            all.push(Sunlight {
                ln_first: number().map_or(0.0, f64::ln),
                per_ln: number().map_or(1.0, |step_km_s| C_KM_S / step_km_s),
                ..Sunlight::default()
            });
        } else if let Some(sun) = all.last_mut() {
            let values = words.filter_map(|w| w.parse::<f64>().ok());
            sun.flux.extend(values.map(|v| 1e-4 * v));
        }
    }
    all.iter_mut().for_each(Sunlight::normalize);
    all
}

/// Whether a word begins a new stretch: it is no number.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests;
