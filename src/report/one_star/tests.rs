mod seen;

use std::collections::{BTreeMap, HashSet};

use super::*;
use crate::catalogue::flags::CatalogueFlags;
use crate::catalogue::row::CatalogueRow;
use crate::catalogue::star::StarRow;
use crate::likelihood::RvFlags;
use crate::report::finished::Catalogue;
use seen::spectrum;

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
            (row.exposure.planid, row.exposure.spid) = ("TD1".into(), 2);
            row.exposure.fiberid = 10 + i as i32;
            row.exposure.lmjm = lmjm;
            row.exposure.bjd_tdb = 2_400_000.5 + lmjm as f64 / 1440.0;
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
    star.names.objname = "HD 5".into();
    star.found.is_variable = Some(true);
    (star.period.period_d, star.period.false_alarm) = (2.5, 1e-6);
    star.period.amplitude_km_s = 20.0;
    Finished {
        catalogue: Catalogue::new(rows),
        stars: vec![
            star,
            StarRow {
                designation: "J17".into(),
                arm: Arm::Blue,
                ..StarRow::default()
            },
        ],
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
        // 3.5 arcsec of right ascension, which are 2.8 on the sky here.
        ("255.00097 37.2", 2),
        ("hd 5", 2),
        ("17:00:00 +37:12:02", 2),
        ("240.7685 37.2", usize::MAX),
        ("240.76935, 37.2", 0),
        ("240.7704 37.2", usize::MAX),
        ("", usize::MAX),
        ("nobody", usize::MAX),
        ("there/med-58625-TD1_sp02-011.fits.gz", 1),
        ("med-58621-TD1_sp02-011.fits.gz", usize::MAX),
        ("med-58625-TD1_sp02-013.fits", usize::MAX),
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
        " 12.346 +- 0.250 ",
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

#[test]
fn the_star_of_a_file_is_found_by_its_position_and_its_observation() {
    let run = run();
    let of = |ra_deg: f64, obsid: i64| {
        let whose = Whose::OfFile {
            file: "a.fits",
            position_deg: (ra_deg, 37.2),
            obsid,
        };
        find::star(&run, &whose)
    };
    assert_eq!(of(255.0, 0), Ok(2));
    // Two stars are there.
    assert_eq!((of(240.7704, 1000), of(240.7704, 1001)), (Ok(0), Ok(1)));
    assert!(of(240.7704, 1002).unwrap_err().contains("2 stars"));
    assert!(of(100.0, 1002).unwrap_err().contains("a.fits"));
}

/// The star with a period, as a page.
fn page(products: Finished, spectra: &Spectra) -> (String, Vec<svg::Drawing>) {
    let shown = Shown {
        star: Whose::Called("J17"),
        arm: None,
        lmjm: None,
    };
    let star = OneStar::among(products, &shown).unwrap();
    html::of(&star, Path::new("J17"), spectra)
}

#[test]
fn the_page_has_curves_numbers_and_what_to_do_about_flags() {
    let (html, figures) = page(run(), &Spectra::Missing("the disk is elsewhere".to_owned()));
    for says in [
        "<h1>J17</h1>",
        "variable (p ",
        "84420148",
        "2019-05-21 18:28",
        ">12.346 &plusmn; 0.250<",
        ">-3.500 &plusmn; 0.125<",
        "double lined",
        "not a velocity of either",
        "No spectra are shown: the disk is elsewhere",
        "href=\"J17/velocities.svg\"",
    ] {
        assert!(html.contains(says), "{says}\n{html}");
    }
    let names: Vec<&str> = figures.iter().map(|f| &*f.name).collect();
    assert_eq!(names, ["velocities"]);
    // Every flag that is named leads to what it says.
    for link in html.split("href=\"#").skip(1) {
        let place = link.split('"').next().unwrap();
        assert!(html.contains(&format!("id=\"{place}\"")), "{place}");
    }
}

/// A star with a period whose velocities follow it.
fn with_period() -> Finished {
    let mut products = run();
    let template = products.catalogue.rows[4].clone();
    let rows = (0..20).map(|i| {
        let mut row = template.clone();
        row.exposure.lmjm += 700 * i;
        row.exposure.bjd_tdb = 2_400_000.5 + row.exposure.lmjm as f64 / 1440.0;
        for (arm, mean) in row.arms.iter_mut().zip([3.0, -4.0]) {
            let phase = std::f64::consts::TAU * row.exposure.bjd_tdb / 2.5;
            arm.rv_corr_km_s = mean + 20.0 * phase.sin();
            arm.rv_corr_err_km_s = 0.2;
            arm.flags = CatalogueFlags::empty();
        }
        row
    });
    products.catalogue = Catalogue::new(rows.collect());
    products
}

#[test]
fn a_period_that_was_found_gives_a_folded_curve() {
    let none = Spectra::Missing(String::new());
    let (html, figures) = page(with_period(), &none);
    assert!(figures.iter().any(|f| f.name == "folded"));
    assert!(html.contains("semi-amplitude is 20.00 km/s"), "{html}");
    let products = with_period();
    let folded = figures.iter().find(|f| f.name == "folded").unwrap();
    let velocity = products.catalogue.rows[7].arms[1].rv_corr_km_s;
    let lmjm = products.catalogue.exposure(7).lmjm;
    // Drawn about the fit, and told as it is, at both of its phases.
    let says = format!("blue arm, LMJM {lmjm}: {velocity:.3} +- 0.200 km/s");
    assert_eq!(folded.inline().matches(&says).count(), 2, "{says}");
    // Against time they are drawn about the mean of their arm.
    let rows: Vec<usize> = (0..20).collect();
    let points = curves::points(&products, &rows, &ARMS, curves::Kind::Corrected);
    let (points, means) = curves::about_means(points, &ARMS);
    assert_eq!((points.len(), means.len()), (40, 2));
    for (arm, mean) in means {
        let about = if arm == Arm::Red { 3.0 } else { -4.0 };
        assert!(
            (mean - about).abs() < 8.0 && mean.abs() > 0.1,
            "{arm} {mean}"
        );
        assert!(curves::mean_km_s(&points, arm).abs() < 1e-9);
    }
    let mut without = with_period();
    without.stars[0].period.false_alarm = 0.5;
    assert!(page(without, &none).1.iter().all(|f| f.name != "folded"));
}

#[test]
fn some_of_many_exposures_have_their_spectra() {
    let mut products = with_period();
    // Neither a lacking time nor a lacking error is drawn.
    products.catalogue.rows[5].exposure.bjd_tdb = f64::NAN;
    products.catalogue.rows[6].arms[0].rv_corr_err_km_s = f64::NAN;
    products.catalogue.rows[14].arms[1].flags = CatalogueFlags::from(RvFlags::CHI2_HIGH);
    products.catalogue.rows[3].arms[0].flags = CatalogueFlags::REFERENCE;
    let rows: Vec<usize> = (0..20).collect();
    let shown = choice::shown(&products, &rows, &ARMS);
    assert_eq!(shown.len(), choice::MOST_EXPOSURES);
    assert!(shown.contains(&14) && shown.contains(&3), "{shown:?}");
    assert!(shown.windows(2).all(|pair| pair[0] < pair[1]), "{shown:?}");
    assert!(shown[0] < 3 && shown[11] > 16, "{shown:?}");
    assert_eq!(choice::shown(&products, &rows[..5], &ARMS), rows[..5]);
    let (html, figures) = page(
        products,
        &Spectra::Seen {
            spectra: Vec::new(),
            rejected: Vec::new(),
        },
    );
    let is_drawn =
        |svg: &str| svg.contains("=\"NaN") || svg.contains("MNaN") || svg.contains("NaNL");
    assert!(!figures.iter().any(|f| is_drawn(&f.inline())));
    assert!(html.contains("12 of 20 exposures are shown"), "{html}");
}

#[test]
fn nothing_hostile_reaches_the_page() {
    let evil = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}&amp;";
    let mut products = run();
    for row in &mut products.catalogue.rows {
        row.exposure.planid = evil.into();
    }
    for name in {
        let names = &mut products.stars[0].names;
        [&mut names.desig, &mut names.objname, &mut names.uqid]
    } {
        *name = evil.to_owned();
    }
    products.record = serde_json::json!({"relrv": evil, "finished": evil, "config": {"arm": evil, "method": [evil]}});
    let spectra = Spectra::Seen {
        spectra: vec![spectrum(evil)],
        rejected: vec![evil.to_owned()],
    };
    let check = |text: &str| {
        assert!(
            !text.contains("<script>alert") && !text.contains("<img"),
            "{text}"
        );
        assert!(!text.contains("</title><script") && !text.contains('\u{202e}'));
    };
    let (html, figures) = page(products, &spectra);
    check(&html);
    assert!(html.matches("&lt;script&gt;alert").count() > 6, "{html}");
    assert_eq!(html.matches("<script").count(), 1, "its own script alone");
    figures.iter().for_each(|f| check(&f.file("mark")));
    let mut any = page::Page::new(String::new(), Path::new(evil));
    page::figure(&mut any, svg::Drawing::new("a", evil, 10.0), evil);
    check(&any.out);
    // A star whose name is markup.
    let mut products = run();
    for row in &mut products.catalogue.rows {
        row.exposure.designation = evil.into();
    }
    products.catalogue = Catalogue::new(products.catalogue.rows);
    let shown = Shown {
        star: Whose::Called(evil),
        arm: None,
        lmjm: None,
    };
    let star = OneStar::among(products, &shown).unwrap();
    let path = usual_path(Path::new(""), star.designation(), None);
    let (html, _) = html::of(
        &star,
        &write::figures_of(&path),
        &Spectra::Missing(evil.to_owned()),
    );
    check(&html);
    assert!(html.contains("<h1>&lt;/title&gt;&lt;script"), "{html}");
}
