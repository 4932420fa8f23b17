//! What the tests of the paper sum up with.

pub use crate::numbers::statistics::{half_width, mean, rms};

/// Quantile `q` (0..1) of finite values, linear between neighbours; NaN for nothing.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    crate::numbers::statistics::quantile(&mut values.to_vec(), q)
}
