//! What the back ends compute on: references, and spectra as pixels with fixed places in the references' tables.
//!
//! A table ([`super::reference_table`]) ascends in wavelength, so a pixel's place in it moves *down* as the velocity grows;
//! [`SpectrumPixels::index`] is the place at the largest velocity, and velocities are counted from there ("lane" 0 is the largest
//! velocity).

use std::f64::consts::TAU;

use super::grid::VelocityGrid;
use super::reference_table::{PHASES, TableShape};
use crate::C_KM_S;
use crate::reference::Reference;
use crate::spectrum::Normalized;

/// Limits of normalised flux and of its inverse variance: within them products of four pixels stay finite in float32. The second is a
/// signal-to-noise ratio of 1000, and real pixels lie far inside.
pub(crate) const MAX_FLUX: f32 = 100.0;
pub(crate) const MAX_IVAR: f32 = 1e6;
/// Inverse variance of a pixel that counts for nothing: above 0, because a logarithm is taken of it.
pub(crate) const MIN_IVAR: f32 = 1e-30;

/// One spectrum's pixels, ready to be compared with a reference table. All vectors have the same length.
#[derive(Clone, Debug, Default)]
pub struct SpectrumPixels {
    /// Which of the batch's references it is compared with.
    pub reference: usize,
    /// Table entry at or below the pixel's place at the largest velocity of the grid.
    pub index: Vec<u32>,
    /// Fraction of an entry beyond `index`, 0..1.
    pub frac: Vec<f32>,
    /// Normalised flux.
    pub flux: Vec<f32>,
    /// Its inverse variance; positive.
    pub ivar: Vec<f32>,
    /// Pixels of the window, usable or not.
    pub n_window: usize,
}

impl SpectrumPixels {
    /// The usable pixels of `exposure`: good, inside the band's window, and inside the reference at every velocity of the
    /// grid, so that every velocity is judged by the same pixels.
    pub fn new(exposure: &Normalized, reference: &Reference, grid: &VelocityGrid) -> Self {
        let shape = TableShape::new(reference, grid);
        let n_window = n_window(exposure);
        let mut pixels = SpectrumPixels {
            reference: 0,
            index: Vec::with_capacity(n_window),
            frac: Vec::with_capacity(n_window),
            flux: Vec::with_capacity(n_window),
            ivar: Vec::with_capacity(n_window),
            n_window,
        };
        let lanes = (PHASES * (grid.len() - 1)) as f64 / 2.0;
        for i in usable(exposure, reference, grid) {
            let place = (exposure.ln_wave[i] - shape.ln_wave0) * shape.entries_per_ln - lanes;
            let index = place as u32;
            pixels.index.push(index);
            pixels
                .frac
                .push((place - f64::from(index)).clamp(0.0, 1.0) as f32);
            pixels
                .flux
                .push((exposure.flux[i] as f32).clamp(-MAX_FLUX, MAX_FLUX));
            pixels
                .ivar
                .push((exposure.ivar[i] as f32).clamp(MIN_IVAR, MAX_IVAR));
        }
        pixels
    }

    /// What Eq. 3 has beyond the back ends' curves: sum ln(ivar) / 2 - n ln(2 pi) / 2.
    pub fn ln_constant(&self) -> f64 {
        // One logarithm for eight pixels: in float64 their product stays finite.
        let ln_ivar: f64 = self
            .ivar
            .chunks(8)
            .map(|w| w.iter().map(|w| f64::from(*w)).product::<f64>().ln())
            .sum();
        0.5 * ln_ivar - 0.5 * self.len() as f64 * TAU.ln()
    }

    /// The same pixels, to be compared with reference number `reference` of a batch.
    pub fn with_reference(self, reference: usize) -> Self {
        SpectrumPixels { reference, ..self }
    }

    /// Number of pixels.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// No pixel at all.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }
}

/// Spectra of one band with their references.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Velocities.
    pub grid: VelocityGrid,
    /// References, one per star.
    pub references: Vec<Reference>,
    /// Spectra; each names its reference. Those of one reference stand best together.
    pub spectra: Vec<SpectrumPixels>,
}

impl Batch {
    /// Exposures against one reference.
    pub fn of_one<'a>(
        reference: Reference,
        exposures: impl IntoIterator<Item = &'a Normalized>,
        grid: &VelocityGrid,
    ) -> Self {
        let pixels = |n| SpectrumPixels::new(n, &reference, grid);
        Batch {
            grid: *grid,
            spectra: exposures.into_iter().map(pixels).collect(),
            references: vec![reference],
        }
    }
}

/// Indices of the pixels of `exposure` that enter the likelihood.
pub fn usable<'a>(
    exposure: &'a Normalized,
    reference: &Reference,
    grid: &VelocityGrid,
) -> impl Iterator<Item = usize> + use<'a> {
    let window = exposure.band.ln_window();
    let reach = grid.max_shift_km_s() / C_KM_S;
    let (first, last) = reference.coverage();
    let low = window.0.max(first + reach);
    let high = window.1.min(last - reach);
    (0..exposure.ln_wave.len()).filter(move |i| {
        exposure.ivar[*i] > 0.0 && exposure.ln_wave[*i] >= low && exposure.ln_wave[*i] <= high
    })
}

/// Pixels of `exposure` inside the band's window, usable or not.
pub fn n_window(exposure: &Normalized) -> usize {
    let (low, high) = exposure.band.ln_window();
    exposure
        .ln_wave
        .iter()
        .filter(|l| (low..=high).contains(l))
        .count()
}
