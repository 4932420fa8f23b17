//! How much stars vary by themselves: the population that each star's jitter is drawn from.
//!
//! A star is quiet or variable, and either kind has jitters that are lognormal. How likely a star's velocities are with each jitter
//! ([`super::star_fit`]) is tabulated on one grid of jitters for all stars, so that the population is found by expectation and
//! maximisation over sums. Nobody is chosen by the jitter that is being estimated.

mod search;

use std::sync::LazyLock;

use super::star_fit::{GRID, grid};

/// The jitter of stars. A star is quiet or variable; either kind has jitters that are lognormal. Velocities are in the unit of the
/// observations.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Population {
    /// Fraction of the stars that are quiet.
    pub quiet: f64,
    /// Its 1-sigma error.
    pub quiet_err: f64,
    /// Median jitter of quiet stars. It holds what the quoted errors leave out, too.
    pub quiet_jitter: f64,
    /// Error of its natural logarithm.
    pub quiet_jitter_log_err: f64,
    /// Standard deviation of the natural logarithm of quiet stars' jitter.
    pub quiet_width: f64,
    /// Mean jitter of quiet stars: what is taken for the jitter of a star of which nothing else is known.
    pub quiet_mean: f64,
    /// Median jitter of variable stars.
    pub variable_jitter: f64,
    /// Error of its natural logarithm.
    pub variable_jitter_log_err: f64,
    /// Standard deviation of the natural logarithm of variable stars' jitter.
    pub variable_width: f64,
    /// Stars that it is found from.
    pub n_stars: usize,
}

impl Population {
    /// Multiplies all velocities, for another unit.
    pub(in crate::calibrate) fn scale(&mut self, factor: f64) {
        let jitters = [
            &mut self.quiet_jitter,
            &mut self.quiet_mean,
            &mut self.variable_jitter,
        ];
        jitters.into_iter().for_each(|jitter| *jitter *= factor);
    }
}

/// What is taken of stars before any velocity is seen, and how many stars this knowledge is worth. Jitters are in units of the median
/// error. Few stars are near it, many are not held by it. Chosen by hand.
struct Prior {
    /// Natural logarithm of the median jitter.
    log_jitter: f64,
    /// Stars that it is worth.
    log_jitter_stars: f64,
    /// Standard deviation of the logarithm.
    width: f64,
    /// Stars that it is worth.
    width_stars: f64,
    /// Least and largest width.
    widths: (f64, f64),
}

/// Quiet stars: a tenth of the error.
const QUIET: Prior = Prior {
    log_jitter: -2.3,
    log_jitter_stars: 1.0,
    width: 0.4,
    width_stars: 4.0,
    widths: (0.2, 1.2),
};
/// Variable stars: eight times the error.
const VARIABLE: Prior = Prior {
    log_jitter: 2.1,
    log_jitter_stars: 2.0,
    width: 1.2,
    width_stars: 4.0,
    widths: (0.6, 1.5),
};
/// Quiet and variable stars that the knowledge of their fraction is worth. Chosen by hand.
const FRACTION_STARS: (f64, f64) = (4.0, 1.0);
/// Lognormal jitters of one kind of star, in units of the median error.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Kind {
    log_jitter: f64,
    width: f64,
}

impl Kind {
    fn of(prior: &Prior) -> Self {
        Kind {
            log_jitter: prior.log_jitter,
            width: prior.width,
        }
    }

    /// Probability of each jitter of the grid.
    fn density(&self) -> [f64; GRID] {
        let mut out =
            log_grid().map(|s| (-0.5 * ((s - self.log_jitter) / self.width).powi(2)).exp());
        let total: f64 = out.iter().sum();
        out.iter_mut().for_each(|p| *p /= total);
        out
    }
}

/// The population that the solution works with, in units of the median error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::calibrate) struct Mixture {
    quiet: f64,
    kinds: [Kind; 2],
}

impl Default for Mixture {
    fn default() -> Self {
        let (quiet, variable) = FRACTION_STARS;
        Mixture {
            quiet: quiet / (quiet + variable),
            kinds: [Kind::of(&QUIET), Kind::of(&VARIABLE)],
        }
    }
}

/// What a star's velocities and the population say of its jitter together.
#[derive(Clone, Copy, Debug)]
pub(in crate::calibrate) struct Posterior {
    /// Probability that the star is quiet.
    pub(in crate::calibrate) p_quiet: f64,
    /// Probability of each jitter of the grid.
    pub(in crate::calibrate) of_jitter: [f64; GRID],
}

impl Posterior {
    /// Mean of the natural logarithm of the jitter.
    pub(in crate::calibrate) fn mean_log(&self) -> f64 {
        let terms = self.of_jitter.iter().zip(log_grid());
        terms.map(|(p, log)| p * log).sum()
    }

    /// Mean of a function of the jitter.
    pub(in crate::calibrate) fn mean(&self, value: impl Fn(f64) -> f64) -> f64 {
        let terms = self
            .of_jitter
            .iter()
            .zip(grid())
            .map(|(p, s)| p * value(*s));
        terms.sum()
    }
}

/// Densities of both kinds: what the posteriors of all stars have in common.
pub(in crate::calibrate) struct Densities {
    quiet: f64,
    of: [[f64; GRID]; 2],
}

impl Densities {
    /// Posterior of a star with these likelihoods (one per jitter of the grid, up to a factor). `known` is the probability that it is quiet
    /// before these velocities, where something else tells it.
    pub(in crate::calibrate) fn posterior(
        &self,
        likelihood: &[f64; GRID],
        known: Option<f64>,
    ) -> Posterior {
        let quiet = known.unwrap_or(self.quiet);
        let mut of_jitter = [0.0; GRID];
        let (mut of_quiet, mut total) = (0.0, 0.0);
        for (i, l) in likelihood.iter().enumerate() {
            let a = quiet * self.of[0][i] * l;
            let b = (1.0 - quiet) * self.of[1][i] * l;
            of_jitter[i] = a + b;
            of_quiet += a;
            total += a + b;
        }
        of_jitter.iter_mut().for_each(|p| *p /= total);
        Posterior {
            p_quiet: of_quiet / total,
            of_jitter,
        }
    }

    /// Mean weight, 1 / (var + jitter^2), of a velocity of a star with these likelihoods if it is quiet; None for a star that cannot be.
    pub(in crate::calibrate) fn quiet_weight(
        &self,
        likelihood: &[f64; GRID],
        var: f64,
    ) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for ((l, p), s) in likelihood.iter().zip(&self.of[0]).zip(grid()) {
            sum += l * p / (var + s * s);
            total += l * p;
        }
        (total > 0.0).then(|| sum / total)
    }

    /// Probability of each jitter for quiet stars.
    pub(in crate::calibrate) fn of_quiet(&self) -> &[f64; GRID] {
        &self.of[0]
    }
}
/// Natural logarithms of the grid's jitters.
fn log_grid() -> &'static [f64; GRID] {
    static LOGS: LazyLock<[f64; GRID]> = LazyLock::new(|| grid().map(f64::ln));
    &LOGS
}

impl Mixture {
    pub(in crate::calibrate) fn densities(&self) -> Densities {
        Densities {
            quiet: self.quiet,
            of: self.kinds.map(|kind| kind.density()),
        }
    }

    /// Mean jitter of quiet stars, in units of the median error.
    pub(in crate::calibrate) fn quiet_mean(&self) -> f64 {
        let density = self.kinds[0].density();
        density.iter().zip(grid()).map(|(p, s)| p * s).sum()
    }
}
