use super::names::designation;
use super::*;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ARCSEC: f64 = 1.0 / 3600.0;

#[test]
fn names_follow_lamost() {
    assert_eq!(group_positions(&[FIRST, SECOND]), [[0, 1]]);
    assert_eq!(designation(292.058716, 43.925304), "J192814.09+435531.0");
    assert_eq!(designation(292.058709, 43.925216), "J192814.09+435530.7");
    assert_eq!(designation(0.0, 0.0), "J000000.00+000000.0");
    assert_eq!(designation(359.999_999_9, -0.5), "J235959.99-003000.0");
    assert_eq!(designation(180.0, -90.0), "J120000.00-900000.0");
    assert_eq!(
        designation(15.0 / 3600.0 * 12.34, 12.5),
        "J000012.34+123000.0"
    );
}

#[test]
fn radius_and_chains() {
    let at = |arcsec: f64| (100.0, 20.0 + arcsec * ARCSEC);
    assert_eq!(group_positions(&[at(0.0), at(2.99)]), [[0, 1]]);
    assert_eq!(group_positions(&[at(0.0), at(3.01)]), [[0], [1]]);
    // In right ascension the same distance is 1 / cos(dec) as many degrees.
    let along = |arcsec: f64| (100.0 + arcsec * ARCSEC / 80f64.to_radians().cos(), 80.0);
    assert_eq!(group_positions(&[along(0.0), along(2.99)]), [[0, 1]]);
    assert_eq!(group_positions(&[along(0.0), along(3.01)]), [[0], [1]]);
    // Each within reach of the next.
    assert_eq!(group_positions(&[at(0.0), at(5.0), at(2.5)]), [[0, 1, 2]]);
    assert!(group(&[], &KnownStars::default()).is_empty());
}

#[test]
fn poles_and_the_seam() {
    let seam = [(359.9999, 10.0), (0.0001, 10.0), (0.0, 10.0), (180.0, 10.0)];
    assert_eq!(group_positions(&seam), [vec![0, 1, 2], vec![3]]);
    // 1.4 arcsec from a pole on opposite sides, and 4 arcsec from it.
    for pole in [90.0f64, -90.0] {
        let dec = |arcsec: f64| pole - pole.signum() * arcsec * ARCSEC;
        let around = [
            (10.0, dec(1.4)),
            (190.0, dec(1.4)),
            (100.0, dec(4.5)),
            (0.0, pole),
        ];
        let mut groups = group_positions(&around);
        groups.sort();
        assert_eq!(groups, [vec![0, 1, 3], vec![2]]);
    }
}

/// All pairs, straight from the definition.
fn by_definition(positions: &[(f64, f64)]) -> Vec<Vec<usize>> {
    let points: Vec<_> = positions.iter().map(|&p| Point::new(p)).collect();
    let mut sets = Sets::new(points.len() as u32);
    for i in 0..points.len() {
        for j in 0..i {
            let cross = |k: usize, l: usize| {
                points[i].xyz[k] * points[j].xyz[l] - points[i].xyz[l] * points[j].xyz[k]
            };
            let sine = (cross(0, 1).powi(2) + cross(1, 2).powi(2) + cross(2, 0).powi(2)).sqrt();
            let cosine: f64 = (0..3).map(|k| points[i].xyz[k] * points[j].xyz[k]).sum();
            if sine.atan2(cosine).to_degrees() * 3600.0 <= MATCH_ARCSEC {
                sets.join(i as u32, j as u32);
            }
        }
    }
    let mut groups = vec![Vec::new(); points.len()];
    for i in 0..points.len() {
        groups[sets.root(i as u32) as usize].push(i);
    }
    groups.retain(|g: &Vec<usize>| !g.is_empty());
    groups.sort();
    groups
}

#[test]
fn the_definition_agrees_everywhere_on_the_sky() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for trial in 0..60 {
        // Crowded fields of 40 arcsec, at the poles, the equator, the seam and anywhere.
        let (ra0, dec0): (f64, f64) = match trial % 4 {
            0 => (rng.random_range(0.0..360.0), 90.0),
            1 => (0.0, rng.random_range(-80.0..80.0)),
            2 => (rng.random_range(0.0..360.0), -90.0),
            _ => (
                rng.random_range(0.0..360.0),
                rng.random_range(-89.999..89.999),
            ),
        };
        let positions: Vec<(f64, f64)> = (0..120)
            .map(|_| {
                let dec = dec0 + rng.random_range(-20.0..20.0) * ARCSEC;
                let stretch = 1.0 / dec.to_radians().cos().abs().max(1e-9);
                let ra =
                    ra0 + (rng.random_range(-20.0..20.0) * ARCSEC * stretch).clamp(-180.0, 180.0);
                (ra.rem_euclid(360.0), dec.clamp(-90.0, 90.0))
            })
            .collect();
        let mut groups = group_positions(&positions);
        groups.sort();
        assert_eq!(groups, by_definition(&positions), "trial {trial}");
    }
}

#[test]
fn a_survey_is_grouped_in_seconds() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let stars: Vec<(f64, f64)> = (0..200_000)
        .map(|_| (rng.random_range(0.0..360.0), rng.random_range(-10.0..60.0)))
        .collect();
    // Five files a star, each with its own position 0.3 arcsec off, in random order.
    let mut files: Vec<(f64, f64)> = (0..5)
        .flat_map(|_| stars.clone())
        .map(|(ra, dec)| (ra, dec + rng.random_range(-0.3..0.3) * ARCSEC))
        .collect();
    files.shuffle(&mut rng);
    let start = std::time::Instant::now();
    let found = group_positions(&files);
    let elapsed = start.elapsed();
    eprintln!(
        "{} files of {} stars grouped in {elapsed:?}",
        files.len(),
        found.len()
    );
    assert_eq!(found.iter().map(Vec::len).sum::<usize>(), 1_000_000);
    // Chance neighbours within 3 arcsec are joined: 200000 stars on 24000 square degrees have about 3.
    assert!((199_900..=200_000).contains(&found.len()));
    // 4-7 s on two busy cores; comparing all pairs would take hours.
    assert!(elapsed.as_secs() < 60, "{elapsed:?}");
    // One position for all.
    let same = group_positions(&vec![(10.0, 10.0); 1_000_000]);
    assert_eq!(same.len(), 1);
}

/// A file of the plate `A`.
fn header(lmjd: i64, fiberid: i32, (ra_deg, dec_deg): (f64, f64)) -> FileHeader {
    FileHeader {
        path: std::path::PathBuf::from(format!("{lmjd}-{fiberid}")).into(),
        obsid: 0,
        planid: "A".to_owned(),
        spid: 1,
        fiberid,
        ra_deg,
        dec_deg,
        names: StarNames {
            objname: format!("of {lmjd}"),
            ..StarNames::default()
        },
        lmjd,
        n_exposures: [None; 2],
        frame: Default::default(),
    }
}

const FIRST: (f64, f64) = (292.058716, 43.925304);
const SECOND: (f64, f64) = (292.058709, 43.925216);

#[test]
fn a_star_has_the_name_of_its_first_file() {
    let none = KnownStars::default();
    let two = [header(58644, 9, SECOND), header(58625, 76, FIRST)];
    let star = &group(&two, &none)[0];
    assert_eq!(star.designation, "J192814.09+435531.0");
    assert_eq!((star.ra_deg, star.dec_deg), FIRST);
    assert_eq!(star.names.objname, "of 58625");
    // A night more renames nothing; nor does a file of an unknown day.
    let more = [header(58649, 1, SECOND), header(0, 1, SECOND)];
    let three = [&two[..], &more].concat();
    assert_eq!(group(&three, &none)[0].designation, star.designation);
    // On one day the fibre decides.
    let same_day = [header(58625, 9, SECOND), header(58625, 76, FIRST)];
    assert_eq!(
        group(&same_day, &none)[0].designation,
        "J192814.09+435530.7"
    );
}

#[test]
fn a_known_star_keeps_its_name_when_earlier_nights_come() {
    let later = [header(58644, 9, SECOND)];
    let before = group(&later, &KnownStars::default());
    let known = KnownStars::default().with(&before);
    let both = [&later[..], &[header(58625, 76, FIRST)]].concat();
    assert_eq!(group(&both, &known), {
        let mut kept = before.clone();
        kept[0].members = vec![1, 0];
        kept[0].names.objname = "of 58625".to_owned();
        kept
    });
    assert_ne!(
        group(&both, &KnownStars::default())[0].designation,
        before[0].designation
    );
    // Stars that are not observed any more are not forgotten, and nothing is named after a star that is far away.
    let far = [header(58700, 1, (10.0, 10.0))];
    let named = group(&far, &known);
    assert_eq!(named[0].designation, "J004000.00+100000.0");
    let all = known.with(&named);
    assert_eq!(all.stars().len(), 2);
    assert_eq!(group(&later, &all), before);
    // Positions that are none do not harm.
    let absurd = KnownStar {
        designation: "x".to_owned(),
        ra_deg: f64::NAN,
        dec_deg: 1e300,
    };
    assert_eq!(KnownStars::new(vec![absurd]).stars(), []);
}

#[test]
fn two_stars_near_a_known_one_do_not_share_its_name() {
    let at = |arcsec: f64| (100.0, 20.0 + arcsec * ARCSEC);
    let known =
        KnownStars::default().with(&group(&[header(1, 1, at(0.0))], &KnownStars::default()));
    let two = [header(2, 1, at(-2.5)), header(2, 2, at(1.5))];
    let stars = group(&two, &known);
    assert_eq!(stars.len(), 2);
    let name_of = |member: usize| {
        let star = stars.iter().find(|s| s.members == [member]);
        star.unwrap().designation.clone()
    };
    assert_eq!(name_of(1), known.stars()[0].designation);
    assert_ne!(name_of(0), name_of(1));
}

#[test]
fn the_order_of_the_files_changes_no_star() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let headers: Vec<FileHeader> = (0..200)
        .map(|i| {
            let near = || 20.0 * ARCSEC;
            let (ra, dec) = (rng.random_range(0.0..near()), rng.random_range(0.0..near()));
            header(58000 + i64::from(i % 7), i, (100.0 + ra, 20.0 + dec))
        })
        .collect();
    let stars = group(&headers, &KnownStars::default());
    let mut order: Vec<usize> = (0..headers.len()).collect();
    order.shuffle(&mut rng);
    let shuffled: Vec<_> = order.iter().map(|&i| headers[i].clone()).collect();
    let again = group(&shuffled, &KnownStars::default());
    assert_eq!(stars.len(), again.len());
    for (a, mut b) in stars.iter().zip(again) {
        b.members.iter_mut().for_each(|i| *i = order[*i]);
        assert_eq!(*a, b);
    }
    let names: std::collections::HashSet<_> = stars.iter().map(|s| &s.designation).collect();
    assert_eq!(names.len(), stars.len());
}
