//! How strong a spectral line is in a star of given temperature, gravity and metallicity.
//!
//! One layer in local thermodynamic equilibrium: Saha and Boltzmann populations over a continuous opacity of H-,
//! neutral hydrogen and free electrons (Gray, "The Observation and Analysis of Stellar Photospheres", ch. 8 and 13).
//! Crude, but it makes each line come and go with temperature as in real stars, smoothly, which is all a test of
//! velocities needs.

use super::params::StellarParams;

/// Temperature of the layer where lines form, as a fraction of the effective temperature.
const LINE_LAYER: f64 = 0.9;

/// Electron pressure (log10 of dyn/cm^2) of the layer where lines form, for dwarfs, against effective temperature (K).
const LOG_PE: [(f64, f64); 12] = [
    (2800.0, -1.0),
    (3500.0, -0.6),
    (4000.0, -0.1),
    (4500.0, 0.25),
    (5000.0, 0.6),
    (5777.0, 1.1),
    (6500.0, 1.6),
    (7500.0, 2.2),
    (9000.0, 2.7),
    (15000.0, 2.9),
    (20000.0, 3.0),
    (45000.0, 3.6),
];

/// A chemical element as the line lists need it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element {
    /// Atomic mass, u.
    pub mass_u: f64,
    /// Ionisation energies of the first three stages, eV.
    pub ionisation_ev: [f64; 3],
    /// Whether its abundance goes with \[Fe/H\] (all but hydrogen and helium).
    pub metal: bool,
}

/// State of the line-forming layer.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// Temperature, K.
    temperature_k: f64,
    /// Inverse temperature 5040 K / T, 1/eV in decades.
    theta: f64,
    /// log10 of the electron pressure, dyn/cm^2.
    log_pe: f64,
    /// Continuous opacity per hydrogen nucleus, cm^2.
    kappa: f64,
    /// Abundance of metals against the Sun, log10.
    feh: f64,
    /// Microturbulence, km/s.
    turbulence_km_s: f64,
}

impl Layer {
    /// The layer of a star.
    pub fn new(star: &StellarParams) -> Self {
        let temperature_k = LINE_LAYER * star.teff_k;
        let theta = 5040.0 / temperature_k;
        let log_pe = interpolate_in_log(&LOG_PE, star.teff_k) + 0.33 * (star.logg - 4.4);
        let mut layer = Layer {
            temperature_k,
            theta,
            log_pe,
            kappa: 1.0,
            feh: star.feh,
            // Rises from dwarfs to giants and to hot stars, as measured in both.
            turbulence_km_s: 1.2
                + 0.4 * (4.4 - star.logg).max(0.0)
                + 1.5 / (1.0 + (7000.0 / star.teff_k).powi(8)),
        };
        let neutral = layer.stage_fraction(&HYDROGEN, 0);
        // H- bound-free and free-free (Gray eq. 8.12 and 8.13, cross-section near 6000 A).
        let h_minus = 1.5e-26
            * 10f64.powf(log_pe)
            * (theta / 0.9).powf(2.5)
            * 10f64.powf(0.754 * (theta - 0.9));
        // Paschen continuum: hydrogen in n = 3 (12.09 eV, weight 9).
        let paschen = 1.5e-17 * 9.0 * 10f64.powf(-12.09 * theta);
        let electrons = 6.65e-25 * (1.0 - neutral + 1e-4);
        layer.kappa = neutral * (h_minus + paschen) + electrons;
        layer
    }

    /// Fraction of an element's atoms in the ionisation `stage` (0 = neutral), by Saha's equation.
    fn stage_fraction(&self, element: &Element, stage: usize) -> f64 {
        let mut relative = [1.0; 4];
        for (i, energy) in element.ionisation_ev.iter().enumerate() {
            // log(2 U1 / U0) is 0.3-0.6 for nearly every atom.
            let log_ratio =
                2.5 * self.temperature_k.log10() - self.theta * energy - self.log_pe - 0.48 + 0.4;
            relative[i + 1] = relative[i] * 10f64.powf(log_ratio.clamp(-60.0, 60.0));
        }
        relative[stage.min(3)] / relative.iter().sum::<f64>()
    }

    /// Absorbers in the lower level per unit of continuous opacity: the line's opacity up to a factor of the line.
    /// `excitation_ev` counts from the ground level of the stage.
    pub fn line_strength(&self, element: &Element, stage: usize, excitation_ev: f64) -> f64 {
        let abundance = if element.metal {
            10f64.powf(self.feh)
        } else {
            1.0
        };
        abundance * self.stage_fraction(element, stage) * 10f64.powf(-self.theta * excitation_ev)
            / self.kappa
    }

    /// Doppler width b = sqrt(2kT/m + xi^2) of a line, km/s.
    pub fn doppler_km_s(&self, element: &Element) -> f64 {
        // 2kT/m in (km/s)^2 for T in K and m in u.
        let thermal_sq = 0.016_629 * self.temperature_k / element.mass_u;
        (thermal_sq + self.turbulence_km_s.powi(2)).sqrt()
    }
}

/// Hydrogen.
pub const HYDROGEN: Element = Element {
    mass_u: 1.0,
    ionisation_ev: [13.6, 99.0, 99.0],
    metal: false,
};

/// Interpolates `table` (abscissae rising) linearly in the logarithm of the abscissa, constant beyond its ends.
pub fn interpolate_in_log(table: &[(f64, f64)], x: f64) -> f64 {
    let last = table.len() - 1;
    if x <= table[0].0 {
        return table[0].1;
    }
    if x >= table[last].0 {
        return table[last].1;
    }
    let i = table.partition_point(|knot| knot.0 <= x) - 1;
    let (x0, y0) = table[i];
    let (x1, y1) = table[i + 1];
    y0 + (y1 - y0) * (x / x0).ln() / (x1 / x0).ln()
}

/// Damping parameter of all metal lines: weak wings that matter only in the strongest.
pub const DAMPING: f64 = 0.02;

/// Line profile: opacity relative to its central value, at `x` Doppler widths from the centre.
#[inline]
pub fn profile(x: f64) -> f64 {
    let xx = x * x;
    let core = if xx < 40.0 { (-xx).exp() } else { 0.0 };
    core + DAMPING / std::f64::consts::PI.sqrt() / (1.0 + xx)
}

/// Curve of growth: equivalent width in Doppler widths against central optical depth.
pub struct CurveOfGrowth {
    /// (ln tau, ln width), rising.
    knots: Vec<(f64, f64)>,
}

impl CurveOfGrowth {
    /// Tabulates tau = 1e-4 .. 1e7 for the [`profile`].
    pub fn new() -> Self {
        let knots = (0..=88)
            .map(|i| {
                let ln_tau = (-4.0 + 0.125 * f64::from(i)) * std::f64::consts::LN_10;
                (ln_tau, equivalent_width(ln_tau.exp()).ln())
            })
            .collect();
        CurveOfGrowth { knots }
    }

    /// Central optical depth of a line whose equivalent width is `width` Doppler widths.
    pub fn optical_depth(&self, width: f64) -> f64 {
        let ln_width = width.ln();
        let i = self
            .knots
            .partition_point(|knot| knot.1 <= ln_width)
            .clamp(1, self.knots.len() - 1);
        let ((t0, w0), (t1, w1)) = (self.knots[i - 1], self.knots[i]);
        (t0 + (t1 - t0) * (ln_width - w0) / (w1 - w0)).exp()
    }
}

impl Default for CurveOfGrowth {
    fn default() -> Self {
        Self::new()
    }
}

/// Integral of 1 - exp(-tau profile(x)) over x, by the trapezoidal rule in x = sinh(u).
fn equivalent_width(tau: f64) -> f64 {
    let step = 0.02;
    let half: f64 = (1..600)
        .map(|i| {
            let u = step * f64::from(i);
            -(-tau * profile(u.sinh())).exp_m1() * u.cosh()
        })
        .sum();
    step * (2.0 * half - (-tau * profile(0.0)).exp_m1())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::simulate::lines::{FE, HE};

    fn layer(teff_k: f64) -> Layer {
        Layer::new(&StellarParams::dwarf(teff_k))
    }

    #[test]
    fn weak_lines_grow_linearly_and_strong_ones_by_the_square_root() {
        let weak = equivalent_width(1e-3) / equivalent_width(1e-4);
        assert!((weak - 10.0).abs() < 0.02, "{weak}");
        let strong = equivalent_width(1e6) / equivalent_width(1e4);
        assert!((strong - 10.0).abs() < 0.5, "{strong}");
    }

    #[test]
    fn growth_curve_inverts() {
        let curve = CurveOfGrowth::new();
        for tau in [1e-3, 0.3, 5.0, 200.0, 1e5] {
            let back = curve.optical_depth(equivalent_width(tau));
            assert!((back / tau - 1.0).abs() < 0.02, "{tau} {back}");
        }
    }

    #[test]
    fn species_peak_at_their_spectral_types() {
        let strongest = |element: &Element, stage: usize, excitation: f64| {
            (28..450)
                .map(|t| f64::from(t) * 100.0)
                .max_by(|a, b| {
                    layer(*a)
                        .line_strength(element, stage, excitation)
                        .total_cmp(&layer(*b).line_strength(element, stage, excitation))
                })
                .unwrap()
        };
        let fe1 = strongest(&FE, 0, 3.0);
        assert!(fe1 < 5500.0, "Fe I {fe1}");
        let he1 = strongest(&HE, 0, 21.2);
        assert!((15_000.0..28_000.0).contains(&he1), "He I {he1}");
        let he2 = strongest(&HE, 1, 51.0);
        assert!(he2 > 33_000.0, "He II {he2}");
    }
}
