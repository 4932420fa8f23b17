//! Where the lines of a star lie in the window of an arm, and how wide they are.
//!
//! Both say how the star is moved by what moves stars of different kinds differently: wavelengths that are stretched move a star by what the
//! stretch is at its lines, and a line-spread function that is skew moves narrow lines less than broad ones. With f the spectrum, v
//! velocity and kappa the skewness' share of the third derivative, an exposure differs by kappa f''', which a fit of its velocity takes for
//! kappa sum f' f''' / sum f'^2 = - kappa sum f''^2 / sum f'^2. For a Gaussian line of standard deviation s the ratio is 3 / (2 s^2): so
//! it is told as the width s of such a line.

use std::iter::Sum;

use super::view::AtPixels;
use crate::C_KM_S;
use crate::spectrum::normalize::Normalized;

/// sum f''^2 / sum f'^2 of a Gaussian line is this over the square of its standard deviation.
const OF_GAUSSIAN: f64 = 1.5;

/// Where the lines of a star lie and how wide they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lines {
    /// Mean place in the window, weighted by what tells of the velocity: -1 at its blue end, 1 at its red one.
    pub place: f64,
    /// Standard deviation of a Gaussian line whose slope changes as fast as that of the star's lines, km/s.
    pub sigma_km_s: f64,
}

/// Sums over the pixels of one exposure or more. S is the variance of the difference to the reference f, f' = d f / d v.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineSums {
    /// sum f'^2 / S.
    weight: f64,
    /// sum x f'^2 / S, x the place in the window.
    place: f64,
    /// sum f'^2 / S of the pixels that have a right neighbour, and sum (d f' / d v)^2 / S.
    slope2: f64,
    change2: f64,
}

impl LineSums {
    /// Of the reference at the pixels of an exposure.
    pub(super) fn new(exposure: &Normalized, at: &AtPixels) -> Self {
        let (low, high) = exposure.band.ln_window();
        let ln_wave = &exposure.ln_wave[at.first..at.first + at.n];
        let from = ln_wave.partition_point(|w| *w < low);
        let end = ln_wave.partition_point(|w| *w <= high).max(from);
        let mut sums = LineSums::default();
        for i in from..end {
            let (slope, inverse) = (at.slope[i], at.inverse[i]);
            let weight = slope * slope * inverse;
            sums.weight += weight;
            sums.place += weight * (2.0 * (ln_wave[i] - low) / (high - low) - 1.0);
            if i + 1 < end && inverse > 0.0 && at.inverse[i + 1] > 0.0 {
                let km_s = C_KM_S * (ln_wave[i + 1] - ln_wave[i]);
                let change = (at.slope[i + 1] - slope) / km_s;
                sums.slope2 += weight;
                sums.change2 += change * change * inverse;
            }
        }
        sums
    }

    /// What they say; none where there is no line.
    pub fn lines(&self) -> Option<Lines> {
        let lines = Lines {
            place: self.place / self.weight,
            sigma_km_s: (OF_GAUSSIAN * self.slope2 / self.change2).sqrt(),
        };
        let is_known = lines.place.is_finite() && lines.sigma_km_s.is_finite();
        (is_known && lines.sigma_km_s > 0.0).then_some(lines)
    }
}

impl Sum for LineSums {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(LineSums::default(), |a, b| LineSums {
            weight: a.weight + b.weight,
            place: a.place + b.place,
            slope2: a.slope2 + b.slope2,
            change2: a.change2 + b.change2,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arm;

    /// Sums of a spectrum with one Gaussian line at a place of the window, of this standard deviation.
    fn sums(place: f64, sigma_km_s: f64) -> LineSums {
        let band = Arm::Red.band();
        let (low, high) = band.ln_window();
        let step_km_s = 6.9;
        let ln_wave: Vec<f64> = (0..)
            .map(|i| low - 0.001 + f64::from(i) * step_km_s / C_KM_S)
            .take_while(|w| *w < high + 0.001)
            .collect();
        let n = ln_wave.len();
        let centre = low + 0.5 * (place + 1.0) * (high - low);
        let x = |w: &f64| (w - centre) * C_KM_S / sigma_km_s;
        let slope = |w: &f64| -0.3 * x(w) / sigma_km_s * (-0.5 * x(w).powi(2)).exp();
        let at = AtPixels {
            n,
            slope: ln_wave.iter().map(slope).collect(),
            inverse: vec![1e4; n],
            ..AtPixels::default()
        };
        let exposure = Normalized {
            band,
            flux: vec![1.0; n],
            ivar: vec![1e4; n],
            snr: 100.0,
            wave_as_stored: false,
            helio_rv_km_s: None,
            ln_wave,
        };
        LineSums::new(&exposure, &at)
    }

    #[test]
    fn a_line_is_found_where_it_lies_with_its_width() {
        for (place, sigma_km_s) in [(-0.5, 18.0), (0.3, 60.0), (0.0, 200.0)] {
            let lines = sums(place, sigma_km_s).lines().unwrap();
            assert!((lines.place - place).abs() < 0.01, "{lines:?}");
            // Pixels as wide as 0.4 of the narrowest line make it a little wider.
            assert!(
                (lines.sigma_km_s / sigma_km_s - 1.0).abs() < 0.03,
                "{lines:?}"
            );
        }
    }

    #[test]
    fn two_lines_have_their_mean_and_none_has_nothing() {
        let both: LineSums = [sums(-0.5, 20.0), sums(0.1, 20.0)].into_iter().sum();
        assert!((both.lines().unwrap().place + 0.2).abs() < 0.01);
        assert_eq!(LineSums::default().lines(), None);
        // A line outside of the window.
        assert!(sums(3.0, 20.0).lines().is_none());
    }
}
