//! The grid of velocities.
//!
//! It is uniform in ln(wavelength): shift u = c ln(lambda / lambda_0), so that a step in velocity is a step in a table.
//! The velocity told to the user is v = c (lambda / lambda_0 - 1) = c (exp(u / c) - 1), the survey's convention;
//! u and v differ by v^2 / 2c: 0.4 m/s at 15 km/s, 0.4 km/s at 500 km/s.

use crate::{C_KM_S, Error, Result};

/// Shifts -n_side..=n_side times a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VelocityGrid {
    /// Step of the shift, km/s.
    pub step_km_s: f64,
    /// Steps on either side of 0.
    pub n_side: usize,
}

impl VelocityGrid {
    /// Largest |velocity| that may be asked for, km/s: beyond it the window leaves the arm.
    pub const MAX_KM_S: f64 = 2000.0;
    /// Smallest and largest step, km/s. The survey's lines are about 40 km/s wide, so that even the largest step samples them well.
    pub const STEP_KM_S: (f64, f64) = (0.1, 5.0);

    /// Grid from -vmax to +vmax.
    pub fn new(vmax_km_s: f64, step_km_s: f64) -> Result<Self> {
        if !(Self::STEP_KM_S.0..=Self::STEP_KM_S.1).contains(&step_km_s) {
            let (low, high) = Self::STEP_KM_S;
            return Err(Error::Config(format!(
                "vstep is {step_km_s} km/s, expected {low} to {high}"
            )));
        }
        let smallest = 10.0 * step_km_s;
        if !(smallest..=Self::MAX_KM_S).contains(&vmax_km_s) {
            let high = Self::MAX_KM_S;
            return Err(Error::Config(format!(
                "vmax is {vmax_km_s} km/s, expected {smallest} (10 steps) to {high}"
            )));
        }
        Ok(VelocityGrid {
            step_km_s,
            n_side: (vmax_km_s / step_km_s).round() as usize,
        })
    }

    /// Number of velocities, 21 at least.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        2 * self.n_side + 1
    }

    /// Shift number `i` (a fraction lies between two), km/s.
    pub fn shift_km_s(&self, i: f64) -> f64 {
        (i - self.n_side as f64) * self.step_km_s
    }

    /// Largest shift, km/s.
    pub fn max_shift_km_s(&self) -> f64 {
        self.n_side as f64 * self.step_km_s
    }
}

impl Default for VelocityGrid {
    /// -500 to 500 km/s in steps of 1 km/s.
    fn default() -> Self {
        VelocityGrid {
            step_km_s: 1.0,
            n_side: 500,
        }
    }
}

/// Velocity c z of a shift u = c ln(1 + z), both km/s.
pub fn rv_of_shift_km_s(shift_km_s: f64) -> f64 {
    C_KM_S * (shift_km_s / C_KM_S).exp_m1()
}

/// Shift of a velocity: the inverse of [`rv_of_shift_km_s`].
pub fn shift_of_rv_km_s(rv_km_s: f64) -> f64 {
    C_KM_S * (rv_km_s / C_KM_S).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_and_velocity_are_inverse() {
        for v in [-500.0, -15.0, 0.0, 0.001, 30.0, 500.0] {
            assert!((rv_of_shift_km_s(shift_of_rv_km_s(v)) - v).abs() < 1e-9);
        }
        assert!((500.0 - shift_of_rv_km_s(500.0) - 0.4165).abs() < 1e-3);
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(VelocityGrid::new(500.0, 1.0).unwrap().len(), 1001);
        for (vmax, step) in [
            (500.0, 0.0),
            (500.0, f64::NAN),
            (-1.0, 1.0),
            (5.0, 1.0),
            (1e9, 1.0),
            (500.0, 50.0),
        ] {
            assert!(VelocityGrid::new(vmax, step).is_err(), "{vmax} {step}");
        }
    }
}
