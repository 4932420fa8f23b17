//! What keeps the parts of an arm apart: its components, how near each is to another, and the exposures that have no zero point.
//!
//! Zero points of different components have no common scale. Which stars would give them one is worth knowing: they may be seen already,
//! and not be quiet, or a later exposure could take them in.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use rayon::prelude::*;

use super::arms::{CalibrateOptions, CalibratedArm, Method};
use super::graph::Graph;
use super::state::LINKS;

/// Quiet stars that join two components if they have a velocity that counts in both. A single one does: whatever zero points one linking
/// star has in common are one component ([`super::components`]), and only within a component must an exposure have several.
const JOINING: u32 = 1;

/// The exposures of one group in a component. Exposures and groups are the numbers of the observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupSpan {
    /// Group.
    pub group: u32,
    /// Exposures of it.
    pub n_exposures: u32,
    /// First of them.
    pub first: u32,
    /// Last of them.
    pub last: u32,
}

/// How far a component is from the others of its arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apart {
    /// The component that it shares most stars with: of several the largest, of those the first. None where it shares no star.
    pub nearest: Option<u32>,
    /// Stars that have a velocity that counts in both.
    pub n_shared: u32,
    /// Those of them that are quiet enough to link: seldom any, because one that was quiet while the links were made has joined the two.
    pub n_quiet: u32,
    /// Quiet stars seen in both that would join the two; without a nearest one, this one and any other. None where no star could, because
    /// each group is calibrated alone.
    pub stars_needed: Option<u32>,
}

/// One component of an arm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// Its number.
    pub number: u32,
    /// Zero points.
    pub n_exposures: u32,
    /// Constant stars with a velocity that counts.
    pub n_constants: u32,
    /// The groups that it spans, by number.
    pub groups: Vec<GroupSpan>,
    /// How far it is from the others; None where it is the only one of its arm.
    pub apart: Option<Apart>,
}

impl Component {
    /// Numbers of its first and last exposure.
    pub fn first_and_last(&self) -> Option<(u32, u32)> {
        let first = self.groups.iter().map(|g| g.first).min()?;
        Some((first, self.groups.iter().map(|g| g.last).max()?))
    }
}

/// Exposures of one group that have no zero point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lack {
    /// Group.
    pub group: u32,
    /// Exposures.
    pub n_exposures: u32,
    /// Stars that the poorest of them lacks, at least: those that it needs less those that it has and that can tell of it.
    pub n_stars: u32,
    /// Stars that an exposure needs.
    pub needed: u32,
}

/// What links an arm, and what does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Components, by number.
    pub components: Vec<Component>,
    /// Exposures without a zero point, by group.
    pub lacks: Vec<Lack>,
}

/// The links of a calibrated arm.
pub fn of(arm: &CalibratedArm, options: &CalibrateOptions) -> Links {
    let mut components = spans(arm);
    let of_star = seen(arm);
    let of_component = of_star.turned(components.len());
    for (component, stars) in components.iter_mut().zip(of_component.all()) {
        let constants = stars
            .iter()
            .filter(|&&s| arm.solution.stars[s as usize].constant);
        component.n_constants = constants.count() as u32;
    }
    if components.len() > 1 {
        let near = nearest(&components, &of_star, &of_component);
        let divided = divided(&components);
        let can_join = |c: &Component| {
            !options.is_by_group() || c.groups.iter().any(|span| divided.contains(&span.group))
        };
        for (a, (nearest, n_shared)) in near.into_iter().enumerate() {
            let sees = |s: &&u32| {
                nearest.is_some_and(|b| of_star.of(**s as usize).binary_search(&b).is_ok())
            };
            let quiet = of_component.of(a).iter().filter(sees);
            components[a].apart = Some(Apart {
                nearest,
                n_shared,
                n_quiet: quiet.filter(|s| links(arm, **s as usize)).count() as u32,
                stars_needed: can_join(&components[a]).then_some(JOINING),
            });
        }
    }
    Links {
        components,
        lacks: lacks(arm, options),
    }
}

/// A star is quiet enough to link, and may. The paper's method knows no probability to be quiet: there constants link.
fn links(arm: &CalibratedArm, star: usize) -> bool {
    let fit = &arm.solution.stars[star];
    let is_quiet = match fit.p_quiet.is_nan() {
        true => fit.constant,
        false => fit.p_quiet >= LINKS,
    };
    arm.may_determine[star] && is_quiet
}

/// The components with their exposures.
fn spans(arm: &CalibratedArm) -> Vec<Component> {
    let mut out: Vec<Component> = (0..arm.solution.n_components as u32)
        .map(|number| Component {
            number,
            ..Component::default()
        })
        .collect();
    // Zero points are sorted by group, then exposure.
    for (z, component) in arm.solution.component.iter().enumerate() {
        let Some(component) = component.and_then(|c| out.get_mut(c as usize)) else {
            continue;
        };
        component.n_exposures += 1;
        let (group, exposure) = (arm.graph.zp_group[z], arm.graph.zp_exposure[z]);
        match component.groups.last_mut() {
            Some(span) if span.group == group => {
                span.n_exposures += 1;
                span.last = exposure;
            }
            _ => component.groups.push(GroupSpan {
                group,
                n_exposures: 1,
                first: exposure,
                last: exposure,
            }),
        }
    }
    out
}

/// Lists of numbers behind each other.
struct Lists {
    start: Vec<usize>,
    items: Vec<u32>,
}

impl Lists {
    fn of(&self, i: usize) -> &[u32] {
        &self.items[self.start[i]..self.start[i + 1]]
    }

    fn all(&self) -> impl Iterator<Item = &[u32]> + '_ {
        (0..self.start.len() - 1).map(|i| self.of(i))
    }

    /// For each of `n` numbers the lists that hold it, in their order.
    fn turned(&self, n: usize) -> Lists {
        let mut start = vec![0; n + 1];
        for &item in &self.items {
            start[item as usize + 1] += 1;
        }
        for i in 0..n {
            start[i + 1] += start[i];
        }
        let mut next = start.clone();
        let mut items = vec![0; self.items.len()];
        for (i, list) in (0..).zip(self.all()) {
            for &item in list {
                items[next[item as usize]] = i;
                next[item as usize] += 1;
            }
        }
        Lists { start, items }
    }
}

/// Components in which each star has a velocity that counts, sorted.
fn seen(arm: &CalibratedArm) -> Lists {
    let graph = &arm.graph.graph;
    let mut lists = Lists {
        start: vec![0],
        items: Vec::new(),
    };
    for star in 0..graph.n_stars() {
        let of = graph.counted(star);
        let mut of: Vec<u32> = of
            .filter_map(|k| arm.solution.component[graph.zp[k] as usize])
            .collect();
        of.sort_unstable();
        of.dedup();
        lists.items.append(&mut of);
        lists.start.push(lists.items.len());
    }
    lists
}

/// For each component the one that it shares most stars with, and how many. The counts of one component at a time are held: a table of all
/// pairs would grow with the square of their number.
fn nearest(
    components: &[Component],
    of_star: &Lists,
    of_component: &Lists,
) -> Vec<(Option<u32>, u32)> {
    let n = components.len();
    let nearest_of = |(counts, met): &mut (Vec<u32>, Vec<u32>), a: usize| {
        for &star in of_component.of(a) {
            for &b in of_star.of(star as usize) {
                if counts[b as usize] == 0 {
                    met.push(b);
                }
                counts[b as usize] += 1;
            }
        }
        let key = |b: &u32| {
            let i = *b as usize;
            (counts[i], components[i].n_exposures, Reverse(*b))
        };
        let others = met.iter().copied().filter(|&b| b as usize != a);
        let found = others.max_by_key(key);
        let n_shared = found.map_or(0, |b| counts[b as usize]);
        for b in met.drain(..) {
            counts[b as usize] = 0;
        }
        (found, n_shared)
    };
    let rooms = || (vec![0; n], Vec::new());
    let all = (0..n).into_par_iter();
    all.map_init(rooms, nearest_of).collect()
}

/// Groups of which two components are. Where each group is calibrated alone, only such components could be joined.
fn divided(components: &[Component]) -> HashSet<u32> {
    let (mut met, mut twice) = (HashSet::new(), HashSet::new());
    let spans = components.iter().flat_map(|c| &c.groups);
    for group in spans.map(|span| span.group) {
        if !met.insert(group) {
            twice.insert(group);
        }
    }
    twice
}

/// Exposures without a zero point.
fn lacks(arm: &CalibratedArm, options: &CalibrateOptions) -> Vec<Lack> {
    let (present, needed) = match options.method {
        Method::Joint => (telling(arm), options.joint.min_constants),
        Method::Paper => (
            arm.solution.n_constants.clone(),
            options.paper.min_constants,
        ),
    };
    let needed = needed.max(1) as u32;
    let mut out: BTreeMap<u32, Lack> = BTreeMap::new();
    let without = arm.solution.component.iter().enumerate();
    for (z, _) in without.filter(|(_, component)| component.is_none()) {
        let group = arm.graph.zp_group[z];
        let lack = out.entry(group).or_insert(Lack {
            group,
            n_exposures: 0,
            n_stars: 0,
            needed,
        });
        lack.n_exposures += 1;
        // Where there are enough, some of them hang on exposures that have no zero point themselves.
        lack.n_stars = lack.n_stars.max(needed.saturating_sub(present[z]).max(1));
    }
    out.into_values().collect()
}

/// Stars of each exposure that can tell of its zero point: those that may, with another velocity to compare with, in the same group if they
/// are not quiet.
fn telling(arm: &CalibratedArm) -> Vec<u32> {
    let graph: &Graph = &arm.graph.graph;
    let group = |k: usize| arm.graph.zp_group[graph.zp[k] as usize];
    let mut n = vec![0; graph.n_zp];
    for star in (0..graph.n_stars()).filter(|&s| arm.may_determine[s]) {
        let links = links(arm, star);
        let all: Vec<usize> = graph.counted(star).collect();
        // The velocities of a star are sorted by group.
        for part in all.chunk_by(|&a, &b| links || group(a) == group(b)) {
            if part.len() >= 2 {
                part.iter().for_each(|&k| n[graph.zp[k] as usize] += 1);
            }
        }
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::arms::Scope;
    use crate::calibrate::observations::ArmGraph;
    use crate::calibrate::solution::ArmSolution;

    /// An arm with these `(star, zero point)` as its velocities. A zero point is told by its group, its exposure and its component.
    pub(crate) fn arm(
        quiet: &[bool],
        zero_points: &[(u32, u32, Option<u32>)],
        edges: &[(u32, u32)],
    ) -> CalibratedArm {
        let edges: Vec<_> = edges.iter().map(|&(s, z)| (s, z, 0.0, 1.0)).collect();
        let (graph, _) = Graph::new(quiet.len(), zero_points.len(), &edges);
        let mut solution = ArmSolution::none(&graph);
        solution.component = zero_points.iter().map(|z| z.2).collect();
        let largest = solution.component.iter().flatten().max();
        solution.n_components = largest.map_or(0, |c| *c as usize + 1);
        for (fit, quiet) in solution.stars.iter_mut().zip(quiet) {
            fit.p_quiet = if *quiet { 0.9 } else { 0.1 };
            fit.constant = *quiet;
        }
        CalibratedArm {
            may_determine: vec![true; quiet.len()],
            graph: ArmGraph {
                graph,
                zp_group: zero_points.iter().map(|z| z.0).collect(),
                zp_exposure: zero_points.iter().map(|z| z.1).collect(),
                ..ArmGraph::default()
            },
            solution,
            constants_from: None,
            failure: None,
            n_without_leader: 0,
        }
    }

    fn usual(arm: &CalibratedArm) -> Links {
        of(arm, &CalibrateOptions::default())
    }

    /// Two groups with two exposures each, star 0 in the first and star 1 in the second; star 2 is not quiet and in both.
    fn two_groups(with_variable: bool) -> CalibratedArm {
        let mut edges = vec![(0, 0), (0, 1), (1, 2), (1, 3)];
        if with_variable {
            edges.extend([(2, 1), (2, 2)]);
        }
        let zero_points = [
            (4, 7, Some(0)),
            (4, 9, Some(0)),
            (5, 2, Some(1)),
            (5, 3, Some(1)),
        ];
        arm(&[true, true, false], &zero_points, &edges)
    }

    #[test]
    fn groups_without_a_common_star_have_no_nearest() {
        let found = usual(&two_groups(false));
        let apart = |n_shared, nearest| Apart {
            nearest,
            n_shared,
            n_quiet: 0,
            stars_needed: Some(1),
        };
        let span = GroupSpan {
            group: 4,
            n_exposures: 2,
            first: 7,
            last: 9,
        };
        let first = Component {
            number: 0,
            n_exposures: 2,
            n_constants: 1,
            groups: vec![span],
            apart: Some(apart(0, None)),
        };
        assert_eq!(found.components[0], first);
        assert_eq!(found.components[1].first_and_last(), Some((2, 3)));
        assert_eq!(found.lacks, []);
        // With a star in common that varies.
        let found = usual(&two_groups(true));
        assert_eq!(found.components[0].apart, Some(apart(1, Some(1))));
        assert_eq!(found.components[1].apart, Some(apart(1, Some(0))));
        assert_eq!(found.components[0].n_constants, 1);
    }

    #[test]
    fn only_stars_that_count_are_shared_and_only_those_that_may_are_quiet() {
        let mut arm = two_groups(true);
        arm.solution.stars[2].p_quiet = LINKS;
        let apart = |arm: &CalibratedArm| usual(arm).components[0].apart.unwrap();
        assert_eq!((apart(&arm).n_shared, apart(&arm).n_quiet), (1, 1));
        arm.may_determine[2] = false;
        assert_eq!((apart(&arm).n_shared, apart(&arm).n_quiet), (1, 0));
        let of_star = arm.graph.graph.of(2);
        arm.graph.graph.counts[of_star.start] = false;
        assert_eq!((apart(&arm).n_shared, apart(&arm).nearest), (0, None));
    }

    #[test]
    fn the_nearest_shares_most_stars_and_of_equals_is_the_largest() {
        let zero_points = [0, 1, 2, 2, 3].map(|c| (c, c, Some(c)));
        // Component 0 shares two stars with 1, and one with each of 2 and 3.
        let edges = [
            (0, 0),
            (0, 1),
            (1, 0),
            (1, 1),
            (2, 0),
            (2, 4),
            (3, 0),
            (3, 2),
        ];
        let nearest = |edges: &[(u32, u32)]| {
            let found = usual(&arm(&[false; 4], &zero_points, edges));
            let apart = found.components[0].apart.unwrap();
            (apart.nearest, apart.n_shared)
        };
        assert_eq!(nearest(&edges), (Some(1), 2));
        assert_eq!(nearest(&edges[2..]), (Some(2), 1));
        assert_eq!(nearest(&edges[2..6]), (Some(1), 1));
    }

    #[test]
    fn a_lone_component_is_not_apart() {
        let found = usual(&arm(
            &[true],
            &[(0, 0, Some(0)), (0, 1, Some(0))],
            &[(0, 0), (0, 1)],
        ));
        assert_eq!(found.components.len(), 1);
        assert_eq!(found.components[0].apart, None);
    }

    #[test]
    fn groups_calibrated_alone_are_joined_by_no_star() {
        let options = CalibrateOptions {
            scope: Scope::Spectrograph,
            ..CalibrateOptions::default()
        };
        let needed = |arm: &CalibratedArm| {
            let found = of(arm, &options).components;
            let needed = |c: &Component| c.apart.unwrap().stars_needed;
            found.iter().map(needed).collect::<Vec<_>>()
        };
        assert_eq!(needed(&two_groups(false)), [None, None]);
        // One group of which two nights have no star in common.
        let zero_points = [(0, 0, Some(0)), (0, 1, Some(1)), (1, 0, Some(2))];
        let divided = arm(&[true; 2], &zero_points, &[(0, 0), (1, 1)]);
        assert_eq!(needed(&divided), [Some(1), Some(1), None]);
    }

    #[test]
    fn exposures_lack_the_stars_that_can_tell_of_them() {
        // Group 0 has a component of exposures 0 and 1; 2 and 3 have too few stars. Group 1 has one exposure.
        let zero_points = [
            (0, 0, Some(0)),
            (0, 1, Some(0)),
            (0, 2, None),
            (0, 3, None),
            (1, 0, None),
        ];
        let mut edges: Vec<(u32, u32)> = (0..3).flat_map(|s| [(s, 0), (s, 1)]).collect();
        // Exposure 2 has stars 0 and 1, 3 has star 0 and one that is seen once; group 1 has star 2, which is quiet, and 4, which is not.
        edges.extend([(0, 2), (1, 2), (0, 3), (3, 3), (2, 4), (4, 4), (4, 0)]);
        let mut arm = arm(&[true, true, true, true, false], &zero_points, &edges);
        let lack = |group, n_exposures, n_stars| Lack {
            group,
            n_exposures,
            n_stars,
            needed: 3,
        };
        assert_eq!(usual(&arm).lacks, [lack(0, 2, 2), lack(1, 1, 2)]);
        arm.solution.stars[4].p_quiet = 0.9;
        assert_eq!(usual(&arm).lacks[1], lack(1, 1, 1));
        arm.may_determine[2] = false;
        assert_eq!(usual(&arm).lacks[1], lack(1, 1, 2));
        // The paper's method counts constants.
        let mut options = CalibrateOptions {
            method: Method::Paper,
            ..CalibrateOptions::default()
        };
        options.paper.min_constants = 4;
        arm.solution.n_constants = vec![4, 4, 3, 1, 4];
        let lacks = of(&arm, &options).lacks;
        let told: Vec<_> = lacks.iter().map(|l| (l.n_stars, l.needed)).collect();
        assert_eq!(told, [(3, 4), (1, 4)]);
    }

    #[test]
    fn many_components_need_no_table_of_all_pairs() {
        // 2000 components of one exposure; star i is in components i and i + 1, and every tenth one in i + 2 as well.
        let n = 2000_u32;
        let zero_points: Vec<_> = (0..n).map(|c| (c, c, Some(c))).collect();
        let mut edges: Vec<(u32, u32)> = (0..n - 1).flat_map(|s| [(s, s), (s, s + 1)]).collect();
        edges.extend((0..n - 2).step_by(10).map(|s| (s, s + 2)));
        let found = usual(&arm(&vec![false; n as usize], &zero_points, &edges));
        let nearest = |c: usize| found.components[c].apart.unwrap();
        // Stars 0 and 1 are in components 1 and 2; 0 alone in 0 and in 1.
        assert_eq!((nearest(1).nearest, nearest(1).n_shared), (Some(2), 2));
        assert_eq!((nearest(0).nearest, nearest(0).n_shared), (Some(1), 1));
        assert_eq!((nearest(5).nearest, nearest(5).n_shared), (Some(4), 1));
    }
}
