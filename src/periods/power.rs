//! The periodogram: how much of the scatter between times a sinusoid takes away (Zechmeister and Kuerster 2009, with a mean for each arm).

use std::f64::consts::TAU;

use multiversion::multiversion;

use super::epochs::{ARMS, Epochs};
use super::grid::{Grid, LANES};

/// Sets of velocities done side by side.
pub const SETS: usize = 4;

/// Share of the squared weight below which the determinant of the equations is rounding: sine and cosine are the same at all times then,
/// or nothing but means of arms, and any velocity would be explained.
const LEAST_DETERMINANT: f64 = 1e-9;

/// Numbers of the frequencies of a block.
pub type Lanes = [f64; LANES];

/// What sine and cosine of one frequency have to do with each other.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    cc: f64,
    ss: f64,
    cs: f64,
    /// One over the determinant of the equations; 0 where they have no solution.
    inverse: f64,
}

impl Sums {
    /// Reduction of chi^2 by the sinusoid whose products with the velocities are these.
    #[inline(always)]
    fn reduction(&self, yc: f64, ys: f64) -> f64 {
        (self.ss * yc * yc + self.cc * ys * ys - 2.0 * self.cs * yc * ys) * self.inverse
    }
}

/// A sinusoid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sinusoid {
    /// Reduction of chi^2 about the means of the arms.
    pub reduction: f64,
    /// Half its range, km/s.
    pub amplitude_km_s: f64,
}

/// The best sinusoid of one frequency.
pub fn sinusoid(epochs: &Epochs, weighted: &[f64], frequency: f64) -> Sinusoid {
    let mut raw = Raw::default();
    let (mut yc, mut ys) = (0.0, 0.0);
    for (i, time_d) in epochs.time_d.iter().enumerate() {
        let (s, c) = (TAU * (frequency * time_d).fract()).sin_cos();
        raw.add(c, s, [epochs.weight[0][i], epochs.weight[1][i]]);
        yc += weighted[i] * c;
        ys += weighted[i] * s;
    }
    let sums = raw.sums(epochs);
    let a = (yc * sums.ss - ys * sums.cs) * sums.inverse;
    let b = (ys * sums.cc - yc * sums.cs) * sums.inverse;
    Sinusoid {
        reduction: sums.reduction(yc, ys),
        amplitude_km_s: a.hypot(b),
    }
}

/// Sums of one frequency before the means of the arms are taken out.
#[derive(Clone, Copy, Debug, Default)]
struct Raw {
    cc: f64,
    cs: f64,
    c: [f64; ARMS],
    s: [f64; ARMS],
}

impl Raw {
    #[inline(always)]
    fn add(&mut self, c: f64, s: f64, weight: [f64; ARMS]) {
        let both = weight[0] + weight[1];
        self.cc += both * c * c;
        self.cs += both * c * s;
        for (arm, weight) in weight.into_iter().enumerate() {
            self.c[arm] += weight * c;
            self.s[arm] += weight * s;
        }
    }

    #[inline(always)]
    fn sums(&self, epochs: &Epochs) -> Sums {
        let total = epochs.total[0] + epochs.total[1];
        let (mut cc, mut ss, mut cs) = (self.cc, total - self.cc, self.cs);
        for arm in 0..ARMS {
            if epochs.total[arm] > 0.0 {
                cc -= self.c[arm] * self.c[arm] / epochs.total[arm];
                ss -= self.s[arm] * self.s[arm] / epochs.total[arm];
                cs -= self.c[arm] * self.s[arm] / epochs.total[arm];
            }
        }
        let determinant = cc * ss - cs * cs;
        let is_sound = determinant > LEAST_DETERMINANT * total * total;
        Sums {
            cc,
            ss,
            cs,
            inverse: if is_sound { 1.0 / determinant } else { 0.0 },
        }
    }
}

/// Goes through the grid with groups of [`SETS`] sets of velocities, each with the weighted deviations of its sets for each epoch: sine and
/// cosine are the same for all of them. `tell` is given the number of the first of [`LANES`] frequencies, that of the group, and the
/// reduction of chi^2 of each set at these frequencies.
pub fn go_through(
    epochs: &Epochs,
    groups: &[Vec<[f64; SETS]>],
    grid: &Grid,
    mut tell: impl FnMut(usize, usize, &[Lanes; SETS]),
) {
    let n = epochs.len();
    let phase = |frequency: f64, t: f64| {
        let (sin, cos) = (TAU * (frequency * t).fract()).sin_cos();
        (cos, sin)
    };
    let (mut c, mut s) = (vec![[0.0; LANES]; n], vec![[0.0; LANES]; n]);
    for (i, t) in epochs.time_d.iter().enumerate() {
        for lane in 0..LANES {
            (c[i][lane], s[i][lane]) = phase(grid.at(lane as f64), *t);
        }
    }
    // Turned on a quarter of a million times, as often as there can be blocks, sines and cosines are off by 1e-10 at most.
    let step = LANES as f64 * grid.step;
    let turn: Vec<(f64, f64)> = epochs.time_d.iter().map(|t| phase(step, *t)).collect();
    let weights: Vec<[f64; ARMS]> = (0..n)
        .map(|i| [epochs.weight[0][i], epochs.weight[1][i]])
        .collect();
    for block in 0..grid.n / LANES {
        let first = block * LANES;
        if block > 0 {
            turn_on(&mut c, &mut s, &turn);
        }
        let sums = sums_of(&c, &s, &weights, epochs);
        for (number, sets) in groups.iter().enumerate() {
            tell(first, number, &reductions(&c, &s, sets, &sums));
        }
    }
}

/// Turns sines and cosines on to the next block of frequencies.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn turn_on(c: &mut [Lanes], s: &mut [Lanes], turn: &[(f64, f64)]) {
    for ((c, s), (cos, sin)) in c.iter_mut().zip(s).zip(turn) {
        for lane in 0..LANES {
            let (old_c, old_s) = (c[lane], s[lane]);
            c[lane] = old_c * cos - old_s * sin;
            s[lane] = old_s * cos + old_c * sin;
        }
    }
}

/// The sums of each frequency of a block.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn sums_of(c: &[Lanes], s: &[Lanes], weights: &[[f64; ARMS]], epochs: &Epochs) -> [Sums; LANES] {
    let (mut cc, mut cs) = ([0.0; LANES], [0.0; LANES]);
    let (mut c0, mut c1, mut s0, mut s1) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for ((c, s), [w0, w1]) in c.iter().zip(s).zip(weights) {
        let both = w0 + w1;
        for lane in 0..LANES {
            let (c, s) = (c[lane], s[lane]);
            let weighted = both * c;
            cc[lane] += weighted * c;
            cs[lane] += weighted * s;
            c0[lane] += w0 * c;
            s0[lane] += w0 * s;
            c1[lane] += w1 * c;
            s1[lane] += w1 * s;
        }
    }
    std::array::from_fn(|lane| {
        Raw {
            cc: cc[lane],
            cs: cs[lane],
            c: [c0[lane], c1[lane]],
            s: [s0[lane], s1[lane]],
        }
        .sums(epochs)
    })
}

/// What each of several sets of velocities loses of its chi^2 at each frequency of a block.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn reductions(
    c: &[Lanes],
    s: &[Lanes],
    sets: &[[f64; SETS]],
    sums: &[Sums; LANES],
) -> [Lanes; SETS] {
    let (mut yc, mut ys) = ([[0.0; LANES]; SETS], [[0.0; LANES]; SETS]);
    for ((c, s), y) in c.iter().zip(s).zip(sets) {
        for set in 0..SETS {
            for lane in 0..LANES {
                yc[set][lane] += y[set] * c[lane];
                ys[set][lane] += y[set] * s[lane];
            }
        }
    }
    let mut reductions = [[0.0; LANES]; SETS];
    for set in 0..SETS {
        for lane in 0..LANES {
            reductions[set][lane] = sums[lane].reduction(yc[set][lane], ys[set][lane]);
        }
    }
    reductions
}
