//! Whether zero points change along the slit, and by how much: the order of their polynomial from the evidence of the whole run.
//!
//! The slopes of a run's exposures are taken as drawn from a normal distribution about 0 (a slope that all exposures have in common cannot
//! be told from the stars' offsets). Its variance is the one that makes the velocities of all exposures together most likely, and a slope
//! is asked for where that is clearly more likely than none. The same is then asked of the curve.

use super::along::{FibreOrder, MOST_TERMS, Shape, terms};
use super::graph::Graph;

/// Gain in the natural logarithm of the likelihood that speaks for a term. Where there is none, chance should give more in one run of 1300:
/// twice the gain is then 0 or chi^2 with one degree of freedom, each in half of the runs (Self & Liang 1987). Chosen by hand.
const CLEAR: f64 = 5.0;
/// Least variance of a term, in units of the median error squared: far below anything that could be seen.
const LEAST_VARIANCE: f64 = 1e-6;
/// Factor between the variances that are tried first.
const COARSE: f64 = 2.0;
/// Variances that are tried, from [`LEAST_VARIANCE`] on.
const TRIED: usize = 50;
/// Steps that narrow the variance.
const FINE_STEPS: usize = 30;

/// What the velocities of one exposure say of one term: its weight, and its weighted value.
#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    information: f64,
    pull: f64,
}

/// Gain in ln L by a term of this variance over none (Gaussian integrals over the term of each exposure).
fn gain(evidence: &[Evidence], variance: f64) -> f64 {
    let of = |e: &Evidence| {
        let wider = 1.0 + variance * e.information;
        0.5 * (variance * e.pull * e.pull / wider - wider.ln())
    };
    evidence.iter().map(of).sum()
}

/// The variance that gains most, and its gain.
fn best_variance(evidence: &[Evidence]) -> (f64, f64) {
    let tried = (0..TRIED).map(|i| LEAST_VARIANCE * COARSE.powi(i as i32));
    let (mut best, mut most) = (LEAST_VARIANCE, gain(evidence, LEAST_VARIANCE));
    for variance in tried {
        let now = gain(evidence, variance);
        if now > most {
            (best, most) = (variance, now);
        }
    }
    let (mut low, mut high) = (best / COARSE, best * COARSE);
    for _ in 0..FINE_STEPS {
        let (a, b) = ((low * low * high).cbrt(), (low * high * high).cbrt());
        if gain(evidence, a) > gain(evidence, b) {
            high = b;
        } else {
            low = a;
        }
    }
    let best = (low * high).sqrt().max(LEAST_VARIANCE);
    (best, gain(evidence, best))
}

/// What [`shape`] looks at.
pub(super) struct Residuals<'a> {
    pub(super) graph: &'a Graph,
    /// Weight of each observation.
    pub(super) weight: &'a [f64],
    /// Each observation less its star's mean and less the mean term of its zero point; NaN where there is none.
    pub(super) left: &'a [f64],
}

/// The shape that the residuals speak for. With [`FibreOrder::Auto`] the order is never lower than `least`, so that it settles.
pub(super) fn shape(residuals: &Residuals<'_>, asked: FibreOrder, least: usize) -> Shape {
    let (lowest, highest) = match asked {
        FibreOrder::Auto => (least, MOST_TERMS - 1),
        FibreOrder::Constant => (0, 0),
        FibreOrder::Slope => (1, 1),
        FibreOrder::Curve => (2, 2),
    };
    let mut shape = Shape::default();
    if highest == 0 {
        return shape;
    }
    let sums = sums(residuals);
    for order in 1..=highest {
        let evidence: Vec<Evidence> = sums.iter().map(|s| s.evidence(order)).collect();
        let (variance, most) = best_variance(&evidence);
        if order > lowest && most < CLEAR {
            break;
        }
        shape.order = order;
        shape.stiffness[order - 1] = 1.0 / variance;
    }
    shape
}

/// Weighted sums over the observations of one zero point.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Products of two terms.
    terms: [[f64; MOST_TERMS]; MOST_TERMS],
    /// Products of a term and the residual.
    residual: [f64; MOST_TERMS],
}

impl Sums {
    /// What is said of the highest term, all lower ones being free.
    fn evidence(mut self, order: usize) -> Evidence {
        for i in 0..order {
            let pivot = self.terms[i][i];
            // All observations lie at one place: nothing is left to say.
            if self.terms[i][i] <= 1e-9 * self.terms[0][0] {
                return Evidence::default();
            }
            let row = self.terms[i];
            for j in i + 1..=order {
                let factor = self.terms[j][i] / pivot;
                for (of, above) in self.terms[j].iter_mut().zip(row) {
                    *of -= factor * above;
                }
                self.residual[j] -= factor * self.residual[i];
            }
        }
        let information = self.terms[order][order];
        if information <= 1e-9 * self.terms[0][0] {
            return Evidence::default();
        }
        Evidence {
            information,
            pull: self.residual[order],
        }
    }
}

fn sums(residuals: &Residuals<'_>) -> Vec<Sums> {
    let graph = residuals.graph;
    let mut sums = vec![Sums::default(); graph.n_zp];
    for (k, (&w, &left)) in residuals.weight.iter().zip(residuals.left).enumerate() {
        if !(w > 0.0 && left.is_finite()) {
            continue;
        }
        let x = terms(graph.place[k]);
        let sum = &mut sums[graph.zp[k] as usize];
        for i in 0..MOST_TERMS {
            for j in 0..MOST_TERMS {
                sum.terms[i][j] += w * x[i] * x[j];
            }
            sum.residual[i] += w * x[i] * left;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    /// Residuals of 30 exposures of 40 stars each with errors of 1, and slopes and curves that scatter by so much.
    fn found(slope: f64, curve: f64, asked: FibreOrder, seed: u64) -> Shape {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let (n_stars, n_zp) = (40, 30);
        let place: Vec<f64> = (0..n_stars).map(|_| rng.random_range(-1.0..1.0)).collect();
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let along: Vec<[f64; 2]> = (0..n_zp)
            .map(|_| [slope * normal(), curve * normal()])
            .collect();
        let edges: Vec<(u32, u32, f64, f64)> = (0..n_stars)
            .flat_map(|s| (0..n_zp).map(move |z| (s as u32, z as u32)))
            .map(|(s, z)| {
                let [_, p, q] = terms(place[s as usize]);
                let [slope, curve] = along[z as usize];
                (s, z, slope * p + curve * q + normal(), 1.0)
            })
            .collect();
        let mut graph = Graph::new(n_stars, n_zp, &edges).0;
        for (star, at) in place.iter().enumerate() {
            graph.of(star).for_each(|k| graph.place[k] = *at);
        }
        let residuals = Residuals {
            graph: &graph,
            weight: &vec![1.0; graph.n_obs()],
            left: &graph.rv.clone(),
        };
        shape(&residuals, asked, 0)
    }

    #[test]
    fn the_order_is_the_one_that_is_there() {
        for seed in 0..40 {
            assert_eq!(found(0.0, 0.0, FibreOrder::Auto, seed).order, 0, "{seed}");
            let slopes = found(1.0, 0.0, FibreOrder::Auto, seed);
            assert_eq!(slopes.order, 1, "{seed}");
            let scatter = slopes.stiffness[0].sqrt().recip();
            assert!((scatter - 1.0).abs() < 0.45, "{seed}: {scatter}");
            let curves = found(1.0, 1.0, FibreOrder::Auto, seed);
            assert_eq!(curves.order, 2, "{seed}");
            let scatter = curves.stiffness[1].sqrt().recip();
            assert!((scatter - 1.0).abs() < 0.6, "{seed}: {scatter}");
        }
    }

    #[test]
    fn chance_seldom_speaks_for_a_slope() {
        let orders = (0..2000).map(|seed| found(0.0, 0.0, FibreOrder::Auto, 1000 + seed).order);
        let wrong = orders.filter(|order| *order > 0).count();
        println!("{wrong} of 2000 runs without slopes get some");
        // 1.6 are expected.
        assert!(wrong < 8);
    }

    #[test]
    fn an_order_that_is_asked_for_is_given() {
        assert_eq!(found(1.0, 1.0, FibreOrder::Constant, 1).order, 0);
        assert_eq!(found(1.0, 1.0, FibreOrder::Slope, 1).order, 1);
        let none = found(0.0, 0.0, FibreOrder::Curve, 1);
        assert_eq!(none.order, 2);
        // Held firmly where there is none.
        assert!(none.stiffness.iter().all(|s| *s > 5.0), "{none:?}");
    }

    #[test]
    fn stars_at_one_place_say_nothing_of_slopes() {
        let edges: Vec<(u32, u32, f64, f64)> = (0..200)
            .map(|i| (i % 20, i / 20, f64::from(i * 7 % 13), 1.0))
            .collect();
        let mut graph = Graph::new(20, 10, &edges).0;
        graph.place.fill(0.4);
        let residuals = Residuals {
            graph: &graph,
            weight: &vec![1.0; 200],
            left: &graph.rv.clone(),
        };
        assert_eq!(shape(&residuals, FibreOrder::Auto, 0), Shape::default());
    }
}
