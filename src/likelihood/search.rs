//! The search: ln L of one spectrum on the whole grid, in float32 with velocities as SIMD lanes, to find its peaks.
//!
//! Each pixel is taken to the nearest table entry, a quarter of a step away at most, and the reference's variance to its
//! mean over [`BLOCK_LANES`] velocities: then divisions and logarithms are paid once per pixel and block, and what is
//! left for every velocity is a difference, its square and a sum. The reference's variance is as smooth as its spline, with
//! knots of about 18 km/s. Velocities are not measured with this but with `kernel`, round the peak found here.

use pulp::{Simd, WithSimd};

use super::batch::SpectrumPixels;
use super::lanes::{BLOCK_LANES, SEARCH_LANES, row};
use super::reference_table::{PHASES, ReferenceTable};

/// Blocks of [`BLOCK_LANES`] velocities in a tile.
const BLOCKS: usize = SEARCH_LANES / BLOCK_LANES;

/// Pixels that share one division.
const GROUP: usize = 4;

/// Pixels after which the float32 sums are added to float64 ones.
const CHUNK: usize = 64;

/// Registers that a tile's sums are kept in at a time.
const REGISTERS: usize = 8;

/// Largest variance of a pixel. Beside it that of the reference is nothing, so such a pixel adds the same to every velocity; products of
/// [`GROUP`] of them stay finite in float32.
pub(crate) const MAX_VARIANCE: f32 = 1e8;

/// A pixel as the search wants it: where it is, what it is.
#[derive(Clone, Copy, Debug)]
pub struct NearPlace {
    /// Place of the nearest entry in the table's flux, for the largest velocity.
    entry: u32,
    /// Place of the first block in the table's `block_variance`.
    block: u32,
    flux: f32,
    variance: f32,
}

/// The nearest places of a spectrum's pixels for the largest velocity, filled up to whole groups with pixels that add
/// the same to every velocity.
fn near_places(out: &mut Vec<NearPlace>, pixels: &SpectrumPixels, table: &ReferenceTable) {
    out.clear();
    let values = pixels.flux.iter().zip(&pixels.ivar);
    let places = pixels.index.iter().zip(&pixels.frac);
    out.extend(places.zip(values).map(|((index, frac), (flux, ivar))| {
        let entry = index + u32::from(*frac >= 0.5);
        let (phase, step) = (entry % PHASES as u32, entry / PHASES as u32);
        NearPlace {
            entry: phase * table.shape.len as u32 + step,
            block: table.first_block(step),
            flux: *flux,
            variance: (1.0 / ivar).min(MAX_VARIANCE),
        }
    }));
    let fill = NearPlace {
        entry: 0,
        block: 0,
        flux: 0.0,
        variance: MAX_VARIANCE,
    };
    out.resize(out.len().next_multiple_of(GROUP), fill);
}

/// ln L but for a constant at the `n` velocities of a grid, ascending, into `curve`. `scratch` is only kept for its memory.
pub fn search(
    curve: &mut Vec<f64>,
    scratch: &mut Vec<NearPlace>,
    pixels: &SpectrumPixels,
    table: &ReferenceTable,
    n: usize,
) {
    near_places(scratch, pixels, table);
    curve.clear();
    curve.resize(n.next_multiple_of(SEARCH_LANES), 0.0);
    let tiles = Tiles {
        places: scratch,
        table,
        curve,
    };
    dispatch(tiles);
    // Lane 0 is the largest velocity.
    curve.truncate(n);
    curve.reverse();
}

#[cfg(target_arch = "x86_64")]
fn dispatch(tiles: Tiles) {
    match pulp::x86::V3::try_new() {
        Some(simd) => Simd::vectorize(simd, tiles),
        None => Simd::vectorize(pulp::Scalar, tiles),
    }
}

#[cfg(target_arch = "aarch64")]
fn dispatch(tiles: Tiles) {
    match pulp::aarch64::Neon::try_new() {
        Some(simd) => Simd::vectorize(simd, tiles),
        None => Simd::vectorize(pulp::Scalar, tiles),
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn dispatch(tiles: Tiles) {
    Simd::vectorize(pulp::Scalar, tiles);
}

/// A whole search; `curve` has the length of whole tiles.
struct Tiles<'a> {
    places: &'a [NearPlace],
    table: &'a ReferenceTable,
    curve: &'a mut [f64],
}

impl WithSimd for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (i, tile) in self.curve.as_chunks_mut().0.iter_mut().enumerate() {
            search_tile(simd, self.places, self.table, i * SEARCH_LANES, tile);
        }
    }
}

#[inline(always)]
fn search_tile<S: Simd>(
    simd: S,
    places: &[NearPlace],
    table: &ReferenceTable,
    lane: usize,
    ln_l: &mut [f64; SEARCH_LANES],
) {
    const { assert!(BLOCK_LANES.is_multiple_of(S::F32_LANES)) };
    let mut weights = [[0.0f32; BLOCKS]; CHUNK];
    let mut logarithm = Logarithm::default();
    let mut chi2 = [0.0f64; SEARCH_LANES];
    for chunk in places.chunks(CHUNK) {
        let variance = &table.block_variance;
        weigh(chunk, variance, lane, &mut weights, &mut logarithm);
        let part = REGISTERS * S::F32_LANES;
        for (pass, chi2) in chi2.chunks_exact_mut(part).enumerate() {
            let mut sums = [simd.splat_f32s(0.0); REGISTERS];
            for (place, weight) in chunk.iter().zip(&weights) {
                let row = row::<SEARCH_LANES>(&table.flux, place.entry as usize + lane);
                let (reference, _) = S::as_simd_f32s(&row[pass * part..][..part]);
                let flux = simd.splat_f32s(place.flux);
                for (k, sum) in sums.iter_mut().enumerate() {
                    let block = (pass * part + k * S::F32_LANES) / BLOCK_LANES;
                    let residual = simd.sub_f32s(flux, reference[k]);
                    let square = simd.mul_f32s(residual, residual);
                    *sum = multiply_add(simd, square, simd.splat_f32s(weight[block]), *sum);
                }
            }
            for (chi2, sum) in chi2.chunks_exact_mut(S::F32_LANES).zip(&sums) {
                let sum: &[f32] = pulp::bytemuck::cast_slice(std::slice::from_ref(sum));
                for (chi2, sum) in chi2.iter_mut().zip(sum) {
                    *chi2 += f64::from(*sum);
                }
            }
        }
    }
    let ln_s = logarithm.values();
    for (l, (ln_l, chi2)) in ln_l.iter_mut().zip(&chi2).enumerate() {
        *ln_l = -0.5 * (chi2 + ln_s[l / BLOCK_LANES]);
    }
}

/// a b + c, fused where there is an instruction for it: elsewhere it would be a library call.
#[inline(always)]
fn multiply_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    if S::F32_LANES > 1 {
        simd.mul_add_f32s(a, b, c)
    } else {
        simd.add_f32s(simd.mul_f32s(a, b), c)
    }
}

/// 1 / S of each pixel of a chunk in each block of a tile; the product of S goes to `logarithm`.
#[inline(always)]
fn weigh(
    chunk: &[NearPlace],
    variance: &[f32],
    lane: usize,
    weights: &mut [[f32; BLOCKS]; CHUNK],
    logarithm: &mut Logarithm,
) {
    let block = lane / BLOCK_LANES;
    let places = chunk.as_chunks::<GROUP>().0;
    let weights = weights.as_chunks_mut::<GROUP>().0;
    for ([a, b, c, d], [w_a, w_b, w_c, w_d]) in places.iter().zip(weights) {
        let of = |place: &NearPlace| row::<BLOCKS>(variance, place.block as usize + block);
        let (v_a, v_b, v_c, v_d) = (of(a), of(b), of(c), of(d));
        let mut product = [0.0; BLOCKS];
        for k in 0..BLOCKS {
            let (s_a, s_b) = (a.variance + v_a[k], b.variance + v_b[k]);
            let (s_c, s_d) = (c.variance + v_c[k], d.variance + v_d[k]);
            let (s_ab, s_cd) = (s_a * s_b, s_c * s_d);
            product[k] = s_ab * s_cd;
            let inverse = 1.0 / product[k];
            let (inverse_ab, inverse_cd) = (inverse * s_cd, inverse * s_ab);
            w_a[k] = inverse_ab * s_b;
            w_b[k] = inverse_ab * s_a;
            w_c[k] = inverse_cd * s_d;
            w_d[k] = inverse_cd * s_c;
        }
        logarithm.multiply(&product);
    }
}

/// A running product of positive numbers for each block, with its exponent kept apart.
struct Logarithm {
    mantissa: [f32; BLOCKS],
    /// Sum of the biased exponents: the bias is the same for all blocks.
    exponent: [i32; BLOCKS],
}

impl Default for Logarithm {
    fn default() -> Self {
        Logarithm {
            mantissa: [1.0; BLOCKS],
            exponent: [0; BLOCKS],
        }
    }
}

impl Logarithm {
    #[inline(always)]
    fn multiply(&mut self, factor: &[f32; BLOCKS]) {
        let parts = self.mantissa.iter_mut().zip(&mut self.exponent);
        for ((mantissa, exponent), factor) in parts.zip(factor) {
            let bits = (*mantissa * factor).to_bits();
            *exponent += (bits >> 23) as i32;
            *mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
        }
    }

    fn values(&self) -> [f64; BLOCKS] {
        std::array::from_fn(|k| {
            f64::from(self.exponent[k]) * std::f64::consts::LN_2 + f64::from(self.mantissa[k]).ln()
        })
    }
}
