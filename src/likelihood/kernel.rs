//! The inner loops: ln L of one spectrum at many velocities, in float32 with velocities as SIMD lanes.
//!
//! Two of them. The *search* goes over the whole grid and takes each pixel to the nearest table entry: it is off by at
//! most a quarter of a step in where a pixel is, and finds the peak. The *exact* one interpolates, and is what velocities
//! are measured with. Four pixels share one division and one logarithm: their fractions are added over the common
//! denominator, and of the product of all denominators the exponent is kept apart.
//!
//! The exact loop measures everything in units of the pixel's own noise: with i the inverse variance of the pixel,
//! S' = S i = 1 + i sigma_ref^2 and r' = r sqrt(i), so that chi^2 = sum r'^2 / S' and the logarithm's argument is at
//! least 1.

use multiversion::multiversion;

use super::batch::{PHASES, ReferenceTable, SpectrumPixels};

/// Velocities of one tile of the search: eight AVX registers of float32. 32 is a tenth slower.
pub const SEARCH_LANES: usize = 64;

/// Velocities of one exact tile.
pub const LANES: usize = 32;

/// Velocities of one tile of the fine grid.
pub const FINE_LANES: usize = 8;

/// Pixels that share one division.
const GROUP: usize = 4;

/// Pixels after which the float32 sums are added to float64 ones.
const BLOCK: usize = 64;

/// A pixel as the exact loop wants it. The default adds nothing to any sum.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Where the table entry at or below the pixel is for the first lane, in the table's storage.
    entry: u32,
    /// The same of the entry above.
    entry_above: u32,
    /// Flux times sqrt(ivar).
    flux: f32,
    /// Weights of the entries below and above, times sqrt(ivar).
    weight: [f32; 2],
    /// The same weights times ivar.
    variance_weight: [f32; 2],
}

/// Places of a spectrum's pixels when the first lane is `first_lane` + `fraction` steps below the largest velocity;
/// `fraction` > -1. Filled up to whole groups with pixels that add nothing.
pub fn places(
    out: &mut Vec<Place>,
    pixels: &SpectrumPixels,
    table: &ReferenceTable,
    first_lane: usize,
    fraction: f32,
) {
    out.clear();
    let len = table.len as u32;
    let whole = (PHASES * first_lane) as i64;
    let shift = PHASES as f32 * fraction;
    for i in 0..pixels.len() {
        let position = pixels.frac[i] + shift;
        let floor = position.floor();
        let above = position - floor;
        let entry = (i64::from(pixels.index[i]) + whole + floor as i64).max(0) as u32;
        let phase = entry % PHASES as u32;
        let step = entry / PHASES as u32;
        let (next_phase, next_step) = if phase + 1 == PHASES as u32 {
            (0, step + 1)
        } else {
            (phase + 1, step)
        };
        let ivar = pixels.ivar[i];
        let root = ivar.sqrt();
        out.push(Place {
            entry: phase * len + step,
            entry_above: next_phase * len + next_step,
            flux: pixels.flux[i] * root,
            weight: [(1.0 - above) * root, above * root],
            variance_weight: [(1.0 - above) * ivar, above * ivar],
        });
    }
    out.resize(out.len().next_multiple_of(GROUP), Place::default());
}

/// A pixel as the search wants it: where it is, what it is.
#[derive(Clone, Copy, Debug)]
pub struct NearPlace {
    entry: u32,
    flux: f32,
    variance: f32,
}

/// The nearest places of a spectrum's pixels for the largest velocity, filled up to whole groups with pixels that add
/// the same to every velocity.
pub fn near_places(out: &mut Vec<NearPlace>, pixels: &SpectrumPixels, table: &ReferenceTable) {
    /// A variance beside which that of the reference is nothing.
    const FILL_VARIANCE: f32 = 1e6;
    out.clear();
    for i in 0..pixels.len() {
        let entry = pixels.index[i] + u32::from(pixels.frac[i] >= 0.5);
        let phase = entry % PHASES as u32;
        out.push(NearPlace {
            entry: phase * table.len as u32 + entry / PHASES as u32,
            flux: pixels.flux[i],
            variance: 1.0 / pixels.ivar[i],
        });
    }
    let fill = NearPlace {
        entry: 0,
        flux: 0.0,
        variance: FILL_VARIANCE,
    };
    out.resize(out.len().next_multiple_of(GROUP), fill);
}

/// ln L but for a constant at the [`SEARCH_LANES`] velocities that start `lane` steps below the largest one, by the nearest
/// entries.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub fn search_tile(
    places: &[NearPlace],
    table: &ReferenceTable,
    lane: usize,
) -> [f64; SEARCH_LANES] {
    let (flux, variance) = (table.flux.as_slice(), table.variance.as_slice());
    let mut chi2_sum = [0.0f64; SEARCH_LANES];
    let mut mantissa = [1.0f32; SEARCH_LANES];
    let mut exponent = [0i32; SEARCH_LANES];
    for block in places.chunks(BLOCK) {
        let mut chi2 = [0.0f32; SEARCH_LANES];
        for [a, b, c, d] in block.as_chunks::<GROUP>().0 {
            let (flux_a, variance_a) = near_rows(a, flux, variance, lane);
            let (flux_b, variance_b) = near_rows(b, flux, variance, lane);
            let (flux_c, variance_c) = near_rows(c, flux, variance, lane);
            let (flux_d, variance_d) = near_rows(d, flux, variance, lane);
            for l in 0..SEARCH_LANES {
                let (r_a, s_a) = (a.flux - flux_a[l], a.variance + variance_a[l]);
                let (r_b, s_b) = (b.flux - flux_b[l], b.variance + variance_b[l]);
                let (r_c, s_c) = (c.flux - flux_c[l], c.variance + variance_c[l]);
                let (r_d, s_d) = (d.flux - flux_d[l], d.variance + variance_d[l]);
                let (s_ab, s_cd) = (s_a * s_b, s_c * s_d);
                let n_ab = (r_a * r_a).mul_add(s_b, (r_b * r_b) * s_a);
                let n_cd = (r_c * r_c).mul_add(s_d, (r_d * r_d) * s_c);
                let s = s_ab * s_cd;
                chi2[l] += n_ab.mul_add(s_cd, n_cd * s_ab) / s;
                let bits = (mantissa[l] * s).to_bits();
                exponent[l] += (bits >> 23) as i32;
                mantissa[l] = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
            }
        }
        for l in 0..SEARCH_LANES {
            chi2_sum[l] += f64::from(chi2[l]);
        }
    }
    // The exponents' bias is the same for all velocities.
    ln_likelihoods(&chi2_sum, &exponent, &mantissa)
}

#[inline(always)]
fn near_rows<'a>(
    place: &NearPlace,
    flux: &'a [f32],
    variance: &'a [f32],
    lane: usize,
) -> (&'a [f32; SEARCH_LANES], &'a [f32; SEARCH_LANES]) {
    let start = place.entry as usize + lane;
    (row(flux, start), row(variance, start))
}

/// ln L, without constants, at the [`LANES`] velocities that start `lane` steps below the places' first one.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub fn exact_tile(places: &[Place], table: &ReferenceTable, lane: usize) -> [f64; LANES] {
    tile::<LANES>(places, &table.flux, &table.variance, lane)
}

/// The same at the first [`FINE_LANES`] velocities of the places.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub fn exact_fine_tile(places: &[Place], table: &ReferenceTable) -> [f64; FINE_LANES] {
    tile::<FINE_LANES>(places, &table.flux, &table.variance, 0)
}

/// The `L` entries from `start`; zeros where the table does not reach (it always does: see `ReferenceTable::new`).
#[inline(always)]
fn row<const L: usize>(table: &[f32], start: usize) -> &[f32; L] {
    table
        .get(start..)
        .and_then(|tail| tail.first_chunk())
        .unwrap_or(&[0.0; L])
}

#[inline(always)]
fn tile<const L: usize>(places: &[Place], flux: &[f32], variance: &[f32], lane: usize) -> [f64; L] {
    let mut chi2_sum = [0.0f64; L];
    let mut mantissa = [1.0f32; L];
    let mut exponent = [0i32; L];
    for block in places.chunks(BLOCK) {
        let mut chi2 = [0.0f32; L];
        for [a, b, c, d] in block.as_chunks::<GROUP>().0 {
            let (r_a, s_a) = residual::<L>(a, flux, variance, lane);
            let (r_b, s_b) = residual::<L>(b, flux, variance, lane);
            let (r_c, s_c) = residual::<L>(c, flux, variance, lane);
            let (r_d, s_d) = residual::<L>(d, flux, variance, lane);
            for l in 0..L {
                let s_ab = s_a[l] * s_b[l];
                let s_cd = s_c[l] * s_d[l];
                let n_ab = (r_a[l] * r_a[l]) * s_b[l] + (r_b[l] * r_b[l]) * s_a[l];
                let n_cd = (r_c[l] * r_c[l]) * s_d[l] + (r_d[l] * r_d[l]) * s_c[l];
                let s = s_ab * s_cd;
                chi2[l] += (n_ab * s_cd + n_cd * s_ab) / s;
                let product = mantissa[l] * s;
                let bits = product.to_bits();
                exponent[l] += (bits >> 23) as i32 - 127;
                mantissa[l] = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
            }
        }
        for l in 0..L {
            chi2_sum[l] += f64::from(chi2[l]);
        }
    }
    ln_likelihoods(&chi2_sum, &exponent, &mantissa)
}

#[inline(always)]
fn ln_likelihoods<const L: usize>(
    chi2: &[f64; L],
    exponent: &[i32; L],
    mantissa: &[f32; L],
) -> [f64; L] {
    let mut ln_l = [0.0; L];
    for l in 0..L {
        let ln_s = f64::from(exponent[l]) * std::f64::consts::LN_2 + f64::from(mantissa[l]).ln();
        ln_l[l] = -0.5 * (chi2[l] + ln_s);
    }
    ln_l
}

/// r' and S' of one pixel at every lane.
#[inline(always)]
fn residual<const L: usize>(
    place: &Place,
    flux: &[f32],
    variance: &[f32],
    lane: usize,
) -> ([f32; L], [f32; L]) {
    let below = place.entry as usize + lane;
    let above = place.entry_above as usize + lane;
    let (f0, f1) = (row::<L>(flux, below), row::<L>(flux, above));
    let (v0, v1) = (row::<L>(variance, below), row::<L>(variance, above));
    let mut r = [0.0; L];
    let mut s = [0.0; L];
    for l in 0..L {
        r[l] = f1[l].mul_add(
            -place.weight[1],
            f0[l].mul_add(-place.weight[0], place.flux),
        );
        s[l] = v1[l].mul_add(
            place.variance_weight[1],
            v0[l].mul_add(place.variance_weight[0], 1.0),
        );
    }
    (r, s)
}
