//! Pseudo-continuum (paper 3.1): a smoothing spline, fitted again without what lies far from it.

use super::smoothing_spline::SmoothingSpline;

/// How the pseudo-continuum is found.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContinuumConfig {
    /// Smoothing parameter of csaps, with wavelengths in A (laspec: 1e-6).
    pub p: f64,
    /// Rounds of rejection (paper: 3).
    pub iterations: usize,
    /// Pixels this many standard deviations above the spline do not count (paper: 3).
    pub clip_above_sigma: f64,
    /// Pixels this many standard deviations below it do not count: absorption lines (laspec: 1).
    pub clip_below_sigma: f64,
    /// The standard deviation is that of the residuals within segments of this width (paper: 100 A).
    pub segment_aa: f64,
}

impl Default for ContinuumConfig {
    fn default() -> Self {
        ContinuumConfig {
            p: 1e-6,
            iterations: 3,
            clip_above_sigma: 3.0,
            clip_below_sigma: 1.0,
            segment_aa: 100.0,
        }
    }
}

/// Neighbouring pixels whose mean is one point of the spline. It bends over 20 A, that is 150 pixels: a point every A is
/// all it can see, and an eighth of the work.
const BIN: usize = 8;

/// 1 / n for the n pixels of a bin; 0 for none.
const INVERSE: [f64; BIN + 1] = {
    let mut inverse = [0.0; BIN + 1];
    let mut n = 1;
    while n <= BIN {
        inverse[n] = 1.0 / n as f64;
        n += 1;
    }
    inverse
};

/// Fits continua; its vectors are reused between calls.
#[derive(Debug, Default)]
pub struct ContinuumFitter {
    spline: SmoothingSpline,
    keep: Vec<bool>,
    /// 1 for what is kept, 0 for the rest.
    weight: Vec<f64>,
}

impl ContinuumFitter {
    /// The continuum at each of `wave_aa` (ascending), into `continuum`. False when too few pixels are `good`.
    pub fn fit(
        &mut self,
        config: &ContinuumConfig,
        wave_aa: &[f64],
        flux: &[f64],
        good: &[bool],
        continuum: &mut [f64],
    ) -> bool {
        self.keep.clear();
        self.keep.extend_from_slice(good);
        for round in 0..=config.iterations {
            let keep = self.keep.iter();
            self.weight.clear();
            self.weight.extend(keep.map(|k| f64::from(u8::from(*k))));
            let bins = wave_aa
                .chunks(BIN)
                .zip(flux.chunks(BIN))
                .zip(self.weight.chunks(BIN));
            if !self.spline.fit(
                bins.filter_map(|((wave_aa, flux), weight)| mean_point(wave_aa, flux, weight)),
                config.p,
            ) {
                return false;
            }
            self.spline.evaluate(wave_aa, continuum);
            if round < config.iterations {
                self.reject(config, wave_aa, flux, good, continuum);
            }
        }
        true
    }

    /// Chooses again among all good pixels, so that one rejected by an early, poor spline can come back.
    fn reject(
        &mut self,
        config: &ContinuumConfig,
        wave_aa: &[f64],
        flux: &[f64],
        good: &[bool],
        continuum: &[f64],
    ) {
        let mut start = 0;
        while start < wave_aa.len() {
            let limit = wave_aa[start] + config.segment_aa;
            let end = start + wave_aa[start..].partition_point(|w| *w < limit).max(1);
            let (mut count, mut square) = (0usize, 0.0);
            for i in start..end {
                if self.keep[i] {
                    count += 1;
                    square += (flux[i] - continuum[i]).powi(2);
                }
            }
            // Too few to tell a scatter from: keep what there is.
            if count >= 10 {
                let sigma = (square / count as f64).sqrt();
                for i in start..end {
                    let residual = flux[i] - continuum[i];
                    self.keep[i] = good[i]
                        && residual <= config.clip_above_sigma * sigma
                        && residual >= -config.clip_below_sigma * sigma;
                }
            }
            start = end;
        }
    }
}

/// Mean wavelength and flux of the pixels with weight 1, and their number; None if all have weight 0.
#[inline]
fn mean_point(wave_aa: &[f64], flux: &[f64], weight: &[f64]) -> Option<(f64, f64, f64)> {
    let (mut x, mut y, mut n) = (0.0, 0.0, 0.0);
    for ((wave_aa, flux), weight) in wave_aa.iter().zip(flux).zip(weight) {
        x += weight * wave_aa;
        y += weight * flux;
        n += weight;
    }
    let inverse = INVERSE[(n as usize).min(BIN)];
    (n > 0.0).then_some((x * inverse, y * inverse, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_spikes_do_not_pull_the_continuum() {
        let n = 4000;
        let wave_aa: Vec<f64> = (0..n).map(|i| 4950.0 + 0.1 * i as f64).collect();
        let truth = |w: f64| 1000.0 + 0.8 * (w - 5000.0) + 100.0 * ((w - 5000.0) / 120.0).sin();
        let flux: Vec<f64> = wave_aa
            .iter()
            .map(|w| {
                let lines: f64 = (0..40)
                    .map(|k| 0.4 * (-0.5 * ((w - 4960.0 - 9.5 * k as f64) / 0.3).powi(2)).exp())
                    .sum();
                truth(*w) * (1.0 - lines)
            })
            .collect();
        let mut continuum = vec![0.0; n];
        assert!(ContinuumFitter::default().fit(
            &ContinuumConfig::default(),
            &wave_aa,
            &flux,
            &vec![true; n],
            &mut continuum
        ));
        for i in 100..n - 100 {
            let ratio = continuum[i] / truth(wave_aa[i]);
            assert!((ratio - 1.0).abs() < 0.01, "{} A: {ratio}", wave_aa[i]);
        }
    }

    #[test]
    fn no_good_pixel_is_no_continuum() {
        let wave_aa: Vec<f64> = (0..100).map(f64::from).collect();
        let mut out = vec![0.0; 100];
        assert!(!ContinuumFitter::default().fit(
            &ContinuumConfig::default(),
            &wave_aa,
            &wave_aa,
            &[false; 100],
            &mut out
        ));
    }
}
