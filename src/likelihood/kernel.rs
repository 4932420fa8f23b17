//! The inner loop that velocities are measured with: ln L of one spectrum at a few velocities, with the reference
//! interpolated, in float32 with velocities as SIMD lanes. Four pixels share one division and one logarithm: their
//! fractions are added over the common denominator, and of the product of all denominators the exponent is kept apart.
//!
//! The loop measures everything in units of the pixel's own noise: with i the inverse variance of the pixel,
//! S' = S i = 1 + i sigma_ref^2 and r' = r sqrt(i), so that chi^2 = sum r'^2 / S' and the logarithm's argument is at
//! least 1.

use multiversion::multiversion;

use super::batch::SpectrumPixels;
use super::lanes::row;
use super::reference_table::{PHASES, ReferenceTable};

/// Velocities of one tile, a step apart.
pub const LANES: usize = 32;

/// Velocities of a fine tile a step apart; it has as many again, half a step above each of them.
pub const FINE_LANES: usize = 8;

/// Pixels that share one division.
const GROUP: usize = 4;

/// Pixels after which the float32 sums are added to float64 ones.
const BLOCK: usize = 64;

/// A pixel as the loop wants it. The default adds nothing to any sum.
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
/// `fraction` in -1..=0. Filled up to whole groups with pixels that add nothing.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub fn places(
    out: &mut Vec<Place>,
    pixels: &SpectrumPixels,
    table: &ReferenceTable,
    first_lane: usize,
    fraction: f32,
) {
    out.clear();
    out.reserve(pixels.len() + GROUP);
    let len = table.shape.len as u32;
    // One step up is PHASES entries; the fraction counts down from there.
    let whole = (PHASES * first_lane) as i32 - PHASES as i32;
    let shift = PHASES as f32 * (1.0 + fraction);
    for i in 0..pixels.len() {
        let position = pixels.frac[i] + shift;
        let floor = position as i32;
        let above = position - floor as f32;
        let entry = (pixels.index[i] as i32 + whole + floor).max(0) as u32;
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

/// ln L, without constants, at the [`LANES`] velocities that start `lane` steps below the places' first one.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub fn exact_tile(places: &[Place], table: &ReferenceTable, lane: usize) -> [f64; LANES] {
    tile::<LANES, false>(places, &table.flux, &table.variance, lane)
}

/// The same at the first [`FINE_LANES`] velocities of the places, and at those half a step above each of them.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub fn exact_fine_tile(places: &[Place], table: &ReferenceTable) -> [[f64; FINE_LANES]; 2] {
    const { assert!(PHASES == 2) };
    const TWICE: usize = 2 * FINE_LANES;
    let values = tile::<TWICE, true>(places, &table.flux, &table.variance, 0);
    let [down, up] = values.as_chunks().0 else {
        return [[f64::NAN; FINE_LANES]; 2];
    };
    [*down, *up]
}

#[inline(always)]
fn tile<const L: usize, const HALF_STEPS: bool>(
    places: &[Place],
    flux: &[f32],
    variance: &[f32],
    lane: usize,
) -> [f64; L] {
    let mut chi2_sum = [0.0f64; L];
    let mut mantissa = [1.0f32; L];
    let mut exponent = [0i32; L];
    for block in places.chunks(BLOCK) {
        let mut chi2 = [0.0f32; L];
        for [a, b, c, d] in block.as_chunks::<GROUP>().0 {
            let (r_a, s_a) = residual::<L, HALF_STEPS>(a, flux, variance, lane);
            let (r_b, s_b) = residual::<L, HALF_STEPS>(b, flux, variance, lane);
            let (r_c, s_c) = residual::<L, HALF_STEPS>(c, flux, variance, lane);
            let (r_d, s_d) = residual::<L, HALF_STEPS>(d, flux, variance, lane);
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
fn residual<const L: usize, const HALF_STEPS: bool>(
    place: &Place,
    flux: &[f32],
    variance: &[f32],
    lane: usize,
) -> ([f32; L], [f32; L]) {
    let (f0, f1) = rows::<L, HALF_STEPS>(place, flux, lane);
    let (v0, v1) = rows::<L, HALF_STEPS>(place, variance, lane);
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

/// The entries below and above a pixel at every lane. With half steps the second half of the lanes is an entry down in
/// wavelength from the first half: its entries above are the first's below, and those below lie a step before the first's
/// above.
#[inline(always)]
fn rows<const L: usize, const HALF_STEPS: bool>(
    place: &Place,
    table: &[f32],
    lane: usize,
) -> ([f32; L], [f32; L]) {
    let below = place.entry as usize + lane;
    let above = place.entry_above as usize + lane;
    if !HALF_STEPS {
        return (*row(table, below), *row(table, above));
    }
    let half = L / 2;
    let here = row::<FINE_LANES>(table, below);
    let (mut f0, mut f1) = ([0.0; L], [0.0; L]);
    f0[..half].copy_from_slice(here);
    f1[..half].copy_from_slice(row::<FINE_LANES>(table, above));
    f0[half..].copy_from_slice(row::<FINE_LANES>(table, above.wrapping_sub(1)));
    f1[half..].copy_from_slice(here);
    (f0, f1)
}
