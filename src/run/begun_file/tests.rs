//! What is kept of a unit that is not whole comes back as it was, or not at all.

use std::fs;

use super::*;
use crate::lamost::raw::Rejection;
use crate::run::unit_file::tests::{measured, plan, unit};

/// A star of as many rows as `names`; what is known of its sunlight differs from row to row.
fn star(names: &[&str], reason: RejectReason) -> MeasuredStar {
    let rows = measured(names).rows;
    let lit = |row: usize| {
        let mut numbers: [f64; N_LIT] = std::array::from_fn(|i| 1.0 / (3.0 + (i + row) as f64));
        numbers[2] = (row % 2) as f64;
        // The second row has no sunlight that was found.
        let n_known = if row == 1 { 4 } else { N_LIT };
        numbers[n_known..].fill(f64::NAN);
        Lit::from_numbers(row, numbers)
    };
    let still =
        |row: usize| Still::from_numbers([row as f64 / 3.0, 4136.0, 1e-6 / (1.0 + row as f64)]);
    MeasuredStar {
        lit: (0..rows.len()).map(lit).collect(),
        still: (0..rows.len()).map(still).collect(),
        rows,
        rejected: vec![Rejection::hdu(Path::new("f.fits"), "R-1", reason, "2")],
        n_spectra: 7,
    }
}

/// Two stars of the unit, the second of which has no row, and where they are kept.
fn kept(dir: &Path) -> (Vec<Placed>, BegunFile) {
    let file = UnitFile::new(dir, &unit("P", 1), "settings", "files");
    let stars = vec![
        (0, star(&["J1", "J1", "J1"], RejectReason::LowSnr)),
        (1, star(&[], RejectReason::LowSnr)),
    ];
    (stars, BegunFile::of(dir, &file))
}

#[test]
fn stars_come_back_as_they_were_until_they_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (mut stars, file) = kept(dir.path());
    let (unit, plan) = (unit("P", 1), plan("f.fits"));
    assert_eq!(file.read(&plan, &unit), []);
    assert_eq!(file.write(&plan, &unit, &stars).unwrap(), 2);
    assert_eq!(file.read(&plan, &unit), stars);
    let lit = &stars[0].1.lit;
    assert!(lit[0].sunlit.is_some() && lit[1].sunlit.is_none() && lit[1].is_odd);

    // Under the number that the star has now.
    let mut others = unit.clone();
    others.stars[0].0 = 9;
    stars[0].1.rows.iter_mut().for_each(|row| row.star = 9);
    assert_eq!(file.read(&plan, &others), stars);

    file.remove().unwrap();
    assert_eq!(file.read(&plan, &unit), []);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_is_not_of_this_unit_or_is_torn_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (stars, file) = kept(dir.path());
    let (unit, plan_here) = (unit("P", 1), plan("f.fits"));
    file.write(&plan_here, &unit, &stars).unwrap();
    assert_eq!(file.read(&plan("elsewhere/f.fits"), &unit), []);

    let other = UnitFile::new(dir.path(), &unit, "other settings", "files");
    let other = BegunFile::of(dir.path(), &other);
    fs::copy(&file.rows, &other.rows).unwrap();
    fs::copy(&file.record, &other.record).unwrap();
    assert_eq!(other.read(&plan_here, &unit), []);

    for path in [&file.rows, &file.record] {
        let bytes = fs::read(path).unwrap();
        for at in (0..bytes.len()).step_by(97) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            fs::write(path, &damaged).unwrap();
            assert_eq!(file.read(&plan_here, &unit), [], "{at} of {path:?}");
            fs::write(path, &bytes[..at]).unwrap();
            assert_eq!(file.read(&plan_here, &unit), [], "to {at} of {path:?}");
        }
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(file.read(&plan_here, &unit), stars);
}

#[test]
fn a_star_with_a_file_that_may_be_whole_next_time_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (mut stars, file) = kept(dir.path());
    let (unit, plan) = (unit("P", 1), plan("f.fits"));
    for reason in [RejectReason::Unreadable, RejectReason::BadGzip] {
        stars[0] = (0, star(&["J1"], reason));
        assert_eq!(file.write(&plan, &unit, &stars).unwrap(), 1);
        assert_eq!(file.read(&plan, &unit), stars[1..]);
    }
    assert_eq!(file.write(&plan, &unit, &stars[..1]).unwrap(), 0);
}
