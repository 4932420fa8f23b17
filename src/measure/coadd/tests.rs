use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::super::config::MeasureConfig;
use super::*;
use crate::Arm;
use crate::lab::simulate::spectrum::{Component, SpectrumOptions, spectrum_with_truth};
use crate::lab::simulate::{StellarParams, Template};
use crate::likelihood::{Batch, Cpu, Likelihood, Measurement, VelocityGrid};
use crate::reference::Reference;
use crate::spectrum::{Normalized, Normalizer, SpectrumConfig};

mod rippled;

const RV_KM_S: [f64; 4] = [0.0, 7.0, -12.0, 20.0];

fn config() -> Comparison {
    let config = MeasureConfig {
        grid: VelocityGrid::new(100.0, 1.0).unwrap(),
        ..MeasureConfig::default()
    };
    config.comparison()
}

/// Exposures of stars of these temperatures.
fn exposures(teff_k: &[f64], rv_km_s: &[f64]) -> Vec<Normalized> {
    exposures_of_snr(40.0, teff_k, rv_km_s)
}

fn exposures_of_snr(snr: f64, teff_k: &[f64], rv_km_s: &[f64]) -> Vec<Normalized> {
    let mut rng = ChaCha8Rng::seed_from_u64(81);
    let mut normalizer = Normalizer::default();
    let one = |(teff_k, rv_km_s): (&f64, &f64)| {
        let template = Template::new(&StellarParams::dwarf(*teff_k), Arm::Blue);
        let star = Component {
            template: &template,
            rv_km_s: *rv_km_s,
            light: 1.0,
        };
        let options = SpectrumOptions::clean();
        let made = spectrum_with_truth(&mut rng, Arm::Blue, &[star], 0.0, snr, &options);
        let done = normalizer.normalize(&SpectrumConfig::default(), &made.raw, 100.0);
        done.unwrap()
    };
    teff_k.iter().zip(rv_km_s).map(one).collect()
}

/// Exposures against the first of them.
fn first_pass(config: &Comparison, exposures: Vec<Normalized>) -> FirstPass {
    let reference = Reference::new(&exposures[0], config.knot_pixels).unwrap();
    let batch = Batch::of_one(reference, &exposures, &config.grid);
    FirstPass::new(1, 0, exposures, 0, Cpu.measure(&batch).unwrap())
}

fn measured(mut star: FirstPass) -> FirstPass {
    let config = config();
    let clocks = StageClocks::default();
    against_coadds(&config, std::slice::from_mut(&mut star), &clocks, &|| false);
    star
}

#[test]
fn a_wrong_place_of_the_first_pass_is_found_out() {
    let config = config();
    let all = exposures(&[5800.0; 4], &RV_KM_S);
    let sound = measured(first_pass(&config, all.clone()));
    assert_eq!(sound.n_reference, 4);
    for (m, rv_km_s) in sound.measurements.iter().zip(RV_KM_S) {
        assert!(m.flags.is_empty(), "{m:?}");
        assert!((m.rv_km_s - rv_km_s).abs() < 4.0 * m.rv_err_km_s, "{m:?}");
    }
    for off_km_s in [-60.0, 4.0, 45.0] {
        let mut star = first_pass(&config, all.clone());
        star.measurements[2].rv_km_s += off_km_s;
        let star = measured(star);
        for (now, before) in star.measurements.iter().zip(&sound.measurements) {
            let moved = (now.rv_km_s - before.rv_km_s).abs();
            assert!(
                moved < 0.3 * before.rv_err_own_km_s,
                "{off_km_s}: {now:?} {before:?}"
            );
        }
    }
}

#[test]
fn another_star_among_the_exposures_is_odd_wherever_it_is() {
    let config = config();
    for odd in 0..4 {
        let mut teff_k = [5800.0; 4];
        teff_k[odd] = 4200.0;
        let star = measured(first_pass(&config, exposures(&teff_k, &RV_KM_S)));
        let expected: Vec<bool> = (0..4).map(|i| i == odd).collect();
        assert_eq!(star.odd, expected);
        assert_ne!(star.best, odd);
        assert_eq!(star.n_reference, 3);
        let zero = RV_KM_S[star.best];
        for (i, m) in star.measurements.iter().enumerate() {
            assert_eq!(
                m.flags.intersects(RvFlags::NOT_AS_OTHERS),
                i == odd,
                "{m:?}"
            );
            let off_km_s = m.rv_km_s - (RV_KM_S[i] - zero);
            assert!(
                i == odd || off_km_s.abs() < 4.0 * m.rv_err_km_s,
                "{odd} {i}: {m:?}"
            );
        }
    }
}

#[test]
fn a_best_exposure_against_which_nothing_has_a_velocity_is_tried() {
    let config = config();
    let all = exposures(&[5800.0; 5], &[0.0, 7.0, -12.0, 20.0, 3.0]);
    let sound = measured(first_pass(&config, all.clone()));
    // All lines of the best one are in emission: it is left out, and the others lie where they do.
    let mut spoiled = all;
    for flux in &mut spoiled[0].flux {
        *flux = 2.0 - *flux;
    }
    let mut star = first_pass(&config, spoiled);
    for m in &mut star.measurements[1..] {
        m.rv_km_s = -100.0;
        m.flags = RvFlags::EDGE;
    }
    let star = measured(star);
    assert_eq!(star.odd, [true, false, false, false, false]);
    assert_eq!(star.n_reference, 4);
    assert!(star.measurements[0].flags.contains(RvFlags::NOT_AS_OTHERS));
    let difference = |star: &FirstPass, i: usize, j: usize| {
        star.measurements[i].rv_km_s - star.measurements[j].rv_km_s
    };
    for i in 2..5 {
        assert!(star.measurements[i].flags.is_empty(), "{star:?}");
        let off = difference(&star, i, 1) - difference(&sound, i, 1);
        assert!(off.abs() < star.measurements[i].rv_err_km_s, "{off}");
    }
}

#[test]
fn a_trial_that_helps_nobody_ends_as_if_it_had_not_been() {
    let config = config();
    let sound = first_pass(&config, exposures(&[5800.0; 5], &[0.0; 5]));
    let with = |flags: [RvFlags; 4]| {
        let mut star = sound.clone();
        for (m, flags) in star.measurements[1..].iter_mut().zip(flags) {
            m.flags = flags;
        }
        star
    };
    let (edge, none) = (RvFlags::EDGE, RvFlags::empty());
    assert!(!trial::is_lost(&with([edge, edge, none, none])));
    let lost = with([edge, edge, none, edge]);
    assert!(trial::is_lost(&lost));
    let tried = |now: [RvFlags; 4], end: fn(&mut FirstPass)| {
        let mut star = lost.clone();
        trial::begin(&mut star);
        assert!(!trial::is_lost(&star));
        star.best = 1;
        star.measurements = with(now).measurements;
        end(&mut star);
        star
    };
    for end in [trial::end, trial::end_if_lost] {
        // Without the best exposure the others have no velocity either.
        let star = tried([edge, edge, edge, none], end);
        assert_eq!((star.best, star.odd.contains(&true)), (0, false));
        assert_eq!(
            format!("{:?}", star.measurements),
            format!("{:?}", lost.measurements)
        );
        let star = tried([none, none, edge, edge], end);
        assert_eq!((star.best, star.odd[0]), (0, false));
        let star = tried([none, none, edge, none], end);
        assert_eq!((star.best, star.odd[0]), (1, true));
        assert!(star.on_trial.is_none());
    }
}

#[test]
fn two_that_do_not_agree_are_both_flagged() {
    let config = config();
    let same = measured(first_pass(&config, exposures(&[5800.0; 2], &RV_KM_S[..2])));
    assert!(
        same.measurements.iter().all(|m| m.flags.is_empty()),
        "{same:?}"
    );
    let other = exposures(&[5800.0, 4200.0], &RV_KM_S[..2]);
    let other = measured(first_pass(&config, other));
    for (m, double_lined) in other.measurements.iter().zip(&other.double_lined) {
        assert!(
            *double_lined || m.flags.intersects(RvFlags::NOT_AS_OTHERS),
            "{m:?}"
        );
    }
}

#[test]
fn a_double_star_is_measured_against_its_best_exposure_without_what_was_clipped() {
    let config = config();
    let mut rng = ChaCha8Rng::seed_from_u64(82);
    let mut normalizer = Normalizer::default();
    let template = Template::new(&StellarParams::dwarf(5800.0), Arm::Blue);
    let one = |half_km_s: &f64| {
        let star = |rv_km_s, light| Component {
            template: &template,
            rv_km_s,
            light,
        };
        let stars = [star(*half_km_s, 0.55), star(-half_km_s, 0.45)];
        let options = SpectrumOptions::clean();
        let made = spectrum_with_truth(&mut rng, Arm::Blue, &stars, 0.0, 40.0, &options);
        let done = normalizer.normalize(&SpectrumConfig::default(), &made.raw, 100.0);
        done.unwrap()
    };
    let mut all: Vec<Normalized> = [60.0, 58.0, -62.0, 5.0].iter().map(one).collect();
    for (i, exposure) in all.iter_mut().enumerate().skip(2) {
        exposure.flux[900 + 200 * i] += 0.6;
    }
    // The best one is that of the first pass.
    all[0].snr *= 2.0;
    let before = first_pass(&config, all.clone());
    let star = measured(before.clone());
    assert!(star.double_lined.contains(&true), "{:?}", star.double_lined);
    assert_eq!((star.best, star.n_reference), (0, 1));
    assert!(!star.odd.contains(&true) && star.on_trial.is_none());
    let mut n_changed = 0;
    let both = before.measurements.iter().zip(&star.measurements);
    for ((first, now), (then, exposure)) in both.zip(all.iter().zip(&star.normalized)) {
        let is_changed = then.ivar != exposure.ivar;
        n_changed += usize::from(is_changed);
        // Against the same exposure, with the same pixels or without those that were clipped.
        assert_eq!(is_changed, now.n_pix < first.n_pix, "{first:?} {now:?}");
        if !is_changed {
            let same = |m: &Measurement| (m.rv_km_s, m.rv_err_km_s, m.lnl_max);
            assert_eq!(same(first), same(now));
        }
    }
    assert!((1..4).contains(&n_changed), "{n_changed}");
}

/// Temperatures and velocities of a pulsating star: its lines change with its temperature, and no coadd is a copy of any exposure.
const PULSATING: [(f64, f64); 6] = [
    (5400.0, 0.0),
    (6600.0, 7.0),
    (5450.0, -12.0),
    (6500.0, 20.0),
    (5900.0, 3.0),
    (6200.0, -5.0),
];

#[test]
fn a_wide_cosmic_ray_in_the_best_exposure_of_a_star_that_changes_moves_nothing() {
    let config = config();
    let (teff_k, rv_km_s): (Vec<f64>, Vec<f64>) = PULSATING.into_iter().unzip();
    let all = exposures(&teff_k, &rv_km_s);
    let mut hit = all.clone();
    let first = 1200;
    for flux in &mut hit[0].flux[first..first + 4] {
        *flux += 2.0;
    }
    // As if these pixels had not been there.
    let mut without = all;
    without[0].ivar[first - 2..first + 6].fill(0.0);
    let sound = measured(first_pass(&config, without));
    let before = first_pass(&config, hit.clone());
    let star = measured(before.clone());
    assert_eq!((star.n_reference, star.best), (1, 0));
    let moved = |m: &Measurement, sound: &Measurement| {
        (m.rv_km_s - sound.rv_km_s).abs() / sound.rv_err_km_s
    };
    let off = |measurements: &[Measurement]| {
        let pairs = measurements.iter().zip(&sound.measurements);
        pairs.map(|(m, s)| moved(m, s)).fold(0.0, f64::max)
    };
    assert!(
        off(&before.measurements) > 2.0,
        "{}",
        off(&before.measurements)
    );
    assert!(off(&star.measurements) < 0.5, "{}", off(&star.measurements));
    // What the page of a star shows is what was compared.
    let shown = crate::measure::curve::against(&config, &hit, &star, &[1]);
    let of_best = Reference::new(&star.normalized[0], config.knot_pixels).unwrap();
    let at = hit[0].ln_wave[first + 2];
    let value = |reference: &Reference| {
        let mut flux = f64::NAN;
        reference.sample(at, 0.0, 1, |_, value| flux = value.flux);
        flux
    };
    let shown = value(&shown[0].as_ref().unwrap().reference);
    assert!(
        (shown - value(&of_best)).abs() < 1e-12 && shown < 1.2,
        "{shown}"
    );
}

#[test]
fn a_best_exposure_of_another_star_is_left_out_though_nothing_lies_right_against_it() {
    let config = config();
    let teff_k = [9500.0, 5800.0, 5800.0, 5800.0, 5800.0, 5800.0];
    let rv_km_s = [40.0, 7.0, -12.0, 20.0, 3.0, -5.0];
    let mut star = first_pass(&config, exposures(&teff_k, &rv_km_s));
    // Peaks of noise, each with a second one.
    for (i, m) in star.measurements.iter_mut().enumerate().skip(1) {
        m.rv_km_s = 17.0 * (i as f64 - 3.0);
        m.flags = RvFlags::MULTIPLE_PEAKS | RvFlags::CHI2_HIGH;
    }
    let star = measured(star);
    let odd = [true, false, false, false, false, false];
    assert_eq!((star.n_reference, &star.odd[..]), (5, &odd[..]));
    assert!(star.measurements[0].flags.contains(RvFlags::NOT_AS_OTHERS));
    let zero = rv_km_s[star.best];
    for (m, rv_km_s) in star.measurements.iter().zip(rv_km_s).skip(1) {
        assert!(m.flags.is_empty(), "{m:?}");
        let off = m.rv_km_s - (rv_km_s - zero);
        assert!(off.abs() < 4.0 * m.rv_err_km_s, "{m:?}");
    }
}

#[test]
fn a_star_that_changes_has_errors_that_hold_what_its_windows_pieces_say() {
    let config = config();
    let (teff_k, rv_km_s): (Vec<f64>, Vec<f64>) = PULSATING.into_iter().unzip();
    let before = first_pass(&config, exposures(&teff_k, &rv_km_s));
    let star = measured(before.clone());
    assert_eq!(star.n_reference, 1, "{star:?}");
    assert!(!star.odd.contains(&true) && !star.double_lined.contains(&true));
    let pairs = before.measurements.iter().zip(&star.measurements);
    let factors: Vec<(f64, f64)> = pairs
        .map(|(first, now)| {
            // A pixel or two may have been taken for a cosmic ray.
            let moved = (first.rv_km_s - now.rv_km_s).abs();
            assert!(moved < 0.3 * first.rv_err_own_km_s, "{moved}");
            (
                now.rv_err_own_km_s / first.rv_err_own_km_s,
                now.rv_err_km_s / first.rv_err_km_s,
            )
        })
        .collect();
    assert!(
        factors
            .iter()
            .all(|(own, all)| (own - all).abs() < 0.05 && (1.2..10.0).contains(own)),
        "{factors:?}"
    );
}

#[test]
fn a_best_exposure_of_another_star_among_three_is_found_by_trying_without_it() {
    let config = config();
    let rv_km_s = [40.0, 7.0, -12.0];
    for other_teff_k in [4500.0, 7000.0] {
        let teff_k = [other_teff_k, 5800.0, 5800.0];
        let mut star = first_pass(&config, exposures(&teff_k, &rv_km_s));
        for (m, rv_km_s) in star.measurements[1..].iter_mut().zip([17.0, -34.0]) {
            m.rv_km_s = rv_km_s;
            m.flags = RvFlags::empty();
        }
        // No two of the three agree, so none is the odd one.
        let star = measured(star);
        assert_eq!((star.n_reference, star.odd[0]), (2, true), "{other_teff_k}");
        assert!(star.measurements[0].flags.contains(RvFlags::NOT_AS_OTHERS));
        let [a, b] = [&star.measurements[1], &star.measurements[2]];
        assert!(a.flags.is_empty() && b.flags.is_empty(), "{a:?} {b:?}");
        let off = a.rv_km_s - b.rv_km_s - (rv_km_s[1] - rv_km_s[2]);
        assert!(off.abs() < 4.0 * a.rv_err_km_s.max(b.rv_err_km_s), "{off}");
    }
}
