//! The period of a star.

use super::chance::{self, Counted, SETS_OF_NOISE};
use super::epochs::{Deviations, Epochs};
use super::grid::{Grid, LANES, OVERSAMPLING};
use super::noise::{self, Noise};
use super::power::{Lanes, SETS, Sinusoid, go_through, sinusoid};

/// Times that a star must have been seen at. A sinusoid with its period and the means of two arms has five parameters.
const LEAST_EPOCHS: usize = 12;

/// Steps on either side of the best frequency in which it is found more finely, each time.
const FINER: i32 = 10;

/// Velocities of one star; the numbers of one velocity are in the same place of each list.
#[derive(Clone, Copy, Debug)]
pub struct Velocities<'a> {
    /// Times, BJD (TDB), days.
    pub bjd_tdb: &'a [f64],
    /// Velocities, km/s.
    pub rv_km_s: &'a [f64],
    /// 1-sigma errors, km/s.
    pub rv_err_km_s: &'a [f64],
    /// Arm, 0 or 1.
    pub arm: &'a [usize],
}

/// How periods are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeriodOptions {
    /// Highest frequency, cycles a day.
    pub highest_per_d: f64,
}

impl Default for PeriodOptions {
    fn default() -> Self {
        PeriodOptions {
            highest_per_d: 10.0,
        }
    }
}

/// The best period of a star.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Period {
    /// Period, days.
    pub period_d: f64,
    /// Half the range of the sinusoid, km/s.
    pub amplitude_km_s: f64,
    /// Probability that velocities of the same times and errors without a period show as high a peak at any frequency.
    pub false_alarm: f64,
}

/// The best period. None for fewer than 12 different times with a usable velocity, or where velocities do not differ at all. Velocities,
/// times and errors that are no numbers, errors that are not positive, and arms that are neither 0 nor 1 are left out.
pub fn period(velocities: &Velocities<'_>, options: &PeriodOptions) -> Option<Period> {
    let Velocities {
        bjd_tdb,
        rv_km_s,
        rv_err_km_s,
        arm,
    } = *velocities;
    let all = bjd_tdb.iter().zip(rv_km_s).zip(rv_err_km_s).zip(arm);
    let (epochs, rv) = Epochs::of(all.map(|(((t, rv), err), arm)| (*t, *rv, *err, *arm)));
    if epochs.len() < LEAST_EPOCHS {
        return None;
    }
    let own = epochs.deviations(&rv);
    let grid = Grid::new(epochs.span_d(), options.highest_per_d)?;
    if !(own.chi2_between.is_finite() && own.chi2_between > 0.0) {
        return None;
    }
    let mut noise = Noise::new(noise::seed(rv.iter().flatten().copied()));
    let sets = noise.sets(&epochs, SETS_OF_NOISE[0]);
    let (powers, of_noise) = powers(&epochs, &own, &sets, &grid);
    let highest = powers.iter().copied().fold(0.0, f64::max);
    let likely = most_likely(&powers, highest, &epochs, &grid);
    let (frequency, best) = finer(&epochs, &own.weighted, &grid, likely);
    let bound = chance::bound(&epochs, &grid, highest);
    let false_alarm = match bound < chance::DECIDED {
        true => bound,
        false => bound.min(counted(&epochs, &grid, highest, &of_noise, &mut noise)),
    };
    Some(Period {
        period_d: 1.0 / frequency,
        amplitude_km_s: best.amplitude_km_s,
        false_alarm,
    })
}

/// The share of the star's scatter between times that a sinusoid of each frequency takes away, and the largest such share of each set of noise.
fn powers(
    epochs: &Epochs,
    own: &Deviations,
    noise: &[Deviations],
    grid: &Grid,
) -> (Vec<f64>, Vec<f64>) {
    let all: Vec<&Deviations> = std::iter::once(own).chain(noise).collect();
    let mut powers = vec![0.0; grid.n];
    let mut highest = Highest::of(all.len());
    go_through(epochs, &side_by_side(&all), grid, |first, group, found| {
        highest.add(group, found);
        if group == 0 {
            for (power, reduction) in powers[first..].iter_mut().zip(&found[0]) {
                *power = (reduction / own.chi2_between).clamp(0.0, 1.0);
            }
        }
    });
    (powers, highest.powers(&all).split_off(1))
}

/// Probability that noise shows this power at any frequency, from sets of noise: those whose highest powers are known, and more of them if
/// need be.
fn counted(epochs: &Epochs, grid: &Grid, power: f64, known: &[f64], noise: &mut Noise) -> f64 {
    let mut counted = Counted::default();
    known
        .iter()
        .for_each(|of_noise| counted.add(*of_noise >= power));
    for n in &SETS_OF_NOISE[1..] {
        if counted.is_enough() {
            break;
        }
        let sets = noise.sets(epochs, *n);
        let all: Vec<&Deviations> = sets.iter().collect();
        let mut highest = Highest::of(*n);
        go_through(epochs, &side_by_side(&all), grid, |_, group, found| {
            highest.add(group, found);
        });
        let powers = highest.powers(&all);
        powers
            .iter()
            .for_each(|of_noise| counted.add(*of_noise >= power));
    }
    counted.probability()
}

/// The largest reduction of chi^2 of each set of velocities, by lanes.
struct Highest(Vec<[Lanes; SETS]>);

impl Highest {
    fn of(n_sets: usize) -> Self {
        Highest(vec![[[0.0; LANES]; SETS]; n_sets.div_ceil(SETS)])
    }

    fn add(&mut self, group: usize, found: &[Lanes; SETS]) {
        let all = self.0[group].iter_mut().flatten();
        for (most, reduction) in all.zip(found.iter().flatten()) {
            *most = reduction.max(*most);
        }
    }

    /// As shares of the scatter between times.
    fn powers(&self, sets: &[&Deviations]) -> Vec<f64> {
        let most = |lanes: &Lanes| lanes.iter().copied().fold(0.0, f64::max);
        let of_sets = self.0.iter().flatten().zip(sets);
        of_sets
            .map(|(lanes, set)| most(lanes) / set.chi2_between)
            .collect()
    }
}

/// The frequency that is most probable if every ratio of two periods is as probable as any other of its size: among copies of a peak
/// a cycle a day away that are almost as high it is the longest period.
fn most_likely(powers: &[f64], highest: f64, epochs: &Epochs, grid: &Grid) -> usize {
    let half_dof = 0.5 * epochs.dof() as f64;
    // Where the rest is larger by this factor no frequency of the grid is low enough to make up for it.
    let most_left = (1.0 - highest) * ((grid.n as f64 * OVERSAMPLING).ln() / half_dof).exp();
    let logarithm = |i: usize| -half_dof * (1.0 - powers[i]).ln() - grid.at(i as f64).ln();
    (0..powers.len())
        .filter(|i| 1.0 - powers[*i] <= most_left)
        .map(|i| (i, logarithm(i)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(0, |(i, _)| i)
}

/// Deviations of [`SETS`] sets beside each other for each epoch.
fn side_by_side(sets: &[&Deviations]) -> Vec<Vec<[f64; SETS]>> {
    let of_group = |group: &[&Deviations]| {
        let n = group[0].weighted.len();
        let at = |i: usize| -> [f64; SETS] {
            std::array::from_fn(|set| group.get(set).map_or(0.0, |d| d.weighted[i]))
        };
        (0..n).map(at).collect()
    };
    sets.chunks(SETS).map(of_group).collect()
}

/// The best frequency around one of the grid, found in two finer grids.
fn finer(epochs: &Epochs, weighted: &[f64], grid: &Grid, place: usize) -> (f64, Sinusoid) {
    let mut step = grid.step;
    let mut frequency = grid.at(place as f64);
    let mut best = sinusoid(epochs, weighted, frequency);
    for _ in 0..2 {
        let middle = frequency;
        step /= f64::from(FINER);
        for i in -FINER..=FINER {
            let at = middle + f64::from(i) * step;
            let found = sinusoid(epochs, weighted, at);
            if at > 0.0 && found.reduction > best.reduction {
                (frequency, best) = (at, found);
            }
        }
    }
    (frequency, best)
}
