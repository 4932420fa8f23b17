//! `--reference coadd` on simulated plates with cosmic rays: against `best`, and against the least that noise allows.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use relrv::Arm;
use relrv::lab::simulate::params::StellarParams;
use relrv::lab::simulate::spectrum::{Component, SpectrumOptions, spectrum_with_truth};
use relrv::lab::simulate::template::Template;
use relrv::lab::simulate::{Config, KindShares, TruthRow};
use relrv::lab::validate::statistics::{mean, rms};
use relrv::lamost::arm::KNOT_PIXELS;
use relrv::lamost::inflate::Inflater;
use relrv::lamost::mrs;
use relrv::lamost::raw::RawSpectrum;
use relrv::likelihood::{Batch, Cpu, Likelihood};
use relrv::measure::{MeasureConfig, ReferenceKind, RvRow, measure};
use relrv::reference::Reference;
use relrv::spectrum::{Normalized, Normalizer};

use crate::support::*;

/// How a velocity was measured.
const WAYS: [&str; 3] = ["best", "coadd", "a perfect reference"];

/// Exposures of which the continuum of a perfect reference is made.
const N_CONTINUUM: u64 = 16;

/// A pixel this many sigma off the noise-free spectrum at the true velocity is spoiled.
const SPOILED_SIGMA: f64 = 5.0;

/// One velocity that is not that of a reference, every way.
#[derive(Clone, Debug)]
struct Velocity {
    truth: TruthRow,
    /// About the mean of the star's.
    about_mean: [f64; WAYS.len()],
    /// Against the star's reference exposure.
    against_reference: [f64; WAYS.len()],
    /// Least error (Cramer and Rao) of the exposure's own photons, km/s.
    bound_km_s: f64,
}

/// What a reference without noise would give.
#[derive(Clone, Copy, Debug, Default)]
struct Perfect {
    rv_km_s: f64,
    bound_km_s: f64,
}

/// Which of its errors.
type Pick = fn(&Velocity) -> &[f64; WAYS.len()];

const PICKS: [(&str, Pick); 2] = [
    ("about the star's mean", |v| &v.about_mean),
    ("against the reference", |v| &v.against_reference),
];

fn is_star(a: &RvRow, b: &RvRow) -> bool {
    (a.star, a.arm) == (b.star, b.arm)
}

/// Simulates a plate with cosmic rays and measures it; double-lined stars, which have no one velocity, left out. With
/// `is_perfect` also against references without noise.
fn plate(config: Config, is_perfect: bool) -> Vec<Velocity> {
    let plate = made_once(Config {
        out: format!("coadd-plate-{}", config.seed).into(),
        coadds: false,
        kinds: KindShares {
            sb2: 0.0,
            ..KindShares::default()
        },
        ..config
    });
    let truth = truth(&plate);
    let of = |row: &RvRow| &truth[&(name_of(&row.path), row.arm.name().to_owned(), row.lmjm)];
    let measured = [ReferenceKind::Best, ReferenceKind::Coadd].map(|reference| {
        let config = MeasureConfig {
            reference,
            ..default_config()
        };
        measure(&config, &[&plate], &Cpu, &()).unwrap().rows
    });
    let [best, coadd] = &measured;
    let perfect: Vec<Perfect> = match is_perfect {
        false => vec![Perfect::default(); best.len()],
        true => {
            let stars: Vec<&[RvRow]> = best.chunk_by(is_star).collect();
            let of_star = |rows: &&[RvRow]| perfect(rows, &rows.iter().map(of).collect::<Vec<_>>());
            stars.par_iter().flat_map_iter(of_star).collect()
        }
    };
    let mut out = Vec::new();
    let mut start = 0;
    for star in best.chunk_by(is_star) {
        let range = start..start + star.len();
        start = range.end;
        let reference = range.clone().find(|i| best[*i].is_reference).unwrap();
        let expected = |i: usize| expected_rv_km_s(of(&best[i]), of(&best[reference]));
        let value = |i: usize| {
            [
                best[i].measurement.rv_km_s,
                coadd[i].measurement.rv_km_s,
                // The zero is where the reference exposure comes out.
                perfect[i].rv_km_s - perfect[reference].rv_km_s,
            ]
        };
        let mut of_star: Vec<Velocity> = range
            .filter(|i| *i != reference)
            .map(|i| Velocity {
                truth: of(&best[i]).clone(),
                about_mean: Default::default(),
                against_reference: value(i).map(|v| v - expected(i)),
                bound_km_s: perfect[i].bound_km_s,
            })
            .collect();
        for way in 0..WAYS.len() {
            let errors = of_star.iter().map(|v| v.against_reference[way]);
            let finite: Vec<f64> = errors.filter(|e| e.is_finite()).collect();
            for v in &mut of_star {
                v.about_mean[way] = v.against_reference[way] - mean(&finite);
            }
        }
        out.extend(of_star);
    }
    std::fs::remove_dir_all(plate).unwrap();
    out
}

/// A star's exposures in one arm against its noise-free spectrum.
fn perfect(rows: &[RvRow], truth: &[&TruthRow]) -> Vec<Perfect> {
    let config = default_config();
    let best = truth[rows.iter().position(|r| r.is_reference).unwrap()];
    let mut normalizer = Normalizer::default();
    let mut inflater = Inflater::default();
    let mut noise_free = NoiseFree::new(best, best, &mut normalizer);
    let one = |(row, of): (&RvRow, &&TruthRow)| {
        if of.teff != noise_free.template.params().teff_k {
            // A pulsating star.
            noise_free = NoiseFree::new(of, best, &mut normalizer);
        }
        let file = mrs::read_file(&row.path, &mut inflater).unwrap();
        let is_it = |raw: &RawSpectrum| (raw.arm, raw.lmjm) == (row.arm, row.lmjm);
        let raw = file.spectra.into_iter().find(is_it).unwrap();
        let vmax = config.grid.max_shift_km_s();
        let mut exposure = normalizer.normalize(&config.spectrum, &raw, vmax).unwrap();
        let v = velocity(of);
        let (low, high) = row.arm.window_aa();
        let mut information = 0.0;
        let mut spoiled = Vec::new();
        for (i, l) in exposure.ln_wave.iter().enumerate() {
            let (wave_aa, ivar) = (l.exp(), exposure.ivar[i]);
            if (low..=high).contains(&wave_aa) {
                information += ivar * noise_free.template.slope_per_km_s(wave_aa, v).powi(2);
            }
            let off = exposure.flux[i] - noise_free.flux(*l, v);
            if off.abs() * ivar.sqrt() > SPOILED_SIGMA {
                spoiled.push(i);
            }
        }
        for i in spoiled {
            let end = (i + 3).min(exposure.ivar.len());
            exposure.ivar[i.saturating_sub(2)..end].fill(0.0);
        }
        let batch = Batch::of_one(noise_free.reference.clone(), [&exposure], &config.grid);
        Perfect {
            rv_km_s: Cpu.measure(&batch).unwrap()[0].rv_km_s,
            bound_km_s: information.powf(-0.5),
        }
    };
    rows.iter().zip(truth).map(one).collect()
}

fn velocity(of: &TruthRow) -> f64 {
    of.rv_true + of.zp_true
}

/// A star's spectrum before any noise, as a reference.
///
/// It is over the continuum that the normaliser finds in exposures with noise: that one's bias belongs to the method, not to
/// the noise of a reference.
struct NoiseFree {
    template: Template,
    reference: Reference,
    ln_wave: Vec<f64>,
    /// The continuum that is found over the true one, at `ln_wave`.
    continuum_bias: Vec<f64>,
}

impl NoiseFree {
    /// The star of `of`, at the velocity and with the signal-to-noise ratio of `best`.
    fn new(of: &TruthRow, best: &TruthRow, normalizer: &mut Normalizer) -> Self {
        let config = default_config();
        let arm = Arm::ALL.into_iter().find(|a| a.name() == of.arm).unwrap();
        let params = StellarParams {
            teff_k: of.teff,
            logg: of.logg,
            feh: of.feh,
            vsini_km_s: of.vsini,
        };
        let template = Template::new(&params, arm);
        let component = Component {
            template: &template,
            rv_km_s: velocity(best),
            light: 1.0,
        };
        let (mut sums, mut ln_wave) = (Vec::new(), Vec::new());
        for number in 0..N_CONTINUUM {
            let mut rng = ChaCha8Rng::seed_from_u64(number);
            let options = SpectrumOptions::clean();
            let made = spectrum_with_truth(&mut rng, arm, &[component], 0.0, best.snr, &options);
            let vmax = config.grid.max_shift_km_s();
            let found = normalizer
                .normalize(&config.spectrum, &made.raw, vmax)
                .unwrap();
            let is_before = |l: &f64| l * std::f64::consts::LN_10 < found.ln_wave[0] - 1e-5;
            let first = made.log10_wave.partition_point(is_before);
            sums.resize(found.flux.len(), (0.0, 0.0));
            for (k, (sum, n)) in sums.iter_mut().enumerate() {
                if found.ivar[k] > 0.0 {
                    let level = f64::from(made.raw.pixels.flux[first + k]) / found.flux[k];
                    *sum += level / made.continuum[first + k];
                    *n += 1.0;
                }
            }
            ln_wave = found.ln_wave;
        }
        let continuum_bias: Vec<f64> = sums.iter().map(|(sum, n)| sum / n).collect();
        assert!(continuum_bias.iter().all(|b| (0.5..1.5).contains(b)));
        let at_best = |(l, bias): (&f64, &f64)| template.flux(l.exp(), velocity(best)) / bias;
        let flux: Vec<f64> = ln_wave.iter().zip(&continuum_bias).map(at_best).collect();
        let n = flux.len();
        let exposure = Normalized {
            band: arm.band(),
            ln_wave: ln_wave.clone(),
            flux,
            ivar: vec![1e8; n],
            snr: 1e4,
            wave_as_stored: false,
            helio_rv_km_s: None,
        };
        let reference = Reference::new(&exposure, KNOT_PIXELS).unwrap();
        NoiseFree {
            reference,
            template,
            ln_wave,
            continuum_bias,
        }
    }

    /// What an exposure at this velocity shows.
    fn flux(&self, ln_wave: f64, rv_km_s: f64) -> f64 {
        let i = self.ln_wave.partition_point(|l| *l < ln_wave);
        let bias = self.continuum_bias[i.min(self.continuum_bias.len() - 1)];
        self.template.flux(ln_wave.exp(), rv_km_s) / bias
    }
}

/// Rms every way of the errors that `pick` takes.
fn rms_of(all: &[Velocity], pick: Pick) -> [f64; WAYS.len()] {
    std::array::from_fn(|way| {
        let errors = all.iter().map(|v| pick(v)[way]);
        rms(&errors.filter(|e| e.is_finite()).collect::<Vec<f64>>())
    })
}

/// What is demanded of `coadd` against `best`: the rms over all spectra is at least 30 % lower, no percentile more than 5 % higher.
#[test]
fn plates_with_cosmic_rays_are_measured_better() {
    let plates = [111, 112].map(|seed| {
        let config = Config {
            seed,
            stars: 60,
            nights: 4,
            exposures: 3,
            snr: (10.0, 60.0),
            ..Config::default()
        };
        plate(config, false)
    });
    let mut rms_ratios = Vec::new();
    for (name, pick) in PICKS {
        for plate in &plates {
            let [best, coadd, _] = rms_of(plate, pick);
            println!("rms {name}, one plate: {best:.3} with best, {coadd:.3} with coadd");
        }
        let all = plates.concat();
        let [best, coadd, _] = rms_of(&all, pick);
        println!(
            "rms {name}: {best:.3} km/s with best, {coadd:.3} with coadd, ratio {:.3}, {} velocities",
            coadd / best,
            all.len()
        );
        rms_ratios.push(coadd / best);
        for (percent, [best, coadd, _]) in percentiles(&all, pick) {
            println!(
                "  {percent} %: {best:.3} {coadd:.3} ratio {:.3}",
                coadd / best
            );
            assert!(coadd <= 1.05 * best, "{name}, {percent} %");
        }
    }
    assert!(rms_ratios[0] < 0.7, "{rms_ratios:?}");
}

/// Percentiles every way of the size of the errors that `pick` takes.
fn percentiles(all: &[Velocity], pick: Pick) -> [(usize, [f64; WAYS.len()]); 5] {
    let sorted: [Vec<f64>; WAYS.len()] = std::array::from_fn(|way| {
        let errors = all.iter().map(|v| pick(v)[way].abs());
        let mut errors: Vec<f64> = errors.filter(|e| e.is_finite()).collect();
        errors.sort_by(f64::total_cmp);
        errors
    });
    [50, 68, 90, 95, 99].map(|percent| {
        let at = |v: &Vec<f64>| v[(v.len() - 1) * percent / 100];
        (percent, sorted.each_ref().map(at))
    })
}

/// Another plate beside what a reference without noise would give: `RELRV_COADD` holds seed, stars, nights, exposures and the
/// range of SNR, as `7401,100,3,3,20,200`.
#[test]
fn other_plates_beside_the_floor() {
    let Ok(text) = std::env::var("RELRV_COADD") else {
        eprintln!("skipped: RELRV_COADD asks for no other plate");
        return;
    };
    let numbers: Vec<usize> = text.split(',').map(|n| n.parse().unwrap()).collect();
    let [seed, stars, nights, exposures, low, high] = numbers[..] else {
        panic!("expected seed,stars,nights,exposures,low,high, found {text}")
    };
    let config = Config {
        seed: seed as u64,
        stars,
        nights,
        exposures,
        snr: (low as f64, high as f64),
        ..Config::default()
    };
    let all = plate(config, true);
    for (name, pick) in PICKS {
        print(name, &all, pick);
    }
}

fn print(name: &str, all: &[Velocity], pick: Pick) {
    println!("{name}: {} velocities; {WAYS:?}, km/s", all.len());
    let tell = |what: String, of: [f64; WAYS.len()]| {
        let [best, coadd, perfect] = of;
        println!(
            "  {what:<28} {best:>9.3} {coadd:>9.3} {perfect:>9.3}   over best {:.3} {:.3}",
            coadd / best,
            perfect / best
        );
    };
    tell("rms".into(), rms_of(all, pick));
    let bounds: Vec<f64> = all.iter().map(|v| v.bound_km_s).collect();
    println!(
        "  Cramer and Rao's bound of the exposures' own photons {:.3}",
        rms(&bounds)
    );
    for (percent, of) in percentiles(all, pick) {
        tell(format!("{percent} %"), of);
    }
    for (low, high) in [
        (3000.0, 6500.0),
        (6500.0, 8000.0),
        (8000.0, 12_000.0),
        (12_000.0, 50_000.0),
    ] {
        let of: Vec<Velocity> = all
            .iter()
            .filter(|v| (low..high).contains(&v.truth.teff))
            .cloned()
            .collect();
        tell(
            format!("{low}-{high} K, {} velocities", of.len()),
            rms_of(&of, pick),
        );
    }
    // Which stars the rms is that of.
    let mut squares: BTreeMap<(&str, &str), [f64; WAYS.len()]> = BTreeMap::new();
    for v in all {
        let of_star = squares.entry((&v.truth.star, &v.truth.arm)).or_default();
        for (sum, e) in of_star.iter_mut().zip(pick(v)) {
            *sum += if e.is_finite() { e * e } else { 0.0 };
        }
    }
    for (way, name) in WAYS.iter().enumerate() {
        let mut of_stars: Vec<f64> = squares.values().map(|s| s[way]).collect();
        of_stars.sort_by(|a, b| b.total_cmp(a));
        let total: f64 = of_stars.iter().sum();
        let mut sum = 0.0;
        let is_below = |s: &&f64| {
            sum += **s;
            sum < 0.9 * total
        };
        let n = of_stars.iter().take_while(is_below).count() + 1;
        println!(
            "  90 % of the squares with {name}: {n} of {} stars and arms; the first one {:.0} %",
            of_stars.len(),
            100.0 * of_stars[0] / total
        );
    }
}
