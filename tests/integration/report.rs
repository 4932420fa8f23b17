//! The page of a run.

use std::path::Path;

use relrv::report::FIGURES;

use crate::fits_edit::{join, recount, split};
use crate::never_lost::tree;
use crate::run_support::*;
use crate::support::*;

fn page(out: &Path) -> String {
    std::fs::read_to_string(out.join("report/index.html")).unwrap()
}

/// What a browser would load: addresses in attributes.
fn addresses(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in ["src=\"", "href=\"", "url("] {
        for rest in html.split(attribute).skip(1) {
            found.push(rest.split(['"', ')']).next().unwrap().to_owned());
        }
    }
    found
}

#[test]
fn a_run_has_a_page_that_needs_nothing_else() {
    let dir = folder();
    let (status, said, errors) = run(&[two_units()], dir.path(), &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(said.contains("report/index.html"), "{said}");
    let html = page(dir.path());
    for figure in FIGURES {
        let path = dir.path().join(format!("report/{figure}.svg"));
        // All stars of this plate are constant, and whether zero points depend on the fibre is for the velocities to say.
        let why = match figure {
            "variables" => "no star with four velocities or more is called variable",
            "slopes" => "zero points are the same for all fibres",
            _ => "",
        };
        if !why.is_empty() && html.contains(why) {
            assert!(!path.exists(), "{figure}");
            continue;
        }
        let svg = std::fs::read_to_string(&path).unwrap();
        assert!(
            svg.contains("<svg") && svg.trim_end().ends_with("</svg>"),
            "{figure}"
        );
        let drawing = &svg[svg.find("<svg").unwrap()..];
        assert!(html.contains(drawing), "{figure} is not in the page");
        let drawn = ["<circle", "<polygon", "<polyline", "<rect"].iter();
        assert!(
            drawn.map(|tag| svg.matches(tag).count()).sum::<usize>() > 10,
            "{figure}"
        );
    }
    for address in addresses(&html) {
        let is_figure = FIGURES.iter().any(|f| address == format!("{f}.svg"));
        assert!(
            is_figure || address == "stars.html",
            "the page loads {address}"
        );
    }
    let stars = std::fs::read_to_string(dir.path().join("report/stars.html")).unwrap();
    let loaded = addresses(&stars);
    assert_eq!(loaded.len(), 5, "{loaded:?}");
    for address in loaded {
        assert!(
            dir.path().join("report").join(&address).is_file(),
            "the page of stars loads {address}"
        );
    }
    // 16 files, 64 spectra, 8 stars, as run.json says.
    for cell in ["<td>16</td>", "<td>64</td>", "<td>8</td>"] {
        assert!(html.contains(cell), "{cell}");
    }
}

#[test]
fn a_page_made_again_is_the_same() {
    let dir = folder();
    run(&[two_units()], dir.path(), &["--format", "csv"]);
    let first = tree(&dir.path().join("report"));
    assert!(first.len() > 15, "{:?}", first.keys());
    std::fs::remove_dir_all(dir.path().join("report")).unwrap();
    let (status, said, errors) = told(&relrv(&["report".as_ref(), dir.path().as_os_str()]));
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(said.contains("report/index.html"), "{said}");
    assert!(tree(&dir.path().join("report")) == first);
}

#[test]
fn equal_runs_have_equal_pages() {
    let pages = [0, 1].map(|_| {
        let dir = folder();
        run(&[two_units()], dir.path(), &[]);
        tree(&dir.path().join("report"))
    });
    assert!(pages[0] == pages[1]);
}

#[test]
fn other_formats_give_the_same_page() {
    let pages = ["fits", "csv", "parquet"].map(|format| {
        let dir = folder();
        run(&[two_units()], dir.path(), &["--format", format]);
        // The settings name the format.
        let html = page(dir.path());
        let html = html[..html.find("<h2>Settings").unwrap()].to_owned();
        (html, tree(&dir.path().join("report/explore")))
    });
    assert!(pages[0] == pages[1] && pages[0] == pages[2]);
}

#[test]
fn no_run_no_page() {
    let dir = folder();
    let (status, _, errors) = told(&relrv(&["report".as_ref(), dir.path().as_os_str()]));
    assert_eq!(status, 1);
    assert!(errors.contains("run.json is missing"), "{errors}");
    run(&[two_units()], dir.path(), &[]);
    std::fs::write(dir.path().join("stars.fits"), b"no table").unwrap();
    let (status, _, errors) = told(&relrv(&["report".as_ref(), dir.path().as_os_str()]));
    assert_eq!(status, 1);
    assert!(errors.contains("stars.fits"), "{errors}");
    std::fs::remove_file(dir.path().join("catalogue.fits")).unwrap();
    let (status, _, errors) = told(&relrv(&["report".as_ref(), dir.path().as_os_str()]));
    assert_eq!(status, 1);
    assert!(errors.contains("catalogue.fits"), "{errors}");
}

/// One star with one exposure, and a plate whose name is markup: little to draw, and nothing for a browser to run.
#[test]
fn one_exposure_and_a_hostile_name() {
    let dir = folder();
    let mut hdus = split(&gunzip(&files(two_units())[0]));
    hdus.truncate(4);
    recount(&mut hdus);
    hdus[0].set("PLANID", "'<script>alert(1)</script>'");
    let input = dir.path().join("med-58630-ODD_sp01-001.fits");
    std::fs::write(&input, join(&hdus)).unwrap();
    let out = dir.path().join("out");
    let (_, said, errors) = run(&[&input], &out, &[]);
    let html = page(&out);
    assert!(!html.contains("<script>alert"), "{said} {errors}");
    assert_eq!(html.matches("<script").count(), 1, "its own script alone");
    assert!(
        html.contains("Constant stars before and after calibration: no star is called constant")
    );
}
