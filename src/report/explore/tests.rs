use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::by_star::{ByStar, Grouped};
use super::stars::Listed;
use super::{json, write};
use crate::Arm;
use crate::calibrate::Unjudged;
use crate::calibrate::results::ZeroPoint;
use crate::catalogue::flags::CatalogueFlags;
use crate::catalogue::row::CatalogueRow;
use crate::catalogue::star::StarRow;
use crate::catalogue::zero_point::ZeroPointRow;
use crate::report::finished::{Catalogue, Finished};

fn said(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn text_is_harmless_wherever_it_stands_and_is_read_as_it_was() {
    for text in [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)> & ' \" \\ ` */ //",
        "d\u{e9}j\u{e0} vu \u{1f30c} \u{3b1}",
        "",
    ] {
        let written = said(|out| json::text(out, text).unwrap());
        assert!(written.is_ascii(), "{written}");
        assert!(!written.contains(['<', '>', '&', '\'', '/']), "{written}");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
    // What acts on a terminal or turns the text's direction is told, as everywhere.
    let written = said(|out| json::text(out, "a\u{202e}b\u{2028}c\n").unwrap());
    let read: String = serde_json::from_str(&written).unwrap();
    assert_eq!(read, "a\\u{202e}b\\u{2028}c\\u{a}");
}

#[test]
fn numbers_are_short_and_what_is_missing_is_null() {
    let scaled = |x| said(|out| json::scaled(out, x, 1e4).unwrap());
    assert_eq!(scaled(-3.21409), "-32141");
    assert_eq!(scaled(-0.00001), "0");
    assert_eq!(scaled(f64::NAN), "null");
    let rough = |x| said(|out| json::rough(out, x).unwrap());
    assert_eq!(
        [0.0, 1.0, 0.123456, 3.7e-43].map(rough),
        ["0", "1", "1.235e-1", "3.700e-43"]
    );
    assert_eq!(rough(f64::INFINITY), "null");
    assert_eq!(said(|out| json::exact(out, f64::NAN).unwrap()), "null");
}

#[test]
fn things_are_grouped_in_their_order() {
    let groups = [Some(2), Some(0), None, Some(2), Some(0), Some(2)];
    let grouped = Grouped::new(4, groups.into_iter());
    let of = |g| grouped.of(g).collect::<Vec<_>>();
    assert_eq!(
        [of(0), of(1), of(2), of(3)],
        [vec![1, 4], vec![], vec![0, 3, 5], vec![]]
    );
    assert_eq!((grouped.len(2), grouped.len(3)), (3, 0));
}

/// `n` stars in `exposures` exposures of two plates; rows of a star do not follow each other. The velocity of star s in exposure e is
/// s + e / 10 in the red arm; the blue arm has one as measured, in the first exposure.
fn run(n: usize, exposures: usize) -> Finished {
    let mut rows = Vec::new();
    for e in 0..exposures {
        for s in 0..n {
            let mut row = CatalogueRow::default();
            row.exposure.designation = format!("J{s}").into();
            row.exposure.planid = if e % 2 == 0 { "even" } else { "odd" }.into();
            row.exposure.spid = 3;
            // Each star is observed once in two exposures; nothing is known of the last one's number.
            row.exposure.obsid = if s + 1 == n {
                0
            } else {
                9_007_199_254_740_993 + (s * 10 + e / 2) as i64
            };
            row.exposure.fiberid = 1 + s as i32;
            row.exposure.lmjm = 84_000_000 + e as i64;
            row.exposure.bjd_tdb = 2_458_000.5 + e as f64;
            row.arms[0].rv_km_s = 77.0;
            row.arms[0].rv_corr_km_s = s as f64 + e as f64 / 10.0;
            row.arms[0].rv_corr_err_km_s = 0.25;
            row.arms[0].flags = CatalogueFlags::from_bits_retain(u32::from(s == 1));
            if e == 0 {
                row.arms[1].rv_km_s = -5.0;
                row.arms[1].rv_err_own_km_s = 0.5;
                row.arms[1].flags = CatalogueFlags::REFERENCE;
            }
            rows.push(row);
        }
    }
    let zero_points = (0..exposures).map(|e| ZeroPointRow {
        planid: if e % 2 == 0 { "even" } else { "odd" }.into(),
        spid: 3,
        lmjm: 84_000_000 + e as i64,
        arm: Arm::Red,
        found: ZeroPoint {
            zp: e as f64,
            component: Some(0),
            ..ZeroPoint::default()
        },
    });
    Finished {
        zero_points: zero_points.collect(),
        catalogue: Catalogue::new(rows),
        stars: Vec::new(),
        constants: HashSet::new(),
        rejected: BTreeMap::new(),
        record: Value::Null,
        n_absurd: 0,
    }
}

fn piece(report: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(report.join("explore").join(format!("{name}.js"))).unwrap();
    let begins = format!("/* made by relrv */\n(window.relrvData ??= {{}})[\"{name}\"]=");
    let value = text.strip_prefix(&begins).unwrap();
    serde_json::from_str(value.strip_suffix(";\n").unwrap()).unwrap()
}

#[test]
fn pieces_hold_the_velocities_of_their_stars() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &run(2500, 9)).unwrap();
    let index = piece(dir.path(), "index");
    assert_eq!(
        (&index["stars"], &index["rows"]),
        (&2500.into(), &22_500.into())
    );
    assert_eq!(index["curve_starts"], serde_json::json!([0, 1000, 2000]));
    let second = piece(dir.path(), "curves-00001");
    assert_eq!(second["first"], 1000);
    assert_eq!(second["n"].as_array().unwrap().len(), 1000);
    // Star 1001, exposure 4: after nine rows of star 1000 and four of its own.
    let at = 9 + 4;
    assert_eq!(second["rv_r"][at], 10_014_000);
    assert_eq!(second["err_r"][at], 2500);
    assert_eq!(second["t"][at], 5_800_450_000_i64);
    assert_eq!(second["fibre"][at], 1002);
    assert_eq!(second["rv_b"][at], Value::Null);
    // Without a zero point the velocity as measured stands there, and says so.
    let no_zero_point = CatalogueFlags::NO_ZERO_POINT | CatalogueFlags::REFERENCE;
    assert_eq!(
        (&second["rv_b"][9], &second["err_b"][9]),
        (&(-50_000).into(), &5000.into())
    );
    assert_eq!(second["flags_b"][9], no_zero_point.bits());
    // Names of plates stand where they change: at every row here.
    assert_eq!(
        second["plates"].as_array().unwrap()[..6],
        serde_json::json!([0, "even", 1, "odd", 2, "even"])
            .as_array()
            .unwrap()[..]
    );
    let exposures = piece(dir.path(), "exposures-00000");
    assert_eq!(
        [&exposures["plate"], &exposures["n"]],
        [
            &serde_json::json!(["even", "odd"]),
            &serde_json::json!([5, 4])
        ]
    );
    assert_eq!(
        exposures["stars"][0].as_array().unwrap()[..3],
        serde_json::json!([0, 1, 1]).as_array().unwrap()[..]
    );
    assert_eq!(
        exposures["zp_r"],
        serde_json::json!([
            0, 20_000, 40_000, 60_000, 80_000, 10_000, 30_000, 50_000, 70_000
        ])
    );
    assert_eq!(exposures["zp_b"][0], Value::Null);
}

#[test]
fn pieces_of_a_larger_run_go_and_those_of_equal_runs_are_equal() {
    let content = |report: &Path| {
        let entries = std::fs::read_dir(report.join("explore")).unwrap();
        let files = entries.map(|e| {
            let e = e.unwrap();
            let name = e.file_name().into_string().unwrap();
            (name, std::fs::read(e.path()).unwrap())
        });
        files.collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(old.path(), &run(2500, 2)).unwrap();
    assert!(content(old.path()).contains_key("curves-00002.js"));
    std::fs::write(old.path().join("explore/curves-mine.js"), "mine").unwrap();
    write(old.path(), &run(10, 2)).unwrap();
    write(new.path(), &run(10, 2)).unwrap();
    let mut left = content(old.path());
    assert_eq!(left.remove("curves-mine.js").unwrap(), b"mine");
    assert!(left == content(new.path()), "{:?}", left.keys());
    assert_eq!(left.len(), 8, "{:?}", left.keys());
}

#[test]
fn observations_lead_to_their_stars_and_each_is_in_one_piece() {
    let dir = tempfile::tempdir().unwrap();
    let mut products = run(30_000, 2);
    // An observation of 100 stars at the end of a piece.
    let shared = products.catalogue.exposure(19_990).obsid;
    for s in 19_990..20_090 {
        for row in [s, 30_000 + s] {
            products.catalogue.rows[row].exposure.obsid = shared;
        }
    }
    write(dir.path(), &products).unwrap();
    let index = piece(dir.path(), "index");
    let pieces = [0, 1].map(|k| piece(dir.path(), &format!("obsids-{k:05}")));
    assert!(!dir.path().join("explore/obsids-00002.js").exists());
    assert_eq!([&pieces[0]["n"], &pieces[1]["n"]], [20_090, 9_909]);
    for (k, piece) in pieces.iter().enumerate() {
        assert_eq!(index["obsid_starts"][k], piece["obsid"][0]);
    }
    let last = &pieces[0]["obsid"][20_089];
    assert_eq!(last.as_str().unwrap(), shared.to_string());
    assert_eq!(pieces[0]["star"][20_089], 20_089);
    // All digits, which a number of JavaScript's has not.
    assert_eq!(pieces[0]["obsid"][1], "9007199254741003");
    assert_eq!(pieces[0]["star"][1], 1);
}

#[test]
fn a_star_of_several_rows_has_one_verdict() {
    let mut products = run(3, 2);
    let row = |star: &str, arm, p_value, is_variable, is_constant, unjudged| {
        let mut row = StarRow {
            designation: Arc::from(star),
            arm,
            ..StarRow::default()
        };
        row.found.p_value = p_value;
        (row.found.is_variable, row.found.is_constant) = (is_variable, is_constant);
        row.found.unjudged = unjudged;
        row
    };
    products.stars = vec![
        row("J0", Arm::Red, 0.5, Some(false), Some(true), None),
        row("J0", Arm::Blue, 1e-9, Some(true), Some(false), None),
        row("J1", Arm::Red, 0.5, Some(false), Some(true), None),
        row(
            "J1",
            Arm::Blue,
            f64::NAN,
            None,
            None,
            Some(Unjudged::OneVelocity),
        ),
        row(
            "J2",
            Arm::Red,
            f64::NAN,
            None,
            None,
            Some(Unjudged::NoZeroPoint),
        ),
        row("nobody", Arm::Red, 0.5, Some(false), Some(true), None),
    ];
    let of_stars = ByStar::new(&products);
    let told = [0, 1, 2].map(|star| {
        let listed = Listed::new(&products, &of_stars, star);
        (listed.verdict, listed.why, listed.flags)
    });
    assert_eq!(told, [(3, "", 0), (1, "", 1), (0, "no zero point", 0)]);
    products.stars[0].found.is_constant = Some(false);
    products.stars[1].found.is_variable = Some(false);
    assert_eq!(Listed::new(&products, &of_stars, 0).verdict, 2);
}
