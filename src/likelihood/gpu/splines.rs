//! A reference as the device makes a table of it: places of its pixels in the table, and coefficients of its splines.
//!
//! Twin of `shaders/tabulate.wgsl`. A place is an entry of the table in fixed point, so that the device needs no wavelengths, which
//! float32 does not hold.

use super::sizes::{Sizes, padded};
use super::structs::ReferenceRecord;
use crate::likelihood::VelocityGrid;
use crate::likelihood::lanes::BLOCK_LANES;
use crate::likelihood::reference_table::{COARSE, PHASES, TableShape};
use crate::reference::Reference;
use crate::reference::single::Splines;

/// Entries beyond the table's end that a coarse table asks for, at most.
const BEYOND: usize = 3 * PHASES * COARSE;

/// What goes up of a reference: the pixels that its table needs, and the coefficients of the knot intervals that they lie in.
#[derive(Clone, Copy, Debug)]
pub struct PackedSplines<'a> {
    of: Splines<'a>,
    shape: TableShape,
    /// First and last pixel.
    pixels: (usize, usize),
    /// First knot interval, and coefficients from there.
    first_interval: usize,
    n_coefficients: usize,
}

impl<'a> PackedSplines<'a> {
    /// What goes up of `reference`, for a table for `grid`.
    pub fn new(reference: &'a Reference, grid: &VelocityGrid) -> Self {
        let of = reference.splines();
        let shape = TableShape::new(reference, grid);
        let first = of.covered.0;
        let end = shape.ln_wave0 + (shape.n_entries() + BEYOND) as f64 / shape.entries_per_ln;
        let n_before = of.ln_wave.partition_point(|l| *l < end);
        let last = n_before.clamp(of.covered.1, of.ln_wave.len() - 1);
        let first_interval = (first / of.knots.spacing).min(of.knots.n_interval - 1);
        let last_interval = (last / of.knots.spacing).min(of.knots.n_interval - 1);
        PackedSplines {
            of,
            shape,
            pixels: (first, last),
            first_interval,
            n_coefficients: last_interval - first_interval + 4,
        }
    }

    /// Shape of the table.
    pub fn shape(&self) -> &TableShape {
        &self.shape
    }

    fn n_pixels(&self) -> usize {
        self.pixels.1 - self.pixels.0 + 1
    }

    /// Words of 32 bits.
    pub fn n_words(&self) -> usize {
        self.n_pixels() + 6 * self.n_coefficients
    }

    /// Fraction bits of the places: one less than the table's entries leave, as pixels reach a little beyond them.
    fn place_bits(&self) -> u32 {
        let entries = u32::try_from(self.shape.n_entries()).unwrap_or(u32::MAX);
        entries.leading_zeros().saturating_sub(1).clamp(1, 23)
    }

    /// The words: places, coefficients of flux and variance, covariances.
    pub fn words(&self) -> impl Iterator<Item = u32> + '_ {
        let unit = f64::from(1u32 << self.place_bits());
        let (first, last) = self.pixels;
        let places = self.of.ln_wave[first..=last].iter().map(move |l| {
            let entry = (l - self.shape.ln_wave0) * self.shape.entries_per_ln;
            // The cast saturates, so that no place is out of range.
            (entry * unit).round() as u32
        });
        let used = self.first_interval..self.first_interval + self.n_coefficients;
        let word = |c: &f64| (*c as f32).to_bits();
        let flux = self.of.flux[used.clone()].iter().map(word);
        let variance = self.of.variance[used.clone()].iter().map(word);
        let covariance = self.of.covariance[used].iter().flatten().map(word);
        places.chain(flux).chain(variance).chain(covariance)
    }

    /// Memory that it takes, and its table.
    pub fn sizes(&self) -> Sizes {
        let n_entries = self.shape.n_entries();
        let rest = n_entries + BLOCK_LANES * self.shape.n_blocks() + 2 * self.shape.n_coarse();
        Sizes {
            pixels: 0,
            splines: padded(self.n_words() as u64),
            flux: padded(n_entries as u64),
            rest: padded(rest as u64),
        }
    }

    /// Its record, if it comes after those of these sizes.
    pub fn record(&self, before: &Sizes) -> ReferenceRecord {
        let spacing = self.of.knots.spacing;
        ReferenceRecord {
            splines: before.splines as u32,
            n_pixels: self.n_pixels() as u32,
            n_coefficients: self.n_coefficients as u32,
            first_pixel: (self.pixels.0 - self.first_interval * spacing) as u32,
            knot_pixels: spacing as u32,
            place_bits: self.place_bits(),
            flux: before.flux as u32,
            table: before.rest as u32,
            table_len: self.shape.len as u32,
            n_blocks: self.shape.n_blocks() as u32,
            n_coarse: self.shape.n_coarse() as u32,
        }
    }
}
