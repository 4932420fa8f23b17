//! Which terms zero points have, and by how much they scatter: from the evidence of the whole run.
//!
//! The slopes along the slit of a run's exposures are taken as drawn from a normal distribution about 0 (a slope that all exposures have in
//! common cannot be told from the stars' offsets). Its variance is the one that makes the velocities of all exposures together most likely,
//! and a slope is asked for where that is clearly more likely than none. The same is then asked of the curve, and of what depends on the
//! stars' lines.

use super::graph::Graph;
use super::problem::JointOptions;
use super::terms::{ByLines, CURVE, FibreOrder, MEAN, MOST_TERMS, SLOPE, Shape, Terms};

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
    if evidence.iter().all(|e| e.information == 0.0) {
        return (LEAST_VARIANCE, 0.0);
    }
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

/// Whether a term is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    Never,
    /// Where the velocities speak for it.
    Perhaps,
    Always,
}

/// Whether a term is wanted by the settings, if zero points have the terms of `so_far`.
fn wanted(term: usize, asked: &JointOptions, so_far: &Shape) -> Wanted {
    match (term, asked.fibre_order) {
        (SLOPE | CURVE, FibreOrder::Constant) | (CURVE, FibreOrder::Slope) => Wanted::Never,
        (SLOPE, FibreOrder::Slope) | (SLOPE | CURVE, FibreOrder::Curve) => Wanted::Always,
        (CURVE, FibreOrder::Auto) if !so_far.has()[SLOPE] => Wanted::Never,
        (SLOPE | CURVE, FibreOrder::Auto) => Wanted::Perhaps,
        _ => match asked.by_lines {
            ByLines::Auto => Wanted::Perhaps,
            ByLines::Off => Wanted::Never,
        },
    }
}

/// The shape that the residuals speak for. A term that `before` has stays where it may be there, so that the shape settles.
///
/// Of the terms that are not there yet the one for which most speaks comes first: where the stars of broad lines stand at one end of the
/// slit by chance, what goes with the lines looks like a slope as well.
pub(super) fn shape(residuals: &Residuals<'_>, asked: &JointOptions, before: &Shape) -> Shape {
    let mut shape = Shape::default();
    let mut sums_of_all = None;
    loop {
        let open: Vec<(usize, Wanted)> = (0..MOST_TERMS)
            .filter(|term| !shape.has()[*term])
            .map(|term| (term, wanted(term, asked, &shape)))
            .filter(|(_, wanted)| *wanted != Wanted::Never)
            .collect();
        if open.is_empty() {
            break;
        }
        let sums = sums_of_all.get_or_insert_with(|| sums(residuals));
        let gained = open.into_iter().map(|(term, wanted)| {
            let is_sure = wanted == Wanted::Always || before.has()[term];
            let (variance, gain) = best_variance(&evidence(sums, &shape, term));
            (is_sure, gain, term, variance)
        });
        let best = gained.max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        match best {
            Some((is_sure, gain, term, variance)) if is_sure || gain >= CLEAR => {
                shape.add(term, 1.0 / variance);
            }
            _ => break,
        }
    }
    match sums_of_all {
        Some(sums) => with_stiffness(&sums, &shape),
        None => shape,
    }
}

/// The same terms, each as firmly held as what it scatters by beside all others.
fn with_stiffness(sums: &[Sums], shape: &Shape) -> Shape {
    let mut out = Shape::default();
    for term in shape.terms().filter(|term| *term != MEAN) {
        let (variance, _) = best_variance(&evidence(sums, &shape.without(term), term));
        out.add(term, 1.0 / variance);
    }
    out
}

fn evidence(sums: &[Sums], shape: &Shape, term: usize) -> Vec<Evidence> {
    sums.iter().map(|s| s.evidence(shape, term)).collect()
}

/// Weighted sums over the observations of one zero point.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Products of two terms.
    terms: [[f64; MOST_TERMS]; MOST_TERMS],
    /// Products of a term and the residual.
    residual: Terms,
}

impl Sums {
    /// What is said of a term, those of `shape` being free.
    fn evidence(mut self, shape: &Shape, term: usize) -> Evidence {
        let rows = || shape.terms().chain([term]);
        // What is left of a number of this size is rounding.
        let nothing = |size: f64| 1e-9 * size;
        let sizes: Terms = std::array::from_fn(|i| self.terms[i][i]);
        for (done, i) in shape.terms().enumerate() {
            let pivot = self.terms[i][i];
            // All observations have this term alike: nothing is left to say.
            if pivot <= nothing(sizes[i]) {
                return Evidence::default();
            }
            let row = self.terms[i];
            for j in rows().skip(done + 1) {
                let factor = self.terms[j][i] / pivot;
                for (of, above) in self.terms[j].iter_mut().zip(row) {
                    *of -= factor * above;
                }
                self.residual[j] -= factor * self.residual[i];
            }
        }
        let information = self.terms[term][term];
        if information <= nothing(sizes[term]) {
            return Evidence::default();
        }
        Evidence {
            information,
            pull: self.residual[term],
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
        let x = &graph.terms[k];
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
    use crate::calibrate::terms::{LineKind, fibre_order, multipliers};

    fn with_order(fibre_order: FibreOrder) -> JointOptions {
        JointOptions {
            fibre_order,
            ..JointOptions::default()
        }
    }

    fn order(shape: &Shape) -> usize {
        fibre_order(&shape.has())
    }

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
                let [_, p, q, ..] = multipliers(place[s as usize], LineKind::default());
                let [slope, curve] = along[z as usize];
                (s, z, slope * p + curve * q + normal(), 1.0)
            })
            .collect();
        let mut graph = Graph::new(n_stars, n_zp, &edges).0;
        for (star, at) in place.iter().enumerate() {
            let terms = multipliers(*at, LineKind::default());
            graph.of(star).for_each(|k| graph.terms[k] = terms);
        }
        let residuals = Residuals {
            graph: &graph,
            weight: &vec![1.0; graph.n_obs()],
            left: &graph.rv.clone(),
        };
        shape(&residuals, &with_order(asked), &Shape::default())
    }

    #[test]
    fn the_order_is_the_one_that_is_there() {
        for seed in 0..40 {
            assert_eq!(order(&found(0.0, 0.0, FibreOrder::Auto, seed)), 0, "{seed}");
            let slopes = found(1.0, 0.0, FibreOrder::Auto, seed);
            assert_eq!(order(&slopes), 1, "{seed}");
            let scatter = slopes.stiffness(SLOPE).sqrt().recip();
            assert!((scatter - 1.0).abs() < 0.45, "{seed}: {scatter}");
            let curves = found(1.0, 1.0, FibreOrder::Auto, seed);
            assert_eq!(order(&curves), 2, "{seed}");
            let scatter = curves.stiffness(CURVE).sqrt().recip();
            assert!((scatter - 1.0).abs() < 0.6, "{seed}: {scatter}");
        }
    }

    #[test]
    fn chance_seldom_speaks_for_a_slope() {
        let orders = (0..2000).map(|seed| order(&found(0.0, 0.0, FibreOrder::Auto, 1000 + seed)));
        let wrong = orders.filter(|order| *order > 0).count();
        println!("{wrong} of 2000 runs without slopes get some");
        // 1.6 are expected.
        assert!(wrong < 8);
    }

    #[test]
    fn an_order_that_is_asked_for_is_given() {
        assert_eq!(order(&found(1.0, 1.0, FibreOrder::Constant, 1)), 0);
        assert_eq!(order(&found(1.0, 1.0, FibreOrder::Slope, 1)), 1);
        let none = found(0.0, 0.0, FibreOrder::Curve, 1);
        assert_eq!(order(&none), 2);
        // Held firmly where there is none.
        assert!(
            [SLOPE, CURVE]
                .iter()
                .all(|term| none.stiffness(*term) > 5.0),
            "{none:?}"
        );
    }

    #[test]
    fn stars_at_one_place_say_nothing_of_slopes() {
        let edges: Vec<(u32, u32, f64, f64)> = (0..200)
            .map(|i| (i % 20, i / 20, f64::from(i * 7 % 13), 1.0))
            .collect();
        let mut graph = Graph::new(20, 10, &edges).0;
        graph.terms.fill(multipliers(0.4, LineKind::default()));
        let residuals = Residuals {
            graph: &graph,
            weight: &vec![1.0; 200],
            left: &graph.rv.clone(),
        };
        let found = shape(&residuals, &JointOptions::default(), &Shape::default());
        assert_eq!(found, Shape::default());
    }
}
