//! A cell: one star, arm and signal-to-noise ratio of the Monte Carlo, with the bound on its errors, its counts and spreads.

use super::monte_carlo::{self, Case};
use super::spread::Spread;
use crate::lab::simulate::StellarParams;
use crate::likelihood::{RvFlags, VelocityGrid, flags};
use crate::table::Table;
use crate::{Arm, Result};

/// Exposures against each reference: enough to tell the reference's own error from theirs.
pub const PER_REFERENCE: usize = 4;

/// True velocities are uniform within +- this, km/s: a pixel either way, so that no phase is special.
pub const SPREAD_KM_S: f64 = 6.0;

/// One star, arm, SNR and reference.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Name of the star.
    pub name: &'static str,
    /// The star.
    pub star: StellarParams,
    /// Arm.
    pub arm: Arm,
    /// Signal-to-noise ratio of the exposures.
    pub snr: f64,
    /// Signal-to-noise ratio of the references over that of the exposures.
    pub ratio: f64,
    /// Exposures.
    pub n: usize,
    /// Those without a velocity.
    pub n_failed: usize,
    /// Velocities with any flag.
    pub n_flagged: usize,
    /// Exposures with each of [`flags::ALL`].
    pub n_by_flag: [usize; flags::ALL.len()],
    /// Bound on the error of the difference, km/s.
    pub bound_km_s: f64,
    /// The same without the reference's noise, km/s.
    pub own_bound_km_s: f64,
    /// Every velocity.
    pub all: Spread,
    /// Those without a flag.
    pub clean: Spread,
}

impl Cell {
    /// Simulates and measures `case` against references of `reference_star`.
    ///
    /// # Errors
    /// What the back end says.
    pub fn measure(
        name: &'static str,
        case: &Case,
        reference_star: &StellarParams,
        grid: &VelocityGrid,
    ) -> Result<Self> {
        let samples = monte_carlo::run_against(case, reference_star, grid)?;
        let (bound_km_s, own_bound_km_s) = monte_carlo::bounds_km_s(case);
        let measured = || samples.iter().filter(|s| s.error_km_s().is_finite());
        let count = |bits: RvFlags| {
            samples
                .iter()
                .filter(|s| s.measurement.flags.intersects(bits))
                .count()
        };
        Ok(Cell {
            name,
            star: case.star,
            arm: case.arm,
            snr: case.snr,
            ratio: case.reference_snr / case.snr,
            n: samples.len(),
            n_failed: samples.len() - measured().count(),
            n_flagged: measured()
                .filter(|s| !s.measurement.flags.is_empty())
                .count(),
            n_by_flag: flags::ALL.map(|(bit, _, _)| count(bit)),
            bound_km_s,
            own_bound_km_s,
            all: Spread::of(&samples, case.n_per_reference, |_| true),
            clean: Spread::of(&samples, case.n_per_reference, |s| {
                s.measurement.flags.is_empty()
            }),
        })
    }

    /// At least half of the exposures have a velocity without a flag: its numbers are those of [`Cell::clean`].
    pub fn is_clean(&self) -> bool {
        2 * self.clean.n >= self.n
    }

    /// Scatter to show, km/s: the rms of the velocities without a flag. If these are less than half, the half width of all velocities,
    /// which single ones far off do not change.
    pub fn scatter_km_s(&self) -> f64 {
        if self.is_clean() {
            self.clean.scatter_km_s
        } else {
            self.all.half_width_km_s
        }
    }

    /// Quoted error to show, km/s, of the same velocities.
    pub fn quoted_km_s(&self) -> f64 {
        if self.is_clean() {
            self.clean.quoted_km_s
        } else {
            self.all.quoted_median_km_s
        }
    }

    /// Pull width to show.
    pub fn pull(&self) -> f64 {
        if self.is_clean() {
            self.clean.pull
        } else {
            self.all.pull
        }
    }
}

/// All cells with all their numbers, a row each.
pub fn table(cells: &[Cell]) -> Table {
    let mut t = Table::new();
    push_cases(&mut t, cells);
    push_counts(&mut t, cells);
    let f = |value: &dyn Fn(&Cell) -> f64| numbers(cells, value);
    t.push_f64(
        "bound",
        "km/s",
        "Cramer-Rao bound of the difference",
        f(&|c| c.bound_km_s),
    );
    t.push_f64(
        "bound_own",
        "km/s",
        "the same without the reference's noise",
        f(&|c| c.own_bound_km_s),
    );
    push_spreads(&mut t, cells, "clean", "velocities without a flag", |c| {
        &c.clean
    });
    push_spreads(&mut t, cells, "all", "every velocity", |c| &c.all);
    t
}

fn numbers(cells: &[Cell], value: impl Fn(&Cell) -> f64) -> Vec<f64> {
    cells.iter().map(value).collect()
}

fn counts(cells: &[Cell], value: impl Fn(&Cell) -> usize) -> Vec<i32> {
    let counts = cells.iter().map(value);
    counts.map(|n| n.try_into().unwrap_or(i32::MAX)).collect()
}

/// What was simulated.
fn push_cases(t: &mut Table, cells: &[Cell]) {
    let f = |value: &dyn Fn(&Cell) -> f64| numbers(cells, value);
    let text = |value: &dyn Fn(&Cell) -> &'static str| -> Vec<String> {
        cells.iter().map(|c| value(c).to_owned()).collect()
    };
    t.push_text("star", "", "name of the star", text(&|c| c.name));
    t.push_f64("teff", "K", "effective temperature", f(&|c| c.star.teff_k));
    t.push_f64(
        "logg",
        "",
        "log10 of surface gravity, cm/s^2",
        f(&|c| c.star.logg),
    );
    t.push_f64("feh", "", "metallicity [Fe/H], dex", f(&|c| c.star.feh));
    t.push_f64(
        "vsini",
        "km/s",
        "projected rotational velocity",
        f(&|c| c.star.vsini_km_s),
    );
    t.push_text("arm", "", "blue or red", text(&|c| c.arm.name()));
    t.push_f64("snr", "", "signal-to-noise ratio per pixel", f(&|c| c.snr));
    t.push_f64(
        "snr_reference",
        "",
        "that of the references",
        f(&|c| c.snr * c.ratio),
    );
}

/// What was measured, and flagged.
fn push_counts(t: &mut Table, cells: &[Cell]) {
    let n = |value: &dyn Fn(&Cell) -> usize| counts(cells, value);
    t.push_i32("n", "", "exposures", n(&|c| c.n));
    t.push_i32("n_failed", "", "without a velocity", n(&|c| c.n_failed));
    t.push_i32(
        "n_flagged",
        "",
        "velocities with a flag",
        n(&|c| c.n_flagged),
    );
    for (i, (_, name, meaning)) in flags::ALL.iter().enumerate() {
        t.push_i32(&format!("n_{name}"), "", meaning, n(&|c| c.n_by_flag[i]));
    }
}

/// How far the velocities of `set`, which are those `of`, are from the truth.
fn push_spreads(t: &mut Table, cells: &[Cell], set: &str, of: &str, which: fn(&Cell) -> &Spread) {
    let name = |what: &str| format!("{set}_{what}");
    let about = |what: &str| format!("{what}, {of}");
    let n = |value: fn(&Spread) -> usize| counts(cells, |c| value(which(c)));
    t.push_i32(&name("n"), "", &about("how many"), n(|s| s.n));
    t.push_i32(
        &name("beyond_5"),
        "",
        &about("off by more than 5 quoted errors"),
        n(|s| s.n_beyond_5),
    );
    type Value = fn(&Spread) -> f64;
    let columns: [(&str, &str, &str, Value); 8] = [
        ("bias", "km/s", "mean of measured less true velocity", |s| {
            s.bias_km_s
        }),
        ("scatter", "km/s", "rms about the bias", |s| s.scatter_km_s),
        (
            "half_width",
            "km/s",
            "half the range that holds 68.3 %",
            |s| s.half_width_km_s,
        ),
        ("quoted", "km/s", "rms quoted error", |s| s.quoted_km_s),
        ("quoted_median", "km/s", "median quoted error", |s| {
            s.quoted_median_km_s
        }),
        ("pull", "", "half width of error over quoted error", |s| {
            s.pull
        }),
        (
            "scatter_own",
            "km/s",
            "rms about the mean of each reference's exposures",
            |s| s.own_scatter_km_s,
        ),
        ("quoted_own", "km/s", "rms quoted own error", |s| {
            s.own_quoted_km_s
        }),
    ];
    for (what, unit, meaning, value) in columns {
        let values = numbers(cells, |c| value(which(c)));
        t.push_f64(&name(what), unit, &about(meaning), values);
    }
}
