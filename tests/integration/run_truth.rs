//! `relrv run` on a simulated plate against its truth: zero points and velocities come back, with the errors that are quoted.

use std::path::Path;

use relrv::catalogue::flags::CatalogueFlags;
use relrv::lab::simulate::Config;
use relrv::lab::validate::end_to_end::score::{ARMS, compare};

use crate::run_support::*;
use crate::support::*;

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
    let dir = folder();
    let out = dir.path().join("out");
    // Standard error may tell the progress.
    let (status, said, errors) = run(&[&plate], &out, &[]);
    assert_eq!(status, 0, "{errors}");
    println!("{said}");
    assert_eq!(count(&said, "measured"), truth(&plate).len());

    let found = compare(&plate, &out).unwrap();
    for arm in ARMS {
        let (zp, _, _) = found.zero_point_score(arm);
        println!(
            "{arm}: {} zero points: rms {:.4} km/s, bound {:.4} km/s, pull {:.2}",
            zp.n, zp.rms_km_s, zp.quoted_km_s, zp.pull
        );
        assert_eq!(zp.n, 24);
        assert!(
            (0.6..1.5).contains(&zp.pull) && zp.quoted_km_s < 0.1,
            "{arm}: {zp:?}"
        );

        let kinds = ["constant", "sb1"];
        let of_arm = found.velocities.iter().filter(|v| v.arm == arm);
        let velocities: Vec<_> = of_arm.filter(|v| kinds.contains(&v.kind)).collect();
        assert_eq!(velocities.len(), 2);
        for v in velocities {
            let (kind, was, after) = (v.kind, v.before.rms_km_s, v.after);
            println!(
                "{arm} {kind}: {} velocities: rms {was:.3} km/s before, {:.4} after, quoted {:.4} km/s, pull {:.2}",
                after.n, after.rms_km_s, after.quoted_km_s, after.pull
            );
            assert!(
                (0.85..1.2).contains(&after.pull),
                "{arm} {kind}: {}",
                after.pull
            );
            assert!(
                was > 1.0 && after.rms_km_s < 1.3 * after.quoted_km_s,
                "{arm} {kind}: {was} {after:?}"
            );
        }

        // Constants are constant.
        let mut others = 0;
        let mut chosen = 0;
        for (_, kind, taken) in found.taken.iter().filter(|(of, _, _)| *of == arm) {
            println!("{arm} {kind}: {taken:?}");
            if *kind == "constant" {
                chosen = taken.constant;
                assert!(chosen as f64 > 0.9 * taken.n as f64, "{arm}: {taken:?}");
            } else {
                others += taken.constant;
            }
        }
        assert!(
            chosen > 0 && others <= chosen / 20 + 1,
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
    let inputs = double_star(Path::new(&real));
    let inputs: Vec<&Path> = inputs.iter().map(|path| path.as_path()).collect();
    let (status, said, errors) = run(&inputs, &out, &[]);
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
            .filter(|b| **b as u32 & CatalogueFlags::REFERENCE.bits() != 0)
            .count();
        assert_eq!(references, 1);
    }
}
