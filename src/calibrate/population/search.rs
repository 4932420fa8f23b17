//! The search for the population that makes the velocities of all stars most likely, by expectation and maximisation.

use rayon::prelude::*;

use super::{
    Densities, FRACTION_STARS, Kind, Mixture, Population, Prior, QUIET, VARIABLE, log_grid,
};
use crate::calibrate::star_fit::GRID;

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

impl Mixture {
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
    pub(in crate::calibrate) fn towards(&self, stars: &[(&[f64; GRID], Option<f64>)]) -> Self {
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
    pub(in crate::calibrate) fn of(stars: &[(&[f64; GRID], Option<f64>)]) -> Self {
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
                for (kind, of) in of.iter_mut().enumerate() {
                    let p = share[kind] * densities.of[kind][i] * l;
                    of[0] += p;
                    of[1] += p * log;
                    of[2] += p * log * log;
                }
            }
            let total = of[0][0] + of[1][0];
            for (kind, of) in of.iter().enumerate() {
                let [stars, log, log2] = of.map(|x| x / total);
                sums.stars[kind] += stars;
                sums.log[kind] += log;
                sums.log2[kind] += log2;
                let Kind { log_jitter, width } = self.kinds[kind];
                sums.push2[1 + kind] += ((log - stars * log_jitter) / (width * width)).powi(2);
            }
            let push = of[0][0] / total / self.quiet - of[1][0] / total / (1.0 - self.quiet);
            sums.push2[0] += push * push;
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
    pub(in crate::calibrate) fn population(
        &self,
        stars: &[(&[f64; GRID], Option<f64>)],
    ) -> Population {
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
            quiet_mean: self.quiet_mean(),
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
    use crate::calibrate::star_fit::grid;

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
        let mean = 1.5 * (0.5 * 0.6_f64 * 0.6).exp();
        assert!((found.quiet_mean / mean - 1.0).abs() < 0.1);
        assert_eq!(found.n_stars, 400);
    }

    #[test]
    fn the_quiet_fraction_has_an_error_also_where_another_arm_tells_who_is_quiet() {
        let jitters: Vec<f64> = (0..400)
            .map(|i| if i < 320 { 1.5 } else { 300.0 })
            .collect();
        let likelihoods = stars(&jitters, 40, 2);
        let known = |i: usize| Some(if i < 320 { 0.999 } else { 0.001 });
        let told: Vec<_> = likelihoods
            .iter()
            .enumerate()
            .map(|(i, l)| (l, known(i)))
            .collect();
        let mut mixture = Mixture::of(&told);
        for _ in 0..30 {
            mixture = mixture.towards(&told);
        }
        let found = mixture.population(&told);
        // Binomial: 0.02.
        assert!((0.01..0.04).contains(&found.quiet_err), "{found:?}");
    }

    #[test]
    fn stars_without_jitter_get_next_to_none() {
        for n_stars in [5, 50, 500] {
            let found = settled(&stars(&vec![0.0; n_stars], 15, 2));
            println!("{n_stars}: {found:?}");
            // It adds 6 per cent to the errors at most.
            assert!(found.quiet_mean < 0.35, "{n_stars}");
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
