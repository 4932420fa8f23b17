//! The sums behind a velocity's error, from a table: float32 per pixel, float64 in the sums.

use multiversion::multiversion;

use super::batch::SpectrumPixels;
use super::grid::VelocityGrid;
use super::precision::PrecisionSums;
use super::reference_table::{COARSE, PHASES, ReferenceTable};

/// Pixels that are looked up before they are summed.
const CHUNK: usize = 64;

/// What the sums need of [`CHUNK`] pixels.
#[derive(Clone, Copy)]
struct Chunk {
    residual: [f32; CHUNK],
    /// 1 / sigma_t^2; 0 for what is no pixel.
    ivar: [f32; CHUNK],
    reference_variance: [f32; CHUNK],
    /// Flux per table entry.
    slope: [f32; CHUNK],
    flux_variance: [f32; CHUNK],
    slope_variance: [f32; CHUNK],
}

impl Chunk {
    const EMPTY: Chunk = Chunk {
        residual: [0.0; CHUNK],
        ivar: [0.0; CHUNK],
        reference_variance: [0.0; CHUNK],
        slope: [0.0; CHUNK],
        flux_variance: [0.0; CHUNK],
        slope_variance: [0.0; CHUNK],
    };
}

/// The sums at `shift_km_s`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub fn precision_sums(
    grid: &VelocityGrid,
    pixels: &SpectrumPixels,
    table: &ReferenceTable,
    shift_km_s: f64,
) -> PrecisionSums {
    let steps = (grid.max_shift_km_s() - shift_km_s) / grid.step_km_s;
    let shift = (PHASES as f64 * steps).max(0.0);
    let whole = shift as usize;
    let fraction = (shift - whole as f64) as f32;
    let entries_per_km_s = PHASES as f64 / grid.step_km_s;
    let mut sums = PrecisionSums {
        n_pix: pixels.len(),
        ..Default::default()
    };
    for start in (0..pixels.len()).step_by(CHUNK) {
        let mut chunk = Chunk::EMPTY;
        for k in 0..CHUNK.min(pixels.len() - start) {
            look_up(&mut chunk, k, pixels, start + k, table, whole, fraction);
        }
        let part = add(&chunk);
        sums.slope2 += part.slope2;
        sums.slope_noise += part.slope_noise;
        sums.own_slope2 += part.own_slope2;
        sums.chi2 += part.chi2;
    }
    sums.slope2 *= entries_per_km_s * entries_per_km_s;
    sums.own_slope2 *= entries_per_km_s * entries_per_km_s;
    sums
}

/// Pixel `i` at `whole` + `fraction` entries above its place for the largest velocity, as number `k` of the chunk.
#[inline(always)]
fn look_up(
    chunk: &mut Chunk,
    k: usize,
    pixels: &SpectrumPixels,
    i: usize,
    table: &ReferenceTable,
    whole: usize,
    fraction: f32,
) {
    let position = pixels.frac[i] + fraction;
    let carry = u8::from(position >= 1.0);
    let w = position - f32::from(carry);
    let entry = pixels.index[i] as usize + whole + usize::from(carry);
    let (here, next) = (table.place(entry), table.place(entry + 1));
    let (f0, f1) = (table.flux[here], table.flux[next]);
    let (before, after) = (table.place(entry.saturating_sub(1)), table.place(entry + 2));
    // Derivative of the cubic through the four nearest entries; wavelength falls where velocity grows.
    let rise = table.flux[before] * (w - 0.5 * w * w - 1.0 / 3.0)
        + f0 * (1.5 * w * w - 2.0 * w - 0.5)
        + f1 * (1.0 + w - 1.5 * w * w)
        + table.flux[after] * (0.5 * w * w - 1.0 / 6.0);
    let coarse = (entry as f32 + w) / (PHASES * COARSE) as f32;
    let step = (coarse as usize).min(table.flux_variance.len() - 2);
    let part = coarse - step as f32;
    let between = |v: &[f32]| v[step] + part * (v[step + 1] - v[step]);
    chunk.residual[k] = pixels.flux[i] - f0 * (1.0 - w) - f1 * w;
    chunk.ivar[k] = pixels.ivar[i];
    chunk.reference_variance[k] = table.variance[here] * (1.0 - w) + table.variance[next] * w;
    chunk.slope[k] = -rise;
    chunk.flux_variance[k] = between(&table.flux_variance);
    chunk.slope_variance[k] = between(&table.slope_variance);
}

/// The sums over a chunk; with i = 1 / sigma_t^2 every quotient has 1 + i sigma_ref^2 below, at least 1.
#[inline(always)]
fn add(chunk: &Chunk) -> PrecisionSums {
    let mut slope2 = [0.0f32; CHUNK];
    let mut slope_noise = [0.0f32; CHUNK];
    let mut own_slope2 = [0.0f32; CHUNK];
    let mut chi2 = [0.0f32; CHUNK];
    for k in 0..CHUNK {
        let ivar = chunk.ivar[k];
        // sigma_t^2 / S.
        let own = 1.0 / (1.0 + ivar * chunk.reference_variance[k]);
        let inverse = ivar * own;
        let weighed = chunk.slope[k] * chunk.slope[k] * inverse;
        let misfit = chunk.residual[k] * chunk.residual[k];
        slope2[k] = weighed;
        slope_noise[k] = chunk.slope_variance[k] * inverse;
        own_slope2[k] = weighed * own;
        chi2[k] = misfit * ivar / (1.0 + ivar * chunk.flux_variance[k]);
    }
    PrecisionSums {
        slope2: sum(&slope2),
        slope_noise: sum(&slope_noise),
        own_slope2: sum(&own_slope2),
        chi2: sum(&chi2),
        n_pix: 0,
    }
}

#[inline(always)]
fn sum(values: &[f32; CHUNK]) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [0.0f64; LANES];
    for part in values.as_chunks::<LANES>().0 {
        for (lane, value) in lanes.iter_mut().zip(part) {
            *lane += f64::from(*value);
        }
    }
    lanes.iter().sum()
}
