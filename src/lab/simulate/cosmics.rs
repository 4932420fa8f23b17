//! Cosmic rays as single exposures have them.

use rand::{Rng, RngExt};

/// Shapes of cosmic rays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CosmicShapes {
    /// 1 to 3 pixels, 0.3 to 8 times the flux below them.
    #[default]
    Simple,
    /// As in real frames: mostly 1 to 3 pixels, one in seven 3 or 4 pixels and flat, some slanted trails of up to 6;
    /// 0.2 to 10 times the flux below them.
    Real,
}

/// A ray: its height over the flux below it, and the share of it in each pixel (the largest is 1).
#[derive(Clone, Debug, PartialEq)]
pub struct Ray {
    /// Height of the pixel hit hardest, times the flux below it.
    pub height: f64,
    /// Share of that height in each pixel.
    pub shares: Vec<f64>,
}

impl Ray {
    /// A ray of 1 to 3 pixels.
    pub fn simple<R: Rng + ?Sized>(rng: &mut R) -> Ray {
        let width = rng.random_range(1..=3usize);
        let height = (rng.random_range(0.3f64.ln()..8f64.ln())).exp();
        // The rest of the charge falls beside the pixel hit hardest.
        let shares: &[f64] = match width {
            1 => &[1.0],
            2 => &[1.0, 0.45],
            _ => &[0.4, 1.0, 0.35],
        };
        Ray {
            height,
            shares: shares.to_vec(),
        }
    }

    /// A ray of the shapes of real frames.
    pub fn real<R: Rng + ?Sized>(rng: &mut R) -> Ray {
        let height = rng.random_range(0.2f64.ln()..10f64.ln()).exp();
        let kind: f64 = rng.random();
        let shares = if kind < 1.0 / 7.0 {
            flat(rng)
        } else if kind < 0.2 {
            trail(rng)
        } else {
            sharp(rng)
        };
        let most = shares.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        Ray {
            height,
            shares: shares.into_iter().map(|s| s / most).collect(),
        }
    }
}

/// Shares of a narrow ray of 1 to 3 pixels, whose middle lies anywhere in the pixel that is hit hardest.
fn sharp<R: Rng + ?Sized>(rng: &mut R) -> Vec<f64> {
    match rng.random_range(0..3) {
        0 => vec![1.0],
        1 => {
            let second = rng.random_range(0.1..1.0);
            if rng.random() {
                vec![1.0, second]
            } else {
                vec![second, 1.0]
            }
        }
        _ => vec![rng.random_range(0.1..0.7), 1.0, rng.random_range(0.1..0.7)],
    }
}

/// 3 or 4 pixels of about the same height, as real ones of 20, 28, 27 and 29 sigma.
fn flat<R: Rng + ?Sized>(rng: &mut R) -> Vec<f64> {
    let n = rng.random_range(3..=4);
    (0..n).map(|_| rng.random_range(0.7..1.0)).collect()
}

/// 4 to 6 pixels of a ray that crossed the detector aslant: from pixel to pixel the extraction of the spectrum sees less of it.
fn trail<R: Rng + ?Sized>(rng: &mut R) -> Vec<f64> {
    let n = rng.random_range(4..=6);
    let last = rng.random_range(0.1..0.5);
    let mut shares: Vec<f64> = (0..n)
        .map(|i| 1.0 + (last - 1.0) * f64::from(i) / f64::from(n - 1))
        .collect();
    if rng.random() {
        shares.reverse();
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn shapes_come_in_the_shares_of_real_frames() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let rays: Vec<Ray> = (0..7000).map(|_| Ray::real(&mut rng)).collect();
        let count = |keep: &dyn Fn(&Ray) -> bool| rays.iter().filter(|r| keep(r)).count();
        let level = |r: &Ray| r.shares.iter().copied().fold(1.0, f64::min) > 0.69;
        let flat = count(&|r| r.shares.len() >= 3 && level(r));
        assert!((900..1100).contains(&flat), "{flat}");
        let long = count(&|r| r.shares.len() > 4);
        assert!((200..330).contains(&long), "{long}");
        assert!(rays.iter().all(|r| (1..=6).contains(&r.shares.len())));
        assert!(rays.iter().all(|r| (0.2..10.0).contains(&r.height)));
        assert!(rays.iter().all(|r| r.shares.contains(&1.0)));
        let high = count(&|r| r.height > 2f64.sqrt());
        assert!((3350..3650).contains(&high), "{high}");
    }
}
