//! What is to be done: files grouped into stars, and stars into units.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::stages::{Stage, StageClocks};
use crate::Result;
use crate::lamost::content::Content;
use crate::lamost::inflate::Inflater;
use crate::lamost::raw::{FileHeader, Rejection};
use crate::lamost::stars::{self, KnownStars, Star};
use crate::lamost::{inputs, mrs};

/// The stars of one plate and spectrograph, with all their files, also those of other plates.
///
/// A star of several plates belongs to the one of its first file, by day: it has one reference and one offset, and no unit needs
/// another one. Files of later nights never move it, whatever their plates are called.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Plate.
    pub planid: String,
    /// Spectrograph.
    pub spid: i32,
    /// Its stars by fibre, each with its number in the whole (from 1, by right ascension).
    pub stars: Vec<(i64, Star)>,
}

impl Unit {
    /// Number of files.
    pub fn n_files(&self) -> usize {
        self.stars.iter().map(|(_, star)| star.members.len()).sum()
    }
}

/// All inputs, grouped. Made from primary headers alone; takes some 200 bytes a file.
#[derive(Debug, Default)]
pub struct Plan {
    /// Files whose header could be read; [`Star::members`] are indices of these.
    pub paths: Vec<PathBuf>,
    /// What tells their content, as it was when their headers were read.
    pub contents: Vec<Content>,
    /// Files and inputs that could not be used.
    pub rejected: Vec<Rejection>,
    /// Those of them that were not found or could not be searched, and directories and lists without a file. They may only be
    /// unreachable for now (a directory that is not mounted), so what was measured from them before is kept.
    pub missing: Vec<Rejection>,
    /// Files found, and inputs that gave none.
    pub n_files: usize,
    /// Files that do not say by what velocity their wavelengths were moved.
    pub n_without_helio_rv: usize,
    /// Files whose wavelengths are of the observer or of air, and are moved into the Sun's frame and into vacuum.
    pub n_moved: usize,
    /// Units, by plate and spectrograph.
    pub units: Vec<Unit>,
}

impl Plan {
    /// Finds the files in `inputs` (files, directories, `@list`s), reads their primary headers and groups them.
    /// Stars that are among the `known` keep their names.
    ///
    /// # Errors
    /// [`crate::Error::Io`] where the system has no descriptors left, for which no file is to blame.
    pub fn new<P: AsRef<Path>>(
        inputs: &[P],
        known: &KnownStars,
        clocks: &StageClocks,
    ) -> Result<Self> {
        let (found, rejected) = inputs::expand(inputs);
        let mut plan = Plan {
            n_files: found.len() + rejected.len(),
            missing: rejected.clone(),
            rejected,
            ..Plan::default()
        };
        let read = |inflater: &mut Inflater, path: &PathBuf| {
            clocks.time(Stage::Headers, || {
                mrs::read_header(path, inflater).map(|header| (inflater.content(), header))
            })
        };
        let results: Vec<_> = found.par_iter().map_init(Inflater::default, read).collect();
        let mut headers = Vec::with_capacity(found.len());
        for (path, result) in found.into_iter().zip(results) {
            match result {
                Ok((content, header)) => {
                    plan.paths.push(path);
                    plan.contents.push(content);
                    headers.push(header);
                }
                Err(rejection) => plan.rejected.push(rejection),
            }
        }
        plan.n_without_helio_rv = headers.iter().filter(|h| !h.frame.is_known()).count();
        plan.n_moved = headers.iter().filter(|h| h.frame.is_moved()).count();
        plan.units = units(&headers, known);
        match plan.rejected.iter().find_map(Rejection::fault) {
            Some(fault) => Err(fault),
            None => Ok(plan),
        }
    }

    /// All stars.
    pub fn stars(&self) -> impl Iterator<Item = &Star> {
        self.units
            .iter()
            .flat_map(|unit| unit.stars.iter().map(|(_, star)| star))
    }

    /// Number of stars.
    pub fn n_stars(&self) -> usize {
        self.units.iter().map(|unit| unit.stars.len()).sum()
    }
}

/// Groups stars by plate and spectrograph of their first files.
fn units(headers: &[FileHeader], known: &KnownStars) -> Vec<Unit> {
    let mut stars: Vec<_> = (1..)
        .zip(stars::group(headers, known))
        .filter_map(|(number, star)| {
            let first = &headers[stars::first_of(headers, &star.members)?];
            let place = (&first.planid, first.spid, first.fiberid);
            Some((place, number, star))
        })
        .collect();
    stars.sort_by_key(|(place, number, _)| (*place, *number));
    let mut units: Vec<Unit> = Vec::new();
    for ((planid, spid, _), number, star) in stars {
        match units.last_mut() {
            Some(unit) if unit.planid == *planid && unit.spid == spid => {
                unit.stars.push((number, star));
            }
            _ => units.push(Unit {
                planid: planid.clone(),
                spid,
                stars: vec![(number, star)],
            }),
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lamost::raw::{Frame, StarNames};

    fn header(planid: &str, spid: i32, fiberid: i32, ra_deg: f64) -> FileHeader {
        FileHeader {
            path: PathBuf::new().into(),
            obsid: 0,
            planid: planid.to_owned(),
            spid,
            fiberid,
            ra_deg,
            dec_deg: 30.0,
            names: StarNames::default(),
            lmjd: 58_000,
            n_exposures: [None; 2],
            frame: Frame::default(),
        }
    }

    #[test]
    fn a_star_of_two_plates_is_in_one_unit_with_all_its_files() {
        let headers = [
            header("B", 2, 7, 10.0),
            header("A", 1, 9, 20.0),
            header("B", 2, 3, 30.0),
            // The star at 10 degrees again, on a plate whose name comes first.
            header("A", 1, 4, 10.0),
        ];
        let told: Vec<_> = units(&headers, &KnownStars::default())
            .iter()
            .map(|u| {
                let stars = u.stars.iter().map(|(n, s)| (*n, s.members.clone()));
                (u.planid.clone(), u.spid, stars.collect::<Vec<_>>())
            })
            .collect();
        let expected = [
            ("A".to_owned(), 1, vec![(1, vec![3, 0]), (2, vec![1])]),
            ("B".to_owned(), 2, vec![(3, vec![2])]),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_plate_of_later_nights_moves_no_star() {
        let old = header("B", 2, 7, 10.0);
        let mut new = header("A", 1, 4, 10.0);
        let unit = |headers: &[FileHeader]| -> Vec<(String, i32)> {
            let units = units(headers, &KnownStars::default());
            units.into_iter().map(|u| (u.planid, u.spid)).collect()
        };
        new.lmjd = old.lmjd + 1;
        assert_eq!(unit(&[old.clone(), new.clone()]), [("B".to_owned(), 2)]);
        new.lmjd = old.lmjd - 1;
        assert_eq!(unit(&[old, new]), [("A".to_owned(), 1)]);
    }
}
