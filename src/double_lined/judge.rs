//! Whether a star shows two sets of lines: docs/method.md, section 12.
//!
//! Each exposure is fitted with a copy of the reference, and then with a second copy at another velocity. And the reference
//! is compared with itself: if it has every line twice, it looks like itself when moved by the distance of the two.

use super::coarse::{CoarseExposure, CoarseReference};
use super::line_width::{self, Lines};
use super::second_copy::{NEAREST, Search, SecondCopy};
use crate::reference::single::Reference;
use crate::spectrum::normalize::Normalized;

/// Largest distance of two sets of lines in the reference, bins: two lines of the magnesium triplet are 310 km/s apart.
const FARTHEST_OWN: usize = 30;

/// A second copy is certain if it exceeds all three: its significance in sigma; its amplitude as a share of the first copy's; its
/// significance over the root mean square of that at other velocities. These and the limits below were chosen on 730 simulated single
/// stars (constant, pulsating, rotating with 80-250 km/s) and 300 double ones; the tables of docs/method.md, section 12, and
/// `tests/integration/sb2.rs` are of other stars.
const SURE_SIGMA: f64 = 7.0;
const SURE_SHARE: f64 = 0.12;
const SURE_OVER_OTHERS: f64 = 2.0;

/// Largest part of the reference's lines (in squared depth) that may be noise for a second copy to be certain. The mean of two copies
/// of broad, noisy lines is less noisy than one, and fits better for that alone. For the same reason this part is added to the
/// least share of the second copy.
const MAX_NOISE_SHARE: f64 = 0.3;

/// What each quarter of the lines, counted along the window, gives to the second copy, at least and at most: what one
/// quarter gives alone is a cosmic ray or another defect.
const QUARTER: std::ops::RangeInclusive<f64> = -0.2..=0.65;

/// Limits for a second copy in a star that is known to be double: significance in sigma, and over the root mean square at other
/// velocities. The third is the excess of chi^2 over one copy, in standard deviations, that is enough by itself.
const LIKELY_SIGMA: f64 = 5.0;
const LIKELY_OVER_OTHERS: f64 = 1.5;
const LIKELY_MISFIT_SIGMA: f64 = 5.0;
/// In a double star, a change of the width of broad lines by so many of its errors is enough as well. Used where the star is double for
/// other reasons than the changes of width; else the limit is that of [`line_width::least_change`].
const LIKELY_WIDTH_SIGMA: f64 = 4.0;

/// The lines of a reference are double if its correlation with itself, moved, is above this in the mean of several bands. The limit
/// for one band alone is a setting of the band
/// ([`own_correlation`](crate::spectrum::band::SecondLines::own_correlation)).
const OWN_CORRELATION_MEAN: f64 = 0.33;
/// With a larger part of noise in the narrowed lines this correlation is not looked at: a few shallow lines fall on each other by
/// chance.
const MAX_OWN_NOISE: f64 = 0.8;
/// For this correlation each line is made narrow: the mean of the flux this many bins to either side (the line-spread function's
/// width) is subtracted.
const OWN_SIDE: usize = 4;

impl SecondCopy {
    /// Two sets of lines, whatever the star's other exposures show.
    pub fn is_sure(&self) -> bool {
        self.sigma > SURE_SIGMA
            && self.noise_share < MAX_NOISE_SHARE
            && self.share > SURE_SHARE + self.noise_share
            && self.sigma > SURE_OVER_OTHERS * self.others_sigma.max(1.0)
            && self.quarters.iter().all(|q| QUARTER.contains(q))
    }

    /// Two sets of lines, or another mixture of them than in the reference, if the star is double.
    pub fn is_likely(&self) -> bool {
        (self.sigma > LIKELY_SIGMA && self.sigma > LIKELY_OVER_OTHERS * self.others_sigma)
            || self.misfit_sigma > LIKELY_MISFIT_SIGMA
    }
}

/// What a star's exposures in one band show.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Of each exposure; None for the reference and for what cannot be compared with it.
    pub second: Vec<Option<SecondCopy>>,
    /// Correlation of the reference with itself by lag; empty where it could not be had or is mostly noise.
    own: Vec<f64>,
    /// Height of it above which the lines are double.
    own_limit: f64,
    /// What can be said of the width of lines.
    lines: Lines,
    /// Change of that width against the reference, in its errors, of each exposure; None as above, and where lines are narrow
    /// or hidden by noise.
    pub width_sigma: Vec<Option<f64>>,
    /// Which exposure is the reference.
    reference: usize,
}

impl Evidence {
    /// No narrow lines, in which a second set would be seen beside the first.
    pub fn has_broad_lines(&self) -> bool {
        self.lines == Lines::Broad
    }
}

/// Looks for second copies of `reference`, which is exposure number `reference_index`, and with `widths` for lines of another
/// width: of use in another band than the first only where that one has [broad lines](Evidence::has_broad_lines). All exposures are of
/// one band.
pub fn evidence<'a>(
    reference: &Reference,
    exposures: impl ExactSizeIterator<Item = &'a Normalized>,
    reference_index: usize,
    widths: bool,
    scratch: &mut CoarseExposure,
) -> Evidence {
    let n = exposures.len();
    let mut exposures = exposures.enumerate().peekable();
    let band = exposures.peek().map(|(_, e)| e.band);
    let coarse = band.and_then(|band| Some((band, CoarseReference::new(reference, &band)?)));
    let Some((band, coarse)) = coarse else {
        return Evidence {
            second: vec![None; n],
            width_sigma: vec![None; n],
            reference: reference_index,
            ..Evidence::default()
        };
    };
    let widths = widths && band.second_lines.has_widths;
    let broad = widths.then(|| coarse.with_broad_lines());
    let lines = broad.as_ref().map(line_width::lines).unwrap_or_default();
    let broad = broad.filter(|_| lines == Lines::Broad);
    let search = Search::new(&coarse);
    let (second, width_sigma) = exposures
        .map(|(i, exposure)| {
            if i == reference_index {
                return (None, None);
            }
            coarse.bin(exposure, scratch);
            let second = search.second_copy(scratch);
            let width_sigma = broad.as_ref().and_then(|broad| {
                broad.bin(exposure, scratch);
                line_width::change_sigma(broad, scratch)
            });
            (second, width_sigma)
        })
        .unzip();
    let own = band.second_lines.own_correlation.map(|limit| {
        let (own, noise_share) = coarse.self_correlation(OWN_SIDE);
        (own, noise_share, limit)
    });
    let own = own.filter(|(_, noise_share, _)| *noise_share < MAX_OWN_NOISE);
    let (own, own_limit) = own.map_or((Vec::new(), f64::INFINITY), |(own, _, limit)| (own, limit));
    Evidence {
        second,
        lines,
        width_sigma,
        own,
        own_limit,
        reference: reference_index,
    }
}

/// Which exposures of a star show two sets of lines, given what all of them show in each of the bands (in their order; empty for
/// a band without exposures). All false if the star shows one set only.
pub fn judge(bands: &[&Evidence]) -> Vec<Vec<bool>> {
    let sure = |e: &&Evidence| e.second.iter().flatten().any(SecondCopy::is_sure);
    let own = own_lines_are_double(bands);
    let widths = bands.iter().flat_map(|e| e.width_sigma.iter().flatten());
    let lines = bands.iter().map(|e| e.lines);
    let least_change = line_width::least_change(lines, widths.copied());
    let is_double = least_change.is_some() || own.iter().any(|d| *d) || bands.iter().any(sure);
    let least_change = least_change.unwrap_or(LIKELY_WIDTH_SIGMA);
    let of_band = |(evidence, own): (&&Evidence, bool)| {
        let Evidence {
            second,
            width_sigma,
            reference,
            ..
        } = evidence;
        let of = |(i, (second, width)): (usize, (&Option<SecondCopy>, &Option<f64>))| {
            is_double
                && ((i == *reference && own)
                    || second.is_some_and(|s| s.is_sure() || s.is_likely())
                    || width.is_some_and(|sigma| sigma.abs() > least_change))
        };
        second.iter().zip(width_sigma).enumerate().map(of).collect()
    };
    bands.iter().zip(own).map(of_band).collect()
}

/// Whether each band's reference has its lines twice, from correlations with themselves.
fn own_lines_are_double(bands: &[&Evidence]) -> Vec<bool> {
    // Two stars are equally far apart in all bands, so the correlations are averaged lag by lag.
    if bands.len() > 1 && side_peak(&mean_own(bands)) > OWN_CORRELATION_MEAN {
        return vec![true; bands.len()];
    }
    let alone = |e: &&Evidence| side_peak(&e.own) > e.own_limit;
    bands.iter().map(alone).collect()
}

/// Mean of the correlations as far as all of them go.
fn mean_own(bands: &[&Evidence]) -> Vec<f64> {
    let n = bands.iter().map(|e| e.own.len()).min().unwrap_or(0);
    let mean = |lag: usize| {
        let sum: f64 = bands.iter().map(|e| e.own[lag]).sum();
        sum / bands.len() as f64
    };
    (0..n).map(mean).collect()
}

/// Highest maximum beside lag 0, in the range of distances that are tried; 0 if there is none.
fn side_peak(own: &[f64]) -> f64 {
    own.windows(3)
        .skip(NEAREST - 1)
        .take(FARTHEST_OWN + 1 - NEAREST)
        .filter(|w| w[1] >= w[0] && w[1] >= w[2])
        .map(|w| w[1])
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: SecondCopy = SecondCopy {
        sigma: 20.0,
        share: 0.5,
        separation_km_s: 120.0,
        others_sigma: 3.0,
        misfit_sigma: 9.0,
        noise_share: 0.02,
        quarters: [0.25; 4],
    };

    const NOTHING: SecondCopy = SecondCopy {
        sigma: 2.5,
        share: 0.02,
        others_sigma: 1.0,
        misfit_sigma: 0.3,
        ..SURE
    };

    fn arm(second: &[Option<SecondCopy>], own: &[f64]) -> Evidence {
        Evidence {
            second: second.to_vec(),
            own: own.to_vec(),
            own_limit: 0.42,
            width_sigma: vec![None; second.len()],
            ..Evidence::default()
        }
    }

    /// A correlation with itself that has a maximum of this height 100 km/s away.
    fn own(height: f64) -> Vec<f64> {
        let peak = |lag: usize| height - 0.1 * (lag as f64 - 10.0).abs();
        (0..=47).map(|lag| peak(lag).max(0.0)).collect()
    }

    #[test]
    fn each_limit_counts() {
        assert!(SURE.is_sure());
        let spoilt = [
            SecondCopy { sigma: 6.9, ..SURE },
            SecondCopy {
                share: 0.13,
                ..SURE
            },
            SecondCopy {
                others_sigma: 10.5,
                ..SURE
            },
            SecondCopy {
                noise_share: 0.31,
                ..SURE
            },
            SecondCopy {
                noise_share: 0.2,
                share: 0.3,
                ..SURE
            },
            SecondCopy {
                quarters: [0.05, 0.05, 0.7, 0.2],
                ..SURE
            },
            SecondCopy {
                quarters: [0.6, 0.4, 0.25, -0.25],
                ..SURE
            },
            SecondCopy {
                sigma: f64::NAN,
                ..SURE
            },
            SecondCopy {
                quarters: [f64::NAN; 4],
                ..SURE
            },
        ];
        for second in spoilt {
            assert!(!second.is_sure(), "{second:?}");
        }
        assert!(!NOTHING.is_sure() && !NOTHING.is_likely());
        let changed = SecondCopy {
            misfit_sigma: 5.1,
            ..NOTHING
        };
        assert!(changed.is_likely() && !changed.is_sure());
    }

    #[test]
    fn broad_lines_that_change_their_width_are_double() {
        let arm = |lines, widths: &[f64]| Evidence {
            second: vec![None; widths.len()],
            lines,
            width_sigma: widths.iter().map(|w| Some(*w)).collect(),
            // The reference is none of these.
            reference: widths.len(),
            ..Evidence::default()
        };
        let is_double =
            |blue: &Evidence, red: &Evidence| judge(&[blue, red]).concat().contains(&true);
        let steady = arm(Lines::Broad, &[1.0, -1.4]);
        let wider = arm(Lines::Broad, &[4.5, 1.0]);
        let none = Evidence::default();
        assert!(!is_double(&steady, &steady));
        // The sum of squares is 1 + 2 + 20 + 1, below the limit 14 + 4 x 5.
        assert!(!is_double(&steady, &wider));
        let narrower = arm(Lines::Broad, &[-4.5, 1.0]);
        let changed = vec![true, false];
        assert_eq!(judge(&[&narrower, &wider]), [changed.clone(), changed]);
        // None of them alone is much.
        let little = arm(Lines::Broad, &[3.0, -3.1]);
        assert!(is_double(&little, &little));
        // However much it is, one exposure in one arm is a defect.
        assert!(!is_double(&steady, &arm(Lines::Broad, &[50.0, 0.0])));
        // Without a red arm; with narrow lines in either; without the blue arm.
        let both = arm(Lines::Broad, &[4.5, 4.5]);
        assert!(is_double(&both, &none));
        assert!(!is_double(&arm(Lines::Narrow, &[4.5, 4.5]), &both));
        assert!(!is_double(&both, &arm(Lines::Narrow, &[4.5, 4.5])));
        assert!(!is_double(&none, &both));
    }

    #[test]
    fn one_arm_speaks_for_both_and_its_reference_for_itself() {
        let likely = SecondCopy {
            sigma: 5.5,
            share: 0.1,
            ..SURE
        };
        let quiet = arm(&[None, Some(NOTHING), Some(likely)], &own(0.1));
        assert_eq!(judge(&[&quiet, &quiet]), [vec![false; 3], vec![false; 3]]);
        let loud = arm(&[None, Some(SURE)], &own(0.1));
        assert_eq!(
            judge(&[&quiet, &loud]),
            [vec![false, false, true], vec![false, true]]
        );
        let twice = arm(&[None, Some(NOTHING)], &own(0.43));
        assert_eq!(
            judge(&[&quiet, &twice]),
            [vec![false, false, true], vec![true, false]]
        );
        // Less in both arms, at the same distance.
        let half = arm(&[None, Some(NOTHING)], &own(0.34));
        assert_eq!(
            judge(&[&half, &half]),
            [vec![true, false], vec![true, false]]
        );
        let none = Evidence::default();
        assert_eq!(judge(&[&half, &none]), [vec![false, false], vec![]]);
    }
}
