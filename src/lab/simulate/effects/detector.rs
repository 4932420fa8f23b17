//! What the detector does to the light of a fibre: ripple of the flat field, hot columns, steps.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::amounts::Sky;
use super::conditions::Place;
use crate::lab::simulate::noise::count;
use crate::lab::simulate::streams::{Purpose, stream};

/// Smoothness of the ripple (standard deviation of the Gaussian that white noise is smoothed with), pixels.
const RIPPLE_PIXELS: f64 = 8.0;

/// Factors on the flux in the pixels of one spectrum.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Factor of each pixel.
    pub factor: Vec<f64>,
    /// Number of hot columns.
    pub hot_columns: usize,
    /// Number of steps.
    pub steps: usize,
}

impl Response {
    /// The response of `n` pixels: it follows from seed and place.
    pub fn draw(seed: u64, sky: &Sky, place: Place, n: usize) -> Response {
        let Place {
            night, exposure, ..
        } = place;
        let fibre = place.fibre_and_arm();
        let mut response = Response {
            factor: vec![1.0; n],
            hot_columns: 0,
            steps: 0,
        };
        if n == 0 {
            return response;
        }
        let rng = &mut stream(seed, Purpose::Ripple, [fibre, 0, 0]);
        if sky.ripple > 0.0 {
            for (factor, ripple) in response.factor.iter_mut().zip(ripple(rng, n)) {
                *factor *= 1.0 + sky.ripple * ripple;
            }
        }
        let rng = &mut stream(seed, Purpose::Columns, [fibre, night, 0]);
        response.add_hot_columns(rng, sky.hot_columns);
        let rng = &mut stream(seed, Purpose::Steps, [fibre, night, exposure]);
        response.add_steps(rng, sky.steps);
        response
    }

    fn add_hot_columns<R: Rng>(&mut self, rng: &mut R, mean: f64) {
        let n = self.factor.len();
        self.hot_columns = count(rng, mean);
        for _ in 0..self.hot_columns {
            let first = rng.random_range(0..n);
            let width = rng.random_range(1..=2);
            let height = rng.random_range(0.05..0.3);
            for factor in self.factor.iter_mut().skip(first).take(width) {
                *factor += height;
            }
        }
    }

    fn add_steps<R: Rng>(&mut self, rng: &mut R, mean: f64) {
        let n = self.factor.len();
        self.steps = count(rng, mean);
        for _ in 0..self.steps {
            let first = rng.random_range(0..n);
            let side = if rng.random() { 1.0 } else { -1.0 };
            let height = side * rng.random_range(0.01..0.02);
            for factor in self.factor.iter_mut().skip(first) {
                *factor *= 1.0 + height;
            }
        }
    }
}

/// A smooth random curve of `n` pixels with the rms of a sine of amplitude 1.
fn ripple<R: Rng>(rng: &mut R, n: usize) -> Vec<f64> {
    let half = (4.0 * RIPPLE_PIXELS) as usize;
    let white: Vec<f64> = (0..n + 2 * half)
        .map(|_| StandardNormal.sample(rng))
        .collect();
    let kernel: Vec<f64> = (0..=2 * half)
        .map(|i| (-0.5 * ((i as f64 - half as f64) / RIPPLE_PIXELS).powi(2)).exp())
        .collect();
    // White noise comes out with the root of the sum of the squared weights.
    let norm = (2.0 * kernel.iter().map(|k| k * k).sum::<f64>()).sqrt();
    white
        .windows(kernel.len())
        .map(|w| w.iter().zip(&kernel).map(|(x, k)| x * k).sum::<f64>() / norm)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 4136;
    const HERE: Place = Place {
        spid: 3,
        fiberid: 17,
        night: 1,
        exposure: 2,
        arm: 1,
    };

    #[test]
    fn ripple_is_smooth_has_its_amplitude_and_stays_with_the_fibre() {
        let sky = Sky {
            ripple: 0.008,
            ..Sky::KIND
        };
        let at = |place| Response::draw(2, &sky, place, N).factor;
        let here = at(HERE);
        let rms = |v: &[f64], lag: usize| {
            (v.iter()
                .skip(lag)
                .zip(v)
                .map(|(a, b)| (a - 1.0) * (b - 1.0))
                .sum::<f64>()
                / (v.len() - lag) as f64)
                .abs()
                .sqrt()
        };
        assert!(
            (rms(&here, 0) / 0.00566 - 1.0).abs() < 0.15,
            "{}",
            rms(&here, 0)
        );
        let correlation = |lag| (rms(&here, lag) / rms(&here, 0)).powi(2);
        assert!(
            correlation(3) > 0.9 && correlation(60) < 0.25,
            "{}",
            correlation(60)
        );
        assert_eq!(
            here,
            at(Place {
                night: 0,
                exposure: 0,
                ..HERE
            })
        );
        assert!(
            here != at(Place {
                fiberid: 18,
                ..HERE
            })
        );
        assert!(here != at(Place { arm: 0, ..HERE }));
    }

    #[test]
    fn hot_columns_stay_for_a_night_and_steps_for_an_exposure() {
        let sky = Sky {
            hot_columns: 3.0,
            ..Sky::KIND
        };
        let at = |place| Response::draw(2, &sky, place, N);
        let here = at(HERE);
        assert_eq!(
            here,
            at(Place {
                exposure: 0,
                ..HERE
            })
        );
        assert!(here != at(Place { night: 0, ..HERE }));
        let raised: Vec<f64> = here.factor.iter().copied().filter(|f| *f != 1.0).collect();
        assert!((here.hot_columns..=2 * here.hot_columns).contains(&raised.len()));
        assert!(here.hot_columns > 0 && raised.iter().all(|f| (1.05..1.6).contains(f)));

        let sky = Sky {
            steps: 1.0,
            ..Sky::KIND
        };
        let (mut steps, mut sizes) = (0, Vec::new());
        for exposure in 0..300 {
            let one = Response::draw(2, &sky, Place { exposure, ..HERE }, N);
            steps += one.steps;
            if one.steps == 1 {
                let last = one.factor[N - 1];
                sizes.push((last - 1.0).abs());
                assert!(one.factor.windows(2).filter(|w| w[0] != w[1]).count() <= 1);
            }
        }
        assert!((250..350).contains(&steps), "{steps}");
        assert!(sizes.iter().all(|s| (0.01..0.02).contains(s)) && sizes.len() > 70);
    }
}
