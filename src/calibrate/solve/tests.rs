//! The solver against the full matrix.

use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side};
use rand::{RngExt, SeedableRng};

use super::*;
use crate::calibrate::components::components;

/// Groups of `m` exposures, each with its own stars and with some shared with the next group.
fn survey(n_groups: usize, m: usize, seed: u64) -> (Graph, Vec<f64>, Vec<u32>) {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut edges = Vec::new();
    let mut star = 0;
    for g in 0..n_groups {
        for s in 0..12 {
            for t in 0..m {
                let next = (g + 1) % n_groups;
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
    let (graph, _) = Graph::new(star as usize, n_groups * m, &edges);
    let weight = (0..graph.n_obs())
        .map(|_| rng.random_range(0.1..10.0))
        .collect();
    let group = (0..n_groups * m).map(|z| (z / m) as u32).collect();
    (graph, weight, group)
}

/// Zero points and errors from the full normal matrix of stars and zero points, by its eigenvectors.
fn oracle(graph: &Graph, weight: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (n_stars, n) = (graph.n_stars(), graph.n_stars() + graph.n_zp);
    let mut a: Mat<f64> = Mat::zeros(n, n);
    let mut b = vec![0.0; n];
    for s in 0..n_stars {
        for k in graph.of(s) {
            let z = n_stars + graph.zp[k] as usize;
            let w = weight[k];
            a[(s, s)] += w;
            a[(z, z)] += w;
            a[(s, z)] += w;
            a[(z, s)] += w;
            b[s] += w * graph.rv[k];
            b[z] += w * graph.rv[k];
        }
    }
    // A constant added to all zero points is fixed by one more equation: sum of the zero points = 0.
    for i in n_stars..n {
        for j in n_stars..n {
            a[(i, j)] += 1.0;
        }
    }
    let inverse = a.llt(Side::Lower).unwrap().inverse();
    let zp = (n_stars..n)
        .map(|i| (0..n).map(|j| inverse[(i, j)] * b[j]).sum())
        .collect();
    // The constraint itself, as if measured with variance 1, adds 1 / n^2 to all variances.
    let extra = 1.0 / (graph.n_zp * graph.n_zp) as f64;
    let err = (n_stars..n)
        .map(|i| (inverse[(i, i)] - extra).max(0.0).sqrt())
        .collect();
    (zp, err)
}

#[test]
fn blocks_and_direct_solution_agree_with_the_full_matrix() {
    for seed in 0..5 {
        let (graph, weight, group) = survey(6, 5, seed);
        let all = vec![true; graph.n_stars()];
        let parts = components(&graph, &all, &weight, 1);
        assert_eq!(parts.count, 1);
        let (zp, err) = oracle(&graph, &weight);
        for limits in [(1000, 1000), (0, 1000), (0, 3), (0, 1)] {
            let system = System::with_blocks(&graph, &weight, &parts, &group, limits);
            let pre = system.precondition().unwrap();
            let found = system
                .solve(&pre, &vec![0.0; graph.n_zp], TOLERANCE)
                .unwrap();
            let (found_err, method) = system.errors(&pre, 1000).unwrap();
            assert_eq!(method, ErrorMethod::Exact);
            for z in 0..graph.n_zp {
                assert!(
                    (found[z] - zp[z]).abs() < 1e-9,
                    "{limits:?} {} {}",
                    found[z],
                    zp[z]
                );
                assert!(
                    (found_err[z] / err[z] - 1.0).abs() < 1e-8,
                    "{} {}",
                    found_err[z],
                    err[z]
                );
            }
        }
    }
}

#[test]
fn probes_find_the_errors_to_a_few_percent() {
    let (graph, weight, group) = survey(40, 10, 7);
    let all = vec![true; graph.n_stars()];
    let parts = components(&graph, &all, &weight, 1);
    let system = System::with_blocks(&graph, &weight, &parts, &group, (0, 256));
    let pre = system.precondition().unwrap();
    let (exact, _) = system.errors(&pre, usize::MAX).unwrap();
    let (probed, method) = system.errors(&pre, 0).unwrap();
    assert_eq!(method, ErrorMethod::Probes);
    let ratio: Vec<f64> = probed.iter().zip(&exact).map(|(p, e)| p / e).collect();
    let (mean, std) = crate::numbers::statistics::mean_and_std(ratio.iter().copied());
    println!("probed / exact error: mean {mean:.4}, scatter {std:.4}");
    assert!((mean - 1.0).abs() < 0.02 && std < 0.1, "{mean} {std}");
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
    let system = System::with_blocks(&graph, &weight, &parts, &group, (0, 256));
    let pre = system.precondition().unwrap();
    // One coarse problem, of two unknowns.
    assert_eq!(pre.coarse_sizes(), [2]);
    let found = system.solve(&pre, &vec![0.0; n_zp], TOLERANCE).unwrap();
    let direct = System::new(&graph, &weight, &parts, &group);
    let exact = direct
        .solve(&direct.precondition().unwrap(), &vec![0.0; n_zp], TOLERANCE)
        .unwrap();
    for (a, b) in found.iter().zip(&exact) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

#[test]
fn a_right_hand_side_that_no_zero_points_make_is_an_error() {
    let (graph, weight, group) = survey(4, 5, 3);
    let parts = components(&graph, &vec![true; graph.n_stars()], &weight, 1);
    let system = System::new(&graph, &weight, &parts, &group);
    let pre = system.precondition().unwrap();
    // S maps every vector to one of sum 0 in each component, so no zero points give this right-hand side.
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
