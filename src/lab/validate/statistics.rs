//! Statistics for the tests of the paper.

use crate::numbers::statistics;

/// Quantile `q` (0..1) of finite values, linear between neighbours; NaN for nothing.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    statistics::quantile(&mut values.to_vec(), q)
}

/// Mean; NaN for nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Root mean square; NaN for nothing.
pub fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
}

/// Half the range that holds 68.3 % of the values about their middle: the standard deviation of a Gaussian, without the tails.
pub fn half_width(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    let [low, high] = [0.1587, 0.8413].map(|q| statistics::quantile(&mut sorted, q));
    0.5 * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_width_is_sigma_without_the_tails() {
        // Quantiles of a uniform distribution.
        let mut values: Vec<f64> = (0..=1000).map(f64::from).collect();
        assert!((half_width(&values) - 341.3).abs() < 0.1);
        assert!((quantile(&values, 0.5) - 500.0).abs() < 1e-9);
        values[1000] = 1e9;
        assert!((half_width(&values) - 341.3).abs() < 0.1);
        assert!(half_width(&[]).is_nan() && mean(&[]).is_nan());
        assert!((rms(&[3.0, -4.0]) - 12.5f64.sqrt()).abs() < 1e-12);
    }
}
