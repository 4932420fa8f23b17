use std::collections::{BTreeMap, HashSet};

use super::*;
use crate::catalogue::flags::CatalogueFlags;
use crate::catalogue::row::CatalogueRow;
use crate::catalogue::star::StarRow;
use crate::likelihood::RvFlags;
use crate::report::finished::Catalogue;

/// Two stars 2 arcsec apart and one elsewhere, two exposures of each.
fn run() -> Finished {
    let mut rows = Vec::new();
    for (i, (name, ra_deg)) in [("J1603A", 240.77), ("J1603B", 240.7707), ("J17", 255.0)]
        .into_iter()
        .enumerate()
    {
        for lmjm in [84_420_148, 84_420_171] {
            let mut row = CatalogueRow::default();
            row.exposure.designation = name.into();
            (row.exposure.ra_deg, row.exposure.dec_deg) = (ra_deg, 37.2);
            row.exposure.obsid = 1000 + i as i64;
            row.exposure.lmjm = lmjm;
            let [red, blue] = &mut row.arms;
            (red.rv_corr_km_s, red.rv_corr_err_km_s) = (12.3456, 0.25);
            red.flags = CatalogueFlags::from(RvFlags::DOUBLE_LINED);
            (blue.rv_km_s, blue.rv_err_own_km_s) = (-3.5, 0.125);
            blue.flags = CatalogueFlags::NO_ZERO_POINT;
            rows.push(row);
        }
    }
    let mut star = StarRow {
        designation: "J17".into(),
        ..StarRow::default()
    };
    star.names.gaia_source_id = "42".into();
    star.found.is_variable = Some(true);
    (star.period.period_d, star.period.false_alarm) = (2.5, 1e-6);
    star.period.amplitude_km_s = 20.0;
    Finished {
        catalogue: Catalogue::new(rows),
        stars: vec![star],
        zero_points: Vec::new(),
        constants: HashSet::new(),
        rejected: BTreeMap::new(),
        record: serde_json::Value::Null,
        n_absurd: 0,
    }
}

#[test]
fn a_star_is_found_by_whatever_it_is_called() {
    let run = run();
    for (which, star) in [
        ("J1603A", 0),
        ("j1603b", 1),
        ("1001", 1),
        ("J17", 2),
        ("42", 2),
        ("J1", usize::MAX),
        ("255.0003 37.2", 2),
        ("17:00:00 +37:12:02", 2),
        ("240.7685 37.2", usize::MAX),
        ("240.76935, 37.2", 0),
        ("240.7704 37.2", usize::MAX),
        ("", usize::MAX),
        ("nobody", usize::MAX),
    ] {
        let found = find::star(&run, &Whose::Called(which));
        assert_eq!(
            found.clone().unwrap_or(usize::MAX),
            star,
            "{which}: {found:?}"
        );
    }
    let both = find::star(&run, &Whose::Called("J1603")).unwrap_err();
    assert!(both.contains("2 stars: J1603A, J1603B"), "{both}");
    let none = find::star(&run, &Whose::Called("J9")).unwrap_err();
    assert!(
        none.contains("no star \"J9\"") && none.contains("obsid"),
        "{none}"
    );
}

#[test]
fn the_text_has_the_velocities_and_what_to_do_about_their_flags() {
    let run = run();
    let rows: Vec<usize> = (0..6).filter(|row| run.catalogue.star[*row] == 2).collect();
    let both = text::of(&run, 2, &rows, &ARMS);
    for says in [
        "J17   ra 255.00000 dec +37.20000 deg",
        "Gaia    42",
        "variable (p ",
        "2.50000 d, half range 20.00 km/s, false-alarm probability 1.0e-6",
        "12.346 +- 0.250 ",
        "plate            red, km/s           blue, km/s   flags",
        "-3.500 +- 0.125*",
        "* as measured",
        "red: double_lined, blue: no_zero_point",
        "double_lined, 2 velocities: two sets of lines",
        "not a velocity of either",
        "no_zero_point, 2 velocities: too few stars",
    ] {
        assert!(both.contains(says), "{says}\n{both}");
    }
    let red = text::of(&run, 2, &rows[..1], &[Arm::Red]);
    assert!(red.contains("double_lined, 1 velocity:"), "{red}");
    assert!(
        !red.contains("blue") && !red.contains("as measured:"),
        "{red}"
    );
}
