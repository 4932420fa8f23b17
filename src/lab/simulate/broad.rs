//! What is broader than a metal line: the Balmer lines and the bands of titanium oxide and magnesium hydride.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

use super::lines::air_to_vacuum_aa;
use super::opacity::interpolate_in_log;
use super::params::StellarParams;

/// H-alpha of dwarfs by effective temperature (K): central opacity (ln), Stark width w (ln of A).
/// The widths give equivalent widths near 0.5 A at 4000 K, 3.5 A in the Sun, 11 A at 9500 K, 3 A at 20,000 K and
/// 2 A at 40,000 K, close to those of real dwarfs.
const H_ALPHA: [(f64, f64, f64); 12] = [
    (3000.0, -1.4, -1.2),
    (3500.0, -0.9, -1.1),
    (4000.0, -0.1, -1.05),
    (4500.0, 0.75, -1.0),
    (5000.0, 1.2, -0.65),
    (5777.0, 1.25, -0.15),
    (6500.0, 1.1, 0.35),
    (7500.0, 0.85, 0.95),
    (9500.0, 0.55, 1.55),
    (13000.0, 0.25, 1.15),
    (20000.0, -0.2, 0.55),
    (42000.0, -0.8, 0.55),
];

/// Deepest that a Balmer line can get.
const BALMER_DEPTH: f64 = 0.82;

/// Balmer lines (air, A) whose core or wings reach a window.
const BALMER_AIR_AA: [f64; 2] = [6562.80, 4861.33];

/// Multiplies `flux` (on the vacuum wavelengths `wave_aa`) by the Balmer lines of `star`.
pub fn apply_balmer(star: &StellarParams, wave_aa: &[f64], flux: &mut [f64]) {
    let table = |pick: fn(&(f64, f64, f64)) -> f64| -> f64 {
        let knots: Vec<(f64, f64)> = H_ALPHA.iter().map(|k| (k.0, pick(k))).collect();
        interpolate_in_log(&knots, star.teff_k).exp()
    };
    let opacity = table(|k| k.1);
    // Stark broadening goes with the electron pressure, which follows gravity in hot stars only.
    let pressure = 1.0 / (1.0 + (7000.0 / star.teff_k).powi(6));
    let width_aa = table(|k| k.2) * 10f64.powf(0.25 * pressure * (star.logg - 4.4));
    for air_aa in BALMER_AIR_AA {
        let centre = air_to_vacuum_aa(air_aa);
        for (wave, flux) in wave_aa.iter().zip(flux.iter_mut()) {
            let x = (wave - centre) / width_aa;
            // Falls as |x|^(-5/2), as Holtsmark's wings do.
            let tau = opacity * (1.0 + x * x).powf(-1.25);
            *flux *= 1.0 + BALMER_DEPTH * (-tau).exp_m1();
        }
    }
}

/// A molecular band: its head (air, A), the scale of its decline (A, negative when it degrades to the blue),
/// its opacity relative to the others.
struct Band {
    head_air_aa: f64,
    scale_aa: f64,
    strength: f64,
}

const TIO: [Band; 9] = [
    Band {
        head_air_aa: 4954.6,
        scale_aa: 45.0,
        strength: 1.0,
    },
    Band {
        head_air_aa: 5003.0,
        scale_aa: 25.0,
        strength: 0.25,
    },
    Band {
        head_air_aa: 5166.7,
        scale_aa: 55.0,
        strength: 1.2,
    },
    Band {
        head_air_aa: 5240.5,
        scale_aa: 25.0,
        strength: 0.35,
    },
    Band {
        head_air_aa: 5307.0,
        scale_aa: 25.0,
        strength: 0.25,
    },
    Band {
        head_air_aa: 6268.0,
        scale_aa: 50.0,
        strength: 0.5,
    },
    Band {
        head_air_aa: 6651.2,
        scale_aa: 30.0,
        strength: 0.7,
    },
    Band {
        head_air_aa: 6680.8,
        scale_aa: 30.0,
        strength: 0.6,
    },
    Band {
        head_air_aa: 6714.4,
        scale_aa: 45.0,
        strength: 0.6,
    },
];

const MGH: [Band; 2] = [
    Band {
        head_air_aa: 5211.0,
        scale_aa: -30.0,
        strength: 0.3,
    },
    Band {
        head_air_aa: 4949.0,
        scale_aa: -25.0,
        strength: 0.1,
    },
];

/// Multiplies `flux` by the molecular bands of `star`: rows of narrow lines under a smooth envelope.
pub fn apply_bands(star: &StellarParams, wave_aa: &[f64], flux: &mut [f64]) {
    // TiO rises below 4000 K, MgH below 5000 K in dwarfs.
    let tio = 1.6 * 10f64.powf(0.7 * star.feh) / (1.0 + ((star.teff_k - 3550.0) / 150.0).exp());
    let mgh = 10f64.powf(0.5 * star.feh + 0.3 * (star.logg - 4.5))
        / (1.0 + ((star.teff_k - 4300.0) / 220.0).exp());
    for (bands, opacity, lines_per_aa) in [(&TIO[..], tio, 4.0), (&MGH[..], mgh, 2.0)] {
        if opacity < 1e-4 {
            continue;
        }
        for band in bands {
            apply_band(band, opacity * band.strength, lines_per_aa, wave_aa, flux);
        }
    }
}

fn apply_band(band: &Band, opacity: f64, lines_per_aa: f64, wave_aa: &[f64], flux: &mut [f64]) {
    let head = air_to_vacuum_aa(band.head_air_aa);
    let reach = 5.0 * band.scale_aa;
    let mut rng = ChaCha8Rng::seed_from_u64(band.head_air_aa.to_bits());
    let count = (lines_per_aa * reach.abs()) as usize;
    // Half width of a rotational line at the thermal speed of a heavy molecule with turbulence, A.
    let sigma_aa = 0.04;
    let (Some(first), Some(last)) = (wave_aa.first().copied(), wave_aa.last().copied()) else {
        return;
    };
    for _ in 0..count {
        let offset = reach * rng.random::<f64>();
        let strength: f64 = Exp1.sample(&mut rng);
        let centre = head + offset;
        if centre < first - 1.0 || centre > last + 1.0 {
            continue;
        }
        // Mean opacity of the band shared out to its lines.
        let mean = opacity * (-offset / band.scale_aa).exp();
        let tau0 = mean * strength / (lines_per_aa * sigma_aa * (std::f64::consts::TAU).sqrt());
        let from = wave_aa.partition_point(|w| *w < centre - 6.0 * sigma_aa);
        let to = wave_aa.partition_point(|w| *w <= centre + 6.0 * sigma_aa);
        for (wave, flux) in wave_aa[from..to].iter().zip(&mut flux[from..to]) {
            let x = (wave - centre) / sigma_aa;
            *flux *= (-tau0 * (-0.5 * x * x).exp()).exp();
        }
    }
}
