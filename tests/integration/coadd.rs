//! `--reference coadd`: against the best exposure as reference, against the bound, and against the truth.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use relrv::Arm;
use relrv::likelihood::{Batch, Cpu, Likelihood, Measurement, ReferenceTable, SpectrumPixels};
use relrv::pipeline::coadd::{FirstPass, against_coadds};
use relrv::pipeline::stages::StageClocks;
use relrv::pipeline::{MeasureConfig, ReferenceKind};
use relrv::simulate::spectrum::{Component, SpectrumOptions, spectrum_with_truth};
use relrv::simulate::template::{StellarParams, Template};
use relrv::spectrum::reference::KNOT_PIXELS;
use relrv::spectrum::{Normalized, Normalizer, Reference, SpectrumConfig};

use crate::monte_carlo::{grid, rms};
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
            let made = spectrum_with_truth(&mut rng, case.arm, &[component], 0.0, of, &case.options);
            let (low, high) = case.arm.window_aa();
            let sigma = made.norm_sigma();
            let window: Vec<usize> = (0..sigma.len())
                .filter(|i| (low..=high).contains(&10f64.powf(made.log10_wave[*i])))
                .collect();
            variances.push(window.iter().map(|i| sigma[*i].powi(2)).collect());
            if slope2.is_empty() {
                let slope = |i: &usize| template.slope_per_km_s(10f64.powf(made.log10_wave[*i]), 0.0);
                slope2 = window.iter().map(|i| slope(i).powi(2)).collect();
            }
            rv_true.push(rv_km_s);
            snr.push(of);
            let vmax = grid().max_shift_km_s();
            let done = normalizer.normalize(&SpectrumConfig::default(), &made.raw, vmax);
            exposures.push(done.unwrap());
        }
        let best = (0..snr.len()).max_by(|a, b| snr[*a].total_cmp(&snr[*b])).unwrap();
        let reference = Reference::new(&exposures[best], KNOT_PIXELS).unwrap();
        let table = ReferenceTable::new(&reference, &grid());
        let spectra = exposures
            .iter()
            .map(|n| SpectrumPixels::new(n, &reference, &table, &grid()))
            .collect();
        let batch = Batch {
            grid: grid(),
            tables: vec![table],
            spectra,
        };
        let first = Cpu.measure(&batch).unwrap();
        let mut star = [FirstPass {
            normalized: exposures,
            best,
            measurements: first.clone(),
            n_reference: 1,
        }];
        against_coadds(&config(), &mut star, &Cpu, &StageClocks::default()).unwrap();
        let [star] = star;
        assert_eq!(star.n_reference as usize, case.n_exposures);
        (0..case.n_exposures)
            .map(|i| {
                let (mut both, mut own) = (0.0, 0.0);
                for (k, slope2) in slope2.iter().enumerate() {
                    let of = |j: usize| variances[j][k.min(variances[j].len() - 1)];
                    let others: f64 = (0..case.n_exposures).filter(|j| *j != i).map(|j| 1.0 / of(j)).sum();
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
fn about_the_mean(star: &[Exposure], skip_best: bool, value: impl Fn(&Exposure) -> f64) -> Vec<(f64, Exposure)> {
    let used: Vec<Exposure> = star.iter().filter(|e| !(skip_best && e.is_best)).copied().collect();
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

#[test]
fn scatter_reaches_the_bound_and_errors_are_honest() {
    println!("teff_k arm   n  snr    own/bound  (best)  coadd/bound own quoted/scatter (best)  quoted/scatter (best)");
    let n_stars: usize = std::env::var("NS").map_or(100, |v| v.parse().unwrap());
    for teff_k in [6500.0, 5800.0, 4500.0] {
        for arm in Arm::ALL {
            for (n_exposures, snr) in [(10, (10.0, 10.0)), (10, (10.0, 20.0)), (3, (10.0, 20.0)), (2,(10.0,20.0))] {
                let stars = simulate(&Stars {
                    arm,
                    star: StellarParams::dwarf(teff_k),
                    snr,
                    n_stars: n_stars * 10 / n_exposures,
                    n_exposures,
                    options: SpectrumOptions::clean(),
                    seed: 1,
                });
                let gather = |value: fn(&Exposure) -> f64, skip: bool| -> Vec<(f64, Exposure)> {
                    stars.iter().flat_map(|s| about_the_mean(s, skip, value)).collect()
                };
                let coadd = gather(|e| e.coadd.rv_km_s - e.rv_true_km_s, false);
                let best = gather(|e| e.best.rv_km_s - e.rv_true_km_s, true);
                let ratio = |v: &[(f64, Exposure)], of: fn(&Exposure) -> f64| {
                    rms(&v.iter().map(|(d, e)| d / of(e)).collect::<Vec<_>>())
                };
                let others: Vec<Exposure> = stars.iter().flatten().filter(|e| !e.is_best).copied().collect();
                let pull = |of: fn(&Exposure) -> f64| rms(&others.iter().map(of).collect::<Vec<_>>());
                println!(
                    "{teff_k:>6} {:<5} {n_exposures:>2} {:>3}-{:<3} {:>8.3} {:>8.3} {:>10.3} {:>12.3} {:>10.3} {:>12.3} {:>10.3}   ref rv {:.3}",
                    arm.name(), snr.0, snr.1,
                    ratio(&coadd, |e| e.bound_own_km_s),
                    ratio(&best, |e| e.bound_own_km_s),
                    ratio(&coadd, |e| e.bound_km_s),
                    1.0 / ratio(&coadd, |e| e.coadd.rv_err_own_km_s),
                    1.0 / ratio(&best, |e| e.best.rv_err_own_km_s),
                    1.0 / pull(|e| (e.coadd.rv_km_s - e.rv_true_km_s) / e.coadd.rv_err_km_s),
                    1.0 / pull(|e| (e.best.rv_km_s - e.rv_true_km_s) / e.best.rv_err_km_s),
                    rms(&stars.iter().flatten().filter(|e| e.is_best).map(|e| e.coadd.rv_km_s / e.coadd.rv_err_own_km_s).collect::<Vec<_>>()),
                );
            }
        }
    }
}
