//! Which zero points are linked by common stars. Only differences of zero points can be known, and only between linked ones: a set of
//! zero points that are linked, directly or by way of others, is a component, and has a scale of its own.

use super::graph::Graph;
use crate::numbers::sets::Sets;

/// The components of the zero points, as the stars that take part link them.
#[derive(Clone, Debug, Default)]
pub struct Components {
    /// Component of each zero point; None where too few stars were observed.
    pub of: Vec<Option<u32>>,
    /// Number of components.
    pub count: usize,
}

/// Finds the zero points with at least `min_stars` stars that take part, and their components.
///
/// A star counts when it has two usable zero points at least: with one it says nothing about differences.
/// A zero point that is left out for too few stars may leave one of its stars with a single zero point, and so on; the search
/// is repeated until nothing changes.
/// `weight` is one per observation; those with weight 0 do not link.
pub fn components(
    graph: &Graph,
    takes_part: &[bool],
    weight: &[f64],
    min_stars: usize,
) -> Components {
    let mut usable = vec![true; graph.n_zp];
    let mut n_stars = vec![0_u32; graph.n_zp];
    loop {
        n_stars.fill(0);
        for star in taking(takes_part) {
            let live = |&k: &usize| usable[graph.zp[k] as usize] && weight[k] > 0.0;
            if graph.of(star).filter(live).count() >= 2 {
                for k in graph.of(star).filter(live) {
                    n_stars[graph.zp[k] as usize] += 1;
                }
            }
        }
        let mut changed = false;
        for (ok, &n) in usable.iter_mut().zip(&n_stars) {
            if *ok && (n as usize) < min_stars.max(1) {
                *ok = false;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }

    let mut sets = Sets::new(graph.n_zp as u32);
    for star in taking(takes_part) {
        let mut first = None;
        for k in graph.of(star) {
            if usable[graph.zp[k] as usize] && weight[k] > 0.0 {
                sets.join(*first.get_or_insert(graph.zp[k]), graph.zp[k]);
            }
        }
    }
    let mut number = vec![None; graph.n_zp];
    let mut count = 0;
    let of = (0..graph.n_zp)
        .map(|z| {
            usable[z].then(|| {
                let root = sets.root(z as u32) as usize;
                *number[root].get_or_insert_with(|| {
                    count += 1;
                    count - 1
                })
            })
        })
        .collect();
    Components {
        of,
        count: count as usize,
    }
}

fn taking(takes_part: &[bool]) -> impl Iterator<Item = usize> + '_ {
    (0..takes_part.len()).filter(|&i| takes_part[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(n_stars: usize, n_zp: usize, edges: &[(u32, u32)]) -> Graph {
        let edges: Vec<_> = edges.iter().map(|&(s, z)| (s, z, 0.0, 1.0)).collect();
        Graph::new(n_stars, n_zp, &edges).0
    }

    #[test]
    fn blocks_without_common_stars_are_two_components() {
        let g = graph(3, 4, &[(0, 0), (0, 1), (1, 2), (1, 3), (2, 2), (2, 3)]);
        let c = components(&g, &[true; 3], &[1.0; 6], 1);
        assert_eq!(c.of, [Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!(c.count, 2);
        let c = components(&g, &[true; 3], &[1.0; 6], 2);
        assert_eq!(c.of, [None, None, Some(0), Some(0)]);
    }

    #[test]
    fn a_lost_zero_point_takes_the_stars_that_hung_on_it() {
        // Star 1 has zero points 1 and 2; 2 is seen once only, so star 1 no longer helps zero point 1.
        let g = graph(
            4,
            3,
            &[(0, 0), (0, 1), (1, 1), (1, 2), (2, 0), (2, 1), (3, 0)],
        );
        let c = components(&g, &[true; 4], &[1.0; 7], 2);
        assert_eq!(c.of, [Some(0), Some(0), None]);
        let c = components(&g, &[true; 4], &[1.0; 7], 3);
        assert_eq!(c.of, [None, None, None]);
    }

    #[test]
    fn only_those_that_take_part_link() {
        let g = graph(2, 2, &[(0, 0), (0, 1), (1, 0), (1, 1)]);
        let c = components(&g, &[true, false], &[1.0; 4], 1);
        assert_eq!(c.count, 1);
        assert_eq!(components(&g, &[false; 2], &[1.0; 4], 1).count, 0);
    }
}
