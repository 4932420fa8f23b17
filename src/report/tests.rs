use std::collections::{BTreeMap, HashSet};

use super::finished::{Catalogue, Finished};
use super::plot::{Drawn, Figure, Shown, running_median};
use super::tick::tick;
use super::violin::Violin;
use super::{fibres, scatter, slit, slopes, zero_points};
use crate::Arm;
use crate::calibrate::results::ZeroPoint;
use crate::catalogue::row::{ARMS, CatalogueRow};
use crate::catalogue::zero_point::ZeroPointRow;

#[test]
fn ticks_have_no_needless_digits() {
    for (x, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (0.25, "0.25"),
        (-1.5, "-1.5"),
        (100.0, "100"),
    ] {
        assert_eq!(tick(&x), text);
    }
}

#[test]
fn violins_are_widest_where_most_values_are() {
    let values: Vec<f64> = (0..200)
        .map(|i| if i % 4 == 0 { 3.0 } else { 0.0 } + 1e-3 * f64::from(i))
        .collect();
    let outline = Violin::of(&values).unwrap().outline(10.0, 0.4);
    let (x, y) = outline
        .iter()
        .copied()
        .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
    assert!((x - 10.4).abs() < 1e-9 && (y - 0.1).abs() < 0.5, "{x} {y}");
    assert!(outline.iter().all(|(x, _)| (x - 10.0).abs() <= 0.4 + 1e-9));
}

#[test]
fn running_medians_follow_the_points() {
    let points: Vec<(f64, f64)> = (1..=1000)
        .map(|i| (f64::from(i), 1.0 / f64::from(i)))
        .collect();
    let line = running_median(&points);
    // The first half of 14 steps of ln x hold less than 20 of the points.
    assert_eq!(line.len(), 7, "{line:?}");
    for (x, y) in line {
        assert!((x * y - 1.0).abs() < 0.02, "{x} {y}");
    }
    assert_eq!(running_median(&points[500..540]).len(), 1);
    assert!(running_median(&points[..19]).is_empty());
}

/// Noise of hand-made velocities, between -1 and 1.
fn noise(i: usize) -> f64 {
    ((i * 7919 + 13) % 2003) as f64 / 1001.0 - 1.0
}

/// Slope of an exposure's zero points, km/s: its sign changes, and spectrographs differ.
fn slope(exposure: usize, spectrograph: usize) -> f64 {
    let sign = if exposure.is_multiple_of(3) {
        -1.0
    } else {
        1.0
    };
    sign * (0.3 + 0.05 * spectrograph as f64)
}

/// A run of 4 nights of 3 exposures with 3 spectrographs of 50 constant stars, whose zero points have slopes in the red arm alone. Its
/// zero points know of them if `is_known`.
fn run_with_slopes(is_known: bool) -> Finished {
    let (mut rows, mut zero_points) = (Vec::new(), Vec::new());
    for e in 0..12 {
        let lmjm = 84_000_000 + 1440 * (e as i64 / 3) + 20 * (e as i64 % 3);
        for s in 0..3 {
            let zp = 2.0 * noise(e * 3 + s);
            for (k, arm) in ARMS.into_iter().enumerate() {
                let slope = if k == 0 && is_known {
                    slope(e, s)
                } else {
                    f64::NAN
                };
                let found = ZeroPoint {
                    zp,
                    zp_err: 0.02,
                    slope,
                    slope_err: 0.03,
                    ..ZeroPoint::default()
                };
                zero_points.push(ZeroPointRow {
                    planid: "p".into(),
                    spid: s as i32 + 1,
                    lmjm,
                    arm,
                    found,
                });
            }
            for star in 0..50 {
                let mut row = CatalogueRow::default();
                row.exposure.designation = format!("J{s}-{star}").into();
                row.exposure.planid = "p".into();
                row.exposure.spid = s as i32 + 1;
                row.exposure.fiberid = 5 * star + 3;
                row.exposure.lmjm = lmjm;
                let place = crate::catalogue::slit_place(row.exposure.fiberid);
                let left = 0.1 * noise(star as usize * 101 + e * 7 + s);
                let tilt = slope(e, s) * place;
                row.arms[0].rv_km_s = zp + tilt + left;
                row.arms[0].rv_corr_km_s = if is_known { left } else { tilt + left };
                row.arms[1].rv_km_s = zp + left;
                row.arms[1].rv_corr_km_s = left;
                rows.push(row);
            }
        }
    }
    let catalogue = Catalogue::new(rows);
    let n_stars = catalogue.stars.len();
    Finished {
        constants: HashSet::from_iter((0..n_stars).flat_map(|s| ARMS.map(|arm| (s, arm)))),
        catalogue,
        stars: Vec::new(),
        zero_points,
        rejected: BTreeMap::new(),
        record: serde_json::Value::Null,
        n_absurd: 0,
    }
}

#[test]
fn a_tilt_along_the_slit_is_seen_before_and_gone_after() {
    let run = run_with_slopes(true);
    let [before, after] = slit::bins(&run, Arm::Red).unwrap();
    assert_eq!((before.len(), after.len()), (25, 25));
    assert_eq!((before[0].fibre, before[24].fibre), (5.5, 245.5));
    for (b, a) in before.iter().zip(&after) {
        // The star's mean takes a part of the tilt with it: slopes of -1, 1, 1 have the mean 1/3, and with their signs these are 8/9.
        let expected = 8.0 / 9.0 * 0.35 * (b.fibre - 125.5) / 124.5;
        let middle = b.quantiles[1];
        assert!((middle - expected).abs() < 0.12, "{b:?} {expected}");
        assert!(a.quantiles[1].abs() < 0.05, "{a:?}");
        assert!(a.quantiles[0] < a.quantiles[1] && a.quantiles[1] < a.quantiles[2]);
    }
    assert!(before[24].quantiles[1] > 0.2 && before[0].quantiles[1] < -0.2);
    assert!(slit::bins(&run, Arm::Blue).is_none());
}

fn figure(shown: Drawn<Shown>) -> Figure {
    match shown.unwrap() {
        Shown::Figure(figure) => figure,
        Shown::Nothing(title, why) => panic!("{title}: {why}"),
    }
}

/// Why a figure is not there.
fn why(shown: Drawn<Shown>) -> &'static str {
    match shown.unwrap() {
        Shown::Nothing(_, why) => why,
        Shown::Figure(figure) => panic!("{} is there", figure.title),
    }
}

#[test]
fn slopes_are_drawn_where_there_are_any() {
    let circles = |svg: &str| svg.matches("<circle").count();
    let run = run_with_slopes(true);
    let (drawn, of_fibres) = (figure(slopes::figure(&run)), figure(fibres::figure(&run)));
    // 12 exposures of 3 spectrographs, and a name for each spectrograph.
    assert_eq!(circles(&drawn.svg), 12 * 3 + 3);
    // The blue arm has none: it takes no room, and the words say so.
    assert!(drawn.svg.contains("viewBox=\"0 0 1100 424\""));
    let blue = "The blue arm is not shown: its zero points are the same for all fibres.";
    assert!(drawn.caption.contains(blue) && of_fibres.caption.contains(blue));
    let none = run_with_slopes(false);
    assert_eq!(
        why(slopes::figure(&none)),
        "zero points are the same for all fibres"
    );
    let fibres_alone = figure(fibres::figure(&none));
    // 25 places before and after, and the legend.
    assert_eq!(circles(&of_fibres.svg) - circles(&fibres_alone.svg), 52);
    assert!(fibres_alone.svg.contains("viewBox=\"0 0 1100 760\""));
    assert!(!fibres_alone.caption.contains("Bottom"));
}

#[test]
fn a_run_without_constant_stars_has_no_empty_panels() {
    let mut run = run_with_slopes(true);
    run.constants.retain(|(_, arm)| *arm == Arm::Blue);
    let drawn = figure(zero_points::figure(&run));
    assert!(!drawn.svg.contains("red arm") && drawn.svg.contains("blue arm"));
    assert!(
        drawn
            .caption
            .contains("The red arm is not shown: no star is called constant.")
    );
    run.constants.clear();
    run.zero_points.clear();
    for row in &mut run.catalogue.rows {
        row.arms.iter_mut().for_each(|v| v.rv_corr_km_s = f64::NAN);
    }
    assert_eq!(why(zero_points::figure(&run)), "no star is called constant");
    assert_eq!(why(scatter::figure(&run)), "no star is called constant");
    assert_eq!(why(slopes::figure(&run)), "there are no zero points");
    assert_eq!(
        why(fibres::figure(&run)),
        "no constant star has two corrected velocities"
    );
    let shown = [
        zero_points::figure(&run).unwrap(),
        scatter::figure(&run).unwrap(),
    ];
    let page = super::page::html(&run, &shown);
    assert!(page.contains("<li>Zero points: no star is called constant</li>"));
    assert!(page.contains("all files of the plate"));
}
