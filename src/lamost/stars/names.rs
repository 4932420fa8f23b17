//! Names of stars that stay the same when files are added.

use std::collections::HashSet;

use super::{MATCH_ARCSEC, Point, Star};
use crate::lamost::raw::FileHeader;

/// A star that was named before.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct KnownStar {
    /// Its name.
    pub designation: String,
    /// The position that it was made of, degrees (J2000).
    pub ra_deg: f64,
    /// Declination of that position, degrees.
    pub dec_deg: f64,
}

/// Stars that were named before, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownStars {
    stars: Vec<KnownStar>,
}

impl KnownStars {
    /// The stars of a list; those whose position is not on the sky are left out.
    pub fn new(mut stars: Vec<KnownStar>) -> Self {
        stars.retain(|s| (0.0..=360.0).contains(&s.ra_deg) && (-90.0..=90.0).contains(&s.dec_deg));
        stars.sort_by(|a, b| a.designation.cmp(&b.designation));
        stars.dedup_by(|a, b| a.designation == b.designation);
        KnownStars { stars }
    }

    /// All of them, by name.
    pub fn stars(&self) -> &[KnownStar] {
        &self.stars
    }

    /// These and those of a list that are not among them.
    pub fn with<'a>(&self, named: impl IntoIterator<Item = &'a Star>) -> Self {
        let new = named.into_iter().map(|star| KnownStar {
            designation: star.designation.clone(),
            ra_deg: star.ra_deg,
            dec_deg: star.dec_deg,
        });
        // Of equal names the first one stays: the sort is stable.
        KnownStars::new(self.stars.iter().cloned().chain(new).collect())
    }
}

/// The groups as stars, sorted by position.
pub(super) fn named(
    headers: &[FileHeader],
    groups: Vec<Vec<usize>>,
    known: &KnownStars,
) -> Vec<Star> {
    let kept = kept(headers, &groups, known);
    let taken = kept.iter().flatten().map(|s| s.designation.clone());
    let mut taken: HashSet<String> = taken.collect();
    let mut stars: Vec<(Star, bool)> = groups
        .into_iter()
        .zip(&kept)
        .filter_map(|(members, kept)| {
            let first = &headers[first_of(headers, &members)?];
            let (designation, ra_deg, dec_deg) = match kept {
                Some(star) => (star.designation.clone(), star.ra_deg, star.dec_deg),
                None => (
                    designation(first.ra_deg, first.dec_deg),
                    first.ra_deg,
                    first.dec_deg,
                ),
            };
            let star = Star {
                designation,
                ra_deg,
                dec_deg,
                names: first.names.clone(),
                members: sorted(headers, members),
            };
            Some((star, kept.is_some()))
        })
        .collect();
    stars.sort_by(|(a, _), (b, _)| {
        a.ra_deg
            .total_cmp(&b.ra_deg)
            .then(a.dec_deg.total_cmp(&b.dec_deg))
    });
    let new = stars.iter_mut().filter(|(_, is_known)| !is_known);
    new.for_each(|(star, _)| make_unique(&mut star.designation, &mut taken));
    stars.into_iter().map(|(star, _)| star).collect()
}

/// Files in their order, so that a star is the same wherever its files lie.
fn sorted(headers: &[FileHeader], mut members: Vec<usize>) -> Vec<usize> {
    members.sort_by(|a, b| in_time(&headers[*a], &headers[*b]));
    members
}

/// The first of a star's files ([`in_time`]).
pub fn first_of(headers: &[FileHeader], members: &[usize]) -> Option<usize> {
    let first = |a: &usize, b: &usize| in_time(&headers[*a], &headers[*b]);
    members.iter().copied().min_by(first)
}

/// Order of a star's files: by day (those of none last), plate, spectrograph and fibre; then by name and position; by their place only
/// where nothing else tells them apart.
pub fn in_time(a: &FileHeader, b: &FileHeader) -> std::cmp::Ordering {
    let days = (a.lmjd == 0, a.lmjd).cmp(&(b.lmjd == 0, b.lmjd));
    days.then_with(|| a.planid.cmp(&b.planid))
        .then((a.spid, a.fiberid).cmp(&(b.spid, b.fiberid)))
        .then_with(|| a.path.file_name().cmp(&b.path.file_name()))
        .then(a.ra_deg.total_cmp(&b.ra_deg))
        .then(a.dec_deg.total_cmp(&b.dec_deg))
        .then_with(|| a.path.cmp(&b.path))
}

/// The known star that each group is, if any: every known star goes to the group with the file nearest to it, and a group that is
/// several of them keeps the first by name.
fn kept<'a>(
    headers: &[FileHeader],
    groups: &[Vec<usize>],
    known: &'a KnownStars,
) -> Vec<Option<&'a KnownStar>> {
    let mut kept = vec![None; groups.len()];
    if known.stars.is_empty() {
        return kept;
    }
    let reach_deg = MATCH_ARCSEC / 3600.0;
    let max_chord = 2.0 * (reach_deg.to_radians() / 2.0).sin();
    let mut files: Vec<(f64, usize, Point)> = groups
        .iter()
        .enumerate()
        .flat_map(|(group, members)| {
            members.iter().map(move |&i| {
                let header = &headers[i];
                let point = Point::new((header.ra_deg, header.dec_deg));
                (header.dec_deg, group, point)
            })
        })
        .collect();
    files.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    files.dedup_by(|a, b| a.1 == b.1 && a.2.xyz == b.2.xyz);
    for star in &known.stars {
        let here = Point::new((star.ra_deg, star.dec_deg));
        let from = files.partition_point(|f| f.0 < star.dec_deg - reach_deg);
        let nearest = files[from..]
            .iter()
            .take_while(|f| f.0 <= star.dec_deg + reach_deg)
            .map(|(_, group, point)| (point.chord2(&here), *group))
            .filter(|(chord2, _)| *chord2 <= max_chord * max_chord)
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        if let Some((_, group)) = nearest {
            kept[group].get_or_insert(star);
        }
    }
    kept
}

/// `JHHMMSS.ss+DDMMSS.s`, truncated as the IAU asks of designations, like LAMOST's own.
pub(super) fn designation(ra_deg: f64, dec_deg: f64) -> String {
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

/// Appends a number to a name that is taken: near a pole many positions have the same name.
fn make_unique(designation: &mut String, taken: &mut HashSet<String>) {
    let same = designation.clone();
    let mut n = 1;
    while !taken.insert(designation.clone()) {
        n += 1;
        *designation = format!("{same}_{n}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_told_apart() {
        let mut taken = HashSet::from(["b".to_owned(), "a_2".to_owned()]);
        let names = ["a", "b", "a", "a"].map(|name| {
            let mut name = name.to_owned();
            make_unique(&mut name, &mut taken);
            name
        });
        assert_eq!(names, ["a", "b_2", "a_3", "a_4"]);
    }
}
