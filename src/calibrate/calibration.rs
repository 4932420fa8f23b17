//! The calibration as a caller of the library sees it.

use ndarray::Array1;

use super::arms::{CalibrateOptions, CalibratedArm, calibrate_except};
use super::cal_flags::CalFlags;
use super::links;
use super::links_told::told_links;
use super::observations::Observations;
use super::results::{self, Corrected, Star, ZeroPoint};
use super::summary::{self, ArmSummary};
use crate::Result;

/// What a calibration found. Velocities and errors are in the unit of those that were given. The arrays have one value for each
/// velocity of the [`Observations`]; the lists of zero points and stars are sorted as their docs say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Calibration {
    /// The zero point of each exposure, group and arm that has a usable velocity: sorted by arm, group and exposure.
    pub zero_points: Vec<ZeroPoint>,
    /// Velocities less their zero points, in the order in which they were given; NaN where there is no zero point.
    pub rv: Array1<f64>,
    /// 1-sigma errors of [`Calibration::rv`]: own error, error of the zero point at the star's fibre and the star's jitter as a quiet star,
    /// together; NaN where `rv` is NaN.
    pub rv_err: Array1<f64>,
    /// Flags of each velocity, in the same order.
    pub flags: Array1<CalFlags>,
    /// What is known of each star: sorted by arm, star and group.
    pub stars: Vec<Star>,
    /// What was done with each arm, in the order of their numbers.
    pub arms: Vec<ArmSummary>,
    /// True if every arm was solved and its iteration ended by itself. Otherwise [`Calibration::arms`] says what went wrong.
    pub converged: bool,
}

/// Finds the zero point of every exposure from the stars that do not vary, and takes it off the velocities (Xiong et al. 2021, section
/// 3.2).
///
/// A velocity is taken as v = a + z + noise, with a the offset of its star and z the zero point of its exposure. Zero points have mean 0
/// wherever stars link them; see [`ZeroPoint::component`].
///
/// ```
/// use ndarray::Array1;
/// use relrv::{CalibrateOptions, Observations, calibrate};
///
/// # fn main() -> relrv::Result<()> {
/// // 20 stars in 8 exposures. Exposure 3 is off by 2 km/s; star 5 moves by itself.
/// let (mut star, mut exposure, mut rv) = (Vec::new(), Vec::new(), Vec::new());
/// for s in 0..20_u32 {
///     for e in 0..8_u32 {
///         let noise = 0.1 * f64::from((7 * s + 5 * e) % 11) - 0.5;
///         let zero_point = if e == 3 { 2.0 } else { 0.0 };
///         let orbit = if s == 5 { 30.0 * f64::from(e).sin() } else { 0.0 };
///         star.push(s);
///         exposure.push(e);
///         rv.push(f64::from(s) + zero_point + orbit + noise);
///     }
/// }
/// let rv_err = vec![0.3; rv.len()];
///
/// let (star, exposure) = (Array1::from(star), Array1::from(exposure));
/// let (rv, rv_err) = (Array1::from(rv), Array1::from(rv_err));
/// let observations = Observations::from_columns(star.view(), exposure.view(), rv.view(), rv_err.view())?;
/// let found = calibrate(&observations, &CalibrateOptions::default())?;
///
/// assert!(found.converged);
/// let relative = found.zero_points[3].zp - found.zero_points[2].zp;
/// assert!((relative - 2.0).abs() < 0.3);
/// assert_eq!(found.stars[5].is_variable, Some(true));
/// assert_eq!(found.stars[6].is_variable, Some(false));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) for options that make no sense; [`Error::NothingUsable`](crate::Error::NothingUsable) where
/// no velocity can be used. An arm that cannot be solved is no error:
/// see [`Calibration::converged`].
pub fn calibrate(observations: &Observations, options: &CalibrateOptions) -> Result<Calibration> {
    calibrate_without(observations, &[], options)
}

/// As [`calibrate`], with stars that are never taken for constant, whatever their velocities say: double-lined ones, for example.
/// `never[s]` is true if star number `s` is one of them; stars whose number is beyond the end of `never` are treated as usual. The
/// velocities of barred stars are corrected like all others.
///
/// # Errors
/// As [`calibrate`].
pub fn calibrate_without(
    observations: &Observations,
    never: &[bool],
    options: &CalibrateOptions,
) -> Result<Calibration> {
    options.check()?;
    let mut obs = observations.clone();
    let arms = calibrate_except(&mut obs, never, options)?;
    let mut corrected = Corrected::none(obs.n_rows());
    (0..arms.len()).for_each(|arm| corrected.fill(&obs, &arms, arm));
    let name = |arm: usize| arm.to_string();
    let has_groups = obs.group.iter().any(|g| *g != 0);
    let group = |group: u32| has_groups.then(|| format!("group {group}"));
    let summary_of = |(i, arm): (usize, &CalibratedArm)| ArmSummary {
        links: told_links(&links::of(arm, options), &group),
        ..summary::arm(&obs, i, arm, &name, false)
    };
    let summaries: Vec<ArmSummary> = arms.iter().enumerate().map(summary_of).collect();
    Ok(Calibration {
        zero_points: results::zero_points(&arms).collect(),
        rv: Array1::from(corrected.rv),
        rv_err: Array1::from(corrected.err),
        flags: Array1::from(corrected.flags),
        stars: results::stars(&arms).collect(),
        converged: summaries.iter().all(|arm| arm.complaint().is_none()),
        arms: summaries,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};

    use super::*;
    use crate::calibrate::observations::UNNAMED;
    use crate::lab::validate::mock::{Mock, MockConfig};

    #[test]
    fn arrays_give_what_the_rows_of_a_table_give() {
        let mock = Mock::new(&MockConfig {
            seed: 4,
            missing: 0.3,
            ..MockConfig::default()
        });
        let column = |value: fn(&_) -> f64| Array1::from_iter(mock.rows.iter().map(value));
        let number = |value: fn(&_) -> u32| Array1::from_iter(mock.rows.iter().map(value));
        let (star, exposure) = (number(|r| r.star), number(|r| r.exposure));
        let (rv, err) = (column(|r| r.rv_km_s), column(|r| r.err_km_s));
        let of = |rv: &Array1<f64>| {
            let obs =
                Observations::from_columns(star.view(), exposure.view(), rv.view(), err.view());
            calibrate(&obs.unwrap(), &CalibrateOptions::default()).unwrap()
        };
        let found = of(&rv);
        assert!(found.converged);
        // Zero points are known up to a constant (their mean is set to 0), so they are compared after centring. What was taken
        // off a velocity is the zero point of its exposure.
        let truth = Array1::from(mock.zp_km_s.clone());
        let zp = Array1::from_iter(found.zero_points.iter().map(|z| z.zp));
        let difference = &zp - &truth;
        let off = &difference - difference.mean().unwrap();
        let worst = off.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
        let error = found
            .zero_points
            .iter()
            .fold(0.0_f64, |a, z| a.max(z.zp_err));
        assert!(worst < 4.0 * error, "{worst} {error}");
        for (i, e) in exposure.iter().enumerate() {
            let taken = rv[i] - found.rv[i];
            assert!((taken - zp[*e as usize]).abs() < 1e-9);
        }
        // If the velocities change sign, so do the zero points.
        let mirrored = of(&-&rv);
        for (a, b) in found.zero_points.iter().zip(&mirrored.zero_points) {
            assert!((a.zp + b.zp).abs() < 1e-9);
        }
    }

    #[test]
    fn arms_share_constants_and_each_has_its_zero_points() {
        let n = 30 * 10;
        let star = Array1::from_iter((0..2 * n).map(|i| (i % 30) as u32));
        let exposure = Array1::from_iter((0..2 * n).map(|i| (i / 30 % 10) as u32));
        let arm = Array1::from_iter((0..2 * n).map(|i| u32::from(i >= n)));
        let noise = |i: usize| 0.02 * ((i * 37 % 101) as f64 - 50.0) / 50.0;
        // The second arm's zero points are the first one's with the other sign.
        let rv = Array1::from_iter((0..2 * n).map(|i| {
            let zp = exposure[i] as f64 - 4.5;
            noise(i) + if i < n { zp } else { -zp }
        }));
        let err = Array1::from_elem(2 * n, 0.02);
        let obs = Observations::from_columns(star.view(), exposure.view(), rv.view(), err.view())
            .and_then(|obs| obs.with_arm(arm.view()))
            .unwrap();
        let found = calibrate(&obs, &CalibrateOptions::default()).unwrap();
        assert_eq!(found.zero_points.len(), 20);
        for (a, b) in found.zero_points[..10].iter().zip(&found.zero_points[10..]) {
            assert_eq!((a.arm, b.arm), (0, 1));
            assert!(
                (a.zp + b.zp).abs() < 0.02 && (a.zp - (a.exposure as f64 - 4.5)).abs() < 0.02,
                "{a:?} {b:?}"
            );
        }
        assert_eq!(found.arms[1].constants_from.as_deref(), Some("0"));
    }

    #[test]
    fn columns_that_do_not_fit_are_named() {
        let (star, exposure) = (array![0, 1], array![0, 0]);
        let (rv, err) = (array![0.0, 1.0], array![0.1]);
        let wrong = Observations::from_columns(star.view(), exposure.view(), rv.view(), err.view());
        let message = wrong.unwrap_err().to_string();
        assert!(message.contains("rv_err: expected 2"), "{message}");
        let err = array![0.1, 0.1];
        let of = |star: &Array1<u32>| {
            Observations::from_columns(star.view(), exposure.view(), rv.view(), err.view())
        };
        assert!(of(&array![0, UNNAMED]).is_err());
        let obs = of(&star).unwrap();
        assert!(obs.clone().with_group(array![1].view()).is_err());
        assert!(obs.clone().with_arm(array![0, u32::MAX].view()).is_err());
        // One exposure of two stars: nothing to calibrate with, and no panic.
        let found = calibrate(&obs, &CalibrateOptions::default()).unwrap();
        assert!(found.zero_points.iter().all(|z| z.zp.is_nan()));
        let mut options = CalibrateOptions::default();
        options.joint.p_min = f64::NAN;
        assert!(calibrate(&obs, &options).is_err());
        let nothing = obs.with_no_velocity(array![true, true].view()).unwrap();
        assert!(calibrate(&nothing, &CalibrateOptions::default()).is_ok());
    }
}
