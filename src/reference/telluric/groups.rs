//! The water lines in groups, each of which the spectra can tell from its neighbours.
//!
//! Lines closer than half of the line-spread function are one line to the spectra: they are one group, in the proportions of the list.
//! Groups for lines that the list does not have were tried: what they find is mostly noise, and the velocities are no better.

use std::sync::OnceLock;

use super::absorption::{Absorption, STEP_KM_S};
use super::{LSF_FWHM_KM_S, lines};
use crate::C_KM_S;

/// Lines within so much of the first of a group belong to it, km/s: half of the line-spread function.
const GROUP_KM_S: f64 = 0.5 * LSF_FWHM_KM_S;

/// The table goes this far beyond the first line and the last.
const MARGIN_KM_S: f64 = 120.0;

/// A Gaussian is 0 beyond so many of its sigma.
const REACH_SIGMA: f64 = 5.0;

/// Standard deviation of the line-spread function in ln(wavelength).
fn sigma() -> f64 {
    LSF_FWHM_KM_S / C_KM_S / (8.0 * 2.0_f64.ln()).sqrt()
}

/// A group of lines.
#[derive(Debug)]
pub struct Group {
    /// Equivalent width that the list has, km/s.
    pub listed_km_s: f64,
    /// First place of the table that it reaches.
    first: usize,
    /// What it absorbs there if its equivalent width is 1 km/s.
    shape: Vec<f64>,
}

impl Group {
    /// Absorption for an equivalent width of 1 km/s at a place of the table.
    pub fn at(&self, place: f64) -> f64 {
        let from = place - self.first as f64;
        if from < 0.0 || from.is_nan() {
            return 0.0;
        }
        let i = from as usize;
        match self.shape.get(i..i + 2) {
            Some(pair) => pair[0] + (from - i as f64) * (pair[1] - pair[0]),
            None => 0.0,
        }
    }
}

/// All groups, by wavelength.
#[derive(Debug)]
pub struct Groups {
    pub all: Vec<Group>,
    /// What the list absorbs as it stands.
    pub absorption: Absorption,
    first_ln_wave: f64,
    /// For each place of the table the first group that reaches it, and the first of those behind that do not.
    reached: Vec<(usize, usize)>,
}

impl Absorption {
    /// Of the list of lines as it stands.
    pub fn listed() -> &'static Self {
        &Groups::listed().absorption
    }
}

impl Groups {
    /// Those of the list.
    pub fn listed() -> &'static Self {
        static LISTED: OnceLock<Groups> = OnceLock::new();
        LISTED.get_or_init(Groups::of_list)
    }

    fn of_list() -> Self {
        let lines: Vec<(f64, f64)> = lines().collect();
        let ends = lines
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), line| {
                (low.min(line.0), high.max(line.0))
            });
        let margin = MARGIN_KM_S / C_KM_S;
        let step = STEP_KM_S / C_KM_S;
        let first_ln_wave = ends.0.ln() - margin;
        let n = ((ends.1.ln() + margin - first_ln_wave) / step)
            .ceil()
            .max(0.0) as usize;
        let mut depth = vec![0.0; n];
        for (wave_aa, ew_ma) in &lines {
            add(
                &mut depth,
                wave_aa.ln() - first_ln_wave,
                1e-3 * ew_ma / wave_aa,
            );
        }
        let mut reached = vec![(usize::MAX, 0); n];
        let all: Vec<Group> = in_groups(&lines)
            .iter()
            .map(|lines| group(lines, first_ln_wave, n))
            .collect();
        for (k, group) in all.iter().enumerate() {
            let places = reached.iter_mut().skip(group.first);
            for (from, to) in places.take(group.shape.len()) {
                (*from, *to) = ((*from).min(k), k + 1);
            }
        }
        Groups {
            all,
            absorption: Absorption::new(first_ln_wave, depth),
            first_ln_wave,
            reached,
        }
    }

    /// Equivalent widths of the list, km/s.
    pub fn widths_km_s(&self) -> Vec<f64> {
        self.all.iter().map(|group| group.listed_km_s).collect()
    }

    /// What groups of these equivalent widths absorb.
    pub fn absorption_of(&self, widths_km_s: &[f64]) -> Absorption {
        let mut depth = vec![0.0; self.reached.len()];
        for (group, width_km_s) in self.all.iter().zip(widths_km_s) {
            let places = depth.iter_mut().skip(group.first);
            for (depth, shape) in places.zip(&group.shape) {
                *depth += width_km_s * shape;
            }
        }
        Absorption::new(self.first_ln_wave, depth)
    }

    /// The place in the table of an observed wavelength, and the groups that reach it.
    pub fn around(&self, ln_wave_observed: f64) -> (f64, std::ops::Range<usize>) {
        let place = (ln_wave_observed - self.first_ln_wave) * (C_KM_S / STEP_KM_S);
        if !(place >= 0.0 && place < self.reached.len() as f64) {
            return (place, 0..0);
        }
        let (from, to) = self.reached[place as usize];
        (place, from.min(to)..to)
    }
}

/// Lines that the spectra tell apart, by wavelength.
fn in_groups(lines: &[(f64, f64)]) -> Vec<&[(f64, f64)]> {
    let size = GROUP_KM_S / C_KM_S;
    let mut out = Vec::new();
    let mut rest = lines;
    while let Some(start) = rest.first() {
        let n = rest.partition_point(|line| (line.0 / start.0).ln() < size);
        let (group, behind) = rest.split_at(n.max(1));
        out.push(group);
        rest = behind;
    }
    out
}

/// One group of these lines.
fn group(lines: &[(f64, f64)], first_ln_wave: f64, n: usize) -> Group {
    let width = |line: &(f64, f64)| 1e-3 * line.1 / line.0;
    let sum: f64 = lines.iter().map(width).sum();
    let mut depth = vec![0.0; n];
    for line in lines {
        let share = width(line) / sum;
        add(&mut depth, line.0.ln() - first_ln_wave, share / C_KM_S);
    }
    let first = depth.iter().position(|d| *d > 0.0).unwrap_or(0);
    let last = depth.iter().rposition(|d| *d > 0.0).unwrap_or(0);
    Group {
        listed_km_s: sum * C_KM_S,
        first,
        shape: depth[first..(last + 1).min(n)].to_vec(),
    }
}

/// Adds a line to a table; `centre`, from its beginning, and the equivalent width `width` are in ln(wavelength).
fn add(depth: &mut [f64], centre: f64, width: f64) {
    let (n, step, sigma) = (depth.len(), STEP_KM_S / C_KM_S, sigma());
    let peak = width / (sigma * std::f64::consts::TAU.sqrt());
    let from = ((centre - REACH_SIGMA * sigma) / step).max(0.0) as usize;
    let to = (((centre + REACH_SIGMA * sigma) / step).max(0.0) as usize + 1).min(n);
    for (i, depth) in depth.iter_mut().enumerate().take(to).skip(from) {
        let x = (i as f64 * step - centre) / sigma;
        *depth += peak * (-0.5 * x * x).exp();
    }
}
