//! Sets of velocities with no period: normal noise of the errors' size at the star's own times.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::epochs::{ARMS, Deviations, Epochs};

/// Makes one set after the other.
#[derive(Debug)]
pub struct Noise(ChaCha8Rng);

impl Noise {
    /// The same seed gives the same noise.
    pub fn new(seed: u64) -> Self {
        Noise(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The next sets of velocities at these epochs.
    pub fn sets(&mut self, epochs: &Epochs, n: usize) -> Vec<Deviations> {
        (0..n).map(|_| self.set(epochs)).collect()
    }

    fn set(&mut self, epochs: &Epochs) -> Deviations {
        let rv: [Vec<f64>; ARMS] = [0, 1].map(|arm: usize| {
            epochs.weight[arm]
                .iter()
                .map(|weight| match *weight > 0.0 {
                    true => normal(&mut self.0) / weight.sqrt(),
                    false => 0.0,
                })
                .collect()
        });
        epochs.deviations(&rv)
    }
}

/// A normal number (Box and Muller 1958).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    // 1 - u is in (0, 1], so its logarithm is a number.
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (TAU * v).cos()
}

/// A seed that depends on a star's velocities, so that stars of the same times do not share their noise (FNV-1a).
pub fn seed(numbers: impl Iterator<Item = f64>) -> u64 {
    numbers.fold(0xcbf2_9ce4_8422_2325, |hash, x| {
        x.to_bits().to_le_bytes().iter().fold(hash, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    })
}
