//! Which types of stars a plate has.

use rand::RngExt;

use super::config::Config;
use super::motion::Motion;
use super::params::StellarParams;
use super::streams::{Purpose, stream};

/// Temperature (K) below which a share of the stars lies: mostly F to K, as in the survey, a few M, A, B and O.
const TEFF_QUANTILES: [(f64, f64); 10] = [
    (0.0, 3200.0),
    (0.06, 3900.0),
    (0.28, 5000.0),
    (0.40, 5500.0),
    (0.60, 6000.0),
    (0.76, 6900.0),
    (0.84, 7600.0),
    (0.92, 10_500.0),
    (0.96, 20_000.0),
    (1.0, 42_000.0),
];

/// Temperature (K) below which `share` of the stars of `range` (K; all if none) lies.
pub(super) fn teff_between(range: Option<(f64, f64)>, share: f64) -> f64 {
    let Some((low, high)) = range else {
        return teff_at(share);
    };
    let (from, to) = (share_below(low), share_below(high));
    teff_at(from + share * (to - from)).clamp(low, high)
}

fn teff_at(share: f64) -> f64 {
    let i = TEFF_QUANTILES
        .partition_point(|knot| knot.0 <= share)
        .clamp(1, TEFF_QUANTILES.len() - 1);
    let ((s0, t0), (s1, t1)) = (TEFF_QUANTILES[i - 1], TEFF_QUANTILES[i]);
    t0 + (t1 - t0) * (share - s0) / (s1 - s0)
}

/// Share of the stars below a temperature (K).
fn share_below(teff_k: f64) -> f64 {
    let i = TEFF_QUANTILES
        .partition_point(|knot| knot.1 <= teff_k)
        .clamp(1, TEFF_QUANTILES.len() - 1);
    let ((s0, t0), (s1, t1)) = (TEFF_QUANTILES[i - 1], TEFF_QUANTILES[i]);
    (s0 + (s1 - s0) * (teff_k - t0) / (t1 - t0)).clamp(0.0, 1.0)
}

/// Parameters that leave hardly a line in the windows, for the share of stars that shall have them: half of them poor in
/// metals and near 6500 K, half hot. Stars whose parameters follow from their kind (pulsating and double ones) are left alone.
pub(super) fn weak_lined(
    config: &Config,
    spid: usize,
    i: usize,
    motion: &Motion,
) -> Option<StellarParams> {
    let rng = &mut stream(config.seed, Purpose::WeakLined, [spid, i, 0]);
    let plain = matches!(motion, Motion::Constant | Motion::Sb1(_));
    if !plain || rng.random::<f64>() >= config.sky.weak_lined {
        return None;
    }
    Some(if rng.random() {
        StellarParams {
            teff_k: rng.random_range(6300.0..6800.0),
            logg: 4.2,
            feh: rng.random_range(-2.4..-1.4),
            vsini_km_s: rng.random_range(8.0..30.0),
        }
    } else {
        StellarParams {
            teff_k: rng.random_range(10_000.0..22_000.0),
            logg: 4.2,
            feh: 0.0,
            vsini_km_s: rng.random_range(80.0..220.0),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_temperatures_has_the_stars_that_the_survey_has_in_it() {
        let (low, high) = (4300.0, 20_000.0);
        let at = |share| teff_between(Some((low, high)), share);
        assert!((at(0.0) - low).abs() < 1e-6 && (at(1.0) - high).abs() < 1e-6);
        // Half of the stars of the range lie below its median, in the whole survey too.
        let median = share_below(at(0.5));
        assert!((median - 0.5 * (share_below(low) + share_below(high))).abs() < 1e-9);
        assert_eq!(at(0.3), at(0.3).clamp(low, high));
        assert_eq!(teff_between(Some((5000.0, 5000.0)), 0.7), 5000.0);
        assert_eq!(teff_between(None, 0.28), 5000.0);
        // Beyond the survey's own types the nearest is taken.
        assert_eq!(teff_between(Some((3000.0, 3100.0)), 0.5), 3100.0);
    }
}
