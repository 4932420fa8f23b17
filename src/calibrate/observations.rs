//! The checked input: which star was observed in which exposure, with which RV; and what is wrong with a row.

use super::cal_flags::CalFlags;
use super::graph::Graph;
use super::terms::{LineKind, Terms, multipliers};

/// Star or exposure of a row that names none.
pub const UNNAMED: u32 = u32::MAX;

/// RVs of one arm of the spectrograph, or of all there is.
#[derive(Clone, Debug, Default)]
pub struct ArmObservations {
    /// This arm leads: the stars that it finds constant are those of the arms that do not lead. It should be the arm in which constant
    /// stars are told best (the survey's red one; paper, section 3.2).
    pub(crate) leads: bool,
    /// Row of each RV, into the vectors of [`Observations`].
    pub(crate) row: Vec<u32>,
    /// RV, in any unit, the same for all.
    pub(crate) rv: Vec<f64>,
    /// Error that goes into the weights, in the same unit.
    pub(crate) err: Vec<f64>,
    /// The star's lines in this arm, for each RV. Empty where none are known.
    pub(crate) lines: Vec<LineKind>,
    /// Flags.
    pub(crate) flags: Vec<CalFlags>,
}

/// Velocities to be calibrated: for each, the star, the exposure and the group that it is of, as numbers. Made by
/// [`Observations::from_columns`]. Zero points and stars come out sorted by these numbers.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// Star of each row, or [`UNNAMED`].
    pub(crate) star: Vec<u32>,
    /// Exposure of each row, or [`UNNAMED`].
    pub(crate) exposure: Vec<u32>,
    /// Group of each row (plate and spectrograph): exposures of two groups have two zero points. All 0 without groups.
    pub(crate) group: Vec<u32>,
    /// Place of each row's fibre along the slit, from -1 at one end to 1 at the other; NaN where it is not known. Empty where no row's is.
    pub(crate) place: Vec<f64>,
    /// RVs by arm; those that lead come first.
    pub(crate) arms: Vec<ArmObservations>,
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
    /// Star (of the observations) of each star of the graph.
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

impl ArmObservations {
    /// Sets the lines of the star of each RV, none where they are not known. They are told about their mean, so that a zero point is
    /// that of a star with the usual lines, and of stars whose lines are not known.
    pub fn set_lines(&mut self, lines: impl Iterator<Item = Option<LineKind>>) {
        let lines: Vec<Option<LineKind>> = lines.collect();
        let (mut place, mut sharpness, mut total) = (0.0, 0.0, 0.0);
        for (lines, err) in lines.iter().zip(&self.err) {
            let weight = 1.0 / (err * err);
            if let (Some(lines), true) = (lines, weight.is_finite()) {
                place += weight * lines.place;
                sharpness += weight * lines.sharpness;
                total += weight;
            }
        }
        let about_mean = |lines: Option<LineKind>| match lines.filter(|_| total > 0.0) {
            Some(lines) => LineKind {
                place: lines.place - place / total,
                sharpness: lines.sharpness - sharpness / total,
            },
            None => LineKind::default(),
        };
        self.lines = match total > 0.0 {
            true => lines.into_iter().map(about_mean).collect(),
            false => Vec::new(),
        };
    }
}

impl Observations {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.star.len()
    }

    /// Place of a row's fibre along the slit, from -1 to 1: the middle where it is not known.
    pub fn place_of(&self, row: usize) -> f64 {
        let place = self.place.get(row).copied().filter(|p| p.is_finite());
        place.unwrap_or(0.0)
    }

    /// What multiplies the terms of the zero point of observation `i` of an arm.
    pub fn terms_of(&self, arm: &ArmObservations, i: usize) -> Terms {
        let lines = arm.lines.get(i).copied().unwrap_or_default();
        multipliers(self.place_of(arm.row[i] as usize), lines)
    }

    /// Sets the flags that need no solution: bad values, missing names, duplicates. Of several rows with the same star, exposure and
    /// group, the first usable one counts.
    pub fn flag_rows(&mut self) {
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
                if star == UNNAMED || exposure == UNNAMED {
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
        for (k, &e) in order.iter().enumerate() {
            let i = obs[e as usize] as usize;
            graph.counts[k] = !arm.flags[i].contains(CalFlags::NO_VELOCITY);
            graph.terms[k] = self.terms_of(arm, i);
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
