//! `relrv validate`: every test writes what it says, with numbers that can be true, and the same for the same seed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use relrv::table::Table;

use crate::run_support::{floats, texts};
use crate::support::*;

/// `relrv validate test --out out more`; standard output.
fn validate(test: &str, out: &Path, more: &[&str]) -> String {
    let out = out.display().to_string();
    let args: Vec<&str> = ["validate", test, "--out", &out]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    let (status, said, errors) = told(&relrv(&args));
    assert_eq!(status, 0, "{errors}");
    said
}

/// Content of the files of a folder by name, without its folders.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (name_of(&path), std::fs::read(&path).unwrap()))
        .collect()
}

/// `NAME.csv`, which has as many rows as `NAME.json`.
fn numbers(dir: &Path, name: &str) -> Table {
    let table = Table::read(&dir.join(format!("{name}.csv"))).unwrap();
    let json = std::fs::read(dir.join(format!("{name}.json"))).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), table.n_rows());
    table
}

/// G dwarfs: all errors near the bound and honest, and the same seed gives the same bytes.
#[test]
fn precision_is_near_the_bound_and_comes_again() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    let more = |seed| {
        [
            "--n", "200", "--snr", "20,50", "--types", "G", "--ratio", "2", "--seed", seed,
        ]
    };
    let said = validate("precision", &at("a"), &more("7"));
    assert!(said.contains("Scatter / Cramer-Rao bound"), "{said}");
    let table = numbers(&at("a"), "precision");
    assert_eq!(table.n_rows(), 4);
    let column = |name: &str| floats(&table, name);
    let (bound, scatter) = (column("bound"), column("clean_scatter"));
    let (own_bound, own) = (column("bound_own"), column("clean_scatter_own"));
    let (quoted, pull) = (column("clean_quoted"), column("clean_pull"));
    for i in 0..4 {
        println!(
            "{} SNR {}: scatter / bound {:.3}, own {:.3}, quoted / scatter {:.3}, pull {:.3}",
            texts(&table, "arm")[i],
            column("snr")[i],
            scatter[i] / bound[i],
            own[i] / own_bound[i],
            quoted[i] / scatter[i],
            pull[i]
        );
        // The scatter of 200 velocities is known to some 6 %.
        assert!((0.85..1.35).contains(&(scatter[i] / bound[i])));
        assert!((0.85..1.35).contains(&(own[i] / own_bound[i])));
        assert!((0.8..1.25).contains(&(quoted[i] / scatter[i])));
        assert!((0.75..1.25).contains(&pull[i]));
    }
    // Both spectra are in the photon limit, nearly.
    assert!((2.3..3.3).contains(&(bound[0] / bound[1])), "{bound:?}");

    validate(
        "precision",
        &at("b"),
        &[&more("7")[..], &["--quiet"]].concat(),
    );
    let (a, b) = (contents(&at("a")), contents(&at("b")));
    let names: Vec<&String> = a.keys().collect();
    assert_eq!(
        names,
        [
            "figure8.svg",
            "figure8_ratios.svg",
            "precision.csv",
            "precision.json",
            "tables.md"
        ]
    );
    assert!(a == b, "the same seed gives other files");
    validate(
        "precision",
        &at("c"),
        &[&more("8")[..], &["--quiet"]].concat(),
    );
    assert_ne!(a["precision.csv"], contents(&at("c"))["precision.csv"]);
}

/// `validate all --quick`, made once.
fn all() -> &'static Path {
    static ALL: OnceLock<PathBuf> = OnceLock::new();
    ALL.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("validate-all");
        if out.exists() {
            std::fs::remove_dir_all(&out).unwrap();
        }
        let said = validate("all", &out, &["--quick", "--seed", "3"]);
        println!("{said}");
        for name in ["mock", "precision", "pulsators", "phase", "end-to-end"] {
            assert!(said.contains(name), "{said}");
            let tables = std::fs::read_to_string(out.join(name).join("tables.md")).unwrap();
            let command = format!("relrv validate {name}");
            assert!(tables.contains(&command), "{tables}");
        }
        out
    })
}

#[test]
fn zero_points_of_the_mock_reach_their_bound() {
    let dir = &all().join("mock");
    let table = numbers(dir, "mock");
    let (method, missing) = (texts(&table, "method"), floats(&table, "missing"));
    let (rms, bound) = (floats(&table, "zp_rms"), floats(&table, "bound"));
    assert_eq!(table.n_rows(), 12);
    for i in (0..12).filter(|i| method[*i] == "joint") {
        assert!(
            rms[i] < 1.5 * bound[i] && rms[i] > 0.6 * bound[i],
            "{} {}",
            rms[i],
            bound[i]
        );
        if missing[i] > 0.0 {
            assert!(rms[i + 1] > 2.0 * rms[i], "the paper's method is as good");
        }
    }
}

#[test]
fn every_type_is_measured_and_counted() {
    let dir = &all().join("precision");
    let table = numbers(dir, "precision");
    assert_eq!(table.n_rows(), 7 * 2 * 9);
    let (n, failed, known) = (
        floats(&table, "n"),
        floats(&table, "n_failed"),
        floats(&table, "all_n"),
    );
    let (clean, flagged) = (floats(&table, "clean_n"), floats(&table, "n_flagged"));
    for i in 0..table.n_rows() {
        assert_eq!(n[i], 24.0);
        assert_eq!(n[i], failed[i] + known[i]);
        assert_eq!(known[i], clean[i] + flagged[i]);
    }
    // All that is not flagged, over its bound: 24 exposures each, so only the middle of all cells says much.
    let (scatter, bound) = (floats(&table, "clean_scatter"), floats(&table, "bound"));
    let ratios: Vec<f64> = (0..table.n_rows())
        .filter(|i| clean[*i] == 24.0)
        .map(|i| scatter[i] / bound[i])
        .collect();
    println!(
        "median scatter / bound of {} cells: {:.3}",
        ratios.len(),
        median(&ratios)
    );
    assert!(ratios.len() > 60 && (0.9..1.2).contains(&median(&ratios)));
    // Hot stars are worse, above all in the blue arm.
    let (star, arm, snr) = (
        texts(&table, "star"),
        texts(&table, "arm"),
        floats(&table, "snr"),
    );
    let bound_of = |name: &str, of: &str| {
        let at = (0..table.n_rows()).find(|i| star[*i] == name && arm[*i] == of && snr[*i] == 50.0);
        bound[at.unwrap()]
    };
    assert!(bound_of("O", "blue") > 10.0 * bound_of("G", "blue"));
    assert!(bound_of("O", "red") > 2.0 * bound_of("G", "red"));
}

#[test]
fn pulsators_are_not_biased_and_are_flagged() {
    let dir = &all().join("pulsators");
    let table = numbers(dir, "pulsators");
    assert_eq!(table.n_rows(), 3 * 2 * 9);
    assert!(contents(dir).contains_key("figure9.svg"));
    let (bias, scatter) = (floats(&table, "all_bias"), floats(&table, "all_scatter"));
    let (snr, teff) = (floats(&table, "snr"), floats(&table, "teff"));
    for i in 0..table.n_rows() {
        // Six references are behind each.
        let unit = scatter[i] / 6f64.sqrt();
        assert!(
            bias[i].abs() < 6.0 * unit + 0.3,
            "{} {} {}",
            teff[i],
            snr[i],
            bias[i]
        );
    }
    let high: Vec<f64> = floats(&table, "n_chi2_high");
    let of = |t: f64| {
        (0..table.n_rows())
            .filter(|i| teff[*i] == t && snr[*i] == 100.0)
            .map(|i| high[i])
            .sum::<f64>()
    };
    // What has become hotter is no copy of the reference any more.
    assert!(of(7000.0) > 10.0 && of(6000.0) == 0.0, "{}", of(7000.0));
}

#[test]
fn no_phase_is_biased() {
    let dir = &all().join("phase");
    let table = numbers(dir, "phase");
    assert_eq!(table.n_rows(), 2 * 4 * 10);
    assert!(contents(dir).contains_key("phase.svg"));
    let (n, bias) = (floats(&table, "n"), floats(&table, "bias_over_quoted"));
    for of in n.chunks(10) {
        assert_eq!(of.iter().sum::<f64>(), 200.0);
    }
    for (n, bias) in n.iter().zip(&bias) {
        // Means of n numbers of width 1; the literal formula is off by several.
        assert!(bias.abs() < 6.0 / n.max(1.0).sqrt(), "{n} {bias}");
    }
}

#[test]
fn a_plate_comes_back_through_the_main_job() {
    let dir = &all().join("end-to-end");
    let table = numbers(dir, "end-to-end");
    let (what, arm) = (texts(&table, "what"), texts(&table, "arm"));
    let column = |name: &str| floats(&table, name);
    let (rms, quoted, before, pull) = (
        column("rms"),
        column("quoted"),
        column("before"),
        column("pull"),
    );
    assert_eq!(table.n_rows(), 8);
    for i in 0..8 {
        println!(
            "{} {}: before {:.3}, after {:.3}, quoted {:.3}, pull {:.2}",
            arm[i], what[i], before[i], rms[i], quoted[i], pull[i]
        );
        if what[i] == "zero points" {
            assert_eq!(column("n")[i], 2.0 * 9.0);
            assert!((0.4..1.8).contains(&pull[i]) && before[i] > 0.5 && quoted[i] < 0.5);
        }
        if what[i] == "velocities, constant" {
            assert!((0.75..1.3).contains(&pull[i]) && before[i] > 1.3 * rms[i]);
        }
    }
    let stars: f64 = (0..8)
        .filter(|i| arm[*i] == "red")
        .map(|i| column("n_stars")[i])
        .sum();
    let constants = (0..8)
        .find(|i| arm[*i] == "red" && what[*i] == "velocities, constant")
        .unwrap();
    assert!(stars > 15.0 && column("n_constant")[constants] >= 0.7 * column("n_stars")[constants]);
    let names = contents(dir);
    for figure in [
        "figure3",
        "figure4",
        "figure5",
        "figure6_7",
        "pulls",
        "zero_point_errors",
    ] {
        assert!(names.contains_key(&format!("{figure}.svg")), "{figure}");
    }
    assert_eq!(
        Table::read(&dir.join("zero-points.csv")).unwrap().n_rows(),
        2 * 2 * 9
    );
    // The truth stays, the spectra go.
    assert!(dir.join("plate/truth.csv").is_file() && files(&dir.join("plate")).is_empty());
    assert!(dir.join("run/report/index.html").is_file());
}

/// Every link leads somewhere, and nothing comes from elsewhere.
#[test]
fn the_page_has_every_figure_and_table_of_the_paper() {
    let out = all();
    let html = std::fs::read_to_string(out.join("index.html")).unwrap();
    for i in 1..=9 {
        assert!(html.contains(&format!("<h2>Figure {i}. ")), "figure {i}");
    }
    for i in 1..=2 {
        assert!(html.contains(&format!("<h2>Table {i}. ")), "table {i}");
    }
    assert!(
        html.matches("<svg").count() >= 12,
        "{}",
        html.matches("<svg").count()
    );
    assert!(!html.contains("src=\"http") && !html.contains("NaN"));
    for rest in html.split("href=\"").skip(1) {
        let link = rest.split('"').next().unwrap();
        let there = match link.strip_prefix('#') {
            Some(id) => html.contains(&format!("id=\"{id}\"")),
            None => out.join(link).is_file(),
        };
        assert!(there, "{link}");
    }
}

#[test]
fn nonsense_is_wrong_usage() {
    let dir = folder();
    let out = dir.path().display().to_string();
    for more in [
        &["precision", "--n", "2"][..],
        &["precision", "--snr", "0"],
        &["precision", "--snr", "nan"],
        &["precision", "--ratio", "-1"],
        &["precision", "--types", "X"],
        &["phase", "--n", "1"],
        &["end-to-end", "--stars", "x"],
    ] {
        let args = [&["validate"][..], more, &["--out", &out]].concat();
        let (status, _, errors) = told(&relrv(&args));
        assert_eq!(status, 64, "{more:?}: {errors}");
    }
    let args = ["validate", "end-to-end", "--stars", "9999", "--out", &out];
    let (status, _, errors) = told(&relrv(&args));
    assert!(status == 1 && errors.contains("stars"), "{errors}");
}

/// A plate that lies where the simulated one would go is somebody's.
#[test]
fn what_lies_in_the_directory_is_left_alone() {
    let dir = folder();
    for name in ["plate", "run"] {
        let out = dir.path().join(format!("out-{name}"));
        let theirs = out.join(name).join("med-58000-MINE_sp01-001.fits.gz");
        std::fs::create_dir_all(theirs.parent().unwrap()).unwrap();
        std::fs::write(&theirs, "mine").unwrap();
        let at = out.display().to_string();
        let (status, _, errors) = told(&relrv(&["validate", "end-to-end", "--out", &at]));
        assert_eq!(status, 1, "{errors}");
        assert!(errors.contains("was not made by this test"), "{errors}");
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "mine");
    }
}
