//! Exposures of a star that judge each other: what a cosmic ray puts into one of them moves no velocity.

use rayon::prelude::*;

use relrv::Arm;
use relrv::lab::simulate::Config;
use relrv::lamost::raw::StoredWave;
use relrv::likelihood::Measurement;
use relrv::measure::FirstPass;
use relrv::spectrum::Normalizer;

use crate::agreement::*;
use crate::support::*;

/// Profile of a real cosmic ray, sigma of the noise of each pixel.
const RAY_SIGMA: [f32; 4] = [20.0, 28.0, 27.0, 29.0];

/// Places in the window where one is put.
const N_PLACES: usize = 40;

/// A velocity may move by this many of its own errors.
const MOST_SIGMA: f64 = 3.0;

/// The spectrum with a cosmic ray from `pixel` on.
fn with_ray(spectrum: &Spectrum, pixel: usize, normalizer: &mut Normalizer) -> Spectrum {
    let mut raw = spectrum.raw.clone();
    for (k, height) in (pixel..).zip(RAY_SIGMA) {
        raw.pixels.flux[k] += height / raw.pixels.ivar[k].sqrt();
    }
    Spectrum::new(raw, spectrum.helio_rv_km_s, normalizer)
}

/// First pixel from `wave_aa` on from which a cosmic ray meets sound pixels only; some before it at the window's end.
fn first_pixel(spectrum: &Spectrum, wave_aa: f64) -> usize {
    let (_, high_aa) = spectrum.raw.arm.window_aa();
    let at = |wave_aa: f64| match &spectrum.raw.pixels.wave {
        StoredWave::Log10(wave) => wave.partition_point(|l| 10f64.powf((*l).into()) < wave_aa),
        StoredWave::Linear(wave) => wave.partition_point(|w| *w < wave_aa),
    };
    let is_sound = |k: &usize| {
        let ivar = &spectrum.raw.pixels.ivar[*k..k + RAY_SIGMA.len()];
        ivar.iter().all(|i| *i > 0.0)
    };
    let (first, end) = (at(wave_aa), at(high_aa) - RAY_SIGMA.len());
    let after = (first..end).find(is_sound);
    after.or((0..end).rev().find(is_sound)).unwrap()
}

/// A cosmic ray in one spectrum.
#[derive(Clone, Copy, Debug)]
struct Ray {
    star: usize,
    arm: usize,
    exposure: usize,
    is_best: bool,
    pixel: usize,
    wave_aa: f64,
}

/// Every place in every star and arm, in the best exposure and in another one.
fn rays(stars: &[Star]) -> Vec<Ray> {
    let mut out = Vec::new();
    for (star, arms) in stars.iter().enumerate() {
        for (arm, spectra) in arms.iter().enumerate() {
            let best = best(spectra);
            for place in 0..N_PLACES {
                // Other lines in each star.
                let part = (star as f64 + 0.5) / stars.len() as f64;
                let share = (place as f64 + part) / N_PLACES as f64;
                let other = (best + 1 + place % (spectra.len() - 1)) % spectra.len();
                let (low_aa, high_aa) = Arm::ALL[arm].window_aa();
                let wave_aa = low_aa + share * (high_aa - low_aa);
                for exposure in [best, other] {
                    out.push(Ray {
                        star,
                        arm,
                        exposure,
                        is_best: exposure == best,
                        pixel: first_pixel(&spectra[exposure], wave_aa),
                        wave_aa,
                    });
                }
            }
        }
    }
    out
}

/// A measurement of a star with a cosmic ray: how far it moved, and whether it is the spoiled one's.
#[derive(Clone, Copy, Debug)]
struct Moved {
    ray: Ray,
    arm: usize,
    exposure: usize,
    sigma: f64,
    was: Measurement,
    is: Measurement,
}

impl Moved {
    fn is_spoiled(&self) -> bool {
        (self.arm, self.exposure) == (self.ray.arm, self.ray.exposure)
    }
}

/// No unflagged velocity moves by more than three of its errors, and few are flagged.
#[test]
fn a_wide_cosmic_ray_moves_no_velocity() {
    let plate = made_once(Config {
        out: "agreement-rays".into(),
        seed: 7311,
        stars: 5,
        nights: 3,
        exposures: 2,
        snr: (25.0, 29.0),
        kinds: CONSTANT,
        teff_k: Some((4500.0, 7000.0)),
        coadds: false,
        ..Config::default()
    });
    let stars = read_stars(&plate);
    let config = config();
    let first: Vec<[FirstPass; 2]> = stars
        .iter()
        .map(|arms| [0, 1].map(|a| first_pass(&arms[a], &config)))
        .collect();
    let clean: Vec<[FirstPass; 2]> = first
        .par_iter()
        .map(|first| finish(first.clone(), &config))
        .collect();
    let one = |normalizer: &mut Normalizer, ray: &Ray| {
        let mut spectra = stars[ray.star][ray.arm].clone();
        spectra[ray.exposure] = with_ray(&spectra[ray.exposure], ray.pixel, normalizer);
        let mut arms = first[ray.star].clone();
        arms[ray.arm] = first_pass(&spectra, &config);
        let now = finish(arms, &config);
        let mut out = Vec::new();
        for (arm, (now, clean)) in now.iter().zip(&clean[ray.star]).enumerate() {
            let (now, clean) = (&now.measurements, &clean.measurements);
            for (exposure, sigma) in moved_sigma(now, clean).into_iter().enumerate() {
                out.push(Moved {
                    ray: *ray,
                    arm,
                    exposure,
                    sigma,
                    was: clean[exposure],
                    is: now[exposure],
                });
            }
        }
        out
    };
    let rays = rays(&stars);
    let moved: Vec<Moved> = rays
        .par_iter()
        .map_init(Normalizer::default, one)
        .flatten_iter()
        .collect();
    let (spoiled, others): (Vec<Moved>, Vec<Moved>) = moved.iter().partition(|m| m.is_spoiled());
    for (name, all) in [("spoiled", &spoiled), ("other", &others)] {
        let fresh = |m: &&Moved| !m.is.flags.is_empty() && m.was.flags.is_empty();
        let n_flagged = all.iter().filter(fresh).count();
        let unflagged = all.iter().filter(|m| m.is.flags.is_empty());
        let mut sigmas: Vec<f64> = unflagged.map(|m| m.sigma.abs()).collect();
        sigmas.sort_by(f64::total_cmp);
        let at = |percent: usize| sigmas[(sigmas.len() - 1) * percent / 100];
        println!(
            "{name}: {} velocities, {n_flagged} flagged because of the ray; the rest moved by {:.2} sigma (median), {:.2} (90 %), {:.2} (99 %), {:.2} (all)",
            all.len(),
            at(50),
            at(90),
            at(99),
            at(100)
        );
    }
    // A velocity that is no number has moved as well.
    let has_moved =
        |m: &&Moved| m.is.flags.is_empty() && (m.sigma.is_nan() || m.sigma.abs() > MOST_SIGMA);
    let too_far: Vec<&Moved> = moved.iter().filter(has_moved).collect();
    for m in &too_far {
        println!(
            "star {} {} exposure {} moved by {:.1} sigma, chi^2 {:.2} -> {:.2}; ray at {:.1} A (pixel {}) of {} exposure {}{}",
            m.ray.star,
            Arm::ALL[m.arm],
            m.exposure,
            m.sigma,
            m.was.chi2_red,
            m.is.chi2_red,
            m.ray.wave_aa,
            m.ray.pixel,
            Arm::ALL[m.ray.arm],
            m.ray.exposure,
            if m.ray.is_best { ", the best" } else { "" }
        );
    }
    let flagged = |of: &[Moved]| {
        let n = of
            .iter()
            .filter(|m| !m.is.flags.is_empty() && m.was.flags.is_empty());
        n.count() as f64 / of.len() as f64
    };
    assert!(
        too_far.is_empty(),
        "{} of {} velocities moved",
        too_far.len(),
        moved.len()
    );
    assert!(flagged(&spoiled) < 0.05 && flagged(&others) < 0.01);
}
