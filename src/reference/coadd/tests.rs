use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::*;
use crate::Arm;

/// Lines, a few of them deep.
fn star(ln_wave: f64) -> f64 {
    let depths = [0.3, 0.6, 0.15, 0.4, 0.25, 0.5];
    let line = |(i, depth): (usize, &f64)| {
        let centre = 8.770 + 0.007 * (i as f64 + 0.5);
        depth * (-0.5 * ((ln_wave - centre) / 6e-5).powi(2)).exp()
    };
    1.0 - depths.iter().enumerate().map(line).sum::<f64>()
}

/// Exposures at these velocities; pixels of each lie elsewhere.
pub(super) fn exposures(rv_km_s: &[f64], sigma: f64, seed: u64) -> Vec<Normalized> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let made = rv_km_s.iter().enumerate().map(|(e, rv)| {
        let ln_wave: Vec<f64> = (0..2100)
            .map(|i| 8.768 + 2.2e-5 * (f64::from(i) + 0.37 * e as f64))
            .collect();
        let shift = (rv / C_KM_S).ln_1p();
        let flux = ln_wave.iter().map(|l| {
            let noise: f64 = rng.sample(StandardNormal);
            star(l - shift) + sigma * noise
        });
        Normalized {
            band: Arm::Red.band(),
            flux: flux.collect(),
            ivar: vec![sigma.powi(-2); ln_wave.len()],
            snr: 1.0 / sigma,
            wave_as_stored: false,
            helio_rv_km_s: None,
            ln_wave,
        }
    });
    made.collect()
}

pub(super) const RV_KM_S: [f64; 5] = [0.0, 12.0, -30.5, 3.3, 81.0];

#[test]
fn velocities_settle_where_they_are_and_the_best_one_stays() {
    let first: Vec<f64> = RV_KM_S.iter().map(|v| v + 2.0 * (v * 7.1).sin()).collect();
    let mut coadd = Coadd::new(exposures(&RV_KM_S, 0.02, 1), 0, 3, &first).unwrap();
    let rounds: Vec<f64> = (0..5)
        .map(|_| coadd.round().unwrap().largest_sigma)
        .collect();
    assert!(rounds[0] > 1.0 && rounds[4] < 0.3, "{rounds:?}");
    let rv = coadd.rv_km_s();
    assert_eq!(rv[0], 0.0);
    let sweeps = coadd.sweeps.clone();
    for i in 1..5 {
        // Against the best one: errors of both.
        let error =
            (1.0 / sweeps[i].totals.information + 1.0 / sweeps[0].totals.information).sqrt();
        assert!(
            (rv[i] - RV_KM_S[i]).abs() < 3.0 * error,
            "{i}: {rv:?} {error}"
        );
        assert!(error < 0.7, "{error}");
    }
}

#[test]
fn an_exposure_is_no_part_of_its_own_reference() {
    let mut spoiled = exposures(&RV_KM_S, 0.02, 2);
    let sound = Coadd::new(spoiled.clone(), 0, 3, &RV_KM_S).unwrap();
    spoiled[2].flux[1000] += 0.04;
    let after = Coadd::new(spoiled, 0, 3, &RV_KM_S).unwrap();
    let at = |coadd: &Coadd, i: usize| {
        let l = coadd.exposures[2].ln_wave[1000] - (RV_KM_S[2] / C_KM_S).ln_1p();
        coadd.references(&[i])[0].as_ref().unwrap().at(l)
    };
    let change = |i: usize| (at(&after, i).flux - at(&sound, i).flux).abs();
    // The reference still depends a little on the exposure, by way of the prior, which is found from all of them.
    assert!(change(2) < 0.25 * change(1), "{} {}", change(2), change(1));
    // Four exposures of equal weight.
    let variance = at(&sound, 2).pixel_variance;
    assert!(
        (variance / (0.02f64.powi(2) / 4.0) - 1.0).abs() < 1e-6,
        "{variance}"
    );
}

#[test]
fn a_cosmic_ray_is_clipped_where_it_is_and_nowhere_else() {
    for n in [2, 3, 5] {
        for spoiled in 0..n {
            let mut all = exposures(&RV_KM_S[..n], 0.05, 3);
            all[spoiled].flux[700] += 2.0;
            all[spoiled].flux[701] += 0.9;
            let mut coadd = Coadd::new(all, 0, 3, &RV_KM_S[..n]).unwrap();
            for _ in 0..3 {
                coadd.round().unwrap();
            }
            for (i, exposure) in coadd.exposures().iter().enumerate() {
                let gone: Vec<usize> = (0..2100).filter(|k| exposure.ivar[*k] == 0.0).collect();
                if i == spoiled {
                    assert!(
                        gone.contains(&700) && gone.contains(&701),
                        "{n} {i}: {gone:?}"
                    );
                    assert!(gone.len() <= 8, "{n} {i}: {gone:?}");
                } else {
                    assert!(gone.is_empty(), "{n} {spoiled} {i}: {gone:?}");
                }
            }
        }
    }
}

#[test]
fn what_cannot_be_a_coadd_is_none() {
    let two = exposures(&RV_KM_S[..2], 0.05, 4);
    assert!(Coadd::new(two.clone(), 0, 3, &[0.0, f64::NAN]).is_err());
    assert!(Coadd::new(two.clone(), 0, 3, &[0.0]).is_err());
    assert!(Coadd::new(two.clone(), 7, 3, &[0.0, 1.0]).is_err());
    assert!(Coadd::new(Vec::new(), 0, 3, &[]).is_err());
    let mut blind = two.clone();
    blind.iter_mut().for_each(|e| e.ivar.fill(0.0));
    assert!(Coadd::new(blind, 0, 3, &[0.0, 1.0]).is_err());
    let mut flat = two;
    flat.iter_mut().for_each(|e| e.flux.fill(1.0));
    // No slope, no velocity; and nothing breaks.
    let mut coadd = Coadd::new(flat, 0, 3, &[0.0, 1.0]).unwrap();
    if let Some(round) = coadd.round() {
        assert!(round.largest_sigma < 1.0, "{round:?}");
    }
}

/// Lays exposures at wrong velocities first, lets them settle, and returns the pixels that each has lost at the end.
fn lost(
    rv_km_s: &[f64],
    off_km_s: &[f64],
    sigma: f64,
    spoil: impl Fn(&mut [Normalized]),
) -> Vec<Vec<usize>> {
    let mut all = exposures(rv_km_s, sigma, 5);
    spoil(&mut all);
    let first: Vec<f64> = rv_km_s.iter().zip(off_km_s).map(|(v, o)| v + o).collect();
    let mut coadd = Coadd::new(all, 0, 3, &first).unwrap();
    for _ in 0..6 {
        coadd.round().unwrap();
    }
    for (i, (found, rv)) in coadd.rv_km_s().iter().zip(rv_km_s).enumerate() {
        assert!((found - rv).abs() < 1.0, "{i}: {found} {rv}");
    }
    let gone = |e: &Normalized| (0..e.ivar.len()).filter(|k| e.ivar[*k] == 0.0).collect();
    coadd.exposures().iter().map(gone).collect()
}

#[test]
fn lines_of_an_exposure_laid_elsewhere_are_not_clipped() {
    for n in [2, 3, 5] {
        for off_km_s in [-15.0, -8.0, -3.0, 3.0, 8.0, 15.0] {
            for sigma in [0.005, 0.01, 0.03] {
                let mut off = vec![0.0; n];
                off[n - 1] = off_km_s;
                let gone = lost(&RV_KM_S[..n], &off, sigma, |_| ());
                assert!(
                    gone.iter().all(Vec::is_empty),
                    "{n} exposures, {off_km_s} km/s off, sigma {sigma}: {gone:?}"
                );
                // A cosmic ray beside a line and one in its flank, in the exposure and in another one.
                for (spoiled, at) in [(n - 1, 700), (n - 1, 732), (0, 700)] {
                    let spoil = |all: &mut [Normalized]| {
                        all[spoiled].flux[at] += 0.6;
                        all[spoiled].flux[at + 1] += 0.3;
                    };
                    let gone = lost(&RV_KM_S[..n], &off, sigma, spoil);
                    for (i, gone) in gone.iter().enumerate() {
                        let is_near = |k: &usize| i == spoiled && at.abs_diff(*k) <= 5;
                        assert!(
                            gone.iter().all(is_near),
                            "{n} exposures, {off_km_s} km/s off, sigma {sigma}, spoiled {spoiled} {at}: {i} {gone:?}"
                        );
                    }
                    assert!(
                        gone[spoiled].contains(&at) && gone[spoiled].contains(&(at + 1)),
                        "{n} exposures, {off_km_s} km/s off, sigma {sigma}, spoiled {spoiled} {at}: {gone:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn pixels_come_back_where_an_exposure_is_laid_anew() {
    // One pixel of one exposure is spoiled: it is clipped, comes back when the exposures are laid anew, and is clipped again.
    let mut coadd = Coadd::new(exposures(&RV_KM_S, 0.01, 6), 0, 3, &RV_KM_S).unwrap();
    coadd.exposures[3].flux[700] += 1.0;
    assert!(coadd.place(&RV_KM_S));
    let all = coadd.exposures.clone();
    let n_clipped: usize = (0..3).map(|_| coadd.round().unwrap().n_clipped).sum();
    assert!(n_clipped > 0 && coadd.exposures[3].ivar[700] == 0.0);
    assert!(coadd.place(&RV_KM_S));
    for (now, before) in coadd.exposures.iter().zip(&all) {
        assert_eq!(now.ivar, before.ivar);
    }
    coadd.round().unwrap();
    assert_eq!(coadd.exposures[3].ivar[700], 0.0);
}

/// Settled exposures of the star at [`RV_KM_S`], after `spoil`.
fn settled(sigma: f64, seed: u64, spoil: impl Fn(&mut [Normalized])) -> Coadd {
    let mut all = exposures(&RV_KM_S, sigma, seed);
    spoil(&mut all);
    let mut coadd = Coadd::new(all, 0, 3, &RV_KM_S).unwrap();
    assert!(coadd.settle());
    coadd
}

/// Adds the Earth's H-alpha of this height to an exposure that was moved by `helio_rv_km_s`.
fn add_sky_line(exposure: &mut Normalized, helio_rv_km_s: f64, height: f64) {
    let centre = (6564.61 * (1.0 - helio_rv_km_s / C_KM_S)).ln();
    let sigma = 1.0 / 7500.0 / 2.3548;
    for (flux, l) in exposure.flux.iter_mut().zip(&exposure.ln_wave) {
        *flux += height * (-0.5 * ((l - centre) / sigma).powi(2)).exp();
    }
}

#[test]
fn a_line_of_the_sky_is_taken_off_where_it_stands_and_nowhere_else() {
    let sigma = 0.02;
    let height_of =
        |told_km_s: Option<f64>, height: f64| {
            let coadd = settled(sigma, 7, |all| {
                all.iter_mut().for_each(|e| e.helio_rv_km_s = told_km_s);
                add_sky_line(&mut all[2], 15.0, height);
            });
            let taken =
                |i: usize| {
                    let (before, after) = (&coadd.exposures()[i], coadd.cleaned(i));
                    let pixels = before.flux.iter().zip(&after.flux);
                    pixels.map(|(b, a)| b - a).fold(0.0f64, |most, d| {
                        if d.abs() > most.abs() { d } else { most }
                    })
                };
            (taken(2), taken(4))
        };
    for height in [0.15, -0.1] {
        let (taken, of_another) = height_of(Some(15.0), height);
        // Its height is known to 0.01, and to what a line of the star beside it leaves open.
        assert!((taken - height).abs() < 0.06, "{height}: {taken}");
        assert!(of_another.abs() < 0.04, "{of_another}");
        // With the wrong sign it is looked for four pixels away.
        let (elsewhere, _) = height_of(Some(-15.0), height);
        assert!(
            elsewhere.abs() < taken.abs() - 0.05,
            "{height}: {elsewhere}"
        );
        assert_eq!(height_of(None, height), (0.0, 0.0));
    }
    // A line that is higher than the sky subtraction can leave is not taken for one of the sky's.
    let (taken, _) = height_of(Some(15.0), 0.4);
    assert!(taken.abs() < 0.1, "{taken}");
}

#[test]
fn a_misfit_is_told_from_noise_whatever_that_is() {
    let sigma = 0.02;
    let of = |coadd: &Coadd, i: usize| coadd.compared()[i].misfit;
    let sound = settled(sigma, 8, |_| ());
    for i in 0..5 {
        let misfit = of(&sound, i);
        assert!(
            misfit.smooth.abs() < 4.0 * misfit.smooth_sigma,
            "{misfit:?}"
        );
        assert!(
            (misfit.smooth_sigma * 2000f64.sqrt() - 1.0).abs() < 0.2,
            "{misfit:?}"
        );
        assert!((misfit.noise_scale - 1.0).abs() < 0.06, "{misfit:?}");
        assert!(misfit.depth.abs() < 5.0 * misfit.depth_sigma, "{misfit:?}");
    }
    // 1.4 times the noise that is quoted: the scale says so, and nothing else does.
    let loud = settled(sigma, 8, |all| {
        all[1].ivar.iter_mut().for_each(|w| *w *= 1.96)
    });
    let misfit = of(&loud, 1);
    assert!((misfit.noise_scale - 1.4).abs() < 0.07, "{misfit:?}");
    assert!(misfit.smooth < 0.15, "{misfit:?}");
    // Lines a fifth deeper.
    let deep = settled(sigma, 8, |all| {
        all[1]
            .flux
            .iter_mut()
            .for_each(|f| *f = 1.0 + 1.2 * (*f - 1.0));
    });
    let misfit = of(&deep, 1);
    assert!((misfit.depth - 0.2).abs() < 0.04, "{misfit:?}");
    // One line moved by 4 km/s: its piece of the window disagrees.
    let torn = settled(sigma, 8, |all| {
        let shift = (RV_KM_S[1] / C_KM_S).ln_1p();
        let pixels = all[1].ln_wave.clone();
        for (flux, l) in all[1].flux.iter_mut().zip(pixels) {
            if (8.777..8.784).contains(&l) {
                *flux += star(l - shift - 4.0 / C_KM_S) - star(l - shift);
            }
        }
    });
    let (of_sound, of_torn) = (of(&sound, 1), of(&torn, 1));
    assert!(
        of_torn.pieces_chi2 > of_sound.pieces_chi2 + 10.0,
        "{of_sound:?} {of_torn:?}"
    );
}

#[test]
fn a_wide_defect_is_clipped_if_one_exposure_has_it_alone() {
    let blob = |e: &mut Normalized| e.flux[900..914].iter_mut().for_each(|f| *f += 0.25);
    let gone = |coadd: &Coadd, i: usize| {
        let ivar = &coadd.exposures()[i].ivar;
        (0..ivar.len())
            .filter(|k| ivar[*k] == 0.0)
            .collect::<Vec<_>>()
    };
    let alone = settled(0.02, 9, |all| blob(&mut all[3]));
    assert!(
        (900..914).all(|k| gone(&alone, 3).contains(&k)),
        "{:?}",
        gone(&alone, 3)
    );
    assert!(gone(&alone, 3).len() < 24, "{:?}", gone(&alone, 3));
    assert!(
        (0..5)
            .filter(|i| *i != 3)
            .all(|i| gone(&alone, i).is_empty())
    );
    assert!(alone.compared()[3].widest_clip >= 12);
    // What all exposures have where it moves with the star is a line.
    let line = settled(0.02, 9, |all| {
        for e in all.iter_mut().take(3) {
            let at = e.ln_wave.partition_point(|l| *l < 8.79);
            e.flux[at..at + 14].iter_mut().for_each(|f| *f += 0.25);
        }
    });
    assert!((0..5).all(|i| gone(&line, i).is_empty()), "lost");
}

/// The error that five sigma are counted in: an exposure's own, 0.35 of the others', and 1 % of the continuum. Three times as
/// much of any of them, or a third of the second, moves one of these defects across the limit.
#[test]
fn what_is_clipped_is_five_sigma_off() {
    let sigma: f64 = 0.05;
    let is_clipped = |off_sigma: f64| {
        let mut all = exposures(&RV_KM_S[..3], 1e-6, 10);
        for e in &mut all {
            e.ivar.fill(sigma.powi(-2));
        }
        all[1].flux[1050] += off_sigma * sigma;
        let mut coadd = Coadd::new(all, 0, 3, &RV_KM_S[..3]).unwrap();
        coadd.round().unwrap().n_clipped > 0
    };
    assert!(is_clipped(5.8) && !is_clipped(5.35));
}

#[test]
fn what_is_measured_against_the_others_is_told_against_the_best_one() {
    // All others are first laid 6 km/s off, so that the best one has to come to them.
    let first: Vec<f64> = (0..5)
        .map(|i| RV_KM_S[i] + if i > 0 { 6.0 } else { 0.0 })
        .collect();
    let mut coadd = Coadd::new(exposures(&RV_KM_S, 0.005, 11), 0, 3, &first).unwrap();
    assert!(coadd.settle());
    let reference = coadd.references(&[2])[0].clone().unwrap();
    // The velocity of the star in the reference, where it fits best.
    let misfit = |rv_km_s: f64| -> f64 {
        let shift = (rv_km_s / C_KM_S).ln_1p();
        let at = (0..1500).map(|k| 8.772 + 2.5e-5 * f64::from(k));
        at.map(|l| (reference.at(l).flux - star(l - shift)).powi(2))
            .sum()
    };
    let tried = (-100..=100).map(|k| 0.1 * f64::from(k));
    let lies = tried
        .min_by(|a, b| misfit(*a).total_cmp(&misfit(*b)))
        .unwrap();
    assert!(lies.abs() > 2.0, "{lies}");
    // An exposure at the star's own velocity is at -lies in it, and at 0 against the best one.
    let told = coadd.against_best_km_s(-lies);
    assert!(told.abs() < 0.2, "{lies} {told}");
}
