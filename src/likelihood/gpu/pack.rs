//! A batch as the device wants it, cut into as few dispatches as the limits allow.
//!
//! A *four* is four neighbouring float32 numbers, which the shader reads as one vector. Of references their splines go up, and the
//! device makes the tables: the fluxes, their shifted copies, and the *rest*, which is all of a table but its fluxes (variances, their
//! means over blocks, and the coarse tables).

use std::ops::Range;

use rayon::prelude::*;
use wgpu::WriteOnly;

use super::sizes::{F32, Sizes, padded, pixel_bytes};
use super::splines::PackedSplines;
use super::structs::{Found, Pixel, ReferenceRecord, Spectrum};
use crate::likelihood::batch::{Batch, MAX_FLUX, MAX_IVAR, MIN_IVAR, SpectrumPixels};
use crate::likelihood::reference_table::TableShape;

/// Inputs of the kernels: spectra, pixels, references, their splines.
pub const N_INPUTS: usize = 4;

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
    /// Numbers, in the batch, of the references that they use.
    pub references: Vec<usize>,
    /// The references' records.
    pub reference_records: Vec<ReferenceRecord>,
    /// Most entries of a table.
    pub longest_table: u64,
    /// Sizes in all.
    pub sizes: Sizes,
}

impl Chunk {
    /// The inputs in parts that are written in parallel: byte offsets of the parts, and the end.
    pub fn inputs(&self) -> [Vec<u64>; N_INPUTS] {
        let whole = |n: usize, record: usize| vec![0, (n * record) as u64];
        let parts = self.parts(self.records.len());
        let mut pixels: Vec<u64> = parts
            .filter_map(|part| self.records.get(part.start))
            .map(|record| pixel_bytes(u64::from(record.first_pixel)))
            .collect();
        pixels.push(pixel_bytes(self.sizes.pixels));
        let parts = self.parts(self.references.len());
        let mut splines: Vec<u64> = parts
            .filter_map(|part| self.reference_records.get(part.start))
            .map(|record| F32 * u64::from(record.splines))
            .collect();
        splines.push(F32 * self.sizes.splines);
        [
            whole(self.records.len(), size_of::<Spectrum>()),
            pixels,
            whole(self.reference_records.len(), size_of::<ReferenceRecord>()),
            splines,
        ]
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
            2 => {
                write(out, bytemuck::cast_slice(&self.reference_records));
            }
            _ => self.fill_splines(batch, part, out),
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

    fn fill_splines(&self, batch: &Batch, part: usize, mut out: WriteOnly<'_, [u8]>) {
        let Some(range) = self.parts(self.references.len()).nth(part) else {
            return;
        };
        for number in &self.references[range] {
            let reference = &batch.references[*number];
            let packed = PackedSplines::new(reference, &batch.grid);
            let n_words = packed.n_words() as u64;
            let (here, rest) = out.split_at((F32 * padded(n_words)) as usize);
            out = rest;
            let (here, _) = here.split_at((F32 * n_words) as usize);
            let (words, _) = here.into_chunks::<4>();
            words.write_iter(packed.words().map(u32::to_ne_bytes));
        }
    }
}

/// Writes to the beginning, and returns the rest.
fn write<'a>(out: WriteOnly<'a, [u8]>, bytes: &[u8]) -> WriteOnly<'a, [u8]> {
    let (mut here, rest) = out.split_at(bytes.len());
    here.copy_from_slice(bytes);
    rest
}

/// Fraction bits of places in a table: all that its number of entries leaves of 32, and no more than float32 holds.
pub fn frac_bits(shape: &TableShape) -> u32 {
    let entries = u32::try_from(shape.n_entries()).unwrap_or(u32::MAX);
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
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut packer = Packer::new(batch, limits, range.start);
    for (number, finite) in range.zip(finite) {
        let n_pixels = match finite {
            true => batch.spectra[number].len() as u64,
            false => 0,
        };
        if !packer.holds(number, n_pixels)? {
            chunks.push(packer.next(number));
        }
        packer.push(number, n_pixels);
    }
    let last = packer.chunk;
    if !last.records.is_empty() {
        chunks.push(last);
    }
    Ok(chunks)
}

/// Puts spectra into a chunk as long as they fit.
struct Packer<'a> {
    batch: &'a Batch,
    limits: Limits,
    /// Which of the chunk's references each of the batch's is.
    places: Vec<Option<usize>>,
    chunk: Chunk,
}

impl<'a> Packer<'a> {
    fn new(batch: &'a Batch, limits: Limits, start: usize) -> Self {
        Packer {
            batch,
            limits,
            places: vec![None; batch.references.len()],
            chunk: Chunk {
                spectra: start..start,
                ..Default::default()
            },
        }
    }

    /// What spectrum `number` adds to the chunk, with its reference where that is new.
    fn more(&self, number: usize, n_pixels: u64, with_reference: bool) -> Sizes {
        let pixels = Sizes {
            pixels: padded(n_pixels),
            ..Default::default()
        };
        if !with_reference {
            return pixels;
        }
        let reference = &self.batch.references[self.batch.spectra[number].reference];
        let packed = PackedSplines::new(reference, &self.batch.grid);
        packed.sizes().plus(pixels)
    }

    /// Whether the spectrum fits into the chunk; an error where it does not even fit into an empty one.
    fn holds(&self, number: usize, n_pixels: u64) -> std::result::Result<bool, TooLarge> {
        let limit = self.limits.buffer_bytes;
        let alone = self.more(number, n_pixels, true).largest_bytes();
        let record = size_of::<Found>().max(size_of::<Spectrum>()) as u64;
        if alone.max(record) > limit {
            return Err(TooLarge(alone.max(record)));
        }
        let is_new = self.places[self.batch.spectra[number].reference].is_none();
        if self.chunk.records.is_empty() {
            return Ok(true);
        }
        let sizes = self.chunk.sizes.plus(self.more(number, n_pixels, is_new));
        let work = sizes.pixels * self.batch.grid.len() as u64;
        Ok(sizes.largest_bytes() <= limit
            && (self.chunk.records.len() as u64 + 1) * size_of::<Found>() as u64 <= limit
            && work <= self.limits.work)
    }

    /// The chunk as it is; the next one begins with spectrum `number`.
    fn next(&mut self, number: usize) -> Chunk {
        for used in &self.chunk.references {
            self.places[*used] = None;
        }
        let next = Chunk {
            spectra: number..number,
            ..Default::default()
        };
        std::mem::replace(&mut self.chunk, next)
    }

    fn push(&mut self, number: usize, n_pixels: u64) {
        let reference = self.batch.spectra[number].reference;
        let place = match self.places[reference] {
            Some(place) => place,
            None => self.push_reference(reference),
        };
        let chunk = &mut self.chunk;
        let of = &chunk.reference_records[place];
        let shape = TableShape::new(&self.batch.references[reference], &self.batch.grid);
        chunk.records.push(Spectrum {
            first_pixel: chunk.sizes.pixels as u32,
            n_pixels: n_pixels as u32,
            flux: of.flux,
            table: of.table,
            table_len: of.table_len,
            n_blocks: of.n_blocks,
            n_coarse: of.n_coarse,
            frac_bits: frac_bits(&shape),
        });
        chunk.sizes.pixels += padded(n_pixels);
        chunk.spectra.end = number + 1;
    }

    fn push_reference(&mut self, reference: usize) -> usize {
        let packed = PackedSplines::new(&self.batch.references[reference], &self.batch.grid);
        let chunk = &mut self.chunk;
        let place = chunk.references.len();
        self.places[reference] = Some(place);
        chunk.references.push(reference);
        let record = packed.record(&chunk.sizes);
        chunk.reference_records.push(record);
        chunk.longest_table = chunk.longest_table.max(packed.shape().n_entries() as u64);
        chunk.sizes = chunk.sizes.plus(packed.sizes());
        place
    }
}
