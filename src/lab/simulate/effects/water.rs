//! Water vapour between the telescope and the stars.

use crate::C_KM_S;
use crate::lab::simulate::lines::air_to_vacuum_aa;

/// Lines of water around H-alpha: wavelength in air (A), equivalent width at strength 1 (mA, for small depths).
/// An equivalent width of 9.3 mA is a depth of 1 % at the spectrographs' resolution.
const LINES: [(f64, f64); 32] = [
    (6517.727, 14.0),
    (6519.452, 20.0),
    (6523.843, 15.0),
    (6532.359, 21.0),
    (6534.000, 11.0),
    (6536.720, 18.0),
    (6542.313, 12.0),
    (6543.907, 27.0),
    (6547.705, 19.0),
    (6548.622, 29.0),
    (6552.629, 26.0),
    (6553.785, 8.0),
    (6557.171, 20.0),
    (6558.149, 8.0),
    (6558.638, 4.5),
    (6559.803, 4.5),
    (6560.555, 9.5),
    (6561.117, 5.0),
    (6562.447, 4.5),
    (6563.521, 5.5),
    (6564.061, 5.5),
    (6564.206, 17.0),
    (6565.525, 4.5),
    (6566.567, 4.5),
    (6568.806, 7.0),
    (6572.086, 25.0),
    (6574.852, 26.0),
    (6580.786, 10.0),
    (6586.597, 9.0),
    (6594.361, 8.0),
    (6599.325, 7.0),
    (6612.540, 5.0),
];

/// Width of a line as the air leaves it (standard deviation), km/s: far below the resolution of 17 km/s.
const SIGMA_KM_S: f64 = 1.3;

/// Multiplies `flux`, given every `step_km_s` in ln(wavelength / A) from `ln_first` in the observer's frame (vacuum), by
/// the transmission of water of a `strength`.
pub fn absorb(strength: f64, ln_first: f64, step_km_s: f64, flux: &mut [f64]) {
    if strength <= 0.0 {
        return;
    }
    for (air_aa, width_ma) in LINES {
        let wave_aa = air_to_vacuum_aa(air_aa);
        let width_km_s = 1e-3 * width_ma / wave_aa * C_KM_S;
        let depth = strength * width_km_s / (SIGMA_KM_S * std::f64::consts::TAU.sqrt());
        let centre = (wave_aa.ln() - ln_first) * C_KM_S / step_km_s;
        let reach = 6.0 * SIGMA_KM_S / step_km_s;
        let from = (centre - reach).ceil().max(0.0) as usize;
        let to = ((centre + reach).max(0.0) as usize).min(flux.len());
        for (i, value) in flux.iter_mut().enumerate().take(to).skip(from) {
            let x = (i as f64 - centre) * step_km_s / SIGMA_KM_S;
            *value *= (-depth * (-0.5 * x * x).exp()).exp();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_their_widths_at_their_places() {
        let (ln_first, step) = (6500f64.ln(), 1.0);
        let mut flux = vec![1.0; 6000];
        absorb(0.1, ln_first, step, &mut flux);
        for (air_aa, width_ma) in LINES.into_iter().filter(|line| line.1 > 19.0) {
            let wave_aa = air_to_vacuum_aa(air_aa);
            let centre = ((wave_aa.ln() - ln_first) * C_KM_S / step).round() as usize;
            let range = centre - 8..centre + 9;
            let mean = range
                .clone()
                .map(|i| i as f64 * (1.0 - flux[i]))
                .sum::<f64>();
            let sum = range.map(|i| 1.0 - flux[i]).sum::<f64>();
            let width = sum * step / C_KM_S * wave_aa * 1e3;
            assert!(
                (width / (0.1 * width_ma) - 1.0).abs() < 0.05,
                "{air_aa} {width}"
            );
            let place = (ln_first + mean / sum * step / C_KM_S).exp();
            assert!((place - wave_aa).abs() < 0.005, "{air_aa} {place}");
        }
        let before = flux.clone();
        absorb(0.0, ln_first, step, &mut flux);
        assert_eq!(before, flux);
    }
}
