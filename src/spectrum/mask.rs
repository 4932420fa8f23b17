//! Which pixels can be trusted: edges, non-finite values, and what is too narrow to come through the spectrograph.

use std::ops::Range;

use multiversion::multiversion;

use crate::spline::bspline::{Knots, SplineFit};

/// How bad pixels are found. The defaults are those of `docs/method.md`, section 3, and were chosen by hand for the survey's spectra.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaskConfig {
    /// Pixels dropped at either end, where values of +-1e5 occur (measured on public DR7 files).
    pub edge_pixels: usize,
    /// Knot spacing of the spline that a spike is measured against, pixels.
    pub spike_knots: usize,
    /// A pixel this many standard deviations above the spline is a cosmic ray.
    pub spike_sigma: f64,
    /// The same downwards, for dead pixels; higher, since a sharp line core is not quite followed.
    pub dip_sigma: f64,
    /// Part of the local range of the spectrum that a spike must exceed as well: what the spline may miss of real lines.
    pub spike_range: f64,
    /// Pixels masked on either side of a spike.
    pub margin: usize,
    /// Rounds of search, at most. In each the spline is fitted again where the round before found spikes.
    pub rounds: usize,
}

impl Default for MaskConfig {
    fn default() -> Self {
        MaskConfig {
            edge_pixels: 25,
            spike_knots: 3,
            spike_sigma: 5.0,
            dip_sigma: 8.0,
            spike_range: 0.1,
            margin: 2,
            rounds: 4,
        }
    }
}

/// Finds bad pixels; its vectors are reused between calls.
#[derive(Debug, Default)]
pub struct Masker {
    spline: SplineFit,
    weight: Vec<f64>,
    /// The spline at the pixels of the whole spectrum.
    model: Vec<f64>,
    /// The same of the stretch that was fitted last.
    fitted: Vec<f64>,
    /// Pixels above the threshold in that stretch, from its start.
    candidates: Vec<usize>,
    /// Pixels found in one round.
    spike: Vec<usize>,
    /// What is fitted in the next round.
    stretches: Vec<Range<usize>>,
}

/// When a spike has been masked the spline changes within so many knots of it, and a stretch fitted by itself needs a margin of so many
/// knots at its ends. The effect of a pixel on a cubic spline falls by a factor of 0.27 for each knot, so 20 knots leave 4e-12.
const REFIT_KNOTS: usize = 20;

/// Stretches of `reach` pixels on either side of the spikes, which ascend; joined where they meet or nearly so.
fn around(spikes: &[usize], reach: usize, n: usize) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for &i in spikes {
        let (start, end) = (i.saturating_sub(reach), (i + reach + 1).min(n));
        match stretches.last_mut() {
            Some(last) if start <= last.end + reach => last.end = end,
            _ => stretches.push(start..end),
        }
    }
    stretches
}

impl Masker {
    /// Clears `good` at spikes and dips narrower than the line-spread function. Returns how many spikes there were.
    ///
    /// What the sky and the star send through the spectrograph has its line-spread function and is followed by a
    /// spline with knots every 3 pixels; what is left above the noise did not come that way.
    pub fn mask_spikes(
        &mut self,
        config: &MaskConfig,
        flux: &[f64],
        ivar: &[f64],
        good: &mut [bool],
    ) -> usize {
        let n = flux.len();
        if n < 4 * config.spike_knots {
            return 0;
        }
        self.model.clear();
        self.model.resize(n, 0.0);
        let mut n_spike = 0;
        // After the first round only what lies around the spikes of the round before has changed.
        self.stretches.clear();
        self.stretches.push(0..n);
        for _ in 0..config.rounds {
            self.spike.clear();
            for stretch in std::mem::take(&mut self.stretches) {
                self.search(config, flux, ivar, good, stretch);
            }
            if self.spike.is_empty() {
                break;
            }
            n_spike += self.spike.len();
            for &i in &self.spike {
                let start = i.saturating_sub(config.margin);
                let end = (i + config.margin + 1).min(n);
                good[start..end].fill(false);
            }
            self.stretches = around(&self.spike, REFIT_KNOTS * config.spike_knots, n);
        }
        n_spike
    }

    /// Fits a stretch of the spectrum with a margin on either side, and adds its spikes to those found.
    fn search(
        &mut self,
        config: &MaskConfig,
        flux: &[f64],
        ivar: &[f64],
        good: &[bool],
        stretch: Range<usize>,
    ) {
        // On the knots of the whole spectrum.
        let margin = REFIT_KNOTS * config.spike_knots;
        let first = stretch.start.saturating_sub(margin);
        let first = first - first % config.spike_knots.max(1);
        let fitted = first..(stretch.end + margin).min(flux.len());
        weigh(
            &mut self.weight,
            &ivar[fitted.clone()],
            &good[fitted.clone()],
        );
        let knots = Knots::new(fitted.len(), config.spike_knots);
        let is_fit = self
            .spline
            .fit_coefficients(knots, &flux[fitted.clone()], &self.weight);
        if is_fit {
            self.spline.evaluate(knots, &mut self.fitted);
            let inner = stretch.start - fitted.start..stretch.end - fitted.start;
            self.model[stretch.clone()].copy_from_slice(&self.fitted[inner.clone()]);
            self.candidates.clear();
            find(
                &mut self.candidates,
                &flux[stretch.clone()],
                &self.fitted[inner.clone()],
                &self.weight[inner],
                [config.spike_sigma.powi(2), config.dip_sigma.powi(2)],
            );
            for candidate in &self.candidates {
                let i = stretch.start + candidate;
                if self.stands_out(config, i, flux, good) {
                    self.spike.push(i);
                }
            }
        }
    }

    /// Whether pixel `i` is farther off than its neighbours, and by more than what the spline may miss of real lines. The neighbours of a
    /// spike stand out only because it pulled the spline; they are judged again in the next round.
    fn stands_out(&self, config: &MaskConfig, i: usize, flux: &[f64], good: &[bool]) -> bool {
        // Half-width in pixels over which this is judged: one line-spread function.
        let reach = 2 * config.spike_knots;
        let residual = (flux[i] - self.model[i]).abs();
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for k in i.saturating_sub(reach)..(i + reach + 1).min(flux.len()) {
            if !good[k] || k == i {
                continue;
            }
            if (flux[k] - self.model[k]).abs() > residual {
                return false;
            }
            // Nearer than a knot the spline follows the spike, and its range there says nothing about the star.
            if k.abs_diff(i) > config.spike_knots {
                low = low.min(self.model[k]);
                high = high.max(self.model[k]);
            }
        }
        high < low || residual > config.spike_range * (high - low)
    }
}

/// `ivar`, 0 for pixels that are not good.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn weigh(weight: &mut Vec<f64>, ivar: &[f64], good: &[bool]) {
    weight.clear();
    let pixels = ivar.iter().zip(good);
    weight.extend(pixels.map(|(w, good)| if *good { *w } else { 0.0 }));
}

/// Adds the pixels whose squared residual over variance is above the limit, of which there is one upwards and one
/// downwards.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn find(found: &mut Vec<usize>, flux: &[f64], model: &[f64], weight: &[f64], limits: [f64; 2]) {
    /// Pixels that are looked at together: hardly ever is there anything among them.
    const BLOCK: usize = 16;
    let [up2, down2] = limits;
    let is_above = |flux: f64, model: f64, weight: f64| {
        let residual = flux - model;
        let limit2 = if residual > 0.0 { up2 } else { down2 };
        residual * residual * weight > limit2
    };
    let n = flux.len();
    for start in (0..n).step_by(BLOCK) {
        let block = |values: &'_ [f64]| values[start..].first_chunk::<BLOCK>().copied();
        let any = match (block(flux), block(model), block(weight)) {
            (Some(f), Some(m), Some(w)) => {
                let mut any = false;
                for i in 0..BLOCK {
                    any |= is_above(f[i], m[i], w[i]);
                }
                any
            }
            // The last block is not whole: its pixels are looked at one by one.
            _ => true,
        };
        if any {
            let pixels = start..(start + BLOCK).min(n);
            found.extend(pixels.filter(|&i| is_above(flux[i], model[i], weight[i])));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 2000;
    const SIGMA: f64 = 0.01;

    /// A continuum of 1 with narrow lines (FWHM 6 pixels, depth 0.7) every 40 pixels, and a fixed noise.
    fn spectrum() -> (Vec<f64>, Vec<f64>) {
        let mut state = 1u64;
        let mut noise = || {
            (0..12)
                .map(|_| {
                    state = state
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    (state >> 11) as f64 / (1u64 << 53) as f64
                })
                .sum::<f64>()
                - 6.0
        };
        let flux = (0..N)
            .map(|i| {
                let d = (i % 40) as f64 - 20.3;
                1.0 - 0.7 * (-0.5 * (d / 2.55).powi(2)).exp() + SIGMA * noise()
            })
            .collect();
        (flux, vec![1.0 / (SIGMA * SIGMA); N])
    }

    #[test]
    fn sharp_lines_survive_and_spikes_do_not() {
        let (mut flux, ivar) = spectrum();
        let mut good = vec![true; N];
        let mut masker = Masker::default();
        assert_eq!(
            masker.mask_spikes(&MaskConfig::default(), &flux, &ivar, &mut good),
            0
        );
        assert!(good.iter().all(|g| *g), "real lines were masked");
        // One pixel in a line core, two on a flank, three on the continuum, a strong one, a dead pixel.
        let spikes = [
            (100, 0.3),
            (255, 0.25),
            (256, 0.2),
            (401, 0.2),
            (402, 0.5),
            (403, 0.2),
            (700, 7.0),
            (905, -0.9),
        ];
        for (i, height) in spikes {
            flux[i] += height;
        }
        masker.mask_spikes(&MaskConfig::default(), &flux, &ivar, &mut good);
        for (i, _) in spikes {
            assert!(!good[i], "pixel {i} was not masked");
        }
        let lost = good.iter().filter(|g| !**g).count();
        assert!(lost < 60, "{lost} pixels lost to 5 spikes");
    }

    #[test]
    fn refits_around_spikes_find_what_refits_of_the_whole_find() {
        let (clean, ivar) = spectrum();
        let mut second_rounds = 0;
        for k in 0..60usize {
            let mut flux = clean.clone();
            // Broad and narrow spikes, some at the ends, some side by side.
            for j in 0..8 {
                let at = (k * 977 + j * j * 131 + 7 * j) % N;
                for flux in &mut flux[at..(at + 1 + (k + j) % 5).min(N)] {
                    *flux += 0.1 * (1 + (k + 3 * j) % 13) as f64;
                }
            }
            let mut masker = Masker::default();
            let mut good = vec![true; N];
            let n = masker.mask_spikes(&MaskConfig::default(), &flux, &ivar, &mut good);
            let mut by_rounds = vec![true; N];
            let one = MaskConfig {
                rounds: 1,
                ..MaskConfig::default()
            };
            let found: Vec<usize> = (0..MaskConfig::default().rounds)
                .map(|_| masker.mask_spikes(&one, &flux, &ivar, &mut by_rounds))
                .collect();
            assert_eq!(n, found.iter().sum::<usize>(), "{k}");
            assert!(good == by_rounds, "{k}");
            second_rounds += usize::from(found[1] > 0);
        }
        assert!(
            second_rounds > 10,
            "{second_rounds} found more in the second round"
        );
    }

    #[test]
    fn blocks_find_every_pixel_above_its_limit() {
        for n in [0, 5, 16, 77] {
            let flux: Vec<f64> = (0..n).map(|i| (1.7 * i as f64).sin()).collect();
            let weight: Vec<f64> = (0..n).map(|i| (i % 3) as f64).collect();
            let mut found = Vec::new();
            find(&mut found, &flux, &vec![0.1; n], &weight, [0.5, 0.9]);
            let is_above = |i: &usize| {
                let residual = flux[*i] - 0.1;
                residual * residual * weight[*i] > if residual > 0.0 { 0.5 } else { 0.9 }
            };
            let expected: Vec<usize> = (0..n).filter(is_above).collect();
            assert_eq!(found, expected);
            assert!(n < 16 || !found.is_empty());
        }
    }

    #[test]
    fn nothing_to_fit_is_nothing_found() {
        let mut good = vec![false; 100];
        let found = Masker::default().mask_spikes(
            &MaskConfig::default(),
            &[1.0; 100],
            &[1.0; 100],
            &mut good,
        );
        assert_eq!(found, 0);
    }
}
