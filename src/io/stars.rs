//! Which files are of the same star: identity by position on the sky.

use super::raw::FileHeader;

/// Largest distance of two positions of one star, arcseconds. LAMOST fibres are 3.3 arcsec wide.
pub const MATCH_ARCSEC: f64 = 3.0;

/// A star and the files that observed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Star {
    /// Name from the mean position, such as `J192814.09+435531.0`; no two stars of one call share it.
    pub source_id: String,
    /// Right ascension of the mean position, degrees (J2000), 0 <= ra < 360.
    pub ra_deg: f64,
    /// Declination of the mean position, degrees (J2000).
    pub dec_deg: f64,
    /// Indices of its files in the list that was given, ascending.
    pub members: Vec<usize>,
}

/// Groups files by position: two files are of one star if a chain of positions, each within [`MATCH_ARCSEC`] of the next,
/// leads from one to the other. Sorted by right ascension, then declination. The order of the files changes only the numbers
/// in `members`. Takes O(n log n).
pub fn group(headers: &[FileHeader]) -> Vec<Star> {
    let positions: Vec<_> = headers.iter().map(|h| (h.ra_deg, h.dec_deg)).collect();
    group_positions(&positions)
}

/// [`group`] for bare positions: (right ascension, declination) in degrees.
pub fn group_positions(positions_deg: &[(f64, f64)]) -> Vec<Star> {
    // Files of one star mostly have the very same position: only different ones are compared.
    let mut order: Vec<usize> = (0..positions_deg.len()).collect();
    let key = |&i: &usize| positions_deg[i];
    order.sort_unstable_by(|a, b| {
        let ((ra_a, dec_a), (ra_b, dec_b)) = (key(a), key(b));
        ra_a.total_cmp(&ra_b)
            .then(dec_a.total_cmp(&dec_b))
            .then(a.cmp(b))
    });
    let same: Vec<&[usize]> = order
        .chunk_by(|a, b| positions_deg[*a] == positions_deg[*b])
        .collect();
    let unique: Vec<Point> = same
        .iter()
        .map(|files| Point::new(positions_deg[files[0]], files.len()))
        .collect();

    let mut sets = Sets::new(unique.len());
    link_neighbours(&unique, &mut sets);

    // `unique` is sorted, so sums run in an order that does not depend on the input's.
    let mut slot_of_root = vec![usize::MAX; unique.len()];
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for i in 0..unique.len() {
        let slot = &mut slot_of_root[sets.root(i)];
        if *slot == usize::MAX {
            *slot = groups.len();
            groups.push(Vec::new());
        }
        groups[*slot].push(i);
    }
    let mut stars: Vec<Star> = groups
        .iter()
        .map(|group| {
            let (ra_deg, dec_deg) = mean_position(group.iter().map(|&i| &unique[i]));
            let mut members: Vec<usize> = group.iter().flat_map(|&i| same[i]).copied().collect();
            members.sort_unstable();
            Star {
                source_id: designation(ra_deg, dec_deg),
                ra_deg,
                dec_deg,
                members,
            }
        })
        .collect();
    stars.sort_by(|a, b| {
        a.ra_deg
            .total_cmp(&b.ra_deg)
            .then(a.dec_deg.total_cmp(&b.dec_deg))
    });
    make_unique(&mut stars);
    stars
}

/// A position that one or more files share.
struct Point {
    ra_deg: f64,
    dec_deg: f64,
    /// Unit vector.
    xyz: [f64; 3],
    n_files: usize,
}

impl Point {
    fn new((ra_deg, dec_deg): (f64, f64), n_files: usize) -> Self {
        let (sin_ra, cos_ra) = ra_deg.to_radians().sin_cos();
        let (sin_dec, cos_dec) = dec_deg.to_radians().sin_cos();
        Point {
            ra_deg: ra_deg.rem_euclid(360.0),
            dec_deg,
            xyz: [cos_dec * cos_ra, cos_dec * sin_ra, sin_dec],
            n_files,
        }
    }
}

/// Joins all points within the radius of each other: bands of declination one radius high, each sorted by right ascension;
/// a point looks into its own band and the next one.
fn link_neighbours(points: &[Point], sets: &mut Sets) {
    let radius_deg = MATCH_ARCSEC / 3600.0;
    let radius = radius_deg.to_radians();
    let max_chord = 2.0 * (radius / 2.0).sin();
    let near = |a: &Point, b: &Point| {
        let d2: f64 = (0..3).map(|k| (a.xyz[k] - b.xyz[k]).powi(2)).sum();
        d2 <= max_chord * max_chord
    };
    let band = |p: &Point| ((p.dec_deg + 90.0) / radius_deg).floor() as i64;
    let mut sorted: Vec<(i64, f64, usize)> = points
        .iter()
        .enumerate()
        .map(|(i, p)| (band(p), p.ra_deg, i))
        .collect();
    sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));

    let bands: Vec<&[(i64, f64, usize)]> = sorted.chunk_by(|a, b| a.0 == b.0).collect();
    for (n, own) in bands.iter().enumerate() {
        let above = bands.get(n + 1).filter(|next| next[0].0 == own[0].0 + 1);
        for (k, &(_, ra, i)) in own.iter().enumerate() {
            // Right ascensions that a circle of this radius reaches: sin(width) = sin(radius) / cos(dec); near a pole, all.
            let ratio = radius.sin() / points[i].dec_deg.to_radians().cos();
            let width = if ratio < 1.0 {
                ratio.asin().to_degrees() * (1.0 + 1e-9) + 1e-9
            } else {
                180.0
            };
            let (low, high) = (ra - width, ra + width);
            let mut look = |from: &[(i64, f64, usize)], high: f64| {
                for &(_, x, j) in from {
                    if x > high {
                        break;
                    }
                    if near(&points[i], &points[j]) {
                        sets.join(i, j);
                    }
                }
            };
            // Of its own band only what follows: who comes before has looked already.
            look(&own[k + 1..], high);
            if let Some(above) = above {
                look(&above[above.partition_point(|p| p.1 < low)..], high);
            }
            // The circle may reach over 0 = 360 degrees.
            for band in std::iter::once(own).chain(above) {
                if high >= 360.0 {
                    look(band, high - 360.0);
                }
                if low < 0.0 {
                    look(&band[band.partition_point(|p| p.1 < low + 360.0)..], 360.0);
                }
            }
        }
    }
}

/// Mean of unit vectors, weighted with the number of files, as (ra, dec) in degrees.
fn mean_position<'a>(points: impl Iterator<Item = &'a Point>) -> (f64, f64) {
    let mut sum = [0.0; 3];
    let mut first = None;
    let mut n_points = 0;
    for point in points {
        first.get_or_insert((point.ra_deg, point.dec_deg));
        n_points += 1;
        for (total, x) in sum.iter_mut().zip(point.xyz) {
            *total += x * point.n_files as f64;
        }
    }
    // A single position stays as it was read.
    if n_points == 1
        && let Some(position) = first
    {
        return position;
    }
    let [x, y, z] = sum;
    let ra_deg = y.atan2(x).to_degrees().rem_euclid(360.0);
    (ra_deg % 360.0, z.atan2(x.hypot(y)).to_degrees())
}

/// `JHHMMSS.ss+DDMMSS.s`, truncated as the IAU asks of designations, like LAMOST's own.
fn designation(ra_deg: f64, dec_deg: f64) -> String {
    // Decimal degrees such as 43.925304 lie just below the binary number's exact decimal: 1e-6 of the last digit covers that.
    let centiseconds = (ra_deg / 15.0 * 360_000.0 + 1e-6).floor() as u64 % 8_640_000;
    let deciseconds = (dec_deg.abs() * 36_000.0 + 1e-6).floor() as u64;
    let (h, m, s) = (
        centiseconds / 360_000,
        centiseconds / 6000 % 60,
        centiseconds % 6000,
    );
    let (d, dm, ds) = (
        deciseconds / 36_000,
        deciseconds / 600 % 60,
        deciseconds % 600,
    );
    let sign = if dec_deg < 0.0 { '-' } else { '+' };
    format!(
        "J{h:02}{m:02}{:02}.{:02}{sign}{d:02}{dm:02}{:02}.{}",
        s / 100,
        s % 100,
        ds / 10,
        ds % 10
    )
}

/// Letters tell stars apart whose mean positions share a name: a chain of positions may surround another.
fn make_unique(stars: &mut [Star]) {
    let mut count = std::collections::HashMap::new();
    for star in stars {
        let n = count.entry(star.source_id.clone()).or_insert(0u32);
        *n += 1;
        if *n > 1 {
            star.source_id.push_str(&format!("_{n}"));
        }
    }
}

/// Disjoint sets.
struct Sets {
    parent: Vec<usize>,
}

impl Sets {
    fn new(n: usize) -> Self {
        Sets {
            parent: (0..n).collect(),
        }
    }

    fn root(&mut self, mut i: usize) -> usize {
        while self.parent[i] != i {
            // Halving the path keeps it short.
            self.parent[i] = self.parent[self.parent[i]];
            i = self.parent[i];
        }
        i
    }

    fn join(&mut self, i: usize, j: usize) {
        let (a, b) = (self.root(i), self.root(j));
        // The smaller index leads, so the result does not depend on the order of the joins.
        self.parent[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
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
                    let ra = ra0
                        + (rng.random_range(-20.0..20.0) * ARCSEC * stretch).clamp(-180.0, 180.0);
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
        assert!(elapsed.as_secs() < 20, "{elapsed:?}");
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
}
