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
        star.fill(&ln_wave, 0.0, &mut flux);
        sunlight.fill_normalized(&ln_wave, helio_rv_km_s.unwrap_or(0.0), &mut sun);
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
        let sunlit: Vec<Sunlit> = lit.sunlit().into_iter().map(|s| s.unwrap()).collect();
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
