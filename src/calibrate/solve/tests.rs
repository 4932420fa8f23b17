//! The solver against the full matrix.

use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side};
use rand::{RngExt, SeedableRng};

use super::errors::at_least;
use super::preconditioner::factorise;
use super::*;
use crate::Error;
use crate::calibrate::components::components;
use crate::calibrate::terms::{CURVE, Covariance, LineKind, SKEW, SLOPE, STRETCH, multipliers};

/// A shape with these terms beside the first, as firmly held.
fn shape(others: &[(usize, f64)]) -> Shape {
    let mut shape = Shape::default();
    for (term, stiffness) in others {
        shape.add(*term, *stiffness);
    }
    shape
}

/// Shapes of one to five terms.
fn shapes() -> [Shape; 5] {
    [
        shape(&[]),
        shape(&[(SLOPE, 2.0)]),
        shape(&[(SLOPE, 2.0), (CURVE, 5.0)]),
        // Terms that do not follow each other.
        shape(&[(SLOPE, 2.0), (STRETCH, 3.0), (SKEW, 4.0)]),
        shape(&[(SLOPE, 2.0), (CURVE, 5.0), (STRETCH, 3.0), (SKEW, 4.0)]),
    ]
}

/// A graph with weights and the group of each zero point.
struct Survey {
    graph: Graph,
    weight: Vec<f64>,
    group: Vec<u32>,
}

impl Survey {
    /// Groups of `m` exposures, each with its own stars and with some shared with the next group; the last group of a ring shares with
    /// its first, and rings share none. Half of the stars keep their place along the slit; all keep their lines.
    fn new(n_rings: usize, n_groups: usize, m: usize, seed: u64) -> Self {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut edges = Vec::new();
        let mut star = 0;
        for g in 0..n_rings * n_groups {
            let next = g / n_groups * n_groups + (g + 1) % n_groups;
            for s in 0..12 {
                for t in 0..m {
                    for (group, chance) in [(g, 0.7), (next, if s < 3 { 0.5 } else { 0.0 })] {
                        if rng.random_bool(chance) {
                            let rv: f64 = rng.random_range(-5.0..5.0);
                            edges.push((star, (group * m + t) as u32, rv, 1.0));
                        }
                    }
                }
                star += 1;
            }
        }
        let n_zp = n_rings * n_groups * m;
        let (mut graph, _) = Graph::new(star as usize, n_zp, &edges);
        let weight = (0..graph.n_obs())
            .map(|_| rng.random_range(0.1..10.0))
            .collect();
        for star in 0..graph.n_stars() {
            let keeps = rng.random_bool(0.5);
            let mut place = rng.random_range(-1.0..1.0);
            let lines = LineKind {
                place: rng.random_range(-1.0..1.0),
                sharpness: rng.random_range(-0.5..0.5),
            };
            for k in graph.of(star) {
                if !keeps {
                    place = rng.random_range(-1.0..1.0);
                }
                graph.terms[k] = multipliers(place, lines);
            }
        }
        let group = (0..n_zp).map(|z| (z / m) as u32).collect();
        Survey {
            graph,
            weight,
            group,
        }
    }

    fn components(&self) -> Components {
        let all = vec![true; self.graph.n_stars()];
        components(&self.graph, &all, &self.weight, 1)
    }

    fn system(&self, parts: &Components, shape: Shape, limits: (usize, usize)) -> System<'_> {
        System::with_blocks(&self.graph, &self.weight, parts, &self.group, shape, limits)
    }
}

/// Terms of the zero points and their covariances from the full normal matrix of stars and terms.
fn oracle(survey: &Survey, parts: &Components, shape: Shape) -> (Vec<Terms>, Vec<Covariance>) {
    let (graph, q) = (&survey.graph, shape.n_terms());
    let which: Vec<usize> = shape.terms().collect();
    let (n_stars, n) = (graph.n_stars(), graph.n_stars() + q * graph.n_zp);
    let mut a: Mat<f64> = Mat::zeros(n, n);
    let mut b = vec![0.0; n];
    for s in 0..n_stars {
        if graph.of(s).is_empty() {
            a[(s, s)] = 1.0;
        }
        for k in graph.of(s) {
            // The observation's row: 1 for its star, and what multiplies the terms.
            let first = n_stars + q * graph.zp[k] as usize;
            let mut row = vec![(s, 1.0)];
            row.extend((first..).zip(which.iter().map(|term| graph.terms[k][*term])));
            let w = survey.weight[k];
            for &(i, x) in &row {
                b[i] += w * x * graph.rv[k];
                for &(j, y) in &row {
                    a[(i, j)] += w * x * y;
                }
            }
        }
    }
    let mut count = vec![0.0; parts.count];
    for y in 0..graph.n_zp {
        for (i, term) in (n_stars + q * y..).zip(&which) {
            a[(i, i)] += shape.stiffness(*term);
        }
        count[parts.of[y].unwrap() as usize] += 1.0;
        // A constant added to all mean terms of a component is fixed by one more equation: their sum is 0.
        for z in (0..graph.n_zp).filter(|&z| parts.of[z] == parts.of[y]) {
            a[(n_stars + q * y, n_stars + q * z)] += 1.0;
        }
    }
    let inverse = a.llt(Side::Lower).unwrap().inverse();
    let solution = |i: usize| (0..n).map(|j| inverse[(i, j)] * b[j]).sum::<f64>();
    let mut zp = vec![[0.0; MOST_TERMS]; graph.n_zp];
    let mut covariance = vec![Covariance::default(); graph.n_zp];
    for z in 0..graph.n_zp {
        let first = n_stars + q * z;
        for i in 0..q {
            zp[z][which[i]] = solution(first + i);
            for j in 0..q {
                covariance[z].0[which[i]][which[j]] = inverse[(first + i, first + j)];
            }
        }
        // The constraint itself, as if measured with variance 1, adds 1 / n^2 to the variances of the component's mean terms.
        let n_zp = count[parts.of[z].unwrap() as usize];
        covariance[z].0[0][0] -= 1.0 / (n_zp * n_zp);
    }
    (zp, covariance)
}

/// Largest difference between two covariances, in units of the errors of the terms.
fn largest_difference(found: &Covariance, expected: &Covariance, shape: &Shape) -> f64 {
    let mut largest = 0.0_f64;
    for i in shape.terms() {
        for j in shape.terms() {
            let unit = expected.error_of(i) * expected.error_of(j);
            let difference = (found.0[i][j] - expected.0[i][j]).abs() / unit;
            assert!(difference.is_finite());
            largest = largest.max(difference);
        }
    }
    largest
}

#[test]
fn blocks_and_direct_solution_agree_with_the_full_matrix() {
    for (seed, n_rings) in [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2)] {
        let survey = Survey::new(n_rings, 6, 5, seed);
        let parts = survey.components();
        assert_eq!(parts.count, n_rings);
        for shape in shapes() {
            let (zp, covariance) = oracle(&survey, &parts, shape);
            for limits in [(1000, 1000), (0, 1000), (0, 3), (0, 1)] {
                let what = format!("{shape:?}, seed {seed}, {limits:?}");
                let system = survey.system(&parts, shape, limits);
                let pre = system.precondition().unwrap();
                // Where the search begins does not matter, nor do terms there that the solution does not have.
                let start = vec![[1.0, -2.0, 3.0, -4.0, 5.0]; zp.len()];
                let found = system.solve(&pre, &start, TOLERANCE).unwrap();
                let (found_covariance, method) = system.errors(&pre, 1000).unwrap();
                assert_eq!(method, ErrorMethod::Exact);
                for z in 0..zp.len() {
                    for (found, expected) in found[z].iter().zip(zp[z]) {
                        assert!((found - expected).abs() < 1e-9, "{what} {found} {expected}");
                    }
                    let difference =
                        largest_difference(&found_covariance[z], &covariance[z], &shape);
                    assert!(difference < 1e-8, "{what} {difference}");
                }
            }
        }
    }
}

#[test]
fn a_zero_point_outside_the_components_is_unknown() {
    let mut survey = Survey::new(1, 3, 4, 1);
    let lost = 5;
    for (weight, &z) in survey.weight.iter_mut().zip(&survey.graph.zp) {
        if z == lost {
            *weight = 0.0;
        }
    }
    let parts = survey.components();
    let system = survey.system(&parts, shapes()[1], (0, 3));
    let pre = system.precondition().unwrap();
    let start = vec![[0.0; MOST_TERMS]; survey.graph.n_zp];
    let found = system.solve(&pre, &start, TOLERANCE).unwrap();
    let exact = system.errors(&pre, 1000).unwrap().0;
    let probed = system.errors(&pre, 0).unwrap().0;
    for z in 0..found.len() {
        let is_known = z != lost as usize;
        assert!(found[z].iter().all(|v| v.is_finite() == is_known));
        for covariance in [&exact, &probed] {
            let mut elements = covariance[z].0.iter().flatten();
            assert!(elements.all(|v| v.is_finite() == is_known));
        }
    }
}

#[test]
fn probes_find_the_errors_to_a_few_percent() {
    let survey = Survey::new(1, 40, 10, 7);
    let parts = survey.components();
    for shape in shapes() {
        let system = survey.system(&parts, shape, (0, 256));
        let pre = system.precondition().unwrap();
        let (exact, _) = system.errors(&pre, usize::MAX).unwrap();
        let (probed, method) = system.errors(&pre, 0).unwrap();
        assert_eq!(method, ErrorMethod::Probes);
        let both = || probed.iter().zip(&exact);
        for i in shape.terms() {
            let ratio = both().map(|(p, e)| p.error_of(i) / e.error_of(i));
            let (mean, std) = crate::numbers::statistics::mean_and_std(ratio);
            println!("{shape:?}, term {i}: probed / exact error: mean {mean:.4}, scatter {std:.4}");
            assert!((mean - 1.0).abs() < 0.02 && std < 0.1, "{mean} {std}");
            for j in shape.terms().filter(|j| *j < i) {
                let unit = |e: &Covariance| e.error_of(i) * e.error_of(j);
                let correlation = |c: &Covariance, e: &Covariance| c.0[i][j] / unit(e);
                let difference = both().map(|(p, e)| correlation(p, e) - correlation(e, e));
                let (mean, std) = crate::numbers::statistics::mean_and_std(difference);
                let of_exact = both().map(|(_, e)| correlation(e, e));
                let (_, scatter) = crate::numbers::statistics::mean_and_std(of_exact);
                println!(
                    "terms {j} and {i}: correlations scatter by {scatter:.4}; difference: mean {mean:.4}, scatter {std:.4}"
                );
                assert!(mean.abs() < 0.02 && std < 0.1, "{mean} {std}");
                assert!(std < 0.6 * scatter, "{std} {scatter}");
            }
        }
        // Every zero point's covariance is that of something: no place has a variance below 0.
        for c in &probed {
            let at = |p: i32| multipliers(f64::from(p) / 10.0, LineKind::default());
            assert!((-10..=10).all(|p| c.at(&at(p)) > 0.0));
        }
    }
}

#[test]
fn what_is_known_of_the_preconditioner_is_its_matrix() {
    let survey = Survey::new(2, 3, 4, 5);
    let parts = survey.components();
    for shape in shapes() {
        let system = survey.system(&parts, shape, (0, 3));
        let pre = system.precondition().unwrap();
        let known = pre.known(&system);
        let (n, q) = (system.n(), shape.n_terms());
        let (mut all, mut coarse) = (vec![0.0; n], vec![0.0; n]);
        for j in 0..n {
            let mut unit = vec![0.0; n];
            unit[j] = 1.0;
            system.centre(&mut unit);
            pre.apply(&system, &unit, &mut all);
            coarse.fill(0.0);
            pre.add_coarse(&system, &unit, &mut coarse);
            system.centre(&mut coarse);
            for i in j / q * q..j / q * q + q {
                let at = |c: &[Covariance]| c[j / q].0[i % q][j % q];
                assert!((at(&known.all) - all[i]).abs() < 1e-10);
                assert!((at(&known.coarse) - coarse[i]).abs() < 1e-10);
            }
        }
    }
}

#[test]
fn probes_add_what_the_preconditioner_lacks() {
    let survey = Survey::new(1, 10, 10, 6);
    let parts = survey.components();
    let system = survey.system(&parts, shapes()[1], (0, 3));
    let pre = system.precondition().unwrap();
    let (exact, _) = system.errors(&pre, usize::MAX).unwrap();
    let (probed, _) = system.errors(&pre, 0).unwrap();
    // Back from the order of the solve.
    let mut known = exact.clone();
    for (&z, &c) in system.zp.iter().zip(&pre.known(&system).all) {
        known[z as usize] = c;
    }
    for (i, j) in [(0, 0), (1, 1), (0, 1)] {
        let rms = |found: &[Covariance]| {
            let squares = found
                .iter()
                .zip(&exact)
                .map(|(f, e)| ((f.0[i][j] - e.0[i][j]) / (e.error_of(i) * e.error_of(j))).powi(2));
            (squares.sum::<f64>() / exact.len() as f64).sqrt()
        };
        println!(
            "({i}, {j}): {:.4} without, {:.4} with",
            rms(&known),
            rms(&probed)
        );
        assert!(rms(&probed) < 0.7 * rms(&known));
    }
}

#[test]
fn a_pivot_that_is_rounding_is_an_error_for_a_slope() {
    let matrix = |slope: f64| Mat::from_fn(2, 2, |i, j| if i + j == 2 { slope } else { 1.0 });
    assert!(factorise(&matrix(1.0 + 1e-9), 2).is_ok());
    let rounding = matrix(1.0 + f64::EPSILON);
    assert!(rounding.llt(Side::Lower).is_ok());
    assert!(factorise(&rounding, 2).is_err());
    // Between zero points without slopes it may be a star of tiny error.
    assert!(factorise(&rounding, 1).is_ok());
}

#[test]
fn an_estimate_below_the_least_is_raised_and_another_is_left() {
    let mut least = Covariance::default();
    least.0[0][..2].copy_from_slice(&[2.0, 0.5]);
    least.0[1][..2].copy_from_slice(&[0.5, 1.0]);
    let with = |[a, b, c]: [f64; 3]| {
        let mut out = least;
        out.0[0][0] += a;
        out.0[0][1] += b;
        out.0[1][0] += b;
        out.0[1][1] += c;
        out
    };
    let above = with([1.0, 0.3, 0.1]);
    assert_eq!(at_least(&above, &least, 2).unwrap(), above);
    // The excess (1, 1) (1, 1)^T - 0.5 (1, -1) (1, -1)^T: its negative part is taken off.
    let mixed = with([0.5, 1.5, 0.5]);
    let raised = at_least(&mixed, &least, 2).unwrap();
    assert!(largest_difference(&raised, &with([1.0; 3]), &shapes()[1]) < 1e-12);
    assert_eq!(
        at_least(&Covariance::of_mean(1.0), &Covariance::of_mean(3.0), 1).unwrap(),
        Covariance::of_mean(3.0)
    );
}

#[test]
fn blocks_that_hang_with_no_other_cost_nothing_together() {
    // Many groups that share no star with another; only the last two share some.
    let n_groups = 400;
    let mut edges = Vec::new();
    let mut star = 0;
    for g in 0..n_groups {
        for s in 0..4 {
            for t in 0..3 {
                edges.push((star, g * 3 + t, f64::from(s * t + g % 5), 1.0));
            }
            star += 1;
        }
    }
    edges.push((star, (n_groups - 1) * 3, 1.0, 1.0));
    edges.push((star, (n_groups - 2) * 3, 2.0, 1.0));
    let n_zp = n_groups as usize * 3;
    let graph = Graph::new(star as usize + 1, n_zp, &edges).0;
    let weight = vec![1.0; graph.n_obs()];
    let group: Vec<u32> = (0..n_zp as u32).map(|z| z / 3).collect();
    let parts = components(&graph, &vec![true; graph.n_stars()], &weight, 1);
    assert_eq!(parts.count, n_groups as usize - 1);
    let system = System::with_blocks(&graph, &weight, &parts, &group, shapes()[0], (0, 256));
    let pre = system.precondition().unwrap();
    // One coarse problem, of two unknowns.
    assert_eq!(pre.coarse_sizes(), [2]);
    let start = vec![[0.0; MOST_TERMS]; n_zp];
    let found = system.solve(&pre, &start, TOLERANCE).unwrap();
    let direct = System::new(&graph, &weight, &parts, &group, shapes()[0]);
    let exact = direct
        .solve(&direct.precondition().unwrap(), &start, TOLERANCE)
        .unwrap();
    for (a, b) in found.iter().zip(&exact) {
        assert!((a[0] - b[0]).abs() < 1e-9, "{a:?} {b:?}");
    }
}

#[test]
fn a_right_hand_side_that_no_zero_points_make_is_an_error() {
    let survey = Survey::new(1, 4, 5, 3);
    let parts = survey.components();
    for shape in shapes() {
        let system = survey.system(&parts, shape, (0, 10));
        let pre = system.precondition().unwrap();
        // S maps every vector to one whose mean terms have the sum 0 in each component, so no zero points give this right-hand side.
        let b = vec![1.0; system.n()];
        let mut x = vec![0.0; system.n()];
        let error = system
            .conjugate_gradients(&pre, &b, &mut x, TOLERANCE)
            .unwrap_err();
        assert!(matches!(error, Error::NotPositive { .. }), "{error}");
        let nan = vec![f64::NAN; system.n()];
        assert!(
            system
                .conjugate_gradients(&pre, &nan, &mut x, TOLERANCE)
                .is_err()
        );
    }
}

#[test]
fn a_slope_that_nothing_holds_is_an_error() {
    // All stars keep their fibres, so a slope common to all zero points of a group looks like the stars' own offsets.
    let mut survey = Survey::new(2, 1, 10, 3);
    for star in 0..survey.graph.n_stars() {
        let place = (star as f64 / 5.0).sin();
        for k in survey.graph.of(star) {
            survey.graph.terms[k] = multipliers(place, LineKind::default());
        }
    }
    let parts = survey.components();
    for held_shape in &shapes()[1..3] {
        let held = survey.system(&parts, *held_shape, (1000, 1000));
        let pre = held.precondition().unwrap();
        for limits in [(1000, 1000), (0, 1000)] {
            let free: Vec<(usize, f64)> = held_shape.terms().map(|term| (term, 0.0)).collect();
            let free = shape(&free);
            let system = survey.system(&parts, free, limits);
            let error = system.precondition().err().unwrap();
            assert!(matches!(error, Error::NotPositive { .. }), "{error}");
            let error = system.errors(&pre, usize::MAX).err().unwrap();
            assert!(matches!(error, Error::NotPositive { .. }), "{error}");
        }
    }
}
