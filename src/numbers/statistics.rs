//! Statistics of a few numbers.

use statrs::function::gamma::checked_gamma_ur;

/// The median of chi^2 with one degree of freedom.
pub const MEDIAN_CHI2: f64 = 0.455;

/// Probability that chi^2 with `dof` degrees of freedom exceeds `chi2`; NaN without degrees of freedom.
pub fn chi2_p_value(chi2: f64, dof: f64) -> f64 {
    if dof.is_nan() || dof <= 0.0 || chi2.is_nan() {
        return f64::NAN;
    }
    if chi2 <= 0.0 {
        return 1.0;
    }
    if chi2 == f64::INFINITY {
        return 0.0;
    }
    // So far out the probability is 0 for all purposes, and the series of the incomplete gamma function are slow.
    if chi2 > 2000.0 + 4.0 * dof {
        return 0.0;
    }
    checked_gamma_ur(dof / 2.0, chi2 / 2.0).unwrap_or(f64::NAN)
}

/// Median; NaN without values. Reorders `values`.
pub fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let odd = values.len() % 2 == 1;
    let half = values.len() / 2;
    let (below, &mut upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    if odd {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    lower + (upper - lower) / 2.0
}

/// The median, of two in the middle the upper one; None without values. Reorders `values`. Cheaper than [`median`] where it is taken for
/// every spectrum.
pub fn median_high(values: &mut [f64]) -> Option<f64> {
    let half = values.len() / 2;
    let has_values = !values.is_empty();
    has_values.then(|| *values.select_nth_unstable_by(half, f64::total_cmp).1)
}

/// Quantile `q` in 0..1 of finite values, linear between neighbours; NaN for none. Sorts.
#[cfg(feature = "report")]
pub fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = q * last as f64;
    let below = place as usize;
    let above = (below + 1).min(last);
    values[below] + (place - below as f64) * (values[above] - values[below])
}

/// Mean and population standard deviation (divided by n, as in the paper's Eq. 4); NaN without values.
pub fn mean_and_std(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let var = values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    (mean, var.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from scipy.stats.chi2.sf.
    #[test]
    fn p_values_agree_with_scipy() {
        for (chi2, dof, p) in [
            (1.0, 1.0, 0.317_310_507_862_914_1),
            (10.0, 5.0, 0.075_235_246_146_512_17),
            (60.0, 29.0, 0.000_617_655_973_306_195_8),
            (3.5, 4.7, 0.581_931_072_307_456),
        ] {
            let found = chi2_p_value(chi2, dof);
            assert!((found / p - 1.0).abs() < 1e-9, "{chi2} {dof}: {found} {p}");
        }
        assert!(chi2_p_value(1.0, 0.0).is_nan());
        assert_eq!(chi2_p_value(1e9, 10.0), 0.0);
        assert_eq!(chi2_p_value(0.0, 10.0), 1.0);
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&mut values, 0.0), 1.0);
        assert_eq!(quantile(&mut values, 0.5), 2.5);
        assert_eq!(quantile(&mut values, 1.0), 4.0);
        assert!(quantile(&mut [], 0.5).is_nan());
    }

    #[test]
    fn medians() {
        assert!(median(&mut []).is_nan());
        assert_eq!(median(&mut [3.0]), 3.0);
        assert_eq!(median(&mut [3.0, 1.0]), 2.0);
        assert_eq!(median(&mut [3.0, 1.0, 7.0]), 3.0);
        assert_eq!(median_high(&mut [3.0, 1.0]), Some(3.0));
        assert_eq!(median_high(&mut [3.0, 1.0, 7.0]), Some(3.0));
        assert_eq!(median_high(&mut []), None);
    }
}
