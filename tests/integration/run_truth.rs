//! `relrv run` on a simulated plate against its truth: zero points and velocities come back, with the errors that are quoted.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use relrv::catalogue::flags;
use relrv::simulate::{Config, TruthRow};

use crate::run_support::*;
use crate::support::*;

/// Truth by spectrograph, fibre, minute and arm.
type Truth = HashMap<(i32, i32, i64, String), TruthRow>;

fn truth_of(plate: &Path) -> Truth {
    truth(plate)
        .into_values()
        .map(|row| ((row.spid, row.fiberid, row.lmjm, row.arm.clone()), row))
        .collect()
}

/// Values and their errors, by what they have a mean in common with.
type Groups = BTreeMap<String, Vec<(f64, f64)>>;

/// Residuals about the means of their groups, each with its error: rms, rms of the errors, and rms of the ratio, with the
/// degrees of freedom that the means take.
fn spread(groups: &Groups) -> (f64, f64, f64, usize) {
    let (mut squares, mut variances, mut ratios, mut n, mut free) = (0.0, 0.0, 0.0, 0, 0);
    for of in groups.values().filter(|of| of.len() > 1) {
        let weight: f64 = of.iter().map(|(_, e)| e.powi(-2)).sum();
        let mean = of.iter().map(|(d, e)| d * e.powi(-2)).sum::<f64>() / weight;
        for (d, e) in of {
            squares += (d - mean).powi(2);
            variances += e * e;
            ratios += ((d - mean) / e).powi(2);
        }
        n += of.len();
        free += of.len() - 1;
    }
    let rms = |sum: f64, n: usize| (sum / n as f64).sqrt();
    (rms(squares, free), rms(variances, n), rms(ratios, free), n)
}

#[test]
fn zero_points_and_velocities_of_a_plate_come_back() {
    let plate = made_once(Config {
        out: "run-plate".into(),
        seed: 41,
        stars: 60,
        nights: 4,
        exposures: 3,
        spectrographs: 2,
        snr: (10.0, 100.0),
        ..Config::default()
    });
    let truth = truth_of(&plate);
    let dir = folder();
    let out = dir.path().join("out");
    // Standard error may tell the progress.
    let (status, said, errors) = run(&[&plate], &out, &[]);
    assert_eq!(status, 0, "{errors}");
    println!("{said}");
    assert_eq!(count(&said, "measured"), truth.len());

    let zero_points = table(&out, "zeropoints.fits");
    let catalogue = table(&out, "catalogue.fits");
    let ints = |name: &str| floats(&catalogue, name);
    let (spid, fibre, lmjm) = (ints("spid"), ints("fiberid"), ints("lmjm"));
    for (arm, x) in [("red", "r"), ("blue", "b")] {
        // Only differences within a component can be known.
        let mut zp_true = HashMap::new();
        for ((spid, _, lmjm, of), row) in &truth {
            if of == arm {
                zp_true.insert((*spid, *lmjm), row.zp_true);
            }
        }
        let (zp, zp_err) = (floats(&zero_points, "zp"), floats(&zero_points, "zp_err"));
        let (of, zp_spid, zp_lmjm, component) = (
            texts(&zero_points, "arm"),
            floats(&zero_points, "spid"),
            floats(&zero_points, "lmjm"),
            texts(&zero_points, "component"),
        );
        let mut groups = Groups::new();
        for i in (0..zp.len()).filter(|&i| of[i] == arm) {
            let off = zp[i] - zp_true[&(zp_spid[i] as i32, zp_lmjm[i] as i64)];
            groups
                .entry(component[i].clone())
                .or_default()
                .push((off, zp_err[i]));
        }
        let (rms, bound, pull, n) = spread(&groups);
        println!(
            "{arm}: {n} zero points: rms {rms:.4} km/s, bound {bound:.4} km/s, pull {pull:.2}"
        );
        assert_eq!(n, 24);
        assert!(
            (0.6..1.5).contains(&pull) && bound < 0.1,
            "{arm}: {pull} {bound}"
        );

        // A star's own mean is not known; a component's zero neither, and no star is in two of them.
        let bits = floats(&catalogue, &format!("flags_{x}"));
        let raw = floats(&catalogue, &format!("drv_{x}"));
        let own = floats(&catalogue, &format!("drv_{x}_err_own"));
        let corr = floats(&catalogue, &format!("drv_{x}_corr"));
        let corr_err = floats(&catalogue, &format!("drv_{x}_corr_err"));
        let mut kinds: BTreeMap<&str, [Groups; 2]> = BTreeMap::new();
        for i in 0..corr.len() {
            let key = (
                spid[i] as i32,
                fibre[i] as i32,
                lmjm[i] as i64,
                arm.to_owned(),
            );
            let row = &truth[&key];
            if bits[i] as u32 & !flags::REFERENCE != 0 {
                continue;
            }
            let kind = match row.kind.as_str() {
                "constant" => "constants",
                "sb1" => "binaries",
                _ => continue,
            };
            let star = format!("{} {}", key.0, key.1);
            let [before, after] = kinds.entry(kind).or_default();
            before
                .entry(star.clone())
                .or_default()
                .push((raw[i] - row.rv_true, own[i]));
            after
                .entry(star)
                .or_default()
                .push((corr[i] - row.rv_true, corr_err[i]));
        }
        for (kind, [before, after]) in &kinds {
            let (was, _, _, _) = spread(before);
            let (rms, bound, pull, n) = spread(after);
            println!(
                "{arm} {kind}: {n} velocities: rms {was:.3} km/s before, {rms:.4} after, quoted {bound:.4} km/s, pull {pull:.2}"
            );
            assert!((0.85..1.2).contains(&pull), "{arm} {kind}: {pull}");
            assert!(
                was > 1.0 && rms < 1.3 * bound,
                "{arm} {kind}: {was} {rms} {bound}"
            );
        }
    }

    // Constants are constant, and the double-lined candidates double.
    let stars = table(&out, "stars.fits");
    let (ids, of) = (texts(&stars, "source_id"), texts(&stars, "arm"));
    let (constant, double) = (texts(&stars, "constant"), texts(&stars, "sb2_candidate"));
    let fibres: HashMap<String, (i32, i32)> = texts(&catalogue, "source_id")
        .into_iter()
        .zip(spid.iter().zip(&fibre).map(|(s, f)| (*s as i32, *f as i32)))
        .collect();
    let kind_of = |id: &str| {
        let (spid, fibre) = fibres[id];
        let row = truth
            .values()
            .find(|r| (r.spid, r.fiberid) == (spid, fibre));
        row.unwrap().kind.clone()
    };
    for arm in ["red", "blue"] {
        let mut table: BTreeMap<String, [usize; 3]> = BTreeMap::new();
        for i in (0..ids.len()).filter(|&i| of[i] == arm) {
            let counts = table.entry(kind_of(&ids[i])).or_default();
            counts[0] += 1;
            counts[1] += usize::from(constant[i] == "true");
            counts[2] += usize::from(double[i] == "true");
        }
        println!("{arm}: kind: [stars, constants, double-lined candidates] {table:?}");
        let [n, chosen, _] = table["constant"];
        assert!(chosen as f64 > 0.9 * n as f64);
        let others: usize = ["sb1", "sb2", "pulsator"]
            .iter()
            .filter_map(|k| table.get(*k))
            .map(|c| c[1])
            .sum();
        assert!(
            others <= chosen / 20 + 1,
            "{others} variables among {chosen} constants"
        );
    }
}

/// Public LAMOST files, where `RELRV_REAL_DATA` names a folder of them.
#[test]
fn the_public_files_become_a_catalogue() {
    let Some(real) = std::env::var_os("RELRV_REAL_DATA") else {
        eprintln!("skipped: RELRV_REAL_DATA names no folder of LAMOST files");
        return;
    };
    let dir = folder();
    let out = dir.path().join("out");
    let (status, said, errors) = run(&[Path::new(&real)], &out, &[]);
    println!("{said}");
    assert_eq!((status, errors.as_str()), (0, ""));
    let catalogue = table(&out, "catalogue.fits");
    let measured = count(&said, "measured");
    let (red, blue) = (floats(&catalogue, "drv_r"), floats(&catalogue, "drv_b"));
    let n = |v: &[f64]| v.iter().filter(|v| v.is_finite()).count();
    assert_eq!(n(&red) + n(&blue), measured);
    // Two plates, one star: one reference in each arm.
    assert_eq!(count(&said, "units"), 1);
    let planids: std::collections::BTreeSet<String> =
        texts(&catalogue, "planid").into_iter().collect();
    assert_eq!(planids.len(), 2);
    for x in ["r", "b"] {
        let bits = floats(&catalogue, &format!("flags_{x}"));
        let references = bits
            .iter()
            .filter(|b| **b as u32 & flags::REFERENCE != 0)
            .count();
        assert_eq!(references, 1);
    }
}
