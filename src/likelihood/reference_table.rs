//! A reference on a uniform grid in ln(wavelength), whose entries are `1 / PHASES` of a velocity step apart.
//!
//! Entry e is of phase `e % PHASES`, and the entries of a phase are stored together, a velocity step apart. An observed pixel has one
//! place in the table, an index and a fraction, and for the next velocity it needs the next entry of the same phase: neighbouring
//! velocities read neighbouring numbers, and are computed side by side in the lanes of SIMD registers.
//!
//! [`TableShape`] is what follows from the reference's coverage and the grid alone. Each back end makes the table itself: the CPU here, for
//! one star at a time, so that it stays in the caches; a GPU by `shaders/tabulate.wgsl`, from the coefficients of the splines.

use super::grid::VelocityGrid;
use super::lanes::{BLOCK_LANES, SEARCH_LANES};
use crate::C_KM_S;
use crate::reference::Reference;

/// Table entries per velocity step. With 2 and steps of 1 km/s, linear interpolation is good to 0.1 m/s in velocity.
pub const PHASES: usize = 2;

/// Steps that a table extends beyond the reference, so that a tile of velocities can be read whole.
const PADDING: usize = SEARCH_LANES;

/// Velocity steps between entries of the coarse tables, [`ReferenceTable::flux_variance`] and [`ReferenceTable::slope_variance`]: these
/// change no faster than over the distance of the reference's knots.
pub const COARSE: usize = 4;

/// Limits of the reference's variance in a table. The smallest is that of SNR 10,000: with less, products of four pixels could leave
/// float32. The largest is that of a pixel that counts for nothing.
pub(crate) const LEAST_VARIANCE: f64 = 1e-8;
pub(crate) const MOST_VARIANCE: f64 = 1.0;

/// Where the entries of a reference's table lie, and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TableShape {
    /// ln wavelength of entry 0.
    pub ln_wave0: f64,
    /// Entries per unit of ln wavelength.
    pub entries_per_ln: f64,
    /// Entries of each phase.
    pub len: usize,
}

impl TableShape {
    /// The shape of the table of `reference` for `grid`.
    pub fn new(reference: &Reference, grid: &VelocityGrid) -> Self {
        let (first, last) = reference.coverage();
        let entries_per_ln = PHASES as f64 * C_KM_S / grid.step_km_s;
        // One entry more than needed at the end: interpolation reads the next one.
        let n = ((last - first) * entries_per_ln).ceil() as usize + 2;
        TableShape {
            ln_wave0: first,
            entries_per_ln,
            len: n.div_ceil(PHASES) + PADDING,
        }
    }

    /// Entries in all.
    pub fn n_entries(&self) -> usize {
        PHASES * self.len
    }

    /// Runs of each row of [`ReferenceTable::block_variance`].
    pub fn n_blocks(&self) -> usize {
        self.len / BLOCK_LANES + 1
    }

    /// Entries of each coarse table.
    pub fn n_coarse(&self) -> usize {
        self.len / COARSE + 2
    }
}

/// A reference on the table's grid, for one grid of velocities.
#[derive(Clone, Debug, Default)]
pub struct ReferenceTable {
    /// Where its entries are.
    pub shape: TableShape,
    /// Flux, `PHASES` x `len`: entry e is at `[e % PHASES][e / PHASES]`.
    pub flux: Vec<f32>,
    /// Per-pixel variance of the reference, in the same order.
    pub variance: Vec<f32>,
    /// Mean of `variance` over each run of `BLOCK_LANES` steps, `BLOCK_LANES` x `n_blocks`: that of the run from step s
    /// on is at `[s % BLOCK_LANES][s / BLOCK_LANES]`, so that the next run of the same pixel is the next entry.
    pub block_variance: Vec<f32>,
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
        let mut table = ReferenceTable::default();
        table.fill(reference, grid);
        table
    }

    /// Becomes the table of `reference` for `grid`. The vectors are reused.
    pub fn fill(&mut self, reference: &Reference, grid: &VelocityGrid) {
        let shape = TableShape::new(reference, grid);
        let len = shape.len;
        self.shape = shape;
        self.response = reference.response;
        self.flux.resize(shape.n_entries(), 0.0);
        self.variance.resize(shape.n_entries(), 0.0);
        let (fluxes, variances) = (&mut self.flux, &mut self.variance);
        reference.sample_flux(
            shape.ln_wave0,
            1.0 / shape.entries_per_ln,
            shape.n_entries(),
            |e, flux, variance| {
                let place = (e % PHASES) * len + e / PHASES;
                fluxes[place] = flux as f32;
                variances[place] = variance.clamp(LEAST_VARIANCE, MOST_VARIANCE) as f32;
            },
        );
        block_means(
            &self.variance[..len],
            shape.n_blocks(),
            &mut self.block_variance,
        );
        let step = (PHASES * COARSE) as f64 / shape.entries_per_ln;
        self.flux_variance.clear();
        self.slope_variance.clear();
        reference.sample_variances(
            shape.ln_wave0,
            step,
            shape.n_coarse(),
            |of_flux, of_slope| {
                self.flux_variance.push(of_flux.min(MOST_VARIANCE) as f32);
                self.slope_variance.push(of_slope.min(MOST_VARIANCE) as f32);
            },
        );
    }

    /// Where the mean variance of the steps from `step` on is in `block_variance`.
    #[inline]
    pub fn first_block(&self, step: u32) -> u32 {
        let lanes = BLOCK_LANES as u32;
        step % lanes * self.shape.n_blocks() as u32 + step / lanes
    }

    /// Where entry `entry` is in `flux` and `variance`.
    pub fn place(&self, entry: usize) -> usize {
        ((entry % PHASES) * self.shape.len + entry / PHASES).min(self.flux.len() - 1)
    }
}

/// Means over runs of `BLOCK_LANES` values, in the order of [`ReferenceTable::block_variance`]; what is missing at the end
/// is the last value.
fn block_means(values: &[f32], n_blocks: usize, means: &mut Vec<f32>) {
    let mut padded = values.to_vec();
    padded.resize(
        BLOCK_LANES * (n_blocks + 1),
        values.last().copied().unwrap_or(0.0),
    );
    means.clear();
    for row in 0..BLOCK_LANES {
        let runs = padded[row..].chunks_exact(BLOCK_LANES).take(n_blocks);
        means.extend(runs.map(|run| run.iter().sum::<f32>() / BLOCK_LANES as f32));
    }
}
