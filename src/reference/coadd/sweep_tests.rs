//! What is computed in lanes, in parts or once for all, against plain sums.

use super::*;
use crate::reference::single::{longest_covered, smooth_variance};
use crate::spline::bspline::dot;
use view::{AtPixels, LANES, Piece, View, fill_pieces};

const SPACING: usize = 3;

/// An exposure of 1003 pixels, with gaps, that lies beside the scale by a part of a pixel.
fn exposure(first: f64) -> Normalized {
    let ln_wave: Vec<f64> = (0..1003)
        .map(|i| 8.77 + 2.0e-5 * (f64::from(i) + first))
        .collect();
    let ivar = |i: usize| match i % 97 {
        3..9 => 0.0,
        k => 1e3 * (1.0 + k as f64 / 50.0),
    };
    let wave = |l: &f64| 1.0 + 0.3 * (l * 3e4).sin();
    Normalized {
        band: crate::Arm::Red.band(),
        flux: ln_wave.iter().map(wave).collect(),
        ivar: (0..ln_wave.len()).map(ivar).collect(),
        snr: 30.0,
        wave_as_stored: false,
        helio_rv_km_s: Some(11.0),
        ln_wave,
    }
}

#[test]
fn each_pixel_of_the_scale_has_the_inverse_variance_of_the_nearest_one() {
    for first in [0.0, 0.3, -7.6, 12.5] {
        let exposure = exposure(first);
        let scale = Scale::new(&exposure_scale());
        let n = scale.ln_wave.len();
        let part = Part::new(&exposure, &scale, Knots::new(n, SPACING), 0.0);
        for (i, ivar) in part.sums.ivar.iter().enumerate() {
            let known = (0..part.x.len()).filter(|k| part.x[*k].is_finite());
            let distance = |k: &usize| (part.x[*k] - i as f64).abs();
            let nearest = known.min_by(|a, b| distance(a).total_cmp(&distance(b)));
            let k = nearest.unwrap();
            // Two that are as near as each other may both be taken.
            let is_tie = (distance(&k) - 0.5).abs() < 1e-6;
            let expected = if distance(&k) <= 1.0 {
                exposure.ivar[k]
            } else {
                0.0
            };
            assert!(
                is_tie || *ivar == expected,
                "{first} {i}: {ivar} {expected}"
            );
        }
    }
}

/// The scale of the exposure at 0.
fn exposure_scale() -> Vec<f64> {
    exposure(0.0).ln_wave
}

#[test]
fn the_others_at_an_exposures_pixels_are_the_splines_there() {
    let scale = Scale::new(&exposure_scale());
    let n = scale.ln_wave.len();
    let knots = Knots::new(n, SPACING);
    let wavy = |rate: f64| -> Vec<f64> {
        let value = |k: usize| 1.0 + 0.4 * (rate * k as f64).sin();
        (0..knots.n_coefficient()).map(value).collect()
    };
    let (flux, variance) = (wavy(0.7), wavy(0.3));
    let mut of_pieces: Vec<Piece> = Vec::new();
    fill_pieces(&mut of_pieces, &flux, &variance);
    let spread = vec![[0.0; 2]; n];
    let mut at = AtPixels::default();
    // Whole lanes, and all numbers of pixels beyond them.
    for last in 900..900 + LANES {
        let others = View {
            scale: &scale,
            knots,
            coefficients: &flux,
            pieces: &of_pieces,
            spread: &spread,
            spread_factor: 1.0,
            covered: (20, last),
        };
        let exposure = exposure(0.37);
        let part = Part::new(&exposure, &scale, knots, 0.0);
        at.evaluate(&exposure, &part, &others);
        assert_eq!((at.first, at.n), (20, last - 20));
        for k in at.first..at.first + at.n {
            let i = k - at.first;
            let x = part.x[k];
            let (interval, t) = knots.locate(x);
            let of_variance = dot(&basis(t), &variance[interval..]);
            let per_km_s = scale.per_ln[x as usize] / C_KM_S / SPACING as f64;
            let slope = -dot(&basis_slope(t), &flux[interval..]) * per_km_s;
            let ivar = exposure.ivar[k];
            let inverse = match ivar > 0.0 {
                true => 1.0 / (1.0 / ivar + of_variance),
                false => 0.0,
            };
            let pairs = [
                (at.flux[i], others.flux(x)),
                (at.slope[i], slope),
                (at.variance[i], of_variance),
                (at.residual[i], exposure.flux[k] - others.flux(x)),
                (at.inverse[i], inverse),
            ];
            for (j, (found, expected)) in pairs.into_iter().enumerate() {
                let error = (found - expected).abs();
                assert!(error < 1e-7, "{last} {k} {j}: {found} {expected}");
            }
        }
    }
}

#[test]
fn half_a_sweep_is_the_beginning_of_a_whole_one() {
    let made = |extent: sweep::Extent| {
        let all = tests::exposures(&tests::RV_KM_S, 0.02, 21);
        let mut coadd = Coadd::new(all, 0, SPACING, &[0.3, 11.0, -30.0, 3.0, 82.0]).unwrap();
        coadd.exposures[1].flux[700] += 0.4;
        coadd
            .exposures
            .iter_mut()
            .for_each(|e| e.ivar[300..309].fill(0.0));
        assert!(coadd.lay());
        coadd.compare(&[true; 5], extent);
        coadd.sweeps
    };
    let (halves, wholes) = (made(sweep::Extent::Step), made(sweep::Extent::Whole));
    for (half, whole) in halves.iter().zip(&wholes) {
        let (a, b) = (&half.totals, &whole.totals);
        for (a, b) in [
            (a.gradient, b.gradient),
            (a.slope2, b.slope2),
            (a.information, b.information),
            (half.step_km_s, whole.step_km_s),
        ] {
            assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
        }
        assert_eq!((&half.off, &half.far), (&whole.off, &whole.far));
        assert_eq!(half.z, whole.z);
        assert_eq!(a.n_pix, 0);
        assert!(b.n_pix > 1500);
    }
    assert!(wholes[1].far.contains(&700));
}

/// Means over the pixels around each knot and the stretch that is covered, pixel by pixel as docs/method.md, section 5, has them.
#[test]
fn gaps_are_those_of_each_pixel() {
    let n = 400;
    let knots = Knots::new(n, SPACING);
    let cases: [&[(usize, usize)]; 8] = [
        &[],
        &[(0, 5)],
        &[(390, 400)],
        &[(0, 3), (100, 104), (200, 259), (300, 301)],
        &[(100, 160)],
        &[(0, 70), (200, 290), (395, 400)],
        &[(0, 400)],
        &[(1, 399)],
    ];
    for gaps in cases {
        let mut ivar: Vec<f64> = (0..n).map(|i| 100.0 + i as f64).collect();
        gaps.iter()
            .for_each(|(from, to)| ivar[*from..*to].fill(0.0));
        let good: Vec<usize> = (0..n).filter(|i| ivar[*i] > 0.0).collect();
        let variance = |i: usize| {
            let before = good.iter().rev().find(|g| **g <= i).or(good.first());
            let known = before.map_or(0.0, |g| 1.0 / ivar[*g]);
            let distance = good.iter().map(|g| g.abs_diff(i)).min().unwrap_or(n);
            known + (0.05 * distance as f64).min(0.5).powi(2)
        };
        let found = smooth_variance(knots, &ivar);
        for (c, found) in found
            .iter()
            .enumerate()
            .skip(2)
            .take(knots.n_coefficient() - 5)
        {
            let centre = SPACING * (c - 1);
            let pixels = centre - SPACING..=centre + SPACING;
            let mean = pixels.map(variance).sum::<f64>() / (2 * SPACING + 1) as f64;
            assert!(
                (found / mean - 1.0).abs() < 1e-12,
                "{gaps:?} {c}: {found} {mean}"
            );
        }
        let stretches = good.chunk_by(|a, b| b - a <= 60);
        let ends = stretches.map(|s| (s[0], s[s.len() - 1]));
        // Of several the first, as `max_by_key` takes the last.
        let longest = ends.rev().max_by_key(|(first, last)| last - first);
        let longest = longest.filter(|(first, last)| last > first);
        assert_eq!(longest_covered(&ivar), longest, "{gaps:?}");
    }
}
