use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::*;
use crate::lab::simulate::{StellarParams, Template};
use crate::{Arm, C_KM_S};

const SHARES: [f64; 6] = [0.02, 0.08, 0.05, 0.0, 0.06, 0.03];
const SIGMA: f64 = 0.005;

/// Exposures of a star at rest with moonlight, seen by an Earth that moves with `-helio_rv_km_s`; lines are wider in some of them.
fn exposures(teff_k: f64, helio_rv_km_s: Option<f64>, shares: [f64; 6]) -> Vec<Normalized> {
    drifted(teff_k, helio_rv_km_s, shares, [0.0; 6])
}

/// The same, with wavelengths that are too large by `drift_km_s`: those of the star's lines and of the Sun's.
fn drifted(
    teff_k: f64,
    helio_rv_km_s: Option<f64>,
    shares: [f64; 6],
    drift_km_s: [f64; 6],
) -> Vec<Normalized> {
    let star = Template::new(&StellarParams::dwarf(teff_k), Arm::Blue);
    let sunlight = Sunlight::over(Arm::Blue.window_aa()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(14);
    let (low, high) = Arm::Blue.band().ln_window();
    let one = |(e, share): (usize, f64)| {
        let step = 6.6 / C_KM_S;
        let n = ((high - low) / step) as usize + 40;
        let ln_wave: Vec<f64> = (0..n)
            .map(|i| low + step * (i as f64 - 20.0 + 0.31 * e as f64))
            .collect();
        let (mut flux, mut sun) = (vec![], vec![]);
        star.fill(&ln_wave, drift_km_s[e], &mut flux);
        let of_sun = helio_rv_km_s.unwrap_or(0.0) - drift_km_s[e];
        sunlight.fill_normalized(&ln_wave, of_sun, &mut sun);
        for (flux, sun) in flux.iter_mut().zip(&sun) {
            let noise: f64 = rng.sample(StandardNormal);
            *flux += share * (sun - *flux) + SIGMA * noise;
        }
        Normalized {
            band: Arm::Blue.band(),
            flux,
            ivar: vec![SIGMA.powi(-2); n],
            snr: 1.0 / SIGMA,
            wave_as_stored: false,
            helio_rv_km_s,
            ln_wave,
        }
    };
    shares.into_iter().enumerate().map(one).collect()
}

fn settled(exposures: Vec<Normalized>) -> Coadd {
    let mut coadd = Coadd::new(exposures, 0, 3, &[0.0; 6]).unwrap();
    assert!(coadd.settle());
    coadd
}

fn about_mean(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| v - mean).collect()
}

#[test]
fn shares_and_what_they_do_to_velocities_are_found() {
    for (teff_k, helio_rv_km_s) in [(4600.0, 25.0), (5800.0, -60.0), (6600.0, 40.0)] {
        let lit = settled(exposures(teff_k, Some(helio_rv_km_s), SHARES));
        let dark = settled(exposures(teff_k, Some(helio_rv_km_s), [0.0; 6]));
        let found = lit.sunlit().into_iter().map(|s| s.unwrap().moved(0.0));
        let sunlit: Vec<Sunlit> = found.collect();
        let found: Vec<f64> = sunlit.iter().map(|s| s.share).collect();
        let (found, truth) = (about_mean(&found), about_mean(&SHARES));
        for e in 0..6 {
            // An exposure is compared with the mean of the five others.
            let off = found[e] / 1.2 - truth[e];
            assert!(off.abs() < 0.006, "{teff_k}: {found:?} {truth:?}");
            assert!(
                (0.0005..0.004).contains(&sunlit[e].sigma),
                "{}",
                sunlit[e].sigma
            );
            assert!(
                (0.003..0.02).contains(&sunlit[e].distinct),
                "{}",
                sunlit[e].distinct
            );
        }
        // The same noise with and without moonlight.
        let pairs = lit.rv_km_s().into_iter().zip(dark.rv_km_s());
        let moved: Vec<f64> = pairs.map(|(lit, dark)| lit - dark).collect();
        let expected: Vec<f64> = (0..6).map(|e| SHARES[e] * sunlit[e].pull_km_s).collect();
        let (moved, expected) = (about_mean(&moved), about_mean(&expected));
        let product: f64 = moved.iter().zip(&expected).map(|(a, b)| a * b).sum();
        let square: f64 = expected.iter().map(|b| b * b).sum();
        println!("{teff_k}: moved over expected {:.3}", product / square);
        assert!(
            (0.9..1.25).contains(&(product / square)),
            "{teff_k}: {moved:?} {expected:?}"
        );
    }
}

#[test]
fn moonlight_drifts_with_the_wavelengths_of_its_exposure() {
    const DRIFT_KM_S: [f64; 6] = [2.4, -1.8, 0.5, 3.0, -2.6, -1.5];
    // A star like the Sun, and nearly at its velocity.
    let made = |shares| settled(drifted(5800.0, Some(12.0), shares, DRIFT_KM_S));
    let (lit, dark) = (made(SHARES), made([0.0; 6]));
    let pairs = lit.rv_km_s().into_iter().zip(dark.rv_km_s());
    let moved: Vec<f64> = pairs.map(|(lit, dark)| lit - dark).collect();
    let moved = about_mean(&moved);
    let off_with = |drift: [f64; 6]| {
        let found = lit.sunlit().into_iter().zip(drift);
        let pulls = found.map(|(s, d)| s.unwrap().moved(d).pull_km_s);
        let expected: Vec<f64> = pulls
            .zip(SHARES)
            .map(|(pull, share)| share * pull)
            .collect();
        let expected = about_mean(&expected);
        let off = moved.iter().zip(&expected).map(|(m, e)| (m - e).abs());
        off.fold(0.0, f64::max)
    };
    let (known, ignored) = (off_with(DRIFT_KM_S), off_with([0.0; 6]));
    println!("{moved:?}: off by {known:.3} km/s, without the drift by {ignored:.3}");
    assert!(known < 0.06 && ignored > 2.0 * known, "{known} {ignored}");
}

#[test]
fn between_the_places_a_parabola_tells() {
    let at = |by: f64| Sunlit {
        share: 0.1 + 0.01 * by,
        sigma: (0.1 * by).exp(),
        distinct: 0.02 * (-0.2 * by).exp(),
        pull_km_s: 5.0 - by + 0.1 * by * by,
    };
    let all = SunlitWhere::found(&mut |by| Some(at(by))).unwrap();
    for (by, taken) in [
        (0.0, 0.0),
        (1.3, 1.3),
        (-3.0, -3.0),
        (5.0, 5.0),
        (40.0, 6.0),
    ] {
        let (found, told) = (all.moved(by), at(taken));
        assert!((found.share - told.share).abs() < 1e-12);
        assert!((found.sigma / told.sigma - 1.0).abs() < 1e-12);
        assert!((found.distinct / told.distinct - 1.0).abs() < 1e-12);
        assert!((found.pull_km_s - told.pull_km_s).abs() < 1e-12);
    }
    let mut calls = 0;
    let none = SunlitWhere::found(&mut |by| {
        calls += 1;
        (by < 1.0).then(|| at(by))
    });
    assert!(none.is_none() && calls == 3);
}

#[test]
fn what_is_alike_in_no_table_of_the_sun_has_no_sunlight() {
    let coadd = settled(exposures(5800.0, None, SHARES));
    assert!(coadd.sunlit().iter().all(Option::is_none));
    assert!(coadd.smooth_without_sunlight().iter().all(Option::is_none));
    let mut other = exposures(5800.0, Some(10.0), SHARES);
    other.iter_mut().for_each(|e| e.band.sky = None);
    assert!(settled(other).sunlit().iter().all(Option::is_none));
}

#[test]
fn a_star_that_moonlight_changes_is_a_copy_without_it() {
    let shares = [0.15, 0.0, 0.1, 0.02, 0.18, 0.04];
    let coadd = settled(exposures(5000.0, Some(-45.0), shares));
    for (now, without) in coadd.compared().iter().zip(coadd.smooth_without_sunlight()) {
        let (share, smooth) = without.unwrap();
        assert!(share.abs() < 0.25, "{share}");
        assert!(smooth < 0.08, "{smooth}");
        println!("{:.3} -> {smooth:.3}", now.misfit.smooth);
    }
    let before = coadd.compared().into_iter().map(|c| c.misfit.smooth);
    assert!(before.fold(0.0, f64::max) > 0.12);
}

#[test]
fn faint_exposures_are_looked_at_as_well() {
    let mut faint = exposures(5800.0, Some(30.0), SHARES);
    for e in &mut faint {
        e.snr = 8.0;
    }
    assert!(settled(faint).sunlit().iter().all(Option::is_some));
}

#[test]
fn lines_of_the_sky_beyond_what_the_others_cover_say_nothing() {
    let mut cut = exposures(5800.0, Some(30.0), SHARES);
    for e in &mut cut {
        // The sky's lines in this arm lie at 5200 A.
        let n_lost = e.ln_wave.partition_point(|l| *l < 5215f64.ln());
        e.ivar[..n_lost].fill(0.0);
    }
    assert_eq!(settled(cut).sunlit().len(), 6);
}
