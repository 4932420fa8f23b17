//! `--reference coadd`: against the best exposure as reference, against the bound, and against the truth.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::path::Path;

use relrv::Arm;
use relrv::lab::simulate::params::StellarParams;
use relrv::lab::simulate::spectrum::{Component, SpectrumOptions, spectrum_with_truth};
use relrv::lab::simulate::template::Template;
use relrv::lab::validate::statistics::rms;
use relrv::lamost::arm::KNOT_PIXELS;
use relrv::likelihood::{Batch, Cpu, Likelihood, Measurement};
use relrv::measure::FirstPass;
use relrv::measure::coadd::against_coadds;
use relrv::measure::stages::StageClocks;
use relrv::measure::{MeasureConfig, ReferenceKind, RvRow, measure};
use relrv::reference::Reference;
use relrv::spectrum::{Normalized, Normalizer, SpectrumConfig};
use relrv::table::Table;

use crate::monte_carlo::grid;
use crate::run_support::*;
use crate::support::*;

/// Stars that are alike, each with exposures of its own noise.
#[derive(Clone, Debug)]
struct Stars {
    arm: Arm,
    star: StellarParams,
    /// Signal-to-noise ratios are uniform within these.
    snr: (f64, f64),
    n_stars: usize,
    n_exposures: usize,
    options: SpectrumOptions,
    seed: u64,
}

/// One exposure of a star: truth, bound, and what each reference gives.
#[derive(Clone, Copy, Debug)]
struct Exposure {
    /// Against the best exposure.
    rv_true_km_s: f64,
    /// Noise-free: error once the star's offset is known, with the coadd's own variance in S.
    bound_own_km_s: f64,
    bound_km_s: f64,
    is_best: bool,
    best: Measurement,
    coadd: Measurement,
}

fn config() -> MeasureConfig {
    MeasureConfig {
        grid: grid(),
        reference: ReferenceKind::Coadd,
        ..default_config()
    }
}

/// A star against its best exposure, and then as `config` says.
fn both_ways(
    exposures: Vec<Normalized>,
    best: usize,
    config: &MeasureConfig,
) -> (Vec<Measurement>, FirstPass) {
    let band = usize::from(exposures[best].band == Arm::Red.band());
    let reference = Reference::new(&exposures[best], KNOT_PIXELS).unwrap();
    let batch = Batch::of_one(reference, &exposures, &config.grid);
    let first = Cpu.measure(&batch).unwrap();
    let mut star = [FirstPass::new(1, band, exposures, best, first.clone())];
    against_coadds(
        &config.comparison(),
        &mut star,
        &StageClocks::default(),
        &|| false,
    );
    let [star] = star;
    (first, star)
}

/// Simulates the stars and measures them both ways.
fn simulate(case: &Stars) -> Vec<Vec<Exposure>> {
    let template = Template::new(&case.star, case.arm);
    let one = |normalizer: &mut Normalizer, number: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(case.seed);
        rng.set_stream(number as u64);
        let mut rv_true: Vec<f64> = Vec::new();
        let mut snr: Vec<f64> = Vec::new();
        let mut exposures: Vec<Normalized> = Vec::new();
        let mut variances: Vec<Vec<f64>> = Vec::new();
        let mut slope2: Vec<f64> = Vec::new();
        for _ in 0..case.n_exposures {
            let rv_km_s = 6.0 * (2.0 * rng.random::<f64>() - 1.0);
            let of = case.snr.0 + (case.snr.1 - case.snr.0) * rng.random::<f64>();
            let component = Component {
                template: &template,
                rv_km_s,
                light: 1.0,
            };
            let made =
                spectrum_with_truth(&mut rng, case.arm, &[component], 0.0, of, &case.options);
            let (low, high) = case.arm.window_aa();
            let sigma = made.norm_sigma();
            let window: Vec<usize> = (0..sigma.len())
                .filter(|i| (low..=high).contains(&10f64.powf(made.log10_wave[*i])))
                .collect();
            variances.push(window.iter().map(|i| sigma[*i].powi(2)).collect());
            if slope2.is_empty() {
                let slope =
                    |i: &usize| template.slope_per_km_s(10f64.powf(made.log10_wave[*i]), 0.0);
                slope2 = window.iter().map(|i| slope(i).powi(2)).collect();
            }
            rv_true.push(rv_km_s);
            snr.push(of);
            let vmax = grid().max_shift_km_s();
            let done = normalizer.normalize(&SpectrumConfig::default(), &made.raw, vmax);
            exposures.push(done.unwrap());
        }
        let best = (0..snr.len())
            .max_by(|a, b| snr[*a].total_cmp(&snr[*b]))
            .unwrap();
        let (first, star) = both_ways(exposures, best, &config());
        assert_eq!(star.n_reference as usize, case.n_exposures);
        (0..case.n_exposures)
            .map(|i| {
                let (mut both, mut own) = (0.0, 0.0);
                for (k, slope2) in slope2.iter().enumerate() {
                    let of = |j: usize| variances[j][k.min(variances[j].len() - 1)];
                    let others: f64 = (0..case.n_exposures)
                        .filter(|j| *j != i)
                        .map(|j| 1.0 / of(j))
                        .sum();
                    let s = of(i) + 1.0 / others;
                    both += slope2 / s;
                    own += slope2 * of(i) / (s * s);
                }
                Exposure {
                    rv_true_km_s: rv_true[i] - rv_true[best],
                    bound_own_km_s: own.sqrt() / both,
                    bound_km_s: both.powf(-0.5),
                    is_best: i == best,
                    best: first[i],
                    coadd: star.measurements[i],
                }
            })
            .collect::<Vec<_>>()
    };
    (0..case.n_stars)
        .into_par_iter()
        .map_init(Normalizer::default, one)
        .collect()
}

/// Errors about the mean of the star (leaving out exposures that `skip`), each with what the mean takes off given back.
fn about_the_mean(
    star: &[Exposure],
    skip_best: bool,
    value: impl Fn(&Exposure) -> f64,
) -> Vec<(f64, Exposure)> {
    let used: Vec<Exposure> = star
        .iter()
        .filter(|e| !(skip_best && e.is_best))
        .copied()
        .collect();
    let weight = |e: &Exposure| e.bound_own_km_s.powi(-2);
    let total: f64 = used.iter().map(weight).sum();
    let mean = used.iter().map(|e| weight(e) * value(e)).sum::<f64>() / total;
    used.iter()
        .map(|e| {
            // Variance of a residual about the weighted mean is that of the value less that of the mean.
            let correction = (1.0 - weight(e) / total).sqrt();
            ((value(e) - mean) / correction, *e)
        })
        .collect()
}

/// Scatter / bound <= 1.15 at SNR 10, the bound with the coadd's own variance; quoted errors within 8 % of the scatter.
#[test]
fn scatter_reaches_the_bound_and_errors_are_honest() {
    println!(
        "teff_k arm     snr  scatter/bound  own scatter/own bound (best)  own quoted/scatter  quoted/scatter  zero/own error"
    );
    let mut failures = Vec::new();
    for teff_k in [6500.0, 5800.0, 4500.0] {
        for arm in Arm::ALL {
            for snr in [(10.0, 10.0), (10.0, 20.0)] {
                let stars = simulate(&Stars {
                    arm,
                    star: StellarParams::dwarf(teff_k),
                    snr,
                    n_stars: 60,
                    n_exposures: 10,
                    options: SpectrumOptions::clean(),
                    seed: 20_261_122,
                });
                // About the mean of the star's others: the best exposure's row against itself is no measurement.
                let pulls = |skip, value: fn(&Exposure) -> f64, of: fn(&Exposure) -> f64| -> f64 {
                    let each = stars
                        .iter()
                        .flat_map(|star| about_the_mean(star, skip, value))
                        .map(|(d, e)| d / of(&e));
                    rms(&each.collect::<Vec<f64>>())
                };
                let by_coadd: fn(&Exposure) -> f64 = |e| e.coadd.rv_km_s - e.rv_true_km_s;
                let by_best: fn(&Exposure) -> f64 = |e| e.best.rv_km_s - e.rv_true_km_s;
                let to_bound = pulls(false, by_coadd, |e| e.bound_km_s);
                let own_to_bound = pulls(false, by_coadd, |e| e.bound_own_km_s);
                let best_to_bound = pulls(true, by_best, |e| e.bound_own_km_s);
                let own_honesty = 1.0 / pulls(false, by_coadd, |e| e.coadd.rv_err_own_km_s);
                let (of_best, others): (Vec<&Exposure>, Vec<&Exposure>) =
                    stars.iter().flatten().partition(|e| e.is_best);
                let ratios = |of: Vec<&Exposure>, ratio: fn(&Exposure) -> f64| {
                    rms(&of.into_iter().map(ratio).collect::<Vec<f64>>())
                };
                let honesty = 1.0
                    / ratios(others, |e| {
                        (e.coadd.rv_km_s - e.rv_true_km_s) / e.coadd.rv_err_km_s
                    });
                let zero = ratios(of_best, |e| e.coadd.rv_km_s / e.coadd.rv_err_own_km_s);
                println!(
                    "{teff_k:>6} {:<5} {:>2}-{:<2} {to_bound:>12.3} {own_to_bound:>20.3} ({best_to_bound:.3}) {own_honesty:>18.3} {honesty:>15.3} {zero:>15.3}",
                    arm.name(),
                    snr.0,
                    snr.1
                );
                // The scatter of the window's pieces adds one or two per cent where there is nothing but noise.
                let honest = 0.92..=1.10;
                // Half of the variance is the noise of the best exposure, of which there is one value for each star, so the scatter
                // is known to 4.5 %; three times that is allowed.
                let about_honest = 0.86..=1.14;
                if to_bound > 1.15
                    || own_to_bound > best_to_bound
                    || !honest.contains(&own_honesty)
                    || !about_honest.contains(&honesty)
                    || zero > 0.2
                {
                    failures.push(format!("{teff_k} K {arm} SNR {snr:?}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

/// Two stars of equal light 120 km/s apart at most, seen in one arm alone, have no coadd, or flags that tell; one star has a coadd.
#[test]
fn double_lined_stars_fall_back_to_their_best_exposure() {
    let star = StellarParams::dwarf(5800.0);
    let mut fallen = [0, 0];
    for arm in Arm::ALL {
        let template = Template::new(&star, arm);
        for number in 0..6u64 {
            let mut rng = ChaCha8Rng::seed_from_u64(60 + number);
            for (is_double, fallen) in [false, true].into_iter().zip(&mut fallen) {
                let mut normalizer = Normalizer::default();
                let exposures: Vec<Normalized> = (0..8)
                    .map(|e| {
                        let half_km_s = 60.0 * (1.0 + 1.3 * f64::from(e)).sin();
                        let of = |rv_km_s, light| Component {
                            template: &template,
                            rv_km_s,
                            light,
                        };
                        let both = [of(half_km_s, 0.55), of(-half_km_s, 0.45)];
                        let one = [of(half_km_s, 1.0)];
                        let components = if is_double { &both[..] } else { &one[..] };
                        let made = spectrum_with_truth(
                            &mut rng,
                            arm,
                            components,
                            0.0,
                            30.0,
                            &SpectrumOptions::default(),
                        );
                        normalizer
                            .normalize(&SpectrumConfig::default(), &made.raw, 500.0)
                            .unwrap()
                    })
                    .collect();
                let star = both_ways(
                    exposures,
                    0,
                    &MeasureConfig {
                        reference: ReferenceKind::Coadd,
                        ..default_config()
                    },
                )
                .1;
                *fallen += usize::from(star.n_reference == 1);
                let n_flagged = star
                    .measurements
                    .iter()
                    .filter(|m| !m.flags.is_empty())
                    .count();
                let is_told = star.n_reference == 1 || 2 * n_flagged >= star.measurements.len();
                assert_eq!(
                    is_told, is_double,
                    "{arm} {number}: {:?}",
                    star.measurements
                );
            }
        }
    }
    println!("of 12 single and 12 double-lined stars {fallen:?} fell back");
    assert!(fallen[0] == 0 && fallen[1] >= 10, "{fallen:?}");
}

/// One exposure has no coadd; two have each other.
#[test]
fn one_exposure_stays_as_it_is_and_two_serve_each_other() {
    let arm = Arm::Blue;
    let template = Template::new(&StellarParams::dwarf(5500.0), arm);
    let mut rng = ChaCha8Rng::seed_from_u64(70);
    let mut normalizer = Normalizer::default();
    let mut exposure = |rv_km_s| {
        let component = [Component {
            template: &template,
            rv_km_s,
            light: 1.0,
        }];
        let made = spectrum_with_truth(
            &mut rng,
            arm,
            &component,
            0.0,
            40.0,
            &SpectrumOptions::default(),
        );
        normalizer
            .normalize(&SpectrumConfig::default(), &made.raw, 100.0)
            .unwrap()
    };
    let (first, second) = (exposure(0.0), exposure(25.0));
    let (alone, star) = both_ways(vec![first.clone()], 0, &config());
    assert_eq!((&alone, star.n_reference), (&star.measurements, 1));
    let (_, star) = both_ways(vec![first, second], 0, &config());
    assert_eq!(star.n_reference, 2);
    let [best, other] = &star.measurements[..] else {
        panic!()
    };
    assert!(
        (other.rv_km_s - 25.0).abs() < 4.0 * other.rv_err_km_s,
        "{other:?}"
    );
    // It is measured against the other one, and is the zero: its chi^2 is not that of an exposure against itself.
    assert_eq!(best.rv_km_s, 0.0, "{best:?}");
    assert!((0.85..1.2).contains(&best.chi2_red), "{best:?}");
    let both = best.rv_err_own_km_s.hypot(other.rv_err_own_km_s);
    assert_eq!(other.rv_err_km_s, both);
}

#[test]
fn the_option_is_taken_from_a_file_and_is_part_of_a_run() {
    let dir = folder();
    let (out, file) = (dir.path().join("out"), dir.path().join("options.toml"));
    std::fs::write(&file, "reference = \"best\"\n").unwrap();
    let options = ["--config", file.to_str().unwrap(), "--backend", "cpu"];
    let (status, _, errors) = run(&[small_plate()], &out, &options);
    assert_eq!(status, 0, "{errors}");
    assert_eq!(record(&out)["config"]["reference"], "best");
    let (status, _, errors) = run(&[small_plate()], &out, &["--backend", "cpu"]);
    assert_eq!(status, 1);
    assert!(
        errors.contains("reference was best and is coadd"),
        "{errors}"
    );
    let table = dir.path().join("rv.csv");
    let (status, _, errors) = run_measure(&[small_plate()], &table, &["--backend", "cpu"]);
    assert_eq!(status, 0, "{errors}");
    let n_reference = floats(&Table::read(&table).unwrap(), "n_reference");
    assert!(n_reference.iter().all(|n| *n == 4.0), "{n_reference:?}");
    let (status, _, errors) = run_measure(&[small_plate()], &table, &["--reference", "none"]);
    assert_eq!(status, 64, "{errors}");
}

/// Public LAMOST files, where `RELRV_REAL_DATA` names a folder of them: the star is a double one.
#[test]
fn the_double_star_of_the_public_files_falls_back() {
    let Some(real) = std::env::var_os("RELRV_REAL_DATA") else {
        eprintln!("skipped: RELRV_REAL_DATA names no folder of LAMOST files");
        return;
    };
    let config = MeasureConfig {
        reference: ReferenceKind::Coadd,
        ..default_config()
    };
    let rows = measure(&config, &double_star(Path::new(&real)), &Cpu, &())
        .unwrap()
        .rows;
    assert!(rows.len() > 20 && rows.iter().all(|r| r.n_reference == 1));
    // A single night of it, in which the stars hardly move, is smooth whichever way it is measured.
    let night = files(Path::new(&real))
        .into_iter()
        .find(|p| name_of(p).starts_with("med-58649-"))
        .unwrap();
    let rows = measure(&config, &[night], &Cpu, &()).unwrap().rows;
    let blue: Vec<&RvRow> = rows.iter().filter(|r| r.arm == Arm::Blue).collect();
    let (n, rv): (Vec<i32>, Vec<f64>) = blue
        .iter()
        .map(|r| (r.n_reference, r.measurement.rv_km_s))
        .unzip();
    println!("night 58649 blue alone: references of {n:?} exposures, {rv:?} km/s");
    assert!(
        rv.len() == 4 && rv.is_sorted() && rv[3] - rv[0] < 12.0,
        "{rv:?}"
    );
}
