//! A star's part in the moonlight of its exposures.

use super::by_velocity::{Point, told};
use super::levels::{FAR_SIGMA, FEWEST_EXPOSURES, Levels};
use crate::numbers::statistics::MEDIAN_CHI2;
use crate::reference::Sunlit;

/// Two spectra of the Sun, one of them moved by v, are alike to exp(-v^2 / 4 w^2); this is w, km/s: the standard deviation of its lines
/// at the survey's resolution (17 km/s), and their own width.
const SUN_LINES_KM_S: f64 = 18.0;

/// Steps of velocity in which that is evaluated, km/s.
const STEP_KM_S: f64 = 4.0;

/// What neither noise nor the misfits that are allowed for explain in a share of sunlight: standard deviation. Chosen by hand.
const FLOOR: f64 = 0.0015;

/// Larger shares than this are not believed where the lines that they leave are counted.
const MOST: f64 = 0.3;

/// An exposure has scattered light if it holds more sunlight than expected, by this share of its light, by this part of what is expected, and
/// by this many errors. Moonlight that the sky subtraction leaves is 2 to 8 %. Chosen on simulated plates (seeds 7341, 7343, 7344).
const SCATTERED: f64 = 0.06;
const SCATTERED_PART: f64 = 1.0;
const SCATTERED_SIGMA: f64 = 5.0;

/// A star does not have less than this part of the moonlight that its brightness suggests.
const LEAST_FACTOR: f64 = 0.2;

/// Sunlight in one exposure of a star.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Number of the row.
    pub row: usize,
    /// Number of the exposure, by time.
    pub exposure: usize,
    /// What was found.
    pub sunlit: Sunlit,
    /// Median flux of the exposure's stars over that of this one.
    pub faintness: f64,
    /// Velocity against the Earth, km/s, but for a constant.
    pub against_earth_km_s: f64,
    /// The star's velocity as measured and its error, km/s; none where it says nothing of the star.
    pub velocity_km_s: Option<(f64, f64)>,
    /// By how much what was found has made its errors larger, km/s.
    pub err_km_s: f64,
    /// Weight in the coadd, in any unit.
    pub weight: f64,
    /// The star's exposures are copies of each other, and so is this one.
    pub is_copy: bool,
}

impl Seen {
    /// Whether all numbers are numbers.
    pub fn is_usable(&self) -> bool {
        let positive = [
            self.faintness,
            self.weight,
            self.sunlit.sigma,
            self.sunlit.distinct,
        ];
        positive.iter().all(|v| v.is_finite() && *v > 0.0)
            && [
                self.against_earth_km_s,
                self.sunlit.share,
                self.sunlit.pull_km_s,
            ]
            .iter()
            .all(|v| v.is_finite())
    }

    /// Variance of the share.
    fn variance(&self) -> f64 {
        self.sunlit.sigma * self.sunlit.sigma + FLOOR * FLOOR
    }
}

/// By how much moonlight moved a velocity, and how well that is known, km/s.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moved {
    pub by_km_s: f64,
    pub err_km_s: f64,
}

/// A star in one arm.
#[derive(Clone, Debug)]
pub struct Star {
    pub seen: Vec<Seen>,
    /// Sunlight was looked for in all its exposures that have a velocity.
    is_whole: bool,
    /// Moonlight over what its brightness suggests, and its error.
    pub factor: f64,
    pub factor_err: f64,
    /// Residual of each share.
    residual: Vec<f64>,
    /// By how much the variances of its shares are larger than those quoted.
    inflation: f64,
    /// What the factor would be by this star alone, and its variance.
    pub free_factor: (f64, f64),
}

impl Star {
    /// None if it has too few exposures. `n_velocities` of them have a velocity.
    pub fn new(seen: Vec<Seen>, n_velocities: usize) -> Option<Self> {
        (seen.len() >= FEWEST_EXPOSURES).then(|| Star {
            is_whole: seen.len() >= n_velocities,
            factor: 1.0,
            factor_err: 1.0,
            residual: vec![0.0; seen.len()],
            inflation: 1.0,
            free_factor: (1.0, f64::INFINITY),
            seen,
        })
    }

    /// Velocities less what moonlight has moved them by: exposure, velocity and error.
    pub fn unmoved(&self, sky: &Levels) -> Vec<(usize, f64, f64)> {
        let shares = self.shares(|e| sky.level[e]);
        let pulls = self.pulls(&shares);
        let one = |(i, seen): (usize, &Seen)| {
            let (rv, err) = seen.velocity_km_s?;
            Some((seen.exposure, rv - shares[i] * pulls[i], err))
        };
        self.seen.iter().enumerate().filter_map(one).collect()
    }

    /// Velocities, if `full` are the shares for a factor of 1.
    fn points(&self, sky: &Levels, full: &[f64]) -> Vec<Option<Point>> {
        let shares: Vec<f64> = full.iter().map(|m| self.factor * m).collect();
        let pulls = self.pulls(&shares);
        let one = |(i, seen): (usize, &Seen)| {
            let (rv, err) = seen.velocity_km_s?;
            let scatter = sky.of_exposure * shares[i] * pulls[i];
            Some(Point {
                rv_km_s: rv - sky.drift_km_s[seen.exposure],
                moved_km_s: full[i] * pulls[i],
                variance: err * err + scatter * scatter,
            })
        };
        self.seen.iter().enumerate().map(one).collect()
    }

    /// By how much a share of 1 moves each velocity, if the star's shares are these: a share m of moonlight leaves 1 - m of its lines, and
    /// the coadd that it was compared with has lost as much.
    fn pulls(&self, shares: &[f64]) -> Vec<f64> {
        let weights = || self.seen.iter().map(|s| s.weight);
        let sum: f64 = shares.iter().zip(weights()).map(|(m, w)| m * w).sum();
        let usual = sum / weights().sum::<f64>();
        let left = |m: f64| 1.0 - m.clamp(0.0, MOST);
        let one = |(s, m): (&Seen, &f64)| s.sunlit.pull_km_s / left(*m) / left(usual);
        self.seen.iter().zip(shares).map(one).collect()
    }

    /// Rows of exposures that hold so much more sunlight than the star's others that it is no moonlight of this sky: scattered light, which
    /// nothing takes off. If the sky's moonlight is not known, only what is more than usual in the star's exposures.
    pub fn scattered(&self, is_sky_known: bool) -> Vec<usize> {
        let mut shares: Vec<f64> = self.seen.iter().map(|s| s.sunlit.share).collect();
        let usual = crate::numbers::statistics::median(&mut shares);
        let is_scattered = |(seen, residual): &(&Seen, &f64)| {
            let share = seen.sunlit.share;
            let excess = if is_sky_known {
                **residual
            } else {
                share - usual
            };
            let expected = (share - excess).max(0.0);
            let sigma = (self.inflation * seen.variance()).sqrt();
            seen.is_copy
                && excess > SCATTERED + SCATTERED_PART * expected
                && excess > SCATTERED_SIGMA * sigma
        };
        let both = self.seen.iter().zip(&self.residual).filter(is_scattered);
        both.map(|(seen, _)| seen.row).collect()
    }

    /// Whether its exposures tell of the sky.
    pub fn tells(&self) -> bool {
        self.seen.iter().filter(|s| s.is_copy).count() >= FEWEST_EXPOSURES
    }

    /// The part of a share that shows where the table of sunlight is wrong by this mean square.
    pub fn response(seen: &Seen, mismatch: f64) -> f64 {
        (1.0 - mismatch / seen.sunlit.distinct).max(0.0)
    }

    /// Weight of each share.
    pub fn weights(&self) -> Vec<f64> {
        let weight = |(seen, residual): (&Seen, &f64)| {
            let variance = seen.variance();
            let far = 1.0 + residual * residual / variance / (FAR_SIGMA * FAR_SIGMA);
            match seen.is_copy {
                true => 1.0 / (variance * self.inflation * far),
                false => 0.0,
            }
        };
        self.seen.iter().zip(&self.residual).map(weight).collect()
    }

    /// Share of moonlight in each exposure for a sky with these levels.
    pub fn shares(&self, level: impl Fn(usize) -> f64) -> Vec<f64> {
        let suggested = self.suggested(level).into_iter();
        suggested.map(|share| self.factor * share).collect()
    }

    /// The shares that the star's brightness suggests.
    pub fn suggested(&self, level: impl Fn(usize) -> f64) -> Vec<f64> {
        let share = |s: &Seen| s.faintness * level(s.exposure);
        self.seen.iter().map(share).collect()
    }

    /// What the coadd of the others holds of `shares`, as the Sun of each exposure sees it: sunlight that lies elsewhere in the star's
    /// rest frame is not seen.
    pub fn in_others(&self, shares: &[f64]) -> Vec<f64> {
        let weights = |i: usize| self.seen[i].weight;
        let weighted: Vec<f64> = shares
            .iter()
            .enumerate()
            .map(|(i, m)| m * weights(i))
            .collect();
        let near = self.near(&weighted, SUN_LINES_KM_S);
        let all: f64 = self.seen.iter().map(|s| s.weight).sum();
        let others = |i: usize| (near[i] - weighted[i]) / (all - weights(i));
        (0..shares.len()).map(others).collect()
    }

    /// Sums of `values` over all exposures, each times exp(-v^2 / 4 w^2) of its difference in velocity.
    fn near(&self, values: &[f64], width_km_s: f64) -> Vec<f64> {
        let bin = |s: &Seen| (s.against_earth_km_s / STEP_KM_S).round() as i64;
        let mut bins = std::collections::BTreeMap::new();
        for (seen, value) in self.seen.iter().zip(values) {
            *bins.entry(bin(seen)).or_insert(0.0) += value;
        }
        let reach = (6.0 * width_km_s / STEP_KM_S) as i64;
        let at = |s: &Seen| -> f64 {
            let here = bin(s);
            let near = bins.range(here.saturating_sub(reach)..=here.saturating_add(reach));
            near.map(|(there, sum)| {
                let v = (here - there) as f64 * STEP_KM_S / width_km_s;
                sum * (-0.25 * v * v).exp()
            })
            .sum()
        };
        self.seen.iter().map(at).collect()
    }

    /// Finds the star's factor and how well a sky describes it.
    pub fn fit(&mut self, sky: &Levels) {
        let full = self.suggested(|e| sky.level[e]);
        let told = told(&self.points(sky, &full), self.factor);
        let others = self.in_others(&full);
        let expected = |i: usize| {
            let response = Self::response(&self.seen[i], sky.mismatch);
            (response, full[i] - others[i])
        };
        let (mut information, mut product) = (0.0, 0.0);
        for (i, seen) in self.seen.iter().enumerate().filter(|(_, s)| s.is_copy) {
            let (response, change) = expected(i);
            // Half of what the table's errors take away is not known.
            let unknown = 0.5 * (1.0 - response) * change;
            let variance = seen.variance() * self.inflation
                + unknown * unknown
                + (sky.of_exposure * full[i]).powi(2);
            information += (response * change).powi(2) / variance;
            product += response * change * seen.sunlit.share / variance;
        }
        information += told.information;
        product += told.product;
        self.free_factor = (product / information, 1.0 / information);
        let prior = sky.of_fibre.powi(-2);
        self.factor = ((product + prior) / (information + prior)).max(LEAST_FACTOR);
        self.factor_err = (information + prior).powf(-0.5);
        let mut chi2 = Vec::with_capacity(self.seen.len());
        for (i, seen) in self.seen.iter().enumerate() {
            let (response, change) = expected(i);
            self.residual[i] = seen.sunlit.share - self.factor * response * change;
            let variance = seen.variance() + (sky.of_exposure * full[i]).powi(2);
            if seen.is_copy {
                chi2.push(self.residual[i].powi(2) / variance);
            }
        }
        let usual = crate::numbers::statistics::median(&mut chi2) / MEDIAN_CHI2;
        // `f64::max` gives 1 also where nothing is known.
        self.inflation = usual.max(1.0);
    }

    /// Sums that tell by how much shares scatter from exposure to exposure, beyond their errors: squares, and what they are compared with.
    pub fn scatter(&self, sky: &Levels) -> (f64, f64) {
        let shares = self.shares(|e| sky.level[e]);
        let (mut squares, mut of_shares) = (0.0, 0.0);
        for ((seen, residual), share) in self.seen.iter().zip(&self.residual).zip(shares) {
            if !seen.is_copy || Self::response(seen, sky.mismatch) < 0.5 {
                continue;
            }
            let variance = seen.variance();
            of_shares += share * share;
            if residual * residual < FAR_SIGMA * FAR_SIGMA * (variance + (0.3 * share).powi(2)) {
                squares += residual * residual - variance;
            }
        }
        (squares, of_shares)
    }

    /// By how much moonlight moved each velocity; `err_km_s` are the velocities' own errors. None where the sky is not known for one of
    /// the exposures, or where one was not looked at: differences between a velocity that is corrected and one that is not mean nothing.
    pub fn moved(&self, sky: &Levels, err_km_s: &[f64]) -> Option<Vec<Moved>> {
        if !self.is_whole || self.seen.iter().any(|s| !sky.is_known(s.exposure)) {
            return None;
        }
        let shares = self.shares(|e| sky.level[e]);
        let weights: Vec<f64> = err_km_s.iter().map(|e| e.powi(-2)).collect();
        let mean = |values: &[f64]| -> f64 {
            let sum: f64 = values.iter().zip(&weights).map(|(v, w)| v * w).sum();
            sum / weights.iter().sum::<f64>()
        };
        let pulls = self.pulls(&shares);
        let unsteady = self.unsteady(&pulls);
        let by: Vec<f64> = shares
            .iter()
            .zip(&pulls)
            .map(|(m, pull)| m * pull)
            .collect();
        let per_level: Vec<f64> = self
            .seen
            .iter()
            .zip(&pulls)
            .map(|(s, pull)| self.factor * s.faintness * pull)
            .collect();
        // What all exposures share moves the star's mean, and is no error of differences.
        let (mean_by, mean_level) = (mean(&by), mean(&per_level));
        let of_factor = self.factor_err / self.factor;
        let one = |i: usize| {
            let parts = [
                per_level[i] * sky.level_err[self.seen[i].exposure],
                (per_level[i] - mean_level) * sky.common_err,
                by[i] * sky.of_exposure,
                (by[i] - mean_by) * of_factor,
                shares[i] * unsteady[i],
                self.unexplained(sky, i, shares[i]) * pulls[i],
            ];
            Moved {
                by_km_s: by[i],
                err_km_s: parts.iter().map(|p| p * p).sum::<f64>().sqrt(),
            }
        };
        let moved: Vec<Moved> = (0..self.seen.len()).map(one).collect();
        let are_finite = moved
            .iter()
            .all(|m| m.by_km_s.is_finite() && m.err_km_s.is_finite());
        are_finite.then_some(moved)
    }

    /// The part of a share that the sky does not explain.
    fn unexplained(&self, sky: &Levels, i: usize, share: f64) -> f64 {
        let variance = self.inflation * self.seen[i].variance() + (sky.of_exposure * share).powi(2);
        (self.residual[i].abs() - FAR_SIGMA * variance.sqrt()).max(0.0)
    }

    /// By how much each pull differs from those of exposures at the same velocity against the Earth. They would be the same if the
    /// star's lines were stronger than what moonlight has left in the coadd.
    fn unsteady(&self, pulls: &[f64]) -> Vec<f64> {
        let width_km_s = 0.5 * SUN_LINES_KM_S;
        let near = self.near(pulls, width_km_s);
        let count = self.near(&vec![1.0; pulls.len()], width_km_s);
        let one = |i: usize| {
            let others = count[i] - 1.0;
            match others > 1e-6 {
                true => (pulls[i] - (near[i] - pulls[i]) / others) * others / (others + 1.0),
                false => 0.0,
            }
        };
        (0..pulls.len()).map(one).collect()
    }
}
