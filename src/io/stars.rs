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
mod tests;
