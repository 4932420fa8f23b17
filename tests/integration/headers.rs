//! What headers say of frame, exposures and positions, through the whole program.

use std::path::{Path, PathBuf};

use relrv::C_KM_S;
use relrv::likelihood::RvFlags;
use relrv::measure::RvRow;

use crate::fits_edit::{Hdu, join, split};
use crate::run_support::{run, table, texts};
use crate::support::*;

/// The three files of the plate's first star, uncompressed, in `dir`.
fn first_star(dir: &Path) -> Vec<PathBuf> {
    let star = name_of(&files(small_plate())[0]);
    let (_, fibre) = star.rsplit_once("_sp").unwrap();
    let of_star = files(small_plate())
        .into_iter()
        .filter(|f| name_of(f).ends_with(fibre));
    of_star
        .map(|from| {
            let to = dir.join(name_of(&from).trim_end_matches(".gz"));
            std::fs::write(&to, gunzip(&from)).unwrap();
            to
        })
        .collect()
}

/// Changes a file.
fn edit(path: &Path, change: impl FnOnce(&mut Vec<Hdu>)) {
    let mut hdus = split(&std::fs::read(path).unwrap());
    change(&mut hdus);
    std::fs::write(path, join(&hdus)).unwrap();
}

/// Moves every exposure's wavelengths to the red.
fn shift(hdus: &mut [Hdu], by_km_s: f64) {
    for hdu in hdus.iter_mut().skip(1) {
        let log = (1.0 + by_km_s / C_KM_S).log10();
        hdu.edit_floats("LOGLAM", |x| {
            x.iter_mut().for_each(|x| *x = (f64::from(*x) + log) as f32);
        });
    }
}

fn measured(dir: &Path) -> Vec<RvRow> {
    let measured = measure_paths(&[dir]);
    assert_eq!(measured.rejected, []);
    measured.rows
}

#[test]
fn a_file_in_the_observers_frame_is_moved_and_told() {
    let dir = folder();
    let star = first_star(dir.path());
    let before = measured(dir.path());
    let mut helio_rv_km_s = 0.0;
    edit(&star[1], |hdus| {
        helio_rv_km_s = hdus[0].get("HELIO_RV").unwrap().parse().unwrap();
        hdus[0].set("HELIO", "F");
        shift(hdus, helio_rv_km_s);
    });
    assert!(f64::abs(helio_rv_km_s) > 2.0, "{helio_rv_km_s}");
    let after = measured(dir.path());
    assert_eq!(before.len(), after.len());
    let mut n_moved = 0;
    for (a, b) in before.iter().zip(&after) {
        let (a, b) = (&a.measurement, &b.measurement);
        // Wavelengths are stored in steps of 0.165 km/s; the fit takes most of that out.
        assert!(
            (a.rv_km_s - b.rv_km_s).abs() < 0.03,
            "{} {}",
            a.rv_km_s,
            b.rv_km_s
        );
        assert_eq!(a.flags, b.flags & !RvFlags::FRAME_MOVED);
        n_moved += usize::from(b.flags.intersects(RvFlags::FRAME_MOVED));
    }
    let of_file = before.iter().filter(|r| *r.path == star[1]);
    assert_eq!(n_moved, of_file.count());
    let out = dir.path().join("rv.csv");
    let (status, said, _) = run_measure(&[dir.path()], &out, &[]);
    assert_eq!(status, 0);
    assert!(said.contains("in 1 file, as its header asks"), "{said}");
}

#[test]
fn a_velocity_that_the_earth_does_not_have_is_flagged() {
    let dir = folder();
    let star = first_star(dir.path());
    edit(&star[1], |hdus| {
        hdus[0].set("HELIO_RV", "-25.0");
        shift(hdus, -25.0);
    });
    for row in measured(dir.path()) {
        let is_flagged = row.measurement.flags.intersects(RvFlags::FRAME_DOUBTFUL);
        assert_eq!(is_flagged, *row.path == star[1], "{:?}", row.path);
    }
}

#[test]
fn a_copy_without_good_pixels_does_not_stand_for_the_exposure() {
    let dir = folder();
    let star = first_star(dir.path());
    let n_rows = measured(dir.path()).len();
    // The copy comes first by name, and its red window is empty.
    let name = name_of(&star[0]);
    let spoiled = dir.path().join(format!("med-0{}", &name["med-".len()..]));
    std::fs::copy(&star[0], &spoiled).unwrap();
    edit(&spoiled, |hdus| {
        for hdu in hdus.iter_mut().filter(|h| h.name().starts_with("R-")) {
            let columns = hdu.columns();
            let wave = columns.iter().find(|c| c.name == "LOGLAM").unwrap();
            let in_window = |w: f32| (6390.0..6710.0).contains(&10f32.powf(w));
            let is_empty: Vec<bool> = wave.to_floats().into_iter().map(in_window).collect();
            hdu.edit_floats("IVAR", |ivar| {
                let empty = ivar.iter_mut().zip(&is_empty).filter(|(_, empty)| **empty);
                empty.for_each(|(v, _)| *v = 0.0);
            });
        }
    });
    let measured = measure_paths(&[dir.path()]);
    assert_eq!(measured.rows.len(), n_rows);
    let red_of = |path: &Path| {
        let of = |r: &&RvRow| r.arm == relrv::Arm::Red && *r.path == *path;
        measured.rows.iter().filter(of).count()
    };
    assert_eq!(red_of(&spoiled), 0);
    assert!(red_of(&star[0]) > 0);
    // Its blue exposures are the first copies, and stand.
    let count = |word: &str| {
        let of = |r: &&relrv::lamost::raw::Rejection| r.reason.name() == word;
        measured.rejected.iter().filter(of).count()
    };
    assert_eq!(count("no_good_pixels"), red_of(&star[0]));
    assert_eq!(
        count("duplicate") + count("no_good_pixels"),
        measured.rejected.len()
    );
}

#[test]
fn a_night_that_is_added_renames_no_star() {
    let dir = folder();
    let (all, nights) = (dir.path().join("all"), dir.path().join("nights"));
    std::fs::create_dir_all(&all).unwrap();
    std::fs::create_dir_all(&nights).unwrap();
    let star = first_star(&all);
    // Each night its own position, as in public files.
    for (i, path) in star.iter().enumerate() {
        edit(path, |hdus| {
            let dec: f64 = hdus[0].get("DEC").unwrap().parse().unwrap();
            hdus[0].set("DEC", &format!("{:.6}", dec + 0.000_1 * i as f64));
        });
    }
    let out = dir.path().join("out");
    let names =
        |out: &Path, product: &str| texts(&table(out, &format!("{product}.fits")), "designation");
    let take = |i: usize| std::fs::copy(&star[i], nights.join(name_of(&star[i]))).unwrap();
    take(1);
    assert_eq!(run(&[&nights], &out, &[]).0, 0);
    let first = names(&out, "catalogue")[0].clone();
    // The night before it.
    take(0);
    let (status, _, errors) = run(&[&nights], &out, &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    for product in ["catalogue", "stars"] {
        let names = names(&out, product);
        assert!(names.iter().all(|name| *name == first), "{names:?}");
    }
    // A directory that did not know the star before the first night came names it after that.
    let fresh = dir.path().join("fresh");
    assert_eq!(run(&[&nights], &fresh, &[]).0, 0);
    assert!(names(&fresh, "catalogue").iter().all(|name| *name != first));
}
