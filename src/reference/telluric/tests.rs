use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::absorption::MIN_TRANSMISSION;
use super::star::StarSystem;
use super::strength::{Strength, solve};
use super::*;
use crate::Arm;

const PIXEL_KM_S: f64 = 6.0;

/// A star: lines at random places, at the survey's resolution.
pub struct Star {
    lines: Vec<(f64, f64)>,
}

impl Star {
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        let line = |rng: &mut ChaCha8Rng| {
            let ln_wave = rng.random_range(6380f64.ln()..6720f64.ln());
            (ln_wave, 0.15 * rng.random::<f64>().powi(2))
        };
        let lines = (0..120).map(|_| line(rng)).collect();
        Star { lines }
    }

    pub fn flux(&self, ln_wave: f64) -> f64 {
        let sigma = LSF_FWHM_KM_S / 2.3548 / C_KM_S;
        let depth = |(centre, depth): &(f64, f64)| {
            let x = (ln_wave - centre) / sigma;
            if x.abs() < 6.0 {
                depth * (-0.5 * x * x).exp()
            } else {
                0.0
            }
        };
        (1.0 - self.lines.iter().map(depth).sum::<f64>()).max(0.1)
    }

    /// An exposure under water of this strength. `rv_km_s` moves the star.
    fn observe(
        &self,
        night: (f64, f64),
        rv_km_s: f64,
        snr: f64,
        rng: &mut ChaCha8Rng,
    ) -> Normalized {
        self.observe_under(Absorption::listed(), night, (rv_km_s, snr), rng)
    }

    /// The same with lines of another shape.
    pub fn observe_under(
        &self,
        water: &Absorption,
        (helio_rv_km_s, strength): (f64, f64),
        (rv_km_s, snr): (f64, f64),
        rng: &mut ChaCha8Rng,
    ) -> Normalized {
        let n = ((6720f64 / 6380.0).ln() * C_KM_S / PIXEL_KM_S) as usize;
        let phase: f64 = rng.random();
        let ln_wave: Vec<f64> = (0..n)
            .map(|i| 6380f64.ln() + (i as f64 + phase) * PIXEL_KM_S / C_KM_S)
            .collect();
        let flux = ln_wave
            .iter()
            .map(|x| {
                let noise: f64 = StandardNormal.sample(rng);
                // Independent of the product's own way from one frame to the other.
                let observed = (x.exp() / (1.0 - helio_rv_km_s / C_KM_S)).ln();
                self.flux(x - rv_km_s / C_KM_S) * (1.0 - strength * water.at(observed))
                    + noise / snr
            })
            .collect();
        Normalized {
            band: Arm::Red.band(),
            ivar: vec![snr * snr; n],
            ln_wave,
            flux,
            snr,
            wave_as_stored: false,
            helio_rv_km_s: None,
        }
    }
}

/// HELIO_RV in km/s and strength of the nights.
pub const NIGHTS: [(f64, f64); 5] = [
    (-22.0, 0.4),
    (-9.0, 1.3),
    (3.0, 0.2),
    (3.5, 0.9),
    (19.0, 2.0),
];

/// What `n` stars say about the nights. `sign` is 1; `rv_scatter_km_s` makes stars variable.
fn strengths(
    n: usize,
    nights: &[(f64, f64)],
    (snr, sign, rv_scatter_km_s): (f64, f64, f64),
    seed: u64,
) -> Vec<Strength> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let systems: Vec<StarSystem> = (0..n)
        .filter_map(|_| {
            let star = Star::random(&mut rng);
            let spectra: Vec<Normalized> = nights
                .iter()
                .map(|night| {
                    let normal: f64 = StandardNormal.sample(&mut rng);
                    star.observe(*night, rv_scatter_km_s * normal, snr, &mut rng)
                })
                .collect();
            let exposures: Vec<(i64, f64, &Normalized)> = (1i64..)
                .zip(nights)
                .zip(&spectra)
                .map(|((lmjm, night), spectrum)| (lmjm, sign * night.0, spectrum))
                .collect();
            StarSystem::new(&exposures)
        })
        .collect();
    solve(&systems)
}

#[test]
fn lines_are_those_that_the_solar_spectrum_shows() {
    let all: Vec<(f64, f64)> = lines().collect();
    assert_eq!(all.len(), 165);
    assert!(all.windows(2).all(|p| p[0].0 <= p[1].0));
    // Air wavelengths 6514.727, 6543.907, 6548.622, 6557.171 A.
    for (vacuum_aa, least_ma) in [
        (6516.527, 30.0),
        (6545.714, 20.0),
        (6550.431, 18.0),
        (6558.982, 12.0),
    ] {
        let line = all.iter().find(|l| (l.0 - vacuum_aa).abs() < 0.02).unwrap();
        assert!((least_ma..2.0 * least_ma).contains(&line.1), "{line:?}");
    }
}

#[test]
fn absorption_is_the_lines_at_the_resolution_and_nothing_beyond() {
    // The strongest lone line: its depth is its equivalent width over the width of the line-spread function.
    let at = Absorption::listed().at(6516.527f64.ln());
    assert!((0.03..0.06).contains(&at), "{at}");
    let (step, mut sum) = (0.01, 0.0);
    for i in 0..40_000 {
        sum += step * Absorption::listed().at((6300.0 + step * f64::from(i)).ln());
    }
    let expected: f64 = lines().map(|l| 1e-3 * l.1).sum();
    assert!((sum / expected - 1.0).abs() < 1e-3, "{sum} {expected}");
    for ln_wave in [0.0, 6300f64.ln(), 6690f64.ln(), f64::NAN, f64::INFINITY] {
        assert_eq!(Absorption::listed().at(ln_wave), 0.0);
    }
    let least = Absorption::listed().transmission(1e9, 6516.527f64.ln());
    assert_eq!(least, MIN_TRANSMISSION);
}

#[test]
fn division_restores_the_flux() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let star = Star::random(&mut rng);
    let mut wet = star.observe((17.0, 1.5), 0.0, 1e9, &mut rng);
    let before = wet.clone();
    let left = left_by(Absorption::listed(), 1.5, &wet.ln_wave, 17.0);
    divide_out(&mut wet, &left);
    for (i, x) in wet.ln_wave.iter().enumerate() {
        assert!((wet.flux[i] - star.flux(*x)).abs() < 1e-6);
        // The signal-to-noise ratio stays.
        let snr = |s: &Normalized| s.flux[i] * s.ivar[i].sqrt();
        assert!((snr(&wet) / snr(&before) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn strengths_are_recovered_within_their_errors() {
    let mut pulls = Vec::new();
    for seed in 0..12 {
        let found = strengths(10, &NIGHTS, (60.0, 1.0, 0.3), seed);
        assert_eq!(found.len(), NIGHTS.len());
        for (found, (_, truth)) in found.iter().zip(NIGHTS) {
            assert!((0.005..0.1).contains(&found.error), "{found:?}");
            pulls.push((found.value - truth) / found.error);
        }
    }
    let n = pulls.len() as f64;
    let rms = (pulls.iter().map(|p| p * p).sum::<f64>() / n).sqrt();
    let mean = pulls.iter().sum::<f64>() / n;
    assert!((0.6..1.5).contains(&rms), "{rms}");
    assert!(mean.abs() < 0.6, "{mean}");
}

#[test]
fn differences_between_nights_are_right_though_all_nights_have_one_velocity() {
    let nights = [(5.0, 0.3), (5.0, 1.0), (5.0, 1.6)];
    for seed in 0..4 {
        let found = strengths(8, &nights, (60.0, 1.0, 0.3), seed);
        for pair in [(0, 1), (1, 2)] {
            let told = found[pair.1].value - found[pair.0].value;
            let truth = nights[pair.1].1 - nights[pair.0].1;
            assert!((told - truth).abs() < 0.08, "{told} {truth}");
        }
    }
}

#[test]
fn without_water_nothing_is_divided_out() {
    let nights = NIGHTS.map(|(v, _)| (v, 0.0));
    let mut most = 0f64;
    for seed in 0..10 {
        for found in strengths(10, &nights, (60.0, 1.0, 0.3), seed) {
            assert!(found.value.abs() < 4.5 * found.error, "{found:?}");
            most = most.max(found.shrunk());
        }
    }
    // 0.03 is a tenth of a per cent at the centre of the strongest lines.
    assert!(most < 0.03, "{most}");
}

#[test]
fn the_wrong_sign_of_the_velocity_is_noticed() {
    let nights = [(-25.0, 1.0), (-24.0, 1.0), (24.0, 1.0), (25.0, 1.0)];
    let sum = |sign| -> f64 {
        let found = strengths(10, &nights, (60.0, sign, 0.0), 7);
        found.iter().map(|s| s.value / 4.0).sum()
    };
    assert!((sum(1.0) - 1.0).abs() < 0.1);
    assert!(sum(-1.0) < 0.4, "{}", sum(-1.0));
}

#[test]
fn stars_that_move_have_less_say() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut systems = Vec::new();
    for i in 0..10 {
        let star = Star::random(&mut rng);
        // Three of them are binaries.
        let amplitude = if i < 3 { 40.0 } else { 0.2 };
        let spectra = NIGHTS.map(|night| {
            let normal: f64 = StandardNormal.sample(&mut rng);
            star.observe(night, amplitude * normal, 100.0, &mut rng)
        });
        let exposures: Vec<_> = (1i64..)
            .zip(NIGHTS)
            .zip(&spectra)
            .map(|((t, night), s)| (t, night.0, s))
            .collect();
        systems.extend(StarSystem::new(&exposures));
    }
    for (found, (_, truth)) in solve(&systems).iter().zip(NIGHTS) {
        assert!((found.value - truth).abs() < 0.15, "{found:?} {truth}");
    }
}

#[test]
fn strengths_near_their_error_are_drawn_to_none() {
    let shrunk = |value| {
        Strength {
            lmjm: 0,
            value,
            error: 0.1,
        }
        .shrunk()
    };
    assert_eq!(shrunk(-0.5), 0.0);
    assert_eq!(shrunk(0.29), 0.0);
    assert!((0.2..0.3).contains(&shrunk(0.4)));
    assert!((shrunk(1.0) - 0.9919).abs() < 1e-9);
    assert_eq!(shrunk(f64::NAN), 0.0);
}

#[test]
fn nothing_usable_gives_no_system() {
    assert!(StarSystem::new(&[]).is_none());
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut spectrum = Star::random(&mut rng).observe((0.0, 1.0), 0.0, 50.0, &mut rng);
    spectrum.ivar.fill(0.0);
    assert!(StarSystem::new(&[(1, 0.0, &spectrum)]).is_none());
    spectrum.ln_wave.clear();
    spectrum.flux.clear();
    spectrum.ivar.clear();
    assert!(StarSystem::new(&[(1, 0.0, &spectrum)]).is_none());
    assert!(solve(&[]).is_empty());
}

#[test]
fn how_far_a_star_has_moved_is_told_by_its_lines() {
    let mut rng = ChaCha8Rng::seed_from_u64(91);
    let star = Star::random(&mut rng);
    let truth = [2.0, -1.5, 0.5, -3.0, 2.0];
    let spectra: Vec<Normalized> = NIGHTS
        .iter()
        .zip(truth)
        .map(|(night, rv_km_s)| star.observe(*night, rv_km_s, 100.0, &mut rng))
        .collect();
    let exposures: Vec<(i64, f64, &Normalized)> = (1i64..)
        .zip(NIGHTS)
        .zip(&spectra)
        .map(|((lmjm, night), spectrum)| (lmjm, night.0, spectrum))
        .collect();
    let system = StarSystem::new(&exposures).unwrap();
    for ((_, by_km_s, err_km_s), truth) in system.moved().zip(truth) {
        assert!((0.05..1.0).contains(&err_km_s), "{err_km_s}");
        let off = (by_km_s - truth) / err_km_s;
        assert!(off.abs() < 3.5, "{by_km_s} +- {err_km_s}, truth {truth}");
    }
}
