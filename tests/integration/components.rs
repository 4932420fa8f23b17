//! `relrv calibrate` tells what keeps the parts of a table apart: in the table `components` and in its summary.

use relrv::table::Table;

use crate::support::{folder, relrv, told};

/// A velocity with a little noise that nothing repeats.
fn rv(star: u32, exposure: u32) -> f64 {
    0.03 * f64::from((7 * star + 5 * exposure + star * exposure) % 11) + f64::from(exposure)
}

/// Two groups of twelve quiet stars and six exposures each, and between them what `shared` gives: whether star 99 is seen in both, and how
/// far it swings.
fn csv(shared: Option<f64>) -> String {
    let mut text = "group,star,exposure,rv,rv_err\n".to_owned();
    for group in 0..2_u32 {
        for exposure in 10 * group..10 * group + 6 {
            for star in 20 * group..20 * group + 12 {
                text += &format!("g{group},s{star},{exposure},{},0.1\n", rv(star, exposure));
            }
            if let Some(swing) = shared {
                let rv = rv(99, exposure) + swing * f64::from(exposure).sin();
                text += &format!("g{group},s99,{exposure},{rv},0.1\n");
            }
        }
    }
    // A seventh exposure of the second group with a single star.
    text + "g1,s20,16,0.1,0.1\n"
}

/// The table `components`, and what was told.
fn calibrate(csv: &str) -> (Table, String) {
    let folder = folder();
    let (path, out) = (folder.path().join("rv.csv"), folder.path().join("out"));
    std::fs::write(&path, csv).unwrap();
    let args = [
        "calibrate",
        path.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--format",
        "fits,csv,parquet",
    ];
    let (status, text, error) = told(&relrv(&args));
    assert_eq!((status, error.as_str()), (0, ""), "{text}");
    let of = |ending: &str| Table::read(&out.join(format!("components.{ending}"))).unwrap();
    let table = of("fits");
    for other in [of("csv"), of("parquet")] {
        assert_eq!(cells(&other), cells(&table));
    }
    (table, text)
}

fn cells(table: &Table) -> Vec<Vec<String>> {
    let row = |row: usize| table.columns.iter().map(|c| c.text_at(row)).collect();
    (0..table.n_rows()).map(row).collect()
}

const COLUMNS: [&str; 12] = [
    "component",
    "n_exposures",
    "n_groups",
    "groups",
    "exposure_first",
    "exposure_last",
    "n_constants",
    "nearest",
    "nearest_groups",
    "n_shared_stars",
    "n_shared_quiet",
    "stars_needed",
];

#[test]
fn groups_without_a_quiet_star_in_common_are_told() {
    let (apart, text) = calibrate(&csv(None));
    let names: Vec<&str> = apart.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, COLUMNS);
    let alone = ["", "", "0", "0", "1"];
    assert_eq!(
        cells(&apart),
        [
            [&["0", "6", "1", "g0", "0", "5", "12"], &alone[..]].concat(),
            [&["1", "6", "1", "g1", "10", "15", "12"], &alone[..]].concat(),
        ]
    );
    let line = "component 0 (group g0, 6 exposures) shares no star with another: one quiet star seen in both would join it to one";
    assert!(text.contains(line), "{text}");
    let line = "group g1: 1 exposure without a zero point; the poorest of them lacks 2 of 3 stars";
    assert!(text.contains(line), "{text}");

    // A star that moves is seen in both, and joins nothing.
    let (apart, text) = calibrate(&csv(Some(30.0)));
    let of = |row: usize| cells(&apart)[row][7..].join(" ");
    assert_eq!((of(0), of(1)), ("1 g1 1 0 1".into(), "0 g0 1 0 1".into()));
    let line = "component 0 (group g0, 6 exposures) shares 1 star with component 1, which is not quiet: one quiet star seen in both would \
                join them";
    assert!(text.contains(line), "{text}");
    assert!(!text.contains("component 1 (group"), "{text}");

    // If it is quiet, it does: the one star that `stars_needed` promises.
    let (whole, text) = calibrate(&csv(Some(0.0)));
    assert_eq!(
        cells(&whole),
        [[
            "0", "12", "2", "g0, g1", "0", "15", "25", "", "", "", "", ""
        ]]
    );
    assert!(!text.contains("would join"), "{text}");
}
