//! Which files are of the same star: identity by position on the sky, and a name that stays when files are added.

mod names;

pub use names::{KnownStar, KnownStars, first_of};

use super::raw::{FileHeader, StarNames};
use crate::numbers::sets::Sets;

/// Largest distance of two positions of one star, arcseconds. LAMOST fibres are 3.3 arcsec wide.
pub const MATCH_ARCSEC: f64 = 3.0;

/// A star and the files that observed it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Star {
    /// Name from the position in the header of its first file, such as `J192814.09+435531.0`; no two stars of one call share it.
    pub designation: String,
    /// Right ascension of that position, degrees (J2000), 0 <= ra < 360.
    pub ra_deg: f64,
    /// Declination of that position, degrees (J2000).
    pub dec_deg: f64,
    /// What the header of its first file calls it.
    pub names: StarNames,
    /// Indices of its files in the list that was given, in the order of time: it does not depend on where they lie.
    pub members: Vec<usize>,
}

/// Groups files by position: two files are of one star if a chain of positions, each within [`MATCH_ARCSEC`] of the next,
/// leads from one to the other. Sorted by right ascension, then declination. The order of the files changes only the numbers
/// in `members`. Takes O(n log n).
///
/// A star has the position of its first file by day, plate, spectrograph and fibre, and a name made of it; so files of later nights
/// rename no star. What `known` has of an earlier call is kept: then files of earlier nights do not either.
pub fn group(headers: &[FileHeader], known: &KnownStars) -> Vec<Star> {
    let positions: Vec<_> = headers.iter().map(|h| (h.ra_deg, h.dec_deg)).collect();
    names::named(headers, group_positions(&positions), known)
}

/// [`group`] for bare positions, (right ascension, declination) in degrees: indices of each group, ascending.
fn group_positions(positions_deg: &[(f64, f64)]) -> Vec<Vec<usize>> {
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
        .map(|files| Point::new(positions_deg[files[0]]))
        .collect();

    let mut sets = Sets::new(unique.len() as u32);
    link_neighbours(&unique, &mut sets);

    let mut slot_of_root = vec![usize::MAX; unique.len()];
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, files) in same.iter().enumerate() {
        let slot = &mut slot_of_root[sets.root(i as u32) as usize];
        if *slot == usize::MAX {
            *slot = groups.len();
            groups.push(Vec::new());
        }
        groups[*slot].extend_from_slice(files);
    }
    groups.iter_mut().for_each(|files| files.sort_unstable());
    groups
}

/// A position that one or more files share.
struct Point {
    ra_deg: f64,
    dec_deg: f64,
    /// Unit vector.
    xyz: [f64; 3],
}

impl Point {
    fn new((ra_deg, dec_deg): (f64, f64)) -> Self {
        let (sin_ra, cos_ra) = ra_deg.to_radians().sin_cos();
        let (sin_dec, cos_dec) = dec_deg.to_radians().sin_cos();
        Point {
            ra_deg: ra_deg.rem_euclid(360.0),
            dec_deg,
            xyz: [cos_dec * cos_ra, cos_dec * sin_ra, sin_dec],
        }
    }

    /// Square of the straight distance of two unit vectors.
    fn chord2(&self, other: &Point) -> f64 {
        (0..3).map(|k| (self.xyz[k] - other.xyz[k]).powi(2)).sum()
    }
}

/// Joins all points within the radius of each other: bands of declination one radius high, each sorted by right ascension;
/// a point looks into its own band and the next one.
fn link_neighbours(points: &[Point], sets: &mut Sets) {
    let radius_deg = MATCH_ARCSEC / 3600.0;
    let radius = radius_deg.to_radians();
    let max_chord = 2.0 * (radius / 2.0).sin();
    let near = |a: &Point, b: &Point| a.chord2(b) <= max_chord * max_chord;
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
                        sets.join(i as u32, j as u32);
                    }
                }
            };
            // Of its own band only the points after this one: pairs with those before it have been looked at.
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

#[cfg(test)]
mod tests;
