//! How a star's velocity changes with time.

use std::f64::consts::TAU;

/// A Kepler orbit as the spectrograph sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orbit {
    /// Period, d.
    pub period_d: f64,
    /// Semi-amplitude K, km/s.
    pub semi_amplitude_km_s: f64,
    /// Eccentricity, 0 to below 1.
    pub eccentricity: f64,
    /// Argument of the periastron, rad.
    pub omega_rad: f64,
    /// Time of a periastron, d.
    pub periastron_d: f64,
}

impl Orbit {
    /// Velocity against the centre of mass at time `t_d` (d): K (cos(nu + omega) + e cos omega), km/s.
    pub fn rv_km_s(&self, t_d: f64) -> f64 {
        let mean = TAU * ((t_d - self.periastron_d) / self.period_d).rem_euclid(1.0);
        let e = self.eccentricity;
        let eccentric = eccentric_anomaly(mean, e);
        let true_anomaly = 2.0
            * ((1.0 + e).sqrt() * (eccentric / 2.0).sin())
                .atan2((1.0 - e).sqrt() * (eccentric / 2.0).cos());
        self.semi_amplitude_km_s
            * ((true_anomaly + self.omega_rad).cos() + e * self.omega_rad.cos())
    }

    /// Orbit of the companion when it is `mass_ratio` (below 1) as heavy: opposite, larger by the inverse ratio.
    pub fn companion(&self, mass_ratio: f64) -> Orbit {
        Orbit {
            semi_amplitude_km_s: self.semi_amplitude_km_s / mass_ratio,
            omega_rad: self.omega_rad + std::f64::consts::PI,
            ..*self
        }
    }
}

/// Solves Kepler's equation M = E - e sin E for E, M in 0..2 pi, by Newton's method kept inside its bracket.
fn eccentric_anomaly(mean: f64, eccentricity: f64) -> f64 {
    let (mut low, mut high) = (mean - eccentricity, mean + eccentricity);
    let mut e = mean;
    for _ in 0..60 {
        let residual = e - eccentricity * e.sin() - mean;
        if residual > 0.0 {
            high = e;
        } else {
            low = e;
        }
        let newton = e - residual / (1.0 - eccentricity * e.cos());
        let next = if newton > low && newton < high {
            newton
        } else {
            0.5 * (low + high)
        };
        if (next - e).abs() < 1e-14 {
            return next;
        }
        e = next;
    }
    e
}

/// A radial pulsation: a fundamental and its second harmonic, which makes the rise steeper than the fall, and a
/// temperature that runs ahead of the velocity by a quarter of a period, as in RR Lyrae stars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pulsation {
    /// Period, d.
    pub period_d: f64,
    /// Semi-amplitude of the fundamental, km/s.
    pub semi_amplitude_km_s: f64,
    /// Semi-amplitude of the temperature, K.
    pub teff_amplitude_k: f64,
    /// Time of phase 0, d.
    pub epoch_d: f64,
}

impl Pulsation {
    /// Velocity against the star's mean at time `t_d` (d), km/s.
    pub fn rv_km_s(&self, t_d: f64) -> f64 {
        let phase = self.phase_rad(t_d);
        self.semi_amplitude_km_s * (phase.sin() + 0.3 * (2.0 * phase).sin())
    }

    /// Temperature against the star's mean at time `t_d` (d), K.
    pub fn teff_change_k(&self, t_d: f64) -> f64 {
        self.teff_amplitude_k * self.phase_rad(t_d).cos()
    }

    fn phase_rad(&self, t_d: f64) -> f64 {
        TAU * ((t_d - self.epoch_d) / self.period_d).rem_euclid(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keplers_equation_holds(mean in 0.0..TAU, e in 0.0..0.97f64) {
            let anomaly = eccentric_anomaly(mean, e);
            prop_assert!((anomaly - e * anomaly.sin() - mean).abs() < 1e-11);
        }

        #[test]
        fn centre_of_mass_rests(period in 0.3..50.0f64, e in 0.0..0.9f64, omega in 0.0..TAU) {
            let orbit = Orbit { period_d: period, semi_amplitude_km_s: 50.0, eccentricity: e, omega_rad: omega, periastron_d: 0.2 };
            // The mean over time of one period is zero, and primary and companion balance.
            let n = 3000;
            let mean = (0..n).map(|i| orbit.rv_km_s(period * f64::from(i) / f64::from(n))).sum::<f64>() / f64::from(n);
            prop_assert!(mean.abs() < 0.05, "{mean}");
            let companion = orbit.companion(0.5);
            prop_assert!((orbit.rv_km_s(1.7) + 0.5 * companion.rv_km_s(1.7)).abs() < 1e-9);
        }
    }

    #[test]
    fn circular_orbit_is_a_cosine() {
        let orbit = Orbit {
            period_d: 4.0,
            semi_amplitude_km_s: 10.0,
            eccentricity: 0.0,
            omega_rad: 0.0,
            periastron_d: 1.0,
        };
        for (t, rv) in [(1.0, 10.0), (2.0, 0.0), (3.0, -10.0), (9.0, 10.0)] {
            assert!((orbit.rv_km_s(t) - rv).abs() < 1e-9);
        }
    }
}
