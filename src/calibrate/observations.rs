//! The checked input: who was observed when, with which RV; and what is wrong with which row.

use std::collections::HashMap;

use super::cal_flags::CalFlags;
use super::graph::Graph;

/// Texts and their numbers; numbers follow the sorted texts, so that they do not depend on the order of rows.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Sorted texts.
    pub names: Vec<String>,
}

impl Names {
    /// Numbers the texts of a column; the second value holds each row's number.
    pub fn new(column: &[String]) -> (Self, Vec<u32>) {
        let mut first: HashMap<&str, u32> = HashMap::new();
        let mut texts: Vec<&str> = Vec::new();
        let seen: Vec<u32> = column
            .iter()
            .map(|text| {
                *first.entry(text).or_insert_with(|| {
                    texts.push(text);
                    texts.len() as u32 - 1
                })
            })
            .collect();
        let mut order: Vec<u32> = (0..texts.len() as u32).collect();
        // Numbers in text sort as numbers: exposures stay in the order of time.
        order.sort_by(|&a, &b| natural(texts[a as usize]).cmp(&natural(texts[b as usize])));
        let mut rank = vec![0; order.len()];
        for (r, &i) in order.iter().enumerate() {
            rank[i as usize] = r as u32;
        }
        let names = order
            .iter()
            .map(|&i| texts[i as usize].to_owned())
            .collect();
        (
            Names { names },
            seen.iter().map(|&i| rank[i as usize]).collect(),
        )
    }
}

/// Sorts whole numbers by value before all other texts.
fn natural(text: &str) -> (bool, i64, &str) {
    match text.parse::<i64>() {
        Ok(n) => (false, n, text),
        Err(_) => (true, 0, text),
    }
}

/// RVs of one arm; `row` tells the table's row of each. Names are shared by all arms.
#[derive(Clone, Debug, Default)]
pub struct ArmObservations {
    /// Arm as the table calls it, empty where it tells no arm.
    pub arm: String,
    /// Row of the table.
    pub row: Vec<u32>,
    /// RV.
    pub rv: Vec<f64>,
    /// Error that goes into the weights: rv_err_own where the table has it, else rv_err.
    pub err: Vec<f64>,
    /// Flags.
    pub flags: Vec<CalFlags>,
}

/// A table of RVs, names turned into numbers.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// Star names.
    pub stars: Names,
    /// Star of each row.
    pub star: Vec<u32>,
    /// Exposure names.
    pub exposures: Names,
    /// Exposure of each row.
    pub exposure: Vec<u32>,
    /// Group names (plate and spectrograph); one empty name where the table has no groups.
    pub groups: Names,
    /// Group of each row.
    pub group: Vec<u32>,
    /// RVs by arm: red first.
    pub arms: Vec<ArmObservations>,
    /// Rows of the table.
    pub n_rows: usize,
}

/// Zero points and stars of one arm as the solver numbers them.
#[derive(Clone, Debug, Default)]
pub struct ArmGraph {
    /// The graph.
    pub graph: Graph,
    /// Exposure of each zero point.
    pub zp_exposure: Vec<u32>,
    /// Group of each zero point.
    pub zp_group: Vec<u32>,
    /// Star (of the table) of each star of the graph.
    pub star: Vec<u32>,
    /// Group of each star of the graph when groups are solved alone, else 0.
    pub star_group: Vec<u32>,
    /// Observation (of the arm) of each edge.
    pub edge_obs: Vec<u32>,
    /// Zero point of each observation of the arm; `u32::MAX` for unusable ones.
    pub obs_zp: Vec<u32>,
    /// Star of the graph of each observation of the arm; `u32::MAX` for unusable ones.
    pub obs_star: Vec<u32>,
}

impl Observations {
    /// Sets the flags that need no solution: bad values, missing names, duplicates. The first of several equal
    /// (star, exposure, group) that is usable counts.
    pub fn flag_rows(&mut self) {
        let nameless_star = self.stars.names.iter().position(|n| n.is_empty());
        let nameless_exposure = self.exposures.names.iter().position(|n| n.is_empty());
        for arm in &mut self.arms {
            let mut keyed: Vec<((u32, u32, u32), u32)> = Vec::with_capacity(arm.row.len());
            for (i, &row) in arm.row.iter().enumerate() {
                let row = row as usize;
                let (star, exposure) = (self.star[row], self.exposure[row]);
                if !arm.rv[i].is_finite() {
                    arm.flags[i] |= CalFlags::BAD_RV;
                }
                if !(arm.err[i].is_finite() && arm.err[i] > 0.0) {
                    arm.flags[i] |= CalFlags::BAD_ERR;
                }
                if nameless_star == Some(star as usize)
                    || nameless_exposure == Some(exposure as usize)
                {
                    arm.flags[i] |= CalFlags::NO_NAME;
                }
                if !arm.flags[i].intersects(CalFlags::UNUSABLE) {
                    keyed.push(((star, exposure, self.group[row]), i as u32));
                }
            }
            keyed.sort_unstable();
            for pair in keyed.windows(2) {
                if pair[0].0 == pair[1].0 {
                    arm.flags[pair[1].1 as usize] |= CalFlags::DUPLICATE;
                }
            }
        }
    }

    /// Zero point that observation `i` of an arm is to be corrected with, whether it counts or not; None where its exposure has no
    /// usable observation at all, and where it has no velocity or no name.
    pub fn zero_point_of(&self, arm: usize, graph: &ArmGraph, i: usize) -> Option<usize> {
        if self.arms[arm].flags[i].intersects(CalFlags::BAD_RV | CalFlags::NO_NAME) {
            return None;
        }
        if graph.obs_zp[i] != u32::MAX {
            return Some(graph.obs_zp[i] as usize);
        }
        let row = self.arms[arm].row[i] as usize;
        let (group, exposure) = (self.group[row], self.exposure[row]);
        // Zero points are sorted by group, then exposure.
        let first = graph.zp_group.partition_point(|&g| g < group);
        let last = graph.zp_group.partition_point(|&g| g <= group);
        let place = graph.zp_exposure[first..last].binary_search(&exposure);
        place.ok().map(|place| first + place)
    }

    /// The graph of an arm. With `alone` a star is a different one in each group.
    pub fn graph(&self, arm: &ArmObservations, alone: bool) -> ArmGraph {
        let usable = |i: &usize| !arm.flags[*i].intersects(CalFlags::UNUSABLE);
        let zp_key = |i: usize| {
            let row = arm.row[i] as usize;
            (self.group[row], self.exposure[row])
        };
        let star_key = |i: usize| {
            let row = arm.row[i] as usize;
            (self.star[row], if alone { self.group[row] } else { 0 })
        };
        let all = 0..arm.row.len();
        let (zps, obs_zp) = number(
            all.clone().filter(usable).map(zp_key),
            &all,
            &usable,
            zp_key,
        );
        let (stars, obs_star) = number(
            all.clone().filter(usable).map(star_key),
            &all,
            &usable,
            star_key,
        );
        let obs: Vec<u32> = all.clone().filter(usable).map(|i| i as u32).collect();
        let edges: Vec<_> = obs
            .iter()
            .map(|&i| {
                let i = i as usize;
                (obs_star[i], obs_zp[i], arm.rv[i], arm.err[i])
            })
            .collect();
        let (mut graph, order) = Graph::new(stars.len(), zps.len(), &edges);
        for (counts, &e) in graph.counts.iter_mut().zip(&order) {
            let i = obs[e as usize] as usize;
            *counts = !arm.flags[i].contains(CalFlags::NO_VELOCITY);
        }
        ArmGraph {
            graph,
            zp_exposure: zps.iter().map(|k| k.1).collect(),
            zp_group: zps.iter().map(|k| k.0).collect(),
            star: stars.iter().map(|k| k.0).collect(),
            star_group: stars.iter().map(|k| k.1).collect(),
            edge_obs: order.iter().map(|&e| obs[e as usize]).collect(),
            obs_zp,
            obs_star,
        }
    }
}

/// Sorted distinct keys, and the number of each observation's key.
fn number(
    keys: impl Iterator<Item = (u32, u32)>,
    all: &std::ops::Range<usize>,
    usable: &impl Fn(&usize) -> bool,
    key: impl Fn(usize) -> (u32, u32),
) -> (Vec<(u32, u32)>, Vec<u32>) {
    let mut sorted: Vec<(u32, u32)> = keys.collect();
    sorted.sort_unstable();
    sorted.dedup();
    let of = all
        .clone()
        .map(|i| {
            if usable(&i) {
                sorted.binary_search(&key(i)).map_or(u32::MAX, |n| n as u32)
            } else {
                u32::MAX
            }
        })
        .collect();
    (sorted, of)
}
