//! A batch as the device wants it, cut into as few dispatches as the limits allow.
//!
//! A *four* is four neighbouring float32 numbers, which the shader reads as one vector. The *rest* of a table is all of it but the
//! fluxes: variances, their means over blocks, and the coarse tables.

use std::ops::Range;

use rayon::prelude::*;
use wgpu::WriteOnly;

use super::structs::{Found, Pixel, Spectrum, TILE};
use crate::likelihood::batch::{
    Batch, MAX_FLUX, MAX_IVAR, MIN_IVAR, PHASES, ReferenceTable, SpectrumPixels,
};

/// Bytes of float32.
pub const F32: u64 = 4;

/// Inputs of the kernel: spectra, pixels, fluxes, rest of the tables.
pub const N_INPUTS: usize = 4;
/// The number of the fluxes among them.
pub const FLUXES: usize = 2;

/// What one dispatch may have.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one buffer.
    pub buffer_bytes: u64,
    /// Pixels times velocities: a dispatch must end before a system's watchdog takes the driver for dead.
    pub work: u64,
}

/// A part of a batch that is one dispatch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunk {
    /// Which spectra of the batch.
    pub spectra: Range<usize>,
    /// Their records.
    pub records: Vec<Spectrum>,
    /// Tables that they use.
    pub tables: Vec<TablePlace>,
    /// Pixels in all, with those that fill up.
    pub n_pixels: u64,
    /// Fluxes of the tables in all.
    pub n_flux: u64,
    /// Floats of the rest of the tables in all.
    pub n_rest: u64,
}

/// A table in a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TablePlace {
    /// Its number in the batch.
    pub number: usize,
    /// Its first flux in the chunk.
    pub flux: u64,
    /// The first float of its rest in the chunk.
    pub rest: u64,
}

/// Copies of the fluxes, each beginning one float later than the one before, so that four numbers from any place on are an aligned four
/// in one of the copies.
pub const ROW_COPIES: u64 = 4;

impl Chunk {
    /// The inputs (spectra, pixels, fluxes, rest of the tables) in parts that are written in parallel: byte offsets of the
    /// parts, and the end.
    pub fn inputs(&self) -> [Vec<u64>; N_INPUTS] {
        let records = self.records.len() as u64 * size_of::<Spectrum>() as u64;
        let pixels = self.parts(self.records.len());
        let mut pixels: Vec<u64> = pixels
            .filter_map(|part| self.records.get(part.start))
            .map(|record| pixel_bytes(u64::from(record.first_pixel)))
            .collect();
        pixels.push(pixel_bytes(self.n_pixels));
        let tables = |first: fn(&TablePlace) -> u64, n_floats| {
            let parts = self.parts(self.tables.len());
            let mut cuts: Vec<u64> = parts
                .map(|part| F32 * first(&self.tables[part.start]))
                .collect();
            cuts.push(float_bytes(n_floats));
            cuts
        };
        let fluxes = tables(|t| t.flux, self.n_flux);
        let rest = tables(|t| t.rest, self.n_rest);
        [vec![0, records], pixels, fluxes, rest]
    }

    /// Number of fours in each of the [`ROW_COPIES`].
    pub fn row_stride(&self) -> u32 {
        (float_bytes(self.n_flux) / (4 * F32)) as u32
    }

    /// Numbers 0..n in about as many parts as keep all threads busy.
    fn parts(&self, n: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        const PARTS: usize = 64;
        let step = n.div_ceil(PARTS).max(1);
        (0..n).step_by(step).map(move |i| i..(i + step).min(n))
    }

    /// Bytes of the output.
    pub fn output_bytes(&self) -> u64 {
        self.records.len() as u64 * size_of::<Found>() as u64
    }

    /// Writes part `part` of input number `input`.
    pub fn fill(&self, batch: &Batch, input: usize, part: usize, out: WriteOnly<'_, [u8]>) {
        match input {
            0 => {
                write(out, bytemuck::cast_slice(&self.records));
            }
            1 => self.fill_pixels(batch, part, out),
            FLUXES => self.fill_tables(batch, part, out, |table| vec![&table.flux]),
            _ => self.fill_tables(batch, part, out, rest_of),
        }
    }

    fn fill_pixels(&self, batch: &Batch, part: usize, mut out: WriteOnly<'_, [u8]>) {
        let Some(range) = self.parts(self.records.len()).nth(part) else {
            return;
        };
        let spectra = &batch.spectra[self.spectra.clone()];
        for (pixels, record) in spectra[range.clone()].iter().zip(&self.records[range]) {
            let bytes = pixel_bytes(padded(u64::from(record.n_pixels)));
            let (here, rest) = out.split_at(bytes as usize);
            out = rest;
            let (here, _) = here.split_at(pixel_bytes(u64::from(record.n_pixels)) as usize);
            let (places, _) = here.into_chunks::<{ size_of::<Pixel>() }>();
            let packed = (0..record.n_pixels as usize)
                .map(|i| bytemuck::cast::<Pixel, [u8; 12]>(pixel(pixels, i, record.frac_bits)));
            places.write_iter(packed);
        }
    }

    fn fill_tables(
        &self,
        batch: &Batch,
        part: usize,
        mut out: WriteOnly<'_, [u8]>,
        columns: fn(&ReferenceTable) -> Vec<&[f32]>,
    ) {
        let Some(range) = self.parts(self.tables.len()).nth(part) else {
            return;
        };
        for place in &self.tables[range] {
            let columns = columns(&batch.tables[place.number]);
            let (mut here, rest) = out.split_at((F32 * floats(&columns)) as usize);
            out = rest;
            for column in columns {
                here = write(here, bytemuck::cast_slice(column));
            }
        }
    }
}

/// Writes to the beginning, and returns the rest.
fn write<'a>(out: WriteOnly<'a, [u8]>, bytes: &[u8]) -> WriteOnly<'a, [u8]> {
    let (mut here, rest) = out.split_at(bytes.len());
    here.copy_from_slice(bytes);
    rest
}

/// Pixels or floats of a part begin at multiples of 8 bytes.
fn padded(n: u64) -> u64 {
    n.next_multiple_of(2)
}

fn rest_of(table: &ReferenceTable) -> Vec<&[f32]> {
    vec![
        &table.variance,
        &table.block_variance,
        &table.flux_variance,
        &table.slope_variance,
    ]
}

fn floats(columns: &[&[f32]]) -> u64 {
    padded(columns.iter().map(|c| c.len() as u64).sum())
}

fn pixel_bytes(n_pixels: u64) -> u64 {
    n_pixels * size_of::<Pixel>() as u64
}

fn row_bytes(n_flux: u64) -> u64 {
    ROW_COPIES * float_bytes(n_flux)
}

fn float_bytes(n_floats: u64) -> u64 {
    // The search's last tile reads beyond the end of the fluxes, and everything is read in fours: room is left for both.
    F32 * (n_floats.next_multiple_of(4) + TILE as u64 + 16)
}

/// Fraction bits of places in a table: all that its number of entries leaves of 32, and no more than float32 holds.
pub fn frac_bits(table: &ReferenceTable) -> u32 {
    let entries = u32::try_from(PHASES * table.len).unwrap_or(u32::MAX);
    entries.leading_zeros().clamp(1, 23)
}

fn pixel(pixels: &SpectrumPixels, i: usize, frac_bits: u32) -> Pixel {
    let unit = f64::from(1u32 << frac_bits);
    let place = (f64::from(pixels.index[i]) + f64::from(pixels.frac[i])) * unit;
    Pixel {
        // The cast saturates, so that no place is out of range.
        place: place.round() as u32,
        flux: pixels.flux[i].clamp(-MAX_FLUX, MAX_FLUX),
        ivar: pixels.ivar[i].clamp(MIN_IVAR, MAX_IVAR),
    }
}

/// Whether every number of a spectrum is finite; if not, it has no likelihood anywhere.
pub fn is_finite(pixels: &SpectrumPixels) -> bool {
    [&pixels.frac, &pixels.flux, &pixels.ivar]
        .iter()
        .all(|v| v.iter().all(|x| x.is_finite()))
}

/// A spectrum, or one table, that does not fit: bytes that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge(pub u64);

/// Cuts spectra `range` of the batch.
pub fn chunks(
    batch: &Batch,
    range: Range<usize>,
    limits: Limits,
) -> std::result::Result<Vec<Chunk>, TooLarge> {
    let finite: Vec<bool> = batch.spectra[range.clone()]
        .par_iter()
        .map(is_finite)
        .collect();
    let n_velocities = batch.grid.len() as u64;
    let mut chunks: Vec<Chunk> = Vec::new();
    // Where each table is in the present chunk.
    let mut places: Vec<Option<TablePlace>> = vec![None; batch.tables.len()];
    let mut chunk = Chunk {
        spectra: range.start..range.start,
        ..Default::default()
    };
    for (number, finite) in range.zip(finite) {
        let pixels = &batch.spectra[number];
        let table = &batch.tables[pixels.table];
        let n_pixels = if finite { pixels.len() as u64 } else { 0 };
        let n_flux = floats(&[&table.flux]);
        let n_rest = floats(&rest_of(table));
        let alone = [
            pixel_bytes(padded(n_pixels)),
            row_bytes(n_flux),
            float_bytes(n_rest),
            (size_of::<Found>() + size_of::<Spectrum>()) as u64,
        ];
        if let Some(bytes) = alone.into_iter().find(|b| *b > limits.buffer_bytes) {
            return Err(TooLarge(bytes));
        }
        let new = u64::from(places[pixels.table].is_none());
        let fits = pixel_bytes(chunk.n_pixels + padded(n_pixels)) <= limits.buffer_bytes
            && row_bytes(chunk.n_flux + new * n_flux) <= limits.buffer_bytes
            && float_bytes(chunk.n_rest + new * n_rest) <= limits.buffer_bytes
            && (chunk.records.len() as u64 + 1) * size_of::<Found>() as u64 <= limits.buffer_bytes
            && (chunk.n_pixels + n_pixels) * n_velocities <= limits.work;
        if !fits && !chunk.records.is_empty() {
            for used in &chunk.tables {
                places[used.number] = None;
            }
            let next = Chunk {
                spectra: number..number,
                ..Default::default()
            };
            chunks.push(std::mem::replace(&mut chunk, next));
        }
        let place = *places[pixels.table].get_or_insert_with(|| {
            let place = TablePlace {
                number: pixels.table,
                flux: chunk.n_flux,
                rest: chunk.n_rest,
            };
            chunk.tables.push(place);
            chunk.n_flux += n_flux;
            chunk.n_rest += n_rest;
            place
        });
        chunk.records.push(Spectrum {
            first_pixel: chunk.n_pixels as u32,
            n_pixels: n_pixels as u32,
            flux: place.flux as u32,
            table: place.rest as u32,
            table_len: table.len as u32,
            n_blocks: table.n_blocks as u32,
            n_coarse: table.flux_variance.len() as u32,
            frac_bits: frac_bits(table),
        });
        chunk.n_pixels += padded(n_pixels);
        chunk.spectra.end = number + 1;
    }
    if !chunk.records.is_empty() {
        chunks.push(chunk);
    }
    Ok(chunks)
}
