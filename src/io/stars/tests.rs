use super::*;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ARCSEC: f64 = 1.0 / 3600.0;

fn members(stars: &[Star]) -> Vec<Vec<usize>> {
    stars.iter().map(|s| s.members.clone()).collect()
}

#[test]
fn names_follow_lamost() {
    let stars = group_positions(&[(292.058716, 43.925304), (292.058709, 43.925216)]);
    assert_eq!(members(&stars), [[0, 1]]);
    assert_eq!(stars[0].source_id, "J192814.09+435530.9");
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
    assert_eq!(members(&group_positions(&[at(0.0), at(2.99)])), [[0, 1]]);
    assert_eq!(members(&group_positions(&[at(0.0), at(3.01)])), [[0], [1]]);
    // In right ascension the same distance is 1 / cos(dec) as many degrees.
    let along = |arcsec: f64| (100.0 + arcsec * ARCSEC / 80f64.to_radians().cos(), 80.0);
    assert_eq!(
        members(&group_positions(&[along(0.0), along(2.99)])),
        [[0, 1]]
    );
    assert_eq!(
        members(&group_positions(&[along(0.0), along(3.01)])),
        [[0], [1]]
    );
    // Each within reach of the next.
    assert_eq!(
        members(&group_positions(&[at(0.0), at(5.0), at(2.5)])),
        [[0, 1, 2]]
    );
    assert!(group(&[]).is_empty());
}

#[test]
fn poles_and_the_seam() {
    let seam = [(359.9999, 10.0), (0.0001, 10.0), (0.0, 10.0), (180.0, 10.0)];
    let stars = group_positions(&seam);
    assert_eq!(members(&stars), [vec![0, 1, 2], vec![3]]);
    assert!(stars[0].ra_deg < 1e-9 || stars[0].ra_deg > 360.0 - 1e-9);
    // 1.4 arcsec from a pole on opposite sides, and 4 arcsec from it.
    for pole in [90.0f64, -90.0] {
        let dec = |arcsec: f64| pole - pole.signum() * arcsec * ARCSEC;
        let around = [
            (10.0, dec(1.4)),
            (190.0, dec(1.4)),
            (100.0, dec(4.5)),
            (0.0, pole),
        ];
        let mut groups = members(&group_positions(&around));
        groups.sort();
        assert_eq!(groups, [vec![0, 1, 3], vec![2]]);
    }
}

/// All pairs, straight from the definition.
fn by_definition(positions: &[(f64, f64)]) -> Vec<Vec<usize>> {
    let points: Vec<_> = positions.iter().map(|&p| Point::new(p, 1)).collect();
    let mut sets = Sets::new(points.len());
    for i in 0..points.len() {
        for j in 0..i {
            let cross = |k: usize, l: usize| {
                points[i].xyz[k] * points[j].xyz[l] - points[i].xyz[l] * points[j].xyz[k]
            };
            let sine = (cross(0, 1).powi(2) + cross(1, 2).powi(2) + cross(2, 0).powi(2)).sqrt();
            let cosine: f64 = (0..3).map(|k| points[i].xyz[k] * points[j].xyz[k]).sum();
            if sine.atan2(cosine).to_degrees() * 3600.0 <= MATCH_ARCSEC {
                sets.join(i, j);
            }
        }
    }
    let mut groups = vec![Vec::new(); points.len()];
    for i in 0..points.len() {
        groups[sets.root(i)].push(i);
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
        let stars = group_positions(&positions);
        let mut groups = members(&stars);
        groups.sort();
        assert_eq!(groups, by_definition(&positions), "trial {trial}");

        // Another order of the files: the same stars to the last bit.
        let mut order: Vec<usize> = (0..positions.len()).collect();
        order.shuffle(&mut rng);
        let shuffled: Vec<_> = order.iter().map(|&i| positions[i]).collect();
        let again = group_positions(&shuffled);
        assert_eq!(stars.len(), again.len());
        for (a, b) in stars.iter().zip(&again) {
            assert_eq!(
                (&a.source_id, a.ra_deg, a.dec_deg),
                (&b.source_id, b.ra_deg, b.dec_deg)
            );
            let mut members: Vec<usize> = b.members.iter().map(|&i| order[i]).collect();
            members.sort();
            assert_eq!(a.members, members);
        }
        let mut names: Vec<_> = stars.iter().map(|s| &s.source_id).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), stars.len());
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
    assert_eq!(
        found.iter().map(|s| s.members.len()).sum::<usize>(),
        1_000_000
    );
    // Chance neighbours within 3 arcsec are joined: 200000 stars on 24000 square degrees have about 3.
    assert!((199_900..=200_000).contains(&found.len()));
    // 4-7 s on two busy cores; comparing all pairs would take hours.
    assert!(elapsed.as_secs() < 60, "{elapsed:?}");
    // One position for all.
    let same = group_positions(&vec![(10.0, 10.0); 1_000_000]);
    assert_eq!(same.len(), 1);
}

#[test]
fn equal_names_are_told_apart() {
    let star = |name: &str| Star {
        source_id: name.to_owned(),
        ra_deg: 0.0,
        dec_deg: 0.0,
        members: Vec::new(),
    };
    let mut stars = [star("a"), star("b"), star("a"), star("a")];
    make_unique(&mut stars);
    assert_eq!(stars.map(|s| s.source_id), ["a", "b", "a_2", "a_3"]);
}
