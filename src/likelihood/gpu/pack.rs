//! A batch as the device wants it, cut into as few dispatches as the limits allow.

use std::ops::Range;

use rayon::prelude::*;
use wgpu::WriteOnly;

use super::layout::{Found, Pixel, Spectrum, TILE};
use crate::likelihood::batch::{
    Batch, MAX_FLUX, MAX_IVAR, MIN_IVAR, PHASES, ReferenceTable, SpectrumPixels,
};

/// Bytes of float32.
const F32: u64 = 4;

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
    /// Tables that they use: number in the batch, first float in the chunk.
    pub tables: Vec<(usize, u64)>,
    /// Pixels in all, with those that fill up.
    pub n_pixels: u64,
    /// Floats of the tables in all.
    pub n_table_floats: u64,
}

impl Chunk {
    /// The inputs (spectra, pixels, tables) in parts that are written in parallel: byte offsets of the parts, and the end.
    pub fn inputs(&self) -> [Vec<u64>; 3] {
        let records = self.records.len() as u64 * size_of::<Spectrum>() as u64;
        let pixels = self.parts(self.records.len());
        let mut pixels: Vec<u64> = pixels
            .filter_map(|part| self.records.get(part.start))
            .map(|record| pixel_bytes(u64::from(record.first_pixel)))
            .collect();
        pixels.push(pixel_bytes(self.n_pixels));
        let tables = self.parts(self.tables.len());
        let mut tables: Vec<u64> = tables.map(|part| F32 * self.tables[part.start].1).collect();
        tables.push(table_bytes(self.n_table_floats));
        [vec![0, records], pixels, tables]
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
            _ => self.fill_tables(batch, part, out),
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

    fn fill_tables(&self, batch: &Batch, part: usize, mut out: WriteOnly<'_, [u8]>) {
        let Some(range) = self.parts(self.tables.len()).nth(part) else {
            return;
        };
        for (number, _) in &self.tables[range] {
            let table = &batch.tables[*number];
            let (mut here, rest) = out.split_at((F32 * floats_of(table)) as usize);
            out = rest;
            for column in columns(table) {
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

fn columns(table: &ReferenceTable) -> [&[f32]; 5] {
    [
        &table.flux,
        &table.variance,
        &table.block_variance,
        &table.flux_variance,
        &table.slope_variance,
    ]
}

fn floats_of(table: &ReferenceTable) -> u64 {
    padded(columns(table).iter().map(|c| c.len() as u64).sum())
}

fn pixel_bytes(n_pixels: u64) -> u64 {
    n_pixels * size_of::<Pixel>() as u64
}

fn table_bytes(n_floats: u64) -> u64 {
    // The search's last tile reads beyond, and in fours.
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
        // Saturates.
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
    let mut places: Vec<Option<u32>> = vec![None; batch.tables.len()];
    let mut chunk = Chunk {
        spectra: range.start..range.start,
        ..Default::default()
    };
    for (number, finite) in range.zip(finite) {
        let pixels = &batch.spectra[number];
        let table = &batch.tables[pixels.table];
        let n_pixels = if finite { pixels.len() as u64 } else { 0 };
        let floats = floats_of(table);
        let alone = [
            pixel_bytes(padded(n_pixels)),
            table_bytes(floats),
            (size_of::<Found>() + size_of::<Spectrum>()) as u64,
        ];
        if let Some(bytes) = alone.into_iter().find(|b| *b > limits.buffer_bytes) {
            return Err(TooLarge(bytes));
        }
        let new_floats = if places[pixels.table].is_none() {
            floats
        } else {
            0
        };
        let fits = pixel_bytes(chunk.n_pixels + padded(n_pixels)) <= limits.buffer_bytes
            && table_bytes(chunk.n_table_floats + new_floats) <= limits.buffer_bytes
            && (chunk.records.len() as u64 + 1) * size_of::<Found>() as u64 <= limits.buffer_bytes
            && (chunk.n_pixels + n_pixels) * n_velocities <= limits.work;
        if !fits && !chunk.records.is_empty() {
            for (used, _) in &chunk.tables {
                places[*used] = None;
            }
            let next = Chunk {
                spectra: number..number,
                ..Default::default()
            };
            chunks.push(std::mem::replace(&mut chunk, next));
        }
        let place = *places[pixels.table].get_or_insert_with(|| {
            let place = chunk.n_table_floats;
            chunk.tables.push((pixels.table, place));
            chunk.n_table_floats += floats;
            place as u32
        });
        chunk.records.push(Spectrum {
            first_pixel: chunk.n_pixels as u32,
            n_pixels: n_pixels as u32,
            table: place,
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
