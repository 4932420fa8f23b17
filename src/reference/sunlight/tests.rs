use super::*;
use crate::Arm;
use crate::lab::simulate::{StellarParams, Template};

/// The Sun in an arm.
fn of(arm: Arm) -> &'static Sunlight {
    Sunlight::over(arm.window_aa()).unwrap()
}

/// The arm of a stretch of the table.
fn named(word: &str) -> Option<Arm> {
    Arm::ALL.into_iter().find(|arm| arm.name() == word)
}

/// Pixels like a detector's.
fn pixels(from_aa: f64, to_aa: f64) -> Vec<f64> {
    let step = PIXEL_KM_S / C_KM_S;
    let n = ((to_aa / from_aa).ln() / step) as usize;
    (0..n).map(|i| from_aa.ln() + step * i as f64).collect()
}

/// Wavelength and value of the minimum within 1 A.
fn minimum(values: impl Fn(f64) -> f64, near_aa: f64) -> (f64, f64) {
    let step = |i: i32| near_aa + 0.002 * f64::from(i);
    (-500..=500)
        .map(|i| (step(i), values(step(i).ln())))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap()
}

#[test]
fn table_is_whole() {
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if let Some(arm) = named(words[0]) {
            let count: usize = words[3].parse().unwrap();
            assert_eq!(of(arm).flux.len(), count);
        } else {
            assert!(words.iter().all(|w| w.parse::<u32>().is_ok()), "{line}");
        }
    }
    for (arm, first, last) in [(Arm::Blue, 4895.0, 5395.0), (Arm::Red, 6270.0, 6860.0)] {
        let sun = of(arm);
        let range = sun.range_aa();
        assert!((range.0 - first).abs() < 1e-9 && (range.1 - last).abs() < 0.1);
        assert!(sun.flux.iter().all(|f| (0.2..1.02).contains(f)));
        assert!(sun.normalized.iter().all(|f| (0.2..1.15).contains(f)));
        // The detector and the largest velocity of the Earth are inside.
        let (low, high) = arm.window_aa();
        assert!(range.0 < low - 15.0 && range.1 > high + 15.0);
    }
}

#[test]
fn lines_lie_where_they_do_in_vacuum() {
    for (arm, wave_aa, flux) in [
        (Arm::Blue, 5168.76, 0.2..0.5),
        (Arm::Blue, 5174.12, 0.2..0.5),
        (Arm::Blue, 5185.05, 0.2..0.45),
        (Arm::Red, 6564.61, 0.2..0.35),
        // Ca I 6439.075 and Ca I 6462.567 A in air, the second with iron.
        (Arm::Red, 6440.855, 0.7..0.9),
        (Arm::Red, 6464.36, 0.7..0.9),
    ] {
        let sun = of(arm);
        let (at, depth) = minimum(|ln| sun.flux(ln), wave_aa);
        // The first line of magnesium blends with one of iron at 5169.05 A.
        assert!((at - wave_aa).abs() < 0.07, "{wave_aa}: {at}");
        assert!(flux.contains(&depth), "{wave_aa}: {depth}");
    }
}

#[test]
fn water_of_the_atmosphere_is_not_in_it() {
    // Strong water lines without a line of the Sun beside them: in air 6536.720, 6542.313, 6543.907, 6552.629 A. At this
    // resolution they are 2-4 % deep where the air is humid.
    for wave_aa in [6538.526, 6544.120, 6545.715, 6554.439] {
        let sun = of(Arm::Red);
        let at = |aa: f64| sun.flux(aa.ln());
        let beside = 0.5 * (at(wave_aa - 1.0) + at(wave_aa + 1.0));
        let depth = 1.0 - at(wave_aa) / beside;
        assert!(depth.abs() < 0.006, "{wave_aa}: {depth}");
    }
}

#[test]
fn positive_helio_rv_moves_the_sun_to_the_blue() {
    let ln_file = pixels(6540.0, 6590.0);
    let (mut rest, mut moved, mut normalized) = (vec![], vec![], vec![]);
    of(Arm::Red).fill(&ln_file, 0.0, &mut rest);
    let helio_rv = 25.0;
    // The same pixels of the detector in a file with this correction.
    let shift = (-helio_rv / C_KM_S).ln_1p();
    let ln_moved: Vec<f64> = ln_file.iter().map(|ln| ln + shift).collect();
    of(Arm::Red).fill(&ln_moved, helio_rv, &mut moved);
    assert!(rest.iter().zip(&moved).all(|(a, b)| (a - b).abs() < 1e-9));
    let line = |values: &[f64], ln: &[f64]| {
        let lowest = (0..ln.len()).min_by(|a, b| values[*a].total_cmp(&values[*b]));
        ln[lowest.unwrap()].exp()
    };
    let expected = 6564.61 * (1.0 - helio_rv / C_KM_S);
    assert!((line(&moved, &ln_moved) - expected).abs() < 0.1);
    of(Arm::Red).fill(&ln_file, helio_rv, &mut moved);
    assert!((line(&moved, &ln_file) - expected).abs() < 0.1);
    of(Arm::Red).fill_normalized(&ln_file, helio_rv, &mut normalized);
    assert!((line(&normalized, &ln_file) - expected).abs() < 0.1);
}

#[test]
fn outside_it_is_1_and_nothing_is_nothing() {
    let mut out = vec![3.0];
    of(Arm::Blue).fill(&[], 10.0, &mut out);
    assert!(out.is_empty());
    of(Arm::Red).fill_normalized(&[], 10.0, &mut out);
    assert!(out.is_empty());
    let strange = [f64::NEG_INFINITY, 0.0, 4890f64.ln(), 5400f64.ln(), f64::NAN];
    for fill in [Sunlight::fill, Sunlight::fill_normalized] {
        fill(of(Arm::Blue), &strange, 0.0, &mut out);
        assert_eq!(out, [1.0; 5]);
    }
    of(Arm::Blue).fill(&[5170f64.ln()], f64::NAN, &mut out);
    assert_eq!(out, [1.0]);
    // The ends of the table are inside.
    let sun = of(Arm::Blue);
    assert!((sun.flux(sun.ln_first) - sun.flux[0]).abs() < 1e-9);
    for text in ["", "# head\n1 2 3\n", "blue\n", "blue x 5 3\n1 2 y\n"] {
        assert!(parse(text).iter().all(|sun| sun.flux(8.5) == 1.0));
    }
}

#[test]
fn interpolation_is_good_to_a_thousandth() {
    for arm in Arm::ALL {
        let sun = of(arm);
        // Without every other value the error is 16 times as large.
        let coarse = Sunlight {
            per_ln: sun.per_ln / 2.0,
            flux: sun.flux.iter().copied().step_by(2).collect(),
            ..sun.clone()
        };
        let n = sun.flux.len() - 8;
        let worst = (8..n)
            .map(|i| {
                let ln = sun.ln_first + i as f64 / sun.per_ln;
                (coarse.flux(ln) - sun.flux[i]).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst < 3e-3, "{arm} {worst}");
    }
}

fn level(wave_aa: &[f64], flux: &[f64]) -> Vec<f64> {
    let n = flux.len();
    let mut level = vec![0.0; n];
    let config = ContinuumConfig::default();
    assert!(ContinuumFitter::default().fit(&config, wave_aa, flux, &vec![true; n], &mut level));
    level
}

fn normalize(wave_aa: &[f64], flux: &[f64]) -> Vec<f64> {
    let level = level(wave_aa, flux);
    flux.iter().zip(level).map(|(f, l)| f / l).collect()
}

#[test]
fn a_mixture_normalised_is_a_mixture_of_the_normalised() {
    let share = 0.06;
    for (arm, from_aa, to_aa) in [(Arm::Blue, 4900.0, 5390.0), (Arm::Red, 6275.0, 6855.0)] {
        let ln_wave = pixels(from_aa, to_aa);
        let wave_aa: Vec<f64> = ln_wave.iter().map(|ln| ln.exp()).collect();
        let (mut sun, mut normalized) = (vec![], vec![]);
        of(arm).fill(&ln_wave, 12.0, &mut sun);
        of(arm).fill_normalized(&ln_wave, 12.0, &mut normalized);
        for (teff_k, rv_km_s) in [(4500.0, 60.0), (5800.0, -45.0), (7500.0, 30.0)] {
            let mut star = Vec::new();
            Template::new(&StellarParams::dwarf(teff_k), arm).fill(&ln_wave, rv_km_s, &mut star);
            let mixture: Vec<f64> = star
                .iter()
                .zip(&sun)
                .map(|(a, b)| a + share * (b - a))
                .collect();
            let (of_star, of_mixture) = (level(&wave_aa, &star), level(&wave_aa, &mixture));
            let (low, high) = arm.window_aa();
            let (mut product, mut square) = (0.0, 0.0);
            for i in (0..wave_aa.len()).filter(|i| (low..high).contains(&wave_aa[*i])) {
                // The level of a mixture is the mixture of the levels.
                let of_sun = sun[i] / normalized[i];
                let ratio = of_mixture[i] / (of_star[i] + share * (of_sun - of_star[i]));
                assert!((0.994..1.002).contains(&ratio), "{arm} {teff_k} {ratio}");
                let difference = normalized[i] - star[i] / of_star[i];
                product += difference * (mixture[i] / of_mixture[i] - star[i] / of_star[i]);
                square += difference * difference;
            }
            let found = product / square;
            assert!((found - share).abs() < 0.01, "{arm} {teff_k} {found}");
        }
    }
}

#[test]
fn the_simulated_sun_resembles_the_real_one() {
    for (arm, highest) in [(Arm::Blue, 0.1), (Arm::Red, 0.04)] {
        let simulated = Template::new(&StellarParams::dwarf(5777.0), arm);
        let (from_aa, to_aa) = of(arm).range_aa();
        let ln_wave = pixels(from_aa, to_aa);
        let wave_aa: Vec<f64> = ln_wave.iter().map(|ln| ln.exp()).collect();
        let (mut a, mut b) = (vec![], vec![]);
        simulated.fill(&ln_wave, 0.0, &mut a);
        of(arm).fill(&ln_wave, 0.0, &mut b);
        let (mut c, d) = (normalize(&wave_aa, &a), normalize(&wave_aa, &b));
        let (low, high) = arm.window_aa();
        let inside = |i: &usize| (low..high).contains(&wave_aa[*i]);
        let window: Vec<usize> = (0..wave_aa.len()).filter(inside).collect();
        let mean = |v: &[f64]| window.iter().map(|i| v[*i]).sum::<f64>() / window.len() as f64;
        let rms = |a: &[f64], b: &[f64]| {
            let square = |i: &usize| (a[*i] - b[*i]).powi(2);
            (window.iter().map(square).sum::<f64>() / window.len() as f64).sqrt()
        };
        let contrast = |v: &[f64]| rms(v, &vec![mean(v); v.len()]);
        println!(
            "{arm}: rms {:.4} over continuum, {:.4} over pseudo-continuum; contrast {:.4} simulated, {:.4} real",
            rms(&a, &b),
            rms(&c, &d),
            contrast(&c),
            contrast(&d)
        );
        assert!(rms(&c, &d) < highest, "{arm} {}", rms(&c, &d));
        // The table over its pseudo-continuum is the same as the one found from pixels.
        of(arm).fill_normalized(&ln_wave, 0.0, &mut a);
        assert!(rms(&a, &d) < 2e-3, "{arm} {}", rms(&a, &d));
        // Where the two match best is where the table's zero of velocity is.
        let mut best = (f64::INFINITY, 0.0);
        for tenth in -50..=50 {
            let rv_km_s = 0.1 * f64::from(tenth);
            simulated.fill(&ln_wave, rv_km_s, &mut a);
            c = normalize(&wave_aa, &a);
            let distance = rms(&c, &d);
            if distance < best.0 {
                best = (distance, rv_km_s);
            }
        }
        println!("{arm}: best match at {:.1} km/s", best.1);
        assert!(best.1.abs() < 1.5, "{arm} {}", best.1);
    }
}
