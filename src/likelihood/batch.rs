//! What the back ends compute on: references as tables, spectra as pixels with fixed places in them.
//!
//! A table holds the reference on a uniform grid in ln(wavelength) whose entries are `1 / PHASES` of a velocity step
//! apart. Entry e is of phase `e % PHASES`, and the entries of a phase are stored together, a velocity step apart. An observed
//! pixel has one place in the table, an index and a fraction, and for the next velocity it needs the next entry of the same
//! phase: neighbouring velocities read neighbouring numbers, and are computed side by side in the lanes of SIMD registers. Tables
//! ascend in wavelength, so the pixel's place moves *down* as the velocity grows; [`SpectrumPixels::index`] is the place at the
//! largest velocity, and velocities are counted from there ("lane" 0 is the largest velocity).

use std::f64::consts::TAU;

use super::grid::VelocityGrid;
use super::lanes::{BLOCK_LANES, SEARCH_LANES};
use crate::C_KM_S;
use crate::reference::Reference;
use crate::spectrum::Normalized;

/// Table entries per velocity step. With 2 and steps of 1 km/s, linear interpolation is good to 0.1 m/s in velocity.
pub const PHASES: usize = 2;

/// Steps that a table extends beyond the reference, so that a tile of velocities can be read whole.
const PADDING: usize = SEARCH_LANES;

/// Limits of normalised flux and of its inverse variance: within them products of four pixels stay finite in float32. The second is a
/// signal-to-noise ratio of 1000, and real pixels lie far inside.
pub(crate) const MAX_FLUX: f32 = 100.0;
pub(crate) const MAX_IVAR: f32 = 1e6;
/// Inverse variance of a pixel that counts for nothing: above 0, because a logarithm is taken of it.
pub(crate) const MIN_IVAR: f32 = 1e-30;

/// Velocity steps between entries of the coarse tables, [`ReferenceTable::flux_variance`] and [`ReferenceTable::slope_variance`]: these
/// change no faster than over the distance of the reference's knots.
pub const COARSE: usize = 4;

/// Limits of the reference's variance in a table. The smallest is that of SNR 10,000: with less, products of four pixels could leave
/// float32. The largest is that of a pixel that counts for nothing.
const MIN_VARIANCE: f64 = 1e-8;
const MAX_VARIANCE: f64 = 1.0;

/// A reference on the table's grid, for one grid of velocities.
#[derive(Clone, Debug)]
pub struct ReferenceTable {
    /// ln wavelength of entry 0.
    ln_wave0: f64,
    /// Entries per unit of ln wavelength.
    entries_per_ln: f64,
    /// Entries of each phase.
    pub len: usize,
    /// Flux, `PHASES` x `len`: entry e is at `[e % PHASES][e / PHASES]`.
    pub flux: Vec<f32>,
    /// Per-pixel variance of the reference, in the same order.
    pub variance: Vec<f32>,
    /// Mean of `variance` over each run of `BLOCK_LANES` steps, `BLOCK_LANES` x `n_blocks`: that of the run from step s
    /// on is at `[s % BLOCK_LANES][s / BLOCK_LANES]`, so that the next run of the same pixel is the next entry.
    pub block_variance: Vec<f32>,
    /// Runs of each row of `block_variance`.
    pub n_blocks: usize,
    /// Variance of the fitted flux every [`COARSE`] steps.
    pub flux_variance: Vec<f32>,
    /// Variance of the fitted slope d flux / d v every [`COARSE`] steps, (km/s)^-2.
    pub slope_variance: Vec<f32>,
    /// Share of the reference's squared slope that is the star's ([`Reference::response`]).
    pub response: f64,
}

impl ReferenceTable {
    /// Tabulates `reference` for `grid`.
    pub fn new(reference: &Reference, grid: &VelocityGrid) -> Self {
        let (first, last) = reference.coverage();
        let entries_per_ln = PHASES as f64 * C_KM_S / grid.step_km_s;
        // One entry more than needed at the end: interpolation reads the next one.
        let n = ((last - first) * entries_per_ln).ceil() as usize + 2;
        let len = n.div_ceil(PHASES) + PADDING;
        let mut table = ReferenceTable {
            ln_wave0: first,
            entries_per_ln,
            len,
            flux: vec![0.0; PHASES * len],
            variance: vec![0.0; PHASES * len],
            block_variance: Vec::new(),
            n_blocks: len / BLOCK_LANES + 1,
            flux_variance: Vec::with_capacity(len / COARSE + 2),
            slope_variance: Vec::with_capacity(len / COARSE + 2),
            response: reference.response,
        };
        reference.sample_flux(
            first,
            1.0 / entries_per_ln,
            PHASES * len,
            |e, flux, variance| {
                let place = (e % PHASES) * len + e / PHASES;
                table.flux[place] = flux as f32;
                table.variance[place] = variance.clamp(MIN_VARIANCE, MAX_VARIANCE) as f32;
            },
        );
        table.block_variance = block_means(&table.variance[..len], table.n_blocks);
        let step = (PHASES * COARSE) as f64 / entries_per_ln;
        reference.sample_variances(first, step, len / COARSE + 2, |of_flux, of_slope| {
            table.flux_variance.push(of_flux.min(MAX_VARIANCE) as f32);
            table.slope_variance.push(of_slope.min(MAX_VARIANCE) as f32);
        });
        table
    }

    /// Where the mean variance of the steps from `step` on is in `block_variance`.
    #[inline]
    pub fn first_block(&self, step: u32) -> u32 {
        let lanes = BLOCK_LANES as u32;
        step % lanes * self.n_blocks as u32 + step / lanes
    }

    /// Where entry `entry` is in `flux` and `variance`.
    pub fn place(&self, entry: usize) -> usize {
        ((entry % PHASES) * self.len + entry / PHASES).min(self.flux.len() - 1)
    }
}

/// Means over runs of `BLOCK_LANES` values, in the order of [`ReferenceTable::block_variance`]; what is missing at the end
/// is the last value.
fn block_means(values: &[f32], n_blocks: usize) -> Vec<f32> {
    let mut padded = values.to_vec();
    padded.resize(
        BLOCK_LANES * (n_blocks + 1),
        values.last().copied().unwrap_or(0.0),
    );
    let mut means = Vec::with_capacity(BLOCK_LANES * n_blocks);
    for row in 0..BLOCK_LANES {
        let runs = padded[row..].chunks_exact(BLOCK_LANES).take(n_blocks);
        means.extend(runs.map(|run| run.iter().sum::<f32>() / BLOCK_LANES as f32));
    }
    means
}

/// One spectrum's pixels, ready to be compared with a reference table. All vectors have the same length.
#[derive(Clone, Debug, Default)]
pub struct SpectrumPixels {
    /// Which of the batch's tables is its reference.
    pub table: usize,
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
    pub fn new(
        exposure: &Normalized,
        reference: &Reference,
        table: &ReferenceTable,
        grid: &VelocityGrid,
    ) -> Self {
        let n_window = n_window(exposure);
        let mut pixels = SpectrumPixels {
            table: 0,
            index: Vec::with_capacity(n_window),
            frac: Vec::with_capacity(n_window),
            flux: Vec::with_capacity(n_window),
            ivar: Vec::with_capacity(n_window),
            n_window,
        };
        let lanes = (PHASES * (grid.len() - 1)) as f64 / 2.0;
        for i in usable(exposure, reference, grid) {
            let place = (exposure.ln_wave[i] - table.ln_wave0) * table.entries_per_ln - lanes;
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

    /// The same pixels, with table number `table` of a batch as their reference.
    pub fn with_table(self, table: usize) -> Self {
        SpectrumPixels { table, ..self }
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
    pub tables: Vec<ReferenceTable>,
    /// Spectra; each names its table.
    pub spectra: Vec<SpectrumPixels>,
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
