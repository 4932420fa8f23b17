//! How far two back ends differ, in the user's units.

use serde::Serialize;

use crate::likelihood::Measurement;

/// Differences of two back ends over the same spectra.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Agreement {
    /// Spectra compared.
    pub spectra: usize,
    /// |difference of the velocity|, m/s: 75th and 99th percentile, largest.
    pub dv_m_s: [f64; 3],
    /// |difference of ln L at the maximum|: the same.
    pub dlnl: [f64; 3],
    /// |ratio of the errors - 1|, the larger of both errors' : the same.
    pub err_ratio: [f64; 3],
    /// Spectra whose flags or numbers of pixels differ, or of which one has a velocity and the other none.
    pub flags_differ: usize,
}

impl Agreement {
    /// Compares measurements of the same spectra.
    pub fn of(a: &[Measurement], b: &[Measurement]) -> Self {
        let pairs = || a.iter().zip(b);
        let differ = |a: &Measurement, b: &Measurement| {
            a.flags != b.flags || a.n_pix != b.n_pix || a.rv_km_s.is_nan() != b.rv_km_s.is_nan()
        };
        let ratio = |a: f64, b: f64| if a == b { 0.0 } else { (a / b - 1.0).abs() };
        Agreement {
            spectra: pairs().count(),
            dv_m_s: quantiles(pairs().map(|(a, b)| 1e3 * (a.rv_km_s - b.rv_km_s).abs())),
            dlnl: quantiles(pairs().map(|(a, b)| (a.lnl_max - b.lnl_max).abs())),
            err_ratio: quantiles(pairs().map(|(a, b)| {
                let own = ratio(a.rv_err_own_km_s, b.rv_err_own_km_s);
                ratio(a.rv_err_km_s, b.rv_err_km_s).max(own)
            })),
            flags_differ: pairs().filter(|(a, b)| differ(a, b)).count(),
        }
    }

    /// What is demanded: |dv| below 1 m/s, errors to 0.1 %, the same flags.
    pub fn is_parity(&self) -> bool {
        self.dv_m_s[2] < 1.0 && self.err_ratio[2] < 1e-3 && self.flags_differ == 0
    }
}

/// 75th and 99th percentile and maximum of what is a number.
fn quantiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.filter(|v| !v.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * values.len().saturating_sub(1) as f64;
        values.get(place.round() as usize).copied().unwrap_or(0.0)
    };
    [at(0.75), at(0.99), at(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_a_ramp() {
        assert_eq!(quantiles((0..=100).map(f64::from)), [75.0, 99.0, 100.0]);
        assert_eq!(quantiles(std::iter::empty()), [0.0; 3]);
    }

    #[test]
    fn a_velocity_against_none_is_a_difference() {
        let none = Measurement::without_pixels();
        let one = Measurement {
            rv_km_s: 1.0,
            ..none
        };
        assert!(!Agreement::of(&[one], &[none]).is_parity());
        assert!(Agreement::of(&[none], &[none]).is_parity());
    }
}
