//! Why nothing can be said of whether a star varies.

use super::arms::CalibratedArm;

/// What is missing for a verdict on a star.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unjudged {
    /// The solution of its arm failed.
    SolutionFailed,
    /// It has no usable velocity that says anything about it.
    NoVelocity,
    /// It has one such velocity.
    OneVelocity,
    /// None of its exposures has a zero point: too few stars were seen in them.
    NoZeroPoint,
    /// One of its velocities alone is of an exposure with a zero point.
    OneZeroPoint,
    /// It has one velocity on each of several scales that no constant star links.
    NoCommonScale,
}

impl Unjudged {
    /// Every cause.
    pub const ALL: [Unjudged; 6] = [
        Unjudged::SolutionFailed,
        Unjudged::NoVelocity,
        Unjudged::OneVelocity,
        Unjudged::NoZeroPoint,
        Unjudged::OneZeroPoint,
        Unjudged::NoCommonScale,
    ];

    /// The cause in a few words, as tables have it.
    pub fn reason(self) -> &'static str {
        match self {
            Unjudged::SolutionFailed => "solution failed",
            Unjudged::NoVelocity => "no velocity",
            Unjudged::OneVelocity => "one velocity",
            Unjudged::NoZeroPoint => "no zero point",
            Unjudged::OneZeroPoint => "one velocity with a zero point",
            Unjudged::NoCommonScale => "no common scale",
        }
    }

    /// The cause with these words.
    pub fn of_reason(reason: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|cause| cause.reason() == reason)
    }

    /// What is missing for a verdict on star `i` of the arm's graph; None where nothing is.
    pub fn of(arm: &CalibratedArm, i: usize) -> Option<Self> {
        let fit = &arm.solution.stars[i];
        if arm.failure.is_some() {
            return Some(Unjudged::SolutionFailed);
        }
        let is_judged = fit.n_used >= 2 && fit.dof > 0.0 && fit.p_value.is_finite();
        if is_judged {
            return None;
        }
        Some(match (arm.graph.graph.counted(i).count(), fit.n_used) {
            (0, _) => Unjudged::NoVelocity,
            (1, _) => Unjudged::OneVelocity,
            (_, 0) => Unjudged::NoZeroPoint,
            (_, 1) => Unjudged::OneZeroPoint,
            _ => Unjudged::NoCommonScale,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ndarray::Array1;

    use super::*;
    use crate::Error;
    use crate::calibrate::arms::{CalibrateOptions, calibrate_except};
    use crate::calibrate::observations::Observations;
    use crate::calibrate::results::stars;

    /// Verdicts on stars that were observed in the exposures that are given for each: constant, variable, what is missing.
    type Verdict = (Option<bool>, Option<bool>, Option<Unjudged>);

    fn arms(exposures: &[&[u32]], never: &[bool]) -> Vec<CalibratedArm> {
        let of = |(s, of): (u32, &&[u32])| of.iter().map(move |e| (s, *e)).collect::<Vec<_>>();
        let rows: Vec<(u32, u32)> = (0..).zip(exposures).flat_map(of).collect();
        let noise = |(s, e): &(u32, u32)| 0.02 * f64::from((7 * s + 5 * e) % 11) - 0.1;
        let star = Array1::from_iter(rows.iter().map(|r| r.0));
        let exposure = Array1::from_iter(rows.iter().map(|r| r.1));
        let rv = Array1::from_iter(rows.iter().map(noise));
        let err = Array1::from_elem(rows.len(), 0.1);
        let obs = Observations::from_columns(star.view(), exposure.view(), rv.view(), err.view());
        calibrate_except(&mut obs.unwrap(), never, &CalibrateOptions::default()).unwrap()
    }

    fn verdicts(arms: &[CalibratedArm]) -> Vec<Verdict> {
        stars(arms)
            .map(|s| (s.is_constant, s.is_variable, s.unjudged))
            .collect()
    }

    fn missing(cause: Unjudged) -> Verdict {
        (None, None, Some(cause))
    }

    #[test]
    fn where_too_few_stars_give_a_zero_point_nobody_is_judged() {
        // Two sets of exposures without a common star, 0 to 3 and 10 to 13; 20 to 22 have too few stars.
        let (first, second): (&[u32], &[u32]) = (&[0, 1, 2, 3], &[10, 11, 12, 13]);
        let mut of = vec![first; 5];
        of.extend([second; 5]);
        of.extend([&[20, 21, 22][..], &[0, 20, 21], &[0, 10], &[1], &[0, 1, 2]]);
        let mut never = vec![false; of.len()];
        for barred in [11, 12, 14] {
            never[barred] = true;
        }
        let found = arms(&of, &never);
        let verdicts = verdicts(&found);
        assert!(
            verdicts[..10]
                .iter()
                .all(|v| *v == (Some(true), Some(false), None))
        );
        let expected = [
            missing(Unjudged::NoZeroPoint),
            missing(Unjudged::OneZeroPoint),
            missing(Unjudged::NoCommonScale),
            missing(Unjudged::OneVelocity),
            // Barred from the constants, it is none of them, and may be variable or not.
            (Some(false), Some(false), None),
        ];
        assert_eq!(verdicts[10..], expected);
    }

    #[test]
    fn a_solution_that_failed_judges_nobody() {
        let mut found = arms(&[&[0, 1, 2][..]; 5], &[]);
        assert!(verdicts(&found).iter().all(|v| v.0 == Some(true)));
        found[0].failure = Some(Arc::new(Error::NothingUsable(String::new())));
        assert!(
            verdicts(&found)
                .iter()
                .all(|v| *v == missing(Unjudged::SolutionFailed))
        );
    }

    #[test]
    fn reasons_are_told_apart() {
        for cause in Unjudged::ALL {
            assert_eq!(Unjudged::of_reason(cause.reason()), Some(cause));
        }
        assert_eq!(Unjudged::of_reason(""), None);
    }
}
