//! Exposures of a star that judge each other: what one of them has alone moves no velocity.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use relrv::Arm;
use relrv::io::inflate::Inflater;
use relrv::io::mrs;
use relrv::io::raw::{RawSpectrum, StoredWave};
use relrv::likelihood::{
    Batch, Cpu, Likelihood, Measurement, ReferenceTable, SpectrumPixels, flags,
};
use relrv::pipeline::coadd::{FirstPass, against_coadds};
use relrv::pipeline::stages::StageClocks;
use relrv::pipeline::{MeasureConfig, ReferenceKind, measure};
use relrv::simulate::{Config, KindShares};
use relrv::spectrum::{Normalized, Normalizer, Reference};

use crate::support::*;

/// Profile of a real cosmic ray, sigma of the noise of each pixel.
const RAY_SIGMA: [f32; 4] = [20.0, 28.0, 27.0, 29.0];

/// Places in the window where one is put.
const N_PLACES: usize = 40;

/// A velocity may move by this many of its own errors.
const MOST_SIGMA: f64 = 3.0;

/// Exposures judge each other.
pub fn config() -> MeasureConfig {
    MeasureConfig {
        reference: ReferenceKind::Coadd,
        ..default_config()
    }
}

/// Stars that do not change.
pub const CONSTANT: KindShares = KindShares {
    pulsator: 0.0,
    sb1: 0.0,
    sb2: 0.0,
};

/// One spectrum of a star, before and after its continuum is taken off.
#[derive(Clone, Debug)]
struct Spectrum {
    raw: RawSpectrum,
    helio_rv_km_s: Option<f64>,
    normalized: Normalized,
}

impl Spectrum {
    fn new(raw: RawSpectrum, helio_rv_km_s: Option<f64>, normalizer: &mut Normalizer) -> Self {
        let config = default_config();
        let vmax_km_s = config.grid.max_shift_km_s();
        let normalized = normalizer.normalize(&config.spectrum, &raw, vmax_km_s);
        let mut normalized = normalized.unwrap();
        normalized.helio_rv_km_s = helio_rv_km_s;
        Spectrum {
            raw,
            helio_rv_km_s,
            normalized,
        }
    }

    /// The spectrum with a cosmic ray from `pixel` on.
    fn with_ray(&self, pixel: usize, normalizer: &mut Normalizer) -> Spectrum {
        let mut raw = self.raw.clone();
        for (k, height) in (pixel..).zip(RAY_SIGMA) {
            raw.flux[k] += height / raw.ivar[k].sqrt();
        }
        Spectrum::new(raw, self.helio_rv_km_s, normalizer)
    }

    /// First pixel from `wave_aa` on from which a cosmic ray meets sound pixels only; some before it at the window's end.
    fn pixel(&self, wave_aa: f64) -> usize {
        let (_, high_aa) = self.raw.arm.window_aa();
        let at = |wave_aa: f64| match &self.raw.wave {
            StoredWave::Log10(wave) => wave.partition_point(|l| 10f64.powf((*l).into()) < wave_aa),
            StoredWave::Linear(wave) => wave.partition_point(|w| *w < wave_aa),
        };
        let is_sound = |k: &usize| {
            let ivar = &self.raw.ivar[*k..k + RAY_SIGMA.len()];
            ivar.iter().all(|i| *i > 0.0)
        };
        let (first, end) = (at(wave_aa), at(high_aa) - RAY_SIGMA.len());
        let after = (first..end).find(is_sound);
        after.or((0..end).rev().find(is_sound)).unwrap()
    }
}

/// A star's spectra by arm, each arm's in the order of time.
type Star = [Vec<Spectrum>; 2];

/// The stars of a plate, by fibre.
fn read_stars(plate: &Path) -> Vec<Star> {
    let (mut inflater, mut normalizer) = (Inflater::default(), Normalizer::default());
    let mut stars: BTreeMap<i32, Star> = BTreeMap::new();
    for path in files(plate) {
        let file = mrs::read_file(&path, &mut inflater).unwrap();
        let star = stars.entry(file.header.fiberid).or_default();
        for raw in file.spectra {
            let spectrum = Spectrum::new(raw, file.header.helio_rv_km_s, &mut normalizer);
            star[spectrum.raw.arm as usize].push(spectrum);
        }
    }
    let mut stars: Vec<Star> = stars.into_values().collect();
    for arm in stars.iter_mut().flatten() {
        arm.sort_by_key(|s| s.raw.lmjm);
    }
    stars
}

/// The exposure of highest signal-to-noise ratio.
fn best(arm: &[Spectrum]) -> usize {
    let snr = |i: &usize| arm[*i].normalized.snr;
    let all = 0..arm.len();
    all.max_by(|a, b| snr(a).total_cmp(&snr(b)).then(b.cmp(a)))
        .unwrap()
}

/// A star's exposures in one arm against the best of them.
fn first_pass(arm: &[Spectrum], config: &MeasureConfig) -> FirstPass {
    let best = best(arm);
    let exposures: Vec<Normalized> = arm.iter().map(|s| s.normalized.clone()).collect();
    let reference = Reference::new(&exposures[best], config.knot_pixels).unwrap();
    let table = ReferenceTable::new(&reference, &config.grid);
    let spectra = exposures
        .iter()
        .map(|n| SpectrumPixels::new(n, &reference, &table, &config.grid))
        .collect();
    let batch = Batch {
        grid: config.grid,
        tables: vec![table],
        spectra,
    };
    FirstPass::new(1, exposures, best, Cpu.measure(&batch).unwrap())
}

/// Measures a star whose first pass this is.
fn finish(first: [FirstPass; 2], config: &MeasureConfig) -> [FirstPass; 2] {
    let mut arms = first;
    if config.reference == ReferenceKind::Coadd {
        against_coadds(config, &mut arms, &Cpu, &StageClocks::default()).unwrap();
    }
    for arm in &mut arms {
        for (m, double) in arm.measurements.iter_mut().zip(&arm.double_lined) {
            if *double {
                m.flags |= flags::DOUBLE_LINED;
            }
        }
    }
    arms
}

/// By how much each velocity has moved, in its own errors; the star's zero may move.
pub fn moved_sigma(now: &[Measurement], clean: &[Measurement]) -> Vec<f64> {
    let differences: Vec<f64> = now
        .iter()
        .zip(clean)
        .map(|(n, c)| n.rv_km_s - c.rv_km_s)
        .collect();
    let zero = median(&differences);
    let pairs = differences.iter().zip(clean);
    pairs.map(|(d, c)| (d - zero) / c.rv_err_own_km_s).collect()
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
                        pixel: spectra[exposure].pixel(wave_aa),
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
        spectra[ray.exposure] = spectra[ray.exposure].with_ray(ray.pixel, normalizer);
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
        let fresh = |m: &&Moved| m.is.flags != 0 && m.was.flags == 0;
        let n_flagged = all.iter().filter(fresh).count();
        let unflagged = all.iter().filter(|m| m.is.flags == 0);
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
    let has_moved = |m: &&Moved| m.is.flags == 0 && !(m.sigma.abs() <= MOST_SIGMA);
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
        let n = of.iter().filter(|m| m.is.flags != 0 && m.was.flags == 0);
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

/// Of two exposures neither can be told to be the wrong one; of two of one star none is, and one alone is as it ever was.
#[test]
fn two_that_disagree_are_both_flagged() {
    let stars = |seed, teff_k| {
        let plate = made_once(Config {
            out: format!("agreement-two-{seed}").into(),
            seed,
            stars: 4,
            nights: 1,
            exposures: 2,
            snr: (30.0, 60.0),
            kinds: CONSTANT,
            teff_k: Some(teff_k),
            coadds: false,
            ..Config::default()
        });
        read_stars(&plate)
    };
    let (cool, warm) = (stars(7321, (3900.0, 4600.0)), stars(7322, (6000.0, 7000.0)));
    let config = config();
    let measured = |arms: [Vec<Spectrum>; 2]| {
        let first = [0, 1].map(|a| first_pass(&arms[a], &config));
        (first.clone(), finish(first, &config))
    };
    for (number, (cool, warm)) in cool.iter().zip(&warm).enumerate() {
        for arm in [0, 1] {
            for order in [[0, 1], [1, 0]] {
                let pair = [cool[arm][0].clone(), warm[arm][1].clone()];
                let mut mixed = cool.clone();
                mixed[arm] = order.map(|i| pair[i].clone()).to_vec();
                let (_, found) = measured(mixed);
                let bits = found[arm].measurements.iter().map(|m| m.flags);
                let bits: Vec<u32> = bits.collect();
                println!("pair {number} {}: flags {bits:?}", Arm::ALL[arm]);
                assert!(bits.iter().all(|b| *b != 0), "{number} {arm} {order:?}");
            }
        }
        for star in [cool, warm] {
            let (_, found) = measured(star.clone());
            for arm in &found {
                let bits: Vec<u32> = arm.measurements.iter().map(|m| m.flags).collect();
                println!("two of star {number}: flags {bits:?}");
                let disagree = flags::NOT_AS_OTHERS | flags::CHI2_HIGH;
                assert_eq!(arm.n_reference, 2);
                assert!(bits.iter().all(|b| b & disagree == 0), "{number}");
            }
            let (first, alone) = measured([0, 1].map(|a| vec![star[a][0].clone()]));
            for (first, alone) in first.iter().zip(&alone) {
                assert_eq!(alone.measurements, first.measurements);
                assert_eq!((alone.n_reference, alone.best), (1, 0));
            }
        }
    }
}

/// A plate of one exposure a star is measured as it is without coadds.
#[test]
fn one_exposure_alone_has_no_others() {
    let plate = made_once(Config {
        out: "agreement-one".into(),
        seed: 7331,
        stars: 4,
        nights: 1,
        exposures: 1,
        kinds: CONSTANT,
        coadds: false,
        ..Config::default()
    });
    let of = |config: &MeasureConfig| measure(config, &[&plate], &Cpu, &()).unwrap().rows;
    let (with, without) = (of(&config()), of(&default_config()));
    assert_eq!(with.len(), 8);
    for (a, b) in with.iter().zip(&without) {
        assert_eq!(a.measurement, b.measurement);
        assert_ne!(a.measurement.flags & flags::SINGLE_EXPOSURE, 0);
        assert_eq!(a.measurement.flags & flags::NOT_AS_OTHERS, 0);
        assert_eq!((a.is_reference, a.n_reference), (true, 1));
    }
}
