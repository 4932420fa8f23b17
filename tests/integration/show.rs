//! `relrv show`: one star of a finished run.

use std::path::{Path, PathBuf};

use relrv::lamost::stars::KnownStars;
use relrv::likelihood::Cpu;
use relrv::measure::stages::StageClocks;
use relrv::measure::{MeasureConfig, Plan, measure, seen};

use crate::fits_edit::{join, split};
use crate::run_support::{run, shell};
use crate::support::*;

/// The name of the first star of a run with a catalogue in CSV.
fn first_star(out: &Path) -> String {
    let catalogue = std::fs::read_to_string(out.join("catalogue.csv")).unwrap();
    let line = catalogue.lines().nth(1).unwrap();
    line.split(',').next().unwrap().to_owned()
}

fn shown(args: &[&str]) -> (i32, String, String) {
    told(&relrv(&[&["show"], args].concat()))
}

#[test]
fn the_page_has_the_spectra_as_the_run_measured_them() {
    let dir = folder();
    let out = dir.path().join("out");
    run(&[small_plate()], &out, &["--format", "csv"]);
    let name = first_star(&out);
    let (status, _, errors) = shown(&[out.to_str().unwrap(), &name]);
    assert_eq!((status, errors.as_str()), (0, ""));
    let page = out.join(format!("show/{name}.html"));
    let html = std::fs::read_to_string(&page).unwrap();
    // Two nights of two exposures, both arms, and no moonlight: every velocity is the run's.
    assert_eq!(html.matches("km/s, as in the run; ").count(), 8, "{name}");
    assert_eq!(html.matches("<svg").count(), 1 + 2 * 8);
    assert!(html.contains("other exposures (4 agree)"));
    // Self-contained: nothing is fetched, and every figure is a file too.
    for link in html.split("href=\"").skip(1) {
        let link = link.split('"').next().unwrap();
        let file = page.with_file_name(link.replace("%2B", "+"));
        assert!(link.starts_with('#') || file.is_file(), "{link}");
    }
    assert!(!html.contains(" src=") && !html.contains("url("));
    let svg = std::fs::read_to_string(out.join(format!("show/{name}/velocities.svg"))).unwrap();
    assert!(svg.contains("made by relrv") && svg.contains("<style>"));

    // Somebody's own page stays, and the text is told all the same.
    std::fs::write(&page, "mine").unwrap();
    let (status, said, errors) = shown(&[out.to_str().unwrap(), &name]);
    assert!(
        status == 1
            && said.starts_with(&name)
            && errors.contains("no page or figure that relrv made"),
        "{errors}"
    );
    assert_eq!(std::fs::read(&page).unwrap(), b"mine");
    let (status, said, _) = shown(&[out.to_str().unwrap(), &name, "--text"]);
    assert!(status == 0 && !said.contains("page  "), "{said}");
    let mine = dir.path().join("mine.htm");
    let (status, _, errors) = shown(&[
        out.to_str().unwrap(),
        &name,
        "--out",
        mine.to_str().unwrap(),
        "--arm",
        "blue",
    ]);
    assert_eq!((status, errors.as_str()), (0, ""));
    let html = std::fs::read_to_string(&mine).unwrap();
    assert!(html.contains("href=\"mine/velocities.svg\"") && !html.contains("Red arm"));
    assert_eq!(html.matches("km/s, as in the run; ").count(), 4);
}

#[test]
fn files_that_are_gone_leave_curves_and_say_so() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    for file in files(small_plate()) {
        std::fs::copy(&file, plate.join(name_of(&file))).unwrap();
    }
    let out = dir.path().join("out");
    run(&[&plate], &out, &["--format", "csv"]);
    let name = first_star(&out);
    std::fs::remove_dir_all(&plate).unwrap();
    let (status, said, _) = shown(&[out.to_str().unwrap(), &name]);
    assert!(status == 0 && said.contains("page  "), "{said}");
    let html = std::fs::read_to_string(out.join(format!("show/{name}.html"))).unwrap();
    assert!(html.contains("none of the star's files could be measured again"));
    assert!(html.contains("No such file or directory") && html.matches("<svg").count() == 1);
    // And without the plan, which names them.
    std::fs::remove_file(out.join(".relrv/plan.json")).unwrap();
    let (status, _, errors) = shown(&[out.to_str().unwrap(), &name]);
    assert!(
        status == 0 && errors.contains("no spectra") && errors.contains("keeps no plan"),
        "{errors}"
    );
    let html = std::fs::read_to_string(out.join(format!("show/{name}.html"))).unwrap();
    assert!(html.contains("keeps no plan of its run") && html.contains("id=\"numbers\""));
}

#[test]
fn files_alone_are_measured_first() {
    let dir = folder();
    let all = files(small_plate());
    let fibre = |path: &PathBuf| name_of(path).split("_sp").nth(1).map(str::to_owned);
    let first = fibre(&all[0]);
    let two: Vec<PathBuf> = all.into_iter().filter(|f| fibre(f) == first).collect();
    assert_eq!(two.len(), 2);
    let mut args = vec!["show"];
    args.extend(two.iter().map(|f| f.to_str().unwrap()));
    let place = dir.path().to_str().unwrap();
    args.extend(["--out", place]);
    let (status, said, errors) = told(&relrv(&args));
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(
        said.contains("as measured: the exposure has no zero point"),
        "{said}"
    );
    let name = said.split(' ').next().unwrap();
    let html = std::fs::read_to_string(dir.path().join(format!("{name}.html"))).unwrap();
    assert_eq!(html.matches("km/s, as in the run; ").count(), 8);
    assert!(html.contains("uncorrected, as no exposure has a zero point"));
    let (status, _, errors) = shown(&["Cargo.toml"]);
    assert!(status == 1 && errors.contains("Cargo.toml"), "{errors}");
    let (status, _, errors) = shown(&["nowhere"]);
    assert!(
        status == 1
            && errors.contains("nowhere: expected the directory of a finished run and a star"),
        "{errors}"
    );
}

#[test]
fn a_star_has_to_be_named_and_a_page_that_does_not_open_is_told() {
    let dir = folder();
    let out = dir.path().join("out");
    run(&[small_plate()], &out, &["--format", "csv"]);
    let name = first_star(&out);
    let (status, _, errors) = shown(&[out.to_str().unwrap()]);
    assert!(
        status == 1 && errors.contains("which star?") && errors.contains(&name),
        "{errors}"
    );
    if cfg!(target_os = "linux") {
        // Without a program that opens it.
        let line = format!("PATH=/nowhere $RELRV show {} {name} --open", out.display());
        let (status, said, errors) = told(&shell(&line));
        assert!(status == 0 && said.contains("page  "), "{said}");
        assert!(
            errors.contains("xdg-open did not open the page")
                && errors.contains("open it in a browser"),
            "{errors}"
        );
    }
}

/// Names in a header and of a plate that are markup, and a file with a name of that kind.
#[test]
fn hostile_headers_reach_no_page() {
    let dir = folder();
    let mut hdus = split(&gunzip(&files(small_plate())[0]));
    for (key, value) in [
        ("PLANID", "'<script>alert(1)</script>'"),
        ("DESIG", "'\"><img src=x onerror=alert(2)>'"),
        ("OBJNAME", "'</title><script>alert(3)//'"),
    ] {
        hdus[0].set(key, value);
    }
    let input = dir.path().join("med-58630-<script>alert(4)<_sp01-001.fits");
    std::fs::write(&input, join(&hdus)).unwrap();
    let (status, said, errors) = told(&relrv(&[
        "show".as_ref(),
        input.as_os_str(),
        "--out".as_ref(),
        dir.path().as_os_str(),
    ]));
    assert_eq!((status, errors.as_str()), (0, ""));
    let name = said.split(' ').next().unwrap();
    let html = std::fs::read_to_string(dir.path().join(format!("{name}.html"))).unwrap();
    assert!(
        !html.contains("<script>alert")
            && !html.contains("<img")
            && !html.contains("</title><script")
    );
    for shows in [
        "&lt;script&gt;alert(1)",
        "&lt;img src=x onerror=alert(2)",
        "&lt;script&gt;alert(3)",
        "&lt;script&gt;alert(4)",
    ] {
        assert!(html.contains(shows), "{shows}");
    }
}

#[test]
fn a_star_of_a_run_is_told_with_what_its_flags_say() {
    let dir = folder();
    let out = dir.path().join("out");
    let (status, _, errors) = run(&[small_plate()], &out, &["--format", "csv"]);
    assert_eq!(status, 0, "{errors}");
    let out = out.to_str().unwrap();
    let show = |args: &[&str]| told(&relrv(&[&["show", out], args].concat()));
    let catalogue = std::fs::read_to_string(format!("{out}/catalogue.csv")).unwrap();
    let mut lines = csv::Reader::from_reader(catalogue.as_bytes());
    let header = lines.headers().unwrap().clone();
    let first = lines.records().next().unwrap().unwrap();
    let cell = |name: &str| first[header.iter().position(|h| h == name).unwrap()].to_owned();
    let name = cell("designation");

    let (status, by_name, errors) = show(&[&name]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(by_name.starts_with(&name), "{by_name}");
    let page = dir.path().join(format!("out/show/{name}.html"));
    assert!(
        by_name.ends_with(&format!("page    {}\n", page.display())),
        "{by_name}"
    );
    assert!(
        by_name.contains("reference, ") && by_name.contains("are counted from this exposure"),
        "{by_name}"
    );
    let position = format!("{} {}", cell("ra"), cell("dec"));
    let fibre: i32 = cell("fiberid").parse().unwrap();
    let is_its = |path: &PathBuf| {
        path.display()
            .to_string()
            .ends_with(&format!("-{fibre:03}.fits.gz"))
    };
    let file = files(small_plate()).into_iter().find(is_its).unwrap();
    let elsewhere = Path::new("elsewhere").join(name_of(&file));
    let files = [file, elsewhere].map(|path| path.display().to_string());
    let names = [position, cell("obsid"), name[..name.len() - 2].to_owned()];
    for which in names.into_iter().chain(files) {
        let (status, said, errors) = show(&[&which]);
        assert_eq!((status, errors.as_str()), (0, ""), "{which}");
        assert_eq!(said, by_name, "{which}");
    }
    // A position in two words.
    let (status, said, _) = show(&[&cell("ra"), &cell("dec")]);
    assert_eq!((status, said), (0, by_name.clone()));
    // One exposure in one arm.
    let (_, said, _) = show(&[&name, "--exposure", &cell("lmjm"), "--arm", "red"]);
    assert!(
        said.contains(&cell("lmjm")) && !said.contains("blue"),
        "{said}"
    );

    let (status, said, errors) = show(&["J9999"]);
    assert_eq!((status, said.as_str()), (1, ""));
    assert!(errors.contains("no star \"J9999\""), "{errors}");
    let (status, _, errors) = show(&[&name, "--exposure", "1"]);
    assert!(
        status == 1 && errors.contains("no exposure of minute 1"),
        "{errors}"
    );
    let (status, _, errors) = told(&relrv(&["show", dir.path().to_str().unwrap(), &name]));
    assert!(
        status == 1 && errors.contains("no finished run"),
        "{errors}"
    );
}

/// The curves and pixels behind a velocity, against the velocity and its chi^2 as all stars together were measured.
#[test]
fn what_is_seen_of_a_star_is_what_was_measured() {
    let config = MeasureConfig::default();
    let measured = measure(&config, &[small_plate()], &Cpu, &()).unwrap();
    let clocks = StageClocks::default();
    let plan = Plan::new(&[small_plate()], &KnownStars::default(), &clocks).unwrap();
    let mut n = 0;
    for (number, star) in &plan.units[0].stars {
        let seen = seen::see(&config, &plan, &plan.units[0], star, |_| true).unwrap();
        assert!(seen.rejected.is_empty());
        for row in measured.rows.iter().filter(|row| row.star == *number) {
            let is_it = |s: &&seen::SeenSpectrum| (s.arm, s.lmjm) == (row.arm, row.lmjm);
            let s = seen.spectra.iter().find(is_it).unwrap();
            let m = &row.measurement;
            let off = (s.measurement.rv_km_s - m.rv_km_s).abs();
            assert!(off < 1e-3 * m.rv_err_km_s, "{off}");
            assert_eq!(s.n_reference, row.n_reference);
            let c = &s.compared;
            let counts = |k: &usize| c.mask[*k].is_empty() && c.ivar[*k] > 0.0;
            let good: Vec<usize> = (0..c.flux.len()).filter(counts).collect();
            let chi2 = |k: &usize| {
                let variance = 1.0 / c.ivar[*k] + c.reference_err[*k].powi(2);
                (c.flux[*k] - c.reference[*k]).powi(2) / variance
            };
            let reduced = good.iter().map(chi2).sum::<f64>() / good.len() as f64;
            let ratio = reduced / m.chi2_red;
            assert!((ratio - 1.0).abs() < 0.1, "{reduced} {}", m.chi2_red);
            assert!(
                good.len().abs_diff(m.n_pix) < 20,
                "{} {}",
                good.len(),
                m.n_pix
            );
            let peak = |curve: &relrv::Curve| {
                let both = curve.ln_l.iter().zip(&curve.rv_km_s);
                *both.max_by(|a, b| a.0.total_cmp(b.0)).unwrap().1
            };
            let [all, near] = s.curves.as_ref().unwrap();
            assert!((peak(all) - m.rv_km_s).abs() <= 1.0);
            let off = (peak(near) - m.rv_km_s).abs();
            assert!(
                off < 0.1 + 0.3 * m.rv_err_km_s,
                "{off} of {}",
                m.rv_err_km_s
            );
            // What does not count is there to be seen all the same.
            assert_eq!(s.stored.len(), c.flux.len());
            let off = |k: &usize| (s.stored[*k] - c.flux[*k]).abs();
            assert!(s.water.is_some() || good.iter().all(|k| off(k) < 1e-6));
            n += 1;
        }
    }
    assert_eq!(n, measured.rows.len());
}
