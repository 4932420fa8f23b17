use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::Arm;
use crate::likelihood::{Cpu, VelocityGrid};
use crate::simulate::spectrum::{Component, SpectrumOptions, spectrum_with_truth};
use crate::simulate::template::{StellarParams, Template};
use crate::spectrum::{Normalizer, SpectrumConfig};

const RV_KM_S: [f64; 4] = [0.0, 7.0, -12.0, 20.0];

fn config() -> MeasureConfig {
    MeasureConfig {
        grid: VelocityGrid::new(100.0, 1.0).unwrap(),
        ..MeasureConfig::usual().unwrap()
    }
}

/// Four exposures of a star like the Sun against the first of them.
fn first_pass(config: &MeasureConfig) -> FirstPass {
    let template = Template::new(&StellarParams::dwarf(5800.0), Arm::Blue);
    let mut rng = ChaCha8Rng::seed_from_u64(81);
    let mut normalizer = Normalizer::default();
    let exposures: Vec<Normalized> = RV_KM_S
        .iter()
        .map(|rv_km_s| {
            let star = Component {
                template: &template,
                rv_km_s: *rv_km_s,
                light: 1.0,
            };
            let options = SpectrumOptions::clean();
            let made = spectrum_with_truth(&mut rng, Arm::Blue, &[star], 0.0, 40.0, &options);
            let done = normalizer.normalize(&SpectrumConfig::default(), &made.raw, 100.0);
            done.unwrap()
        })
        .collect();
    let reference = Reference::new(&exposures[0], config.knot_pixels).unwrap();
    let table = ReferenceTable::new(&reference, &config.grid);
    let pixels = |n: &Normalized| SpectrumPixels::new(n, &reference, &table, &config.grid);
    let spectra = exposures.iter().map(pixels).collect();
    let batch = Batch {
        grid: config.grid,
        tables: vec![table],
        spectra,
    };
    FirstPass {
        normalized: exposures,
        best: 0,
        measurements: Cpu.measure(&batch).unwrap(),
        n_reference: 1,
    }
}

/// What becomes of the star if its third exposure is found `sigma` of its errors from where it lies, with these flags: exposures
/// of its reference, whether its velocities are those of the first pass, and whether it is to be measured again.
fn judged(sigma: f64, flags: u32, is_last: bool) -> (i32, bool, bool) {
    let config = config();
    let mut star = first_pass(&config);
    let before = star.measurements.clone();
    let exposures = std::mem::take(&mut star.normalized);
    let rv_km_s = places(&star.measurements);
    let mut coadd = Coadd::new(exposures, 0, config.knot_pixels, &rv_km_s).unwrap();
    assert!(settle(&mut coadd));
    let laid = Laid {
        star: &mut star,
        coadd,
    };
    let stars = [laid];
    let clocks = StageClocks::default();
    let mut measured = measure(&config, &stars, &Cpu, &clocks).unwrap().remove(0);
    let [laid] = stars;
    measured[2].rv_km_s = laid.coadd.rv_km_s()[2] + sigma * measured[2].rv_err_own_km_s;
    measured[2].flags |= flags;
    let again = judge(laid, measured, is_last).is_some();
    (star.n_reference, star.measurements == before, again)
}

#[test]
fn a_star_that_does_not_settle_keeps_its_best_exposure() {
    for is_last in [false, true] {
        assert_eq!(judged(0.5, 0, is_last), (4, false, false));
    }
    // Found elsewhere: laid and measured again, but not for ever.
    assert_eq!(judged(3.0, 0, false), (1, true, true));
    assert_eq!(judged(3.0, 0, true), (1, true, false));
}

#[test]
fn what_moves_and_says_so_takes_no_coadd_from_the_others() {
    for flags in [flags::LOW_INFORMATION, flags::MULTIPLE_PEAKS] {
        assert_eq!(judged(3.0, flags, true), (4, false, false));
    }
    // Another pass may still settle it.
    assert_eq!(judged(3.0, flags::LOW_INFORMATION, false), (1, true, true));
}
