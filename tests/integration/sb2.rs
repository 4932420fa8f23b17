//! Double-lined stars: found on simulated plates, and single stars of all kinds left alone.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use relrv::Arm;
use relrv::calibrate::arms::CalibrateOptions;
use relrv::catalogue::products;
use relrv::catalogue::star::StarRow;
use relrv::double_lined::coarse::CoarseExposure;
use relrv::double_lined::judge::{Evidence, evidence, judge};
use relrv::lab::simulate::motion::Motion;
use relrv::lab::simulate::plate::Plate;
use relrv::lab::simulate::{
    Component, Config, KindShares, SpectrumOptions, StellarParams, Template, TruthRow,
    spectrum_with_truth, write_plate,
};
use relrv::lamost::arm::KNOT_PIXELS;
use relrv::likelihood::RvFlags;
use relrv::measure::RvRow;
use relrv::reference::Reference;
use relrv::spectrum::{Normalized, Normalizer, SpectrumConfig};

use crate::run_support::{floats, run, table, texts};
use crate::support::*;

/// Share of the constant stars that are made to rotate fast.
const ROTATORS: f64 = 0.25;

/// What became of a star.
#[derive(Debug)]
struct Outcome {
    kind: &'static str,
    teff_k: f64,
    vsini_km_s: f64,
    /// Largest |v1 - v2| over the star's measured exposures, km/s; 0 for single stars.
    separation_km_s: f64,
    flux_ratio: f64,
    /// Median over both arms.
    snr: f64,
    found: bool,
    constant: bool,
}

impl Outcome {
    /// Two stars that differ by less than a factor of two, 80 km/s apart once.
    fn is_wide(&self) -> bool {
        self.separation_km_s >= 80.0 && self.flux_ratio >= 0.5
    }

    /// Neither star's line, 2 v sin i wide, reaches the other's; and the star has lines: below 8000 K.
    fn has_resolved_lines(&self) -> bool {
        self.separation_km_s >= 2.0 * self.vsini_km_s && self.teff_k < 8000.0
    }
}

/// Spectra of double-lined stars more than 5 sigma from the primary, and how many of them carry no flag.
#[derive(Clone, Copy, Debug, Default)]
struct Off {
    spectra: usize,
    off: usize,
    unflagged_before: usize,
    unflagged: usize,
    /// Those of them whose star is not found either.
    unknown: usize,
}

struct Survey {
    stars: Vec<Outcome>,
    off: BTreeMap<&'static str, Off>,
}

/// Simulates a plate with fast rotators, measures and calibrates it.
fn survey(name: &str, seed: u64, nights: usize, exposures: usize) -> Survey {
    let config = Config {
        out: Path::new(env!("CARGO_TARGET_TMPDIR")).join(name),
        seed,
        stars: 215,
        spectrographs: 2,
        nights,
        exposures,
        snr: (20.0, 100.0),
        coadds: false,
        kinds: KindShares {
            pulsator: 0.08,
            sb1: 0.08,
            sb2: 0.28,
        },
        ..Config::default()
    };
    if config.out.exists() {
        std::fs::remove_dir_all(&config.out).unwrap();
    }
    let mut plate = Plate::new(&config);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rotates = HashMap::new();
    for star in &mut plate.stars {
        let fast = rng.random::<f64>() < ROTATORS && matches!(star.motion, Motion::Constant);
        let vsini_km_s = rng.random_range(80.0..250.0);
        // Cool stars with convective envelopes do not rotate as fast.
        let teff_k = rng.random_range(5500.0..10_000.0);
        if fast {
            star.params.vsini_km_s = vsini_km_s;
            if star.params.teff_k < 5500.0 {
                (star.params.teff_k, star.params.logg) = (teff_k, 4.2);
            }
        }
        rotates.insert(star.designation.clone(), fast);
    }
    write_plate(&config, &plate).unwrap();
    let truth = truth(&config.out);
    let measured = measure_paths(&[&config.out]);
    std::fs::remove_dir_all(&config.out).unwrap();
    let made = products(
        &measured.rows,
        &Default::default(),
        &CalibrateOptions::default(),
    )
    .unwrap();

    let verdict = |s: &StarRow| {
        let verdict = (s.is_double_lined, s.found.is_constant == Some(true));
        (s.designation.to_string(), verdict)
    };
    let of_table: HashMap<String, (bool, bool)> = made.stars.iter().map(verdict).collect();
    // Who is double in one arm is so in the other.
    let is_same = |s: &StarRow| of_table[&*s.designation].0 == s.is_double_lined;
    assert!(made.stars.iter().all(is_same));
    // Candidates are corrected like all others.
    let mut corrected: HashMap<String, bool> = HashMap::new();
    for row in &made.catalogue {
        let id = row.exposure.designation.to_string();
        // A single exposure may have none: too faint, or its whole night without constants.
        *corrected.entry(id).or_default() |= row.arm(Arm::Red).rv_corr_km_s.is_finite();
    }

    let mut out = Survey {
        stars: Vec::new(),
        off: BTreeMap::new(),
    };
    for rows in measured.rows.chunk_by(|a, b| a.star == b.star) {
        let truth_of = |row: &RvRow| {
            let key = (name_of(&row.path), row.arm.name().to_owned(), row.lmjm);
            &truth[&key]
        };
        let first = truth_of(&rows[0]);
        let id = rows[0].designation.to_string();
        let (found, constant) = of_table[&id];
        assert!(!(found && constant), "{id} is double-lined and a constant");
        assert!(corrected[&id], "{id} has no corrected velocity");
        let separation = |t: &TruthRow| t.rv2_true.map_or(0.0, |rv2| (rv2 - t.rv_true).abs());
        let snr: Vec<f64> = rows.iter().map(|r| truth_of(r).snr).collect();
        out.stars.push(Outcome {
            kind: match first.kind.as_str() {
                "constant" if rotates[&first.star] => "rotator",
                "constant" => "constant",
                "pulsator" => "pulsator",
                "sb1" => "sb1",
                _ => "sb2",
            },
            teff_k: first.teff,
            vsini_km_s: first.vsini,
            separation_km_s: rows
                .iter()
                .map(|r| separation(truth_of(r)))
                .fold(0.0, f64::max),
            flux_ratio: first.flux_ratio.unwrap_or(0.0),
            snr: median(&snr),
            found,
            constant,
        });
        if first.rv2_true.is_none() {
            continue;
        }
        for of_arm in rows.chunk_by(|a, b| a.arm == b.arm) {
            let reference = of_arm.iter().find(|r| r.is_reference).unwrap();
            let count = out.off.entry(of_arm[0].arm.name()).or_default();
            for row in of_arm.iter().filter(|r| !r.is_reference) {
                let m = &row.measurement;
                let expected = expected_rv_km_s(truth_of(row), truth_of(reference));
                // Whatever has no velocity is flagged.
                let is_off = (m.rv_km_s - expected).abs() > 5.0 * m.rv_err_km_s;
                let bare = (m.flags & !RvFlags::DOUBLE_LINED).is_empty();
                count.spectra += 1;
                count.off += usize::from(is_off);
                count.unflagged_before += usize::from(is_off && bare);
                count.unflagged += usize::from(is_off && m.flags.is_empty());
                count.unknown += usize::from(is_off && m.flags.is_empty() && !found);
            }
        }
    }
    out
}

/// Found and all of those that `of` picks.
fn found(stars: &[Outcome], of: impl Fn(&Outcome) -> bool) -> (usize, usize) {
    let picked = || stars.iter().filter(|s| of(s));
    (picked().filter(|s| s.found).count(), picked().count())
}

/// Prints what was found, by kind and by what makes it easy or hard.
fn print(title: &str, survey: &Survey) {
    println!("{title}");
    let stars = &survey.stars;
    for kind in ["constant", "rotator", "pulsator", "sb1", "sb2"] {
        let (n_found, n) = found(stars, |s| s.kind == kind);
        let constants = stars
            .iter()
            .filter(|s| s.kind == kind && s.constant)
            .count();
        println!("  {kind}: {n_found} of {n} found, {constants} constants");
    }
    let between = |low: f64, value: f64, high: f64| (low..high).contains(&value);
    for (low, high) in [
        (0.0, 40.0),
        (40.0, 80.0),
        (80.0, 110.0),
        (110.0, 150.0),
        (150.0, 500.0),
    ] {
        let of = found(stars, |s| {
            s.kind == "sb2" && between(low, s.separation_km_s, high)
        });
        println!("  separation {low}-{high} km/s: {of:?}");
    }
    for (low, high) in [(0.3, 0.5), (0.5, 0.7), (0.7, 1.01)] {
        let of = |s: &Outcome| s.separation_km_s >= 80.0 && between(low, s.flux_ratio, high);
        println!("  wide, flux ratio {low}-{high}: {:?}", found(stars, of));
    }
    for (low, high) in [(20.0, 30.0), (30.0, 50.0), (50.0, 101.0)] {
        let of = |s: &Outcome| s.is_wide() && between(low, s.snr, high);
        println!("  wide, SNR {low}-{high}: {:?}", found(stars, of));
    }
    for (low, high) in [
        (3000.0, 5000.0),
        (5000.0, 6500.0),
        (6500.0, 8000.0),
        (8000.0, 50_000.0),
    ] {
        let of = |s: &Outcome| s.is_wide() && between(low, s.teff_k, high);
        println!("  wide, {low}-{high} K: {:?}", found(stars, of));
    }
    println!("  wide: {:?}", found(stars, Outcome::is_wide));
    let resolved = |s: &Outcome| s.is_wide() && s.has_resolved_lines();
    println!("  wide, lines resolved: {:?}", found(stars, resolved));
    for s in stars {
        if s.found != (s.kind == "sb2") && (s.found || s.is_wide()) {
            println!("    {s:?}");
        }
    }
    for (arm, off) in &survey.off {
        println!("  {arm}: {off:?}");
    }
}

/// A blue exposure of two stars of 5800 K.
fn two_stars(rv_km_s: [f64; 2], light: f64, seed: u64) -> Normalized {
    exposure(
        Arm::Blue,
        &StellarParams::dwarf(5800.0),
        rv_km_s,
        light,
        seed,
    )
}

/// An exposure of two stars of one kind, the first one's part of the light being `light`.
fn exposure(
    arm: Arm,
    star: &StellarParams,
    rv_km_s: [f64; 2],
    light: f64,
    seed: u64,
) -> Normalized {
    let template = Template::new(star, arm);
    let parts = [light, 1.0 - light];
    let components = std::array::from_fn(|i| Component {
        template: &template,
        rv_km_s: rv_km_s[i],
        light: parts[i],
    });
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let options = SpectrumOptions::default();
    let components: &[Component<'_>; 2] = &components;
    let raw = spectrum_with_truth(&mut rng, arm, components, 0.0, 60.0, &options).raw;
    let config = SpectrumConfig::default();
    Normalizer::default()
        .normalize(&config, &raw, 500.0)
        .unwrap()
}

#[test]
fn the_second_copy_is_where_the_second_star_is() {
    // The reference is of the time when both stars move alike.
    let together = two_stars([0.0, 0.0], 0.667, 1);
    let apart = two_stars([-40.0, 90.0], 0.667, 2);
    let single = two_stars([30.0, 30.0], 0.667, 3);
    let reference = Reference::new(&together, KNOT_PIXELS).unwrap();
    let exposures = [&together, &apart, &single];
    let mut scratch = CoarseExposure::default();
    let seen = evidence(&reference, exposures.into_iter(), 0, true, &mut scratch);
    let [None, Some(apart_seen), Some(single_seen)] = seen.second[..] else {
        panic!("{seen:?}")
    };
    println!("{apart_seen:?}\n{single_seen:?}");
    assert!(apart_seen.is_sure());
    assert!((apart_seen.separation_km_s - 130.0).abs() <= 10.0);
    // 1/3 of the light beside 2/3.
    assert!((apart_seen.share - 0.5).abs() < 0.1, "{}", apart_seen.share);
    assert!(!single_seen.is_sure() && !single_seen.is_likely());
    let none = Evidence::default();
    assert_eq!(judge(&[&seen, &none]), [vec![false, true, false], vec![]]);

    // With the stars apart all the time nothing changes, but the reference is like itself 130 km/s away.
    let reference = Reference::new(&apart, KNOT_PIXELS).unwrap();
    let again = two_stars([-40.0, 90.0], 0.667, 4);
    let seen = evidence(
        &reference,
        [&apart, &again].into_iter(),
        0,
        true,
        &mut scratch,
    );
    assert!(!seen.second[1].unwrap().is_sure(), "{seen:?}");
    assert!(judge(&[&seen, &none])[0][0]);
}

#[test]
fn broad_lines_are_wider_when_the_stars_are_apart() {
    let star = StellarParams {
        vsini_km_s: 90.0,
        ..StellarParams::dwarf(9000.0)
    };
    let mut scratch = CoarseExposure::default();
    let mut widths = |rv_of_reference: [f64; 2], rv_of_others: [f64; 2], seed: u64| {
        Arm::ALL.map(|arm| {
            let one = exposure(arm, &star, rv_of_reference, 0.55, seed);
            let others = [1, 2].map(|i| exposure(arm, &star, rv_of_others, 0.55, seed + i));
            let reference = Reference::new(&one, KNOT_PIXELS).unwrap();
            let all = [&one, &others[0], &others[1]];
            evidence(&reference, all.into_iter(), 0, true, &mut scratch)
        })
    };
    let double = |seen: &[Evidence; 2]| judge(&[&seen[0], &seen[1]]).concat().contains(&true);
    let red = |seen: &[Evidence; 2]| [1, 2].map(|i| seen[1].width_sigma[i].unwrap());
    for seed in [10, 20, 30] {
        let wider = widths([0.0, 0.0], [-50.0, 60.0], seed);
        println!("{:?} {:?}", wider[0].width_sigma, wider[1].width_sigma);
        assert!(red(&wider).iter().all(|s| *s > 4.0) && double(&wider));
        // 110 km/s apart, lines that are 180 wide: no second copy can be seen.
        assert!(
            wider
                .iter()
                .flat_map(|e| e.second.iter().flatten())
                .all(|s| !s.is_sure())
        );
        let narrower = widths([-50.0, 60.0], [10.0, 10.0], seed + 3);
        println!(
            "{:?} {:?}",
            narrower[0].width_sigma, narrower[1].width_sigma
        );
        assert!(red(&narrower).iter().all(|s| *s < -4.0) && double(&narrower));
        let single = widths([20.0, 20.0], [-60.0, -60.0], seed + 6);
        println!("{:?} {:?}", single[0].width_sigma, single[1].width_sigma);
        assert!(red(&single).iter().all(|s| s.abs() < 4.0) && !double(&single));
    }
}

#[test]
fn spectra_that_nothing_can_be_said_of_say_nothing() {
    let good = two_stars([0.0, 0.0], 0.5, 5);
    let reference = Reference::new(&good, KNOT_PIXELS).unwrap();
    let mut empty = good.clone();
    empty.ivar.fill(0.0);
    let mut flat = good.clone();
    flat.flux.fill(1.0);
    let mut tiny = good.clone();
    for values in [&mut tiny.ln_wave, &mut tiny.flux, &mut tiny.ivar] {
        values.truncate(3);
    }
    let exposures = [&good, &empty, &flat, &tiny];
    let mut scratch = CoarseExposure::default();
    let seen = evidence(&reference, exposures.into_iter(), 0, true, &mut scratch);
    assert_eq!(seen.second.len(), 4);
    let none = Evidence::default();
    assert_eq!(judge(&[&seen, &none]), [vec![false; 4], vec![]]);
    // A reference without lines, and one of a window that is too short.
    let reference = Reference::new(&flat, KNOT_PIXELS).unwrap();
    let seen = evidence(
        &reference,
        [&flat, &good].into_iter(),
        0,
        true,
        &mut scratch,
    );
    assert_eq!(judge(&[&seen, &none]), [vec![false; 2], vec![]]);
    let mut short = good.clone();
    for values in [&mut short.ln_wave, &mut short.flux, &mut short.ivar] {
        values.truncate(300);
    }
    let reference = Reference::new(&short, KNOT_PIXELS).unwrap();
    let seen = evidence(
        &reference,
        [&short, &good].into_iter(),
        0,
        true,
        &mut scratch,
    );
    assert_eq!(judge(&[&seen, &none]), [vec![false; 2], vec![]]);
}

#[test]
fn double_lined_stars_are_found_and_single_ones_are_not() {
    let survey = survey("sb2-plate", 7311, 3, 1);
    print("3 nights, 1 exposure each, seed 7311", &survey);
    let stars = &survey.stars;
    let (wrong, singles) = found(stars, |s| s.kind != "sb2");
    assert!(singles >= 300, "{singles}");
    assert!(
        wrong as f64 <= 0.01 * singles as f64,
        "{wrong} of {singles}"
    );
    let (right, wide) = found(stars, Outcome::is_wide);
    assert!(
        wide >= 40 && right as f64 >= 0.9 * wide as f64,
        "{right} of {wide}"
    );
}

/// Other plates, for the figures in docs/method.md: `RELRV_SB2` holds seed, nights and exposures, as `7302,4,3`.
#[test]
fn other_plates() {
    let Ok(text) = std::env::var("RELRV_SB2") else {
        eprintln!("skipped: RELRV_SB2 asks for no other plate");
        return;
    };
    let numbers: Vec<usize> = text.split(',').map(|n| n.parse().unwrap()).collect();
    let [seed, nights, exposures] = numbers[..] else {
        panic!("expected seed,nights,exposures, found {text}")
    };
    let survey = survey("sb2-other", seed as u64, nights, exposures);
    print(&text, &survey);
}

/// A double-lined eclipsing binary and a hot star whose emission changes, which is single.
#[test]
fn the_double_star_of_the_public_files_is_a_candidate() {
    let Some(real) = std::env::var_os("RELRV_REAL_DATA") else {
        eprintln!("skipped: RELRV_REAL_DATA names no folder of LAMOST files");
        return;
    };
    let dir = folder();
    let out = dir.path().join("out");
    let (status, said, errors) = run(&[Path::new(&real)], &out, &[]);
    assert_eq!((status, errors.as_str()), (0, ""), "{said}");
    let stars = table(&out, "stars.fits");
    let candidate = texts(&stars, "sb2_candidate");
    let n_exp = floats(&stars, "n_exp");
    for (candidate, n_exp) in candidate.iter().zip(&n_exp) {
        // No velocity of a candidate counts: those in which one set of lines is seen are blended.
        assert_eq!(candidate == "true", *n_exp == 0.0, "{candidate} {n_exp}");
    }
    assert!(candidate.iter().any(|c| c == "true"), "{candidate:?}");
}
