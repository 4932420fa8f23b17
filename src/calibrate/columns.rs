//! Velocities in columns, from anywhere: what a caller of the library hands over.

use ndarray::ArrayView1;

use super::cal_flags::CalFlags;
use super::observations::{ArmObservations, Observations, UNNAMED};
use crate::{Error, Result};

impl Observations {
    /// Observations from four arrays of one length n, a value for each velocity: the star and the exposure that it is of, as numbers
    /// that the caller chooses (they need not be consecutive); the velocity (`rv`); and its 1-sigma error (`rv_err`), without the error
    /// that it shares with the star's other velocities. `rv` and `rv_err` are in one unit, whichever.
    ///
    /// A velocity that is not finite, or whose error is not positive, is flagged and not used; so is the second one of the same star,
    /// exposure, group and arm.
    ///
    /// # Errors
    /// [`Error::Arrays`] where lengths differ, where a star or exposure is `u32::MAX`, or where there are more than `u32::MAX` rows.
    pub fn from_columns(
        star: ArrayView1<'_, u32>,
        exposure: ArrayView1<'_, u32>,
        rv: ArrayView1<'_, f64>,
        rv_err: ArrayView1<'_, f64>,
    ) -> Result<Self> {
        let n = star.len();
        for (name, len) in [
            ("exposure", exposure.len()),
            ("rv", rv.len()),
            ("rv_err", rv_err.len()),
        ] {
            same_length(name, len, n)?;
        }
        for (name, numbers) in [("star", star), ("exposure", exposure)] {
            if numbers.iter().any(|number| *number == UNNAMED) {
                return Err(Error::Arrays(format!(
                    "{name}: expected numbers below {UNNAMED}, found it"
                )));
            }
        }
        let rows = u32::try_from(n).map_err(|_| {
            Error::Arrays(format!(
                "{n} velocities: more than {} cannot be numbered",
                u32::MAX
            ))
        })?;
        Ok(Observations {
            star: star.to_vec(),
            exposure: exposure.to_vec(),
            group: vec![0; n],
            place: Vec::new(),
            arms: vec![ArmObservations {
                leads: true,
                row: (0..rows).collect(),
                rv: rv.to_vec(),
                err: rv_err.to_vec(),
                lines: Vec::new(),
                flags: vec![CalFlags::empty(); n],
            }],
        })
    }

    /// The same, with the group of each velocity (length n): an exposure has a zero point of its own in each group, such as the
    /// spectrographs that took it at once.
    ///
    /// # Errors
    /// [`Error::Arrays`] where the length differs.
    pub fn with_group(mut self, group: ArrayView1<'_, u32>) -> Result<Self> {
        same_length("group", group.len(), self.n_rows())?;
        self.group = group.to_vec();
        Ok(self)
    }

    /// The same, with the arm of each velocity (length n), from 0: each arm has zero points of its own. Arm 0 chooses the constant stars
    /// for all of them: let it be the one with the smallest errors.
    ///
    /// # Errors
    /// [`Error::Arrays`] where the length differs, or where an arm's number is 1000 or more.
    pub fn with_arm(mut self, arm: ArrayView1<'_, u32>) -> Result<Self> {
        same_length("arm", arm.len(), self.n_rows())?;
        let n_arms = arm.iter().max().map_or(1, |last| *last as usize + 1);
        if n_arms > MOST_ARMS {
            return Err(Error::Arrays(format!(
                "arm: expected numbers below {MOST_ARMS}, found {}",
                n_arms - 1
            )));
        }
        let mut arms = vec![ArmObservations::default(); n_arms];
        arms[0].leads = true;
        for all in &self.arms {
            for (i, &row) in all.row.iter().enumerate() {
                let own = &mut arms[arm[row as usize] as usize];
                own.row.push(row);
                own.rv.push(all.rv[i]);
                own.err.push(all.err[i]);
                own.lines.extend(all.lines.get(i));
                own.flags.push(all.flags[i]);
            }
        }
        self.arms = arms;
        Ok(self)
    }

    /// The same, with the place of each velocity's fibre along the slit of its spectrograph (length n), in any unit: the least one is
    /// taken for one end of the slit and the largest for the other. NaN where it is not known: then the zero point of the slit's middle
    /// is taken. Zero points may change along the slit ([`JointOptions::fibre_order`](super::joint::JointOptions)).
    ///
    /// # Errors
    /// [`Error::Arrays`] where the length differs.
    pub fn with_position(mut self, position: ArrayView1<'_, f64>) -> Result<Self> {
        same_length("position", position.len(), self.n_rows())?;
        self.place = places(position.iter().copied());
        Ok(self)
    }

    /// The same, with marks (length n) that are true for velocities that say nothing about their star: these are corrected, but neither
    /// determine a zero point nor say whether the star is constant.
    ///
    /// # Errors
    /// [`Error::Arrays`] where the length differs.
    pub fn with_no_velocity(mut self, is_none: ArrayView1<'_, bool>) -> Result<Self> {
        same_length("no_velocity", is_none.len(), self.n_rows())?;
        for arm in &mut self.arms {
            for (flags, &row) in arm.flags.iter_mut().zip(&arm.row) {
                flags.set(CalFlags::NO_VELOCITY, is_none[row as usize]);
            }
        }
        Ok(self)
    }
}

/// Places from -1 to 1 for positions in any unit. NaN where a position is not finite; empty where all positions are one.
pub fn places(positions: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    let finite = || positions.clone().filter(|p| p.is_finite());
    let (low, high) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    // Half of each, because the difference of two large numbers may be infinite.
    let half = 0.5 * high - 0.5 * low;
    let is_range = half > 0.0 && half.is_finite();
    if !is_range {
        return Vec::new();
    }
    let place = |p: f64| match p.is_finite() {
        true => (p - (0.5 * high + 0.5 * low)) / half,
        false => f64::NAN,
    };
    positions.map(place).collect()
}

/// Arms that one set of observations can have.
pub const MOST_ARMS: usize = 1000;

fn same_length(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Arrays(format!(
        "{name}: expected {expected} values, one for each of star, found {found}"
    )))
}
