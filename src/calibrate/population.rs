//! How much stars vary by themselves: the population that each star's jitter is drawn from.
//!
//! A star is quiet or variable, and either kind has jitters that are lognormal. How likely a star's velocities are with each jitter
//! ([`super::star_fit`]) is tabulated on one grid of jitters for all stars, so that the population is found by expectation and
//! maximisation over sums. Nobody is chosen by the jitter that is being estimated.

use std::sync::LazyLock;

use rayon::prelude::*;

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
    /// Root mean square jitter of quiet stars: part of every corrected velocity's error.
    pub quiet_rms: f64,
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
    pub(super) fn scale(&mut self, factor: f64) {
        let jitters = [
            &mut self.quiet_jitter,
            &mut self.quiet_rms,
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
    widths: (0.2, 0.8),
};
/// Variable stars: eight times the error.
const VARIABLE: Prior = Prior {
    log_jitter: 2.1,
    log_jitter_stars: 2.0,
    width: 1.2,
    width_stars: 4.0,
    widths: (0.8, 2.0),
};
/// Quiet and variable stars that the knowledge of their fraction is worth. Chosen by hand.
const FRACTION_STARS: (f64, f64) = (4.0, 1.0);
/// Steps of expectation and maximisation at a time, at most.
const STEPS: usize = 30;
/// Change of a parameter in one step below which the mixture has settled. Steps are small where few stars say anything.
const SETTLED: f64 = 1e-4;
/// Natural logarithms of quiet stars' jitter from which the search begins. Chosen by hand.
const BEGINNINGS: [f64; 4] = [-2.3, -0.7, 0.5, 1.7];
/// How much larger the natural logarithm of variable stars' jitter is there.
const APART: f64 = 2.5;
/// Steps from each beginning, at most.
const FIRST_STEPS: usize = 100;
/// Stars of one task.
const TASK: usize = 256;

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
pub(super) struct Mixture {
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
pub(super) struct Posterior {
    /// Probability that the star is quiet.
    pub(super) p_quiet: f64,
    /// Probability of each jitter of the grid.
    pub(super) of_jitter: [f64; GRID],
}

impl Posterior {
    /// Mean of the natural logarithm of the jitter.
    pub(super) fn mean_log(&self) -> f64 {
        let terms = self.of_jitter.iter().zip(log_grid());
        terms.map(|(p, log)| p * log).sum()
    }

    /// Mean of a function of the jitter.
    pub(super) fn mean(&self, value: impl Fn(f64) -> f64) -> f64 {
        let terms = self
            .of_jitter
            .iter()
            .zip(grid())
            .map(|(p, s)| p * value(*s));
        terms.sum()
    }
}

/// Densities of both kinds: what the posteriors of all stars have in common.
pub(super) struct Densities {
    quiet: f64,
    of: [[f64; GRID]; 2],
}

impl Densities {
    /// Posterior of a star with these likelihoods (one per jitter of the grid, up to a factor). `known` is the probability that it is quiet
    /// before these velocities, where something else tells it.
    pub(super) fn posterior(&self, likelihood: &[f64; GRID], known: Option<f64>) -> Posterior {
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

    /// Probability of each jitter for quiet stars.
    pub(super) fn of_quiet(&self) -> &[f64; GRID] {
        &self.of[0]
    }
}

/// Sums over stars that the next mixture follows from: for each kind the number of its stars, and the sums of the logarithm of their
/// jitter and of its square.
#[derive(Clone, Copy, Default)]
struct Sums {
    stars: [f64; 2],
    log: [f64; 2],
    log2: [f64; 2],
    /// Squares of each star's push on the fraction and on the two medians: their sums tell the errors.
    push2: [f64; 3],
}

impl Sums {
    fn add(&mut self, other: &Sums) {
        for kind in 0..2 {
            self.stars[kind] += other.stars[kind];
            self.log[kind] += other.log[kind];
            self.log2[kind] += other.log2[kind];
        }
        for (a, b) in self.push2.iter_mut().zip(other.push2) {
            *a += b;
        }
    }
}

/// Natural logarithms of the grid's jitters.
fn log_grid() -> &'static [f64; GRID] {
    static LOGS: LazyLock<[f64; GRID]> = LazyLock::new(|| grid().map(f64::ln));
    &LOGS
}

impl Mixture {
    pub(super) fn densities(&self) -> Densities {
        Densities {
            quiet: self.quiet,
            of: self.kinds.map(|kind| kind.density()),
        }
    }

    /// Root mean square jitter of quiet stars, in units of the median error.
    pub(super) fn quiet_rms(&self) -> f64 {
        let density = self.kinds[0].density();
        let square: f64 = density.iter().zip(grid()).map(|(p, s)| p * s * s).sum();
        square.sqrt()
    }

    /// The mixture after at most so many steps towards the one that makes the likelihoods of all these stars largest. A star with what is
    /// known of it before counts for the jitters, and for the fraction by its posterior.
    fn after(&self, steps: usize, stars: &[(&[f64; GRID], Option<f64>)]) -> Self {
        let mut now = *self;
        for _ in 0..steps {
            let next = now.next(&now.sums(stars));
            let is_there = next.is_near(&now);
            now = next;
            if is_there {
                break;
            }
        }
        now
    }

    /// The mixture after some steps, from where it is.
    pub(super) fn towards(&self, stars: &[(&[f64; GRID], Option<f64>)]) -> Self {
        self.after(STEPS, stars)
    }

    /// Nothing changes any more that a weight or an error would show.
    fn is_near(&self, other: &Self) -> bool {
        let near = |a: &Kind, b: &Kind| {
            (a.log_jitter - b.log_jitter).abs() < SETTLED && (a.width - b.width).abs() < SETTLED
        };
        let [quiet, variable] = &self.kinds;
        (self.quiet - other.quiet).abs() < SETTLED
            && near(quiet, &other.kinds[0])
            && near(variable, &other.kinds[1])
    }

    /// The mixture that makes the likelihoods of all these stars largest, from several beginnings: which jitter is a quiet star's is
    /// told by nothing but the stars, and from one beginning all of them might be taken for variable.
    pub(super) fn of(stars: &[(&[f64; GRID], Option<f64>)]) -> Self {
        let mut best = (f64::NEG_INFINITY, Mixture::default());
        for log_jitter in BEGINNINGS {
            let mut mixture = Mixture::default();
            mixture.kinds[0].log_jitter = log_jitter;
            mixture.kinds[1].log_jitter = VARIABLE.log_jitter.max(log_jitter + APART);
            mixture = mixture.after(FIRST_STEPS, stars);
            let log_likelihood = mixture.log_likelihood(stars);
            if log_likelihood > best.0 {
                best = (log_likelihood, mixture);
            }
        }
        best.1
    }

    /// Natural logarithm of the likelihood of all these stars, up to a constant, and of what is taken of stars before.
    fn log_likelihood(&self, stars: &[(&[f64; GRID], Option<f64>)]) -> f64 {
        let densities = self.densities();
        let of_star = |(likelihood, known): &(&[f64; GRID], Option<f64>)| {
            let quiet = known.unwrap_or(self.quiet);
            let [a, b] = &densities.of;
            let terms = likelihood.iter().zip(a.iter().zip(b));
            let sum: f64 = terms
                .map(|(l, (a, b))| l * (quiet * a + (1.0 - quiet) * b))
                .sum();
            sum.ln()
        };
        let of_prior = |(kind, prior): (&Kind, &Prior)| {
            let off = (kind.log_jitter - prior.log_jitter) / kind.width;
            let wide = prior.width / kind.width;
            let of_width = prior.width_stars * (wide * wide - 2.0 * wide.ln());
            -0.5 * (prior.log_jitter_stars * off * off + of_width)
        };
        let (quiet, variable) = FRACTION_STARS;
        let of_fraction = quiet * self.quiet.ln() + variable * (1.0 - self.quiet).ln();
        let of_kinds: f64 = self
            .kinds
            .iter()
            .zip([&QUIET, &VARIABLE])
            .map(of_prior)
            .sum();
        stars.iter().map(of_star).sum::<f64>() + of_fraction + of_kinds
    }

    fn sums(&self, stars: &[(&[f64; GRID], Option<f64>)]) -> Sums {
        let densities = self.densities();
        let tasks = stars.par_chunks(TASK);
        let of_tasks: Vec<Sums> = tasks.map(|of| self.sums_of(of, &densities)).collect();
        // Added in one order, so that the result does not depend on the threads.
        let mut sums = Sums::default();
        of_tasks.iter().for_each(|of| sums.add(of));
        sums
    }

    fn sums_of(&self, stars: &[(&[f64; GRID], Option<f64>)], densities: &Densities) -> Sums {
        let logs = log_grid();
        let mut sums = Sums::default();
        for (likelihood, known) in stars {
            let quiet = known.unwrap_or(self.quiet);
            let share = [quiet, 1.0 - quiet];
            let mut of = [[0.0; 3]; 2];
            for (i, (l, log)) in likelihood.iter().zip(logs).enumerate() {
                for kind in 0..2 {
                    let p = share[kind] * densities.of[kind][i] * l;
                    of[kind][0] += p;
                    of[kind][1] += p * log;
                    of[kind][2] += p * log * log;
                }
            }
            let total = of[0][0] + of[1][0];
            for kind in 0..2 {
                let [stars, log, log2] = of[kind].map(|x| x / total);
                sums.stars[kind] += stars;
                sums.log[kind] += log;
                sums.log2[kind] += log2;
                let Kind { log_jitter, width } = self.kinds[kind];
                sums.push2[1 + kind] += ((log - stars * log_jitter) / (width * width)).powi(2);
            }
            if known.is_none() {
                let push = of[0][0] / total / self.quiet - of[1][0] / total / (1.0 - self.quiet);
                sums.push2[0] += push * push;
            }
        }
        sums
    }

    fn next(&self, sums: &Sums) -> Self {
        let kind = |i: usize, prior: &Prior| {
            let n = sums.stars[i];
            let log_jitter = (sums.log[i] + prior.log_jitter_stars * prior.log_jitter)
                / (n + prior.log_jitter_stars);
            let square =
                sums.log2[i] - 2.0 * log_jitter * sums.log[i] + n * log_jitter * log_jitter;
            let width2 =
                (square + prior.width_stars * prior.width * prior.width) / (n + prior.width_stars);
            Kind {
                log_jitter,
                width: width2.sqrt().clamp(prior.widths.0, prior.widths.1),
            }
        };
        let (quiet, variable) = FRACTION_STARS;
        let n = sums.stars[0] + sums.stars[1] + quiet + variable;
        Mixture {
            quiet: (sums.stars[0] + quiet) / n,
            kinds: [kind(0, &QUIET), kind(1, &VARIABLE)],
        }
    }

    /// The mixture with its errors.
    pub(super) fn population(&self, stars: &[(&[f64; GRID], Option<f64>)]) -> Population {
        let [fraction, quiet, variable] = self.sums(stars).push2;
        let (quiet_stars, variable_stars) = FRACTION_STARS;
        let of_prior = (quiet_stars + variable_stars) / (self.quiet * (1.0 - self.quiet));
        let log_err = |push2: f64, kind: Kind, prior: &Prior| {
            1.0 / (push2 + prior.log_jitter_stars / (kind.width * kind.width)).sqrt()
        };
        let [of_quiet, of_variable] = self.kinds;
        Population {
            quiet: self.quiet,
            quiet_err: 1.0 / (fraction + of_prior).sqrt(),
            quiet_jitter: of_quiet.log_jitter.exp(),
            quiet_jitter_log_err: log_err(quiet, of_quiet, &QUIET),
            quiet_width: of_quiet.width,
            quiet_rms: self.quiet_rms(),
            variable_jitter: of_variable.log_jitter.exp(),
            variable_jitter_log_err: log_err(variable, of_variable, &VARIABLE),
            variable_width: of_variable.width,
            n_stars: stars.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    /// Likelihoods of stars with `n` velocities each, error 1 and these jitters: of the normal distribution with known mean.
    fn stars(jitters: &[f64], n: usize, seed: u64) -> Vec<[f64; GRID]> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut of = |jitter: &f64| {
            let noise: Vec<f64> = (0..n)
                .map(|_| StandardNormal.sample(&mut rng))
                .map(|x: f64| x * jitter.hypot(1.0))
                .collect();
            let squares: f64 = noise.iter().map(|x| x * x).sum();
            let log = grid().map(|s| {
                let var = 1.0 + s * s;
                -0.5 * (n as f64 * var.ln() + squares / var)
            });
            let best = log.iter().copied().fold(f64::MIN, f64::max);
            log.map(|l| (l - best).exp())
        };
        jitters.iter().map(&mut of).collect()
    }

    fn settled(likelihoods: &[[f64; GRID]]) -> Population {
        let stars: Vec<_> = likelihoods.iter().map(|l| (l, None)).collect();
        let mut mixture = Mixture::of(&stars);
        for _ in 0..30 {
            mixture = mixture.towards(&stars);
        }
        mixture.population(&stars)
    }

    #[test]
    fn a_population_is_found_with_its_errors() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(9);
        let jitters: Vec<f64> = (0..400)
            .map(|i| {
                let x: f64 = StandardNormal.sample(&mut rng);
                match i < 320 {
                    true => 1.5 * (0.6 * x).exp(),
                    false => rng.random_range(20.0..2000.0),
                }
            })
            .collect();
        let found = settled(&stars(&jitters, 40, 1));
        println!("{found:?}");
        assert!((found.quiet - 0.8).abs() < 3.0 * found.quiet_err);
        assert!(found.quiet_err > 0.01 && found.quiet_err < 0.04);
        let off = (found.quiet_jitter / 1.5).ln();
        assert!(off.abs() < 3.0 * found.quiet_jitter_log_err);
        assert!(found.quiet_jitter_log_err < 0.06);
        assert!((found.quiet_width - 0.6).abs() < 0.1);
        let rms = 1.5 * (0.6_f64 * 0.6).exp();
        assert!((found.quiet_rms / rms - 1.0).abs() < 0.15);
        assert_eq!(found.n_stars, 400);
    }

    #[test]
    fn stars_without_jitter_get_next_to_none() {
        for n_stars in [5, 50, 500] {
            let found = settled(&stars(&vec![0.0; n_stars], 15, 2));
            println!("{n_stars}: {found:?}");
            // It adds 6 per cent to the errors at most.
            assert!(found.quiet_rms < 0.35, "{n_stars}");
            assert!(found.quiet > 0.75);
        }
    }

    #[test]
    fn what_is_known_before_moves_the_verdict() {
        let likelihoods = stars(&[1.0], 3, 4);
        let densities = Mixture::default().densities();
        let p = |known| densities.posterior(&likelihoods[0], known).p_quiet;
        assert!(p(Some(0.99)) > p(None) && p(None) > p(Some(0.01)));
        let posterior = densities.posterior(&likelihoods[0], None);
        assert!((posterior.mean(|_| 1.0) - 1.0).abs() < 1e-12);
    }
}
