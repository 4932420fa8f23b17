//! Which star is meant.

use crate::catalogue::star::StarRow;
use crate::report::finished::Finished;

/// A star is meant by a position within so many arcseconds of it: as far as files of one star are apart at most.
const WITHIN_ARCSEC: f64 = 3.0;

/// Stars that are named where several are meant.
const MOST_NAMED: usize = 5;

/// Which star is meant.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// A name, the number of an observation, a position, or the beginning of a name.
    Called(&'a str),
    /// The star of one of the survey's files.
    OfFile {
        /// The file, in words.
        file: &'a str,
        /// Right ascension and declination in its header, degrees.
        position_deg: (f64, f64),
        /// Number of its observation, 0 where it is missing.
        obsid: i64,
    },
}

/// Number of the star in the catalogue; the error says why there is none.
pub fn star(products: &Finished, whose: &Whose<'_>) -> Result<usize, String> {
    match *whose {
        Whose::Called(which) => called(products, which),
        Whose::OfFile {
            file,
            position_deg,
            obsid,
        } => of_file(products, file, position_deg, obsid),
    }
}

/// The star at the position of a file; of several there, the one with the file's observation.
fn of_file(
    products: &Finished,
    file: &str,
    position_deg: (f64, f64),
    obsid: i64,
) -> Result<usize, String> {
    let once = |mut found: Vec<usize>| {
        found.sort_unstable();
        found.dedup();
        found
    };
    let near = once(near(products, position_deg));
    let observed = once(observed(products, obsid));
    let both: Vec<usize> = near
        .iter()
        .copied()
        .filter(|i| observed.contains(i))
        .collect();
    match (&near[..], &both[..]) {
        ([one], _) | (_, [one]) => Ok(*one),
        ([], _) => Err(format!(
            "no star of this run is within {WITHIN_ARCSEC} arcsec of the position in {file}"
        )),
        _ => Err(several(products, file, &near)),
    }
}

fn called(products: &Finished, which: &str) -> Result<usize, String> {
    let which = which.trim();
    let looks = [by_name, by_obsid, by_position, by_file_name, by_beginning];
    for look in looks {
        let mut found = look(products, which);
        found.sort_unstable();
        found.dedup();
        match found[..] {
            [] => {}
            [one] => return Ok(one),
            _ => return Err(several(products, which, &found)),
        }
    }
    Err(format!(
        "no star {which:?} in this run; a star is meant by its name (designation, desig, objname, uqid, gaia_source_id) or the beginning of \
         its designation, by an obsid, by a position within {WITHIN_ARCSEC} arcsec, \"16:03:05.1 +37:12:00\" or \"240.7712 37.2\", or by one of its files"
    ))
}

fn several(products: &Finished, which: &str, found: &[usize]) -> String {
    let names = found.iter().map(|i| &*products.catalogue.stars[*i]);
    let mut named: Vec<&str> = names.take(MOST_NAMED).collect();
    if found.len() > MOST_NAMED {
        named.push("...");
    }
    format!("{which:?} is {} stars: {}", found.len(), named.join(", "))
}

fn by_name(products: &Finished, which: &str) -> Vec<usize> {
    let is_it = |name: &str| !name.is_empty() && name.eq_ignore_ascii_case(which);
    let stars = &products.catalogue.stars;
    let mut found: Vec<usize> = (0..stars.len()).filter(|i| is_it(&stars[*i])).collect();
    let has_name = |row: &&StarRow| {
        let names = &row.names;
        let names = [
            &names.desig,
            &names.objname,
            &names.uqid,
            &names.gaia_source_id,
        ];
        names.into_iter().any(|name| is_it(name.trim()))
    };
    for row in products.stars.iter().filter(has_name) {
        found.extend(stars.iter().position(|name| *name == row.designation));
    }
    found
}

fn by_obsid(products: &Finished, which: &str) -> Vec<usize> {
    match which.parse::<i64>() {
        Ok(obsid) => observed(products, obsid),
        Err(_) => Vec::new(),
    }
}

fn observed(products: &Finished, obsid: i64) -> Vec<usize> {
    let c = &products.catalogue;
    let rows = (0..c.len()).filter(|row| c.exposure(*row).obsid == obsid);
    rows.map(|row| c.star[row]).collect()
}

fn by_position(products: &Finished, which: &str) -> Vec<usize> {
    position(which).map_or_else(Vec::new, |at| near(products, at))
}

fn near(products: &Finished, (ra_deg, dec_deg): (f64, f64)) -> Vec<usize> {
    let c = &products.catalogue;
    let is_near = |row: &usize| {
        let e = c.exposure(*row);
        // No farther away than a few arcseconds the sphere is flat, but at the poles where LAMOST does not look.
        let east = (e.ra_deg - ra_deg + 540.0).rem_euclid(360.0) - 180.0;
        let east = east * dec_deg.to_radians().cos();
        east.hypot(e.dec_deg - dec_deg) * 3600.0 <= WITHIN_ARCSEC
    };
    let rows = (0..c.len()).filter(is_near);
    rows.map(|row| c.star[row]).collect()
}

/// By the name of one of its files, which need not be there: `med-58625-TD192102N424113K01_sp12-076.fits.gz`.
fn by_file_name(products: &Finished, which: &str) -> Vec<usize> {
    let Some((lmjd, planid, spid, fiberid)) = file_name(which) else {
        return Vec::new();
    };
    let c = &products.catalogue;
    let is_it = |row: &usize| {
        let e = c.exposure(*row);
        // A night's file has its exposures of both days.
        (&*e.planid, e.spid, e.fiberid) == (planid, spid, fiberid)
            && e.lmjm.div_euclid(1440).abs_diff(lmjd) <= 1
    };
    (0..c.len()).filter(is_it).map(|row| c.star[row]).collect()
}

/// Day, plate, spectrograph and fibre in the name of a file of the survey.
fn file_name(path: &str) -> Option<(i64, &str, i32, i32)> {
    let name = path.rsplit(['/', '\\']).next()?.strip_prefix("med-")?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let (day, rest) = name.strip_suffix(".fits")?.split_once('-')?;
    let (planid, fibre) = rest.rsplit_once("_sp")?;
    let (spid, fiberid) = fibre.split_once('-')?;
    Some((
        day.parse().ok()?,
        planid,
        spid.parse().ok()?,
        fiberid.parse().ok()?,
    ))
}

fn by_beginning(products: &Finished, which: &str) -> Vec<usize> {
    let which = which.to_ascii_uppercase();
    let stars = products.catalogue.stars.iter().enumerate();
    stars
        .filter(|(_, name)| !which.is_empty() && name.to_ascii_uppercase().starts_with(&which))
        .map(|(i, _)| i)
        .collect()
}

/// Right ascension and declination, degrees, of `16:03:05.1 +37:12:00` or `240.7712 37.2`, with a blank or a comma between.
fn position(text: &str) -> Option<(f64, f64)> {
    let words: Vec<&str> = text
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let [ra, dec] = words[..] else {
        return None;
    };
    let ra_deg = match ra.contains(':') {
        true => 15.0 * sexagesimal(ra)?,
        false => sexagesimal(ra)?,
    };
    let dec_deg = sexagesimal(dec)?;
    let is_on_sky = (0.0..=360.0).contains(&ra_deg) && (-90.0..=90.0).contains(&dec_deg);
    is_on_sky.then_some((ra_deg, dec_deg))
}

/// `-12:30:36` or `-12.51`.
fn sexagesimal(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut value = 0.0;
    let mut unit = 1.0;
    for part in digits.split(':') {
        let part: f64 = part.parse().ok()?;
        if !(part >= 0.0 && part.is_finite()) || unit > 4000.0 {
            return None;
        }
        value += part / unit;
        unit *= 60.0;
    }
    Some(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_taken_apart() {
        let name = "med-58625-TD192102N424113K01_sp12-076.fits.gz";
        let parts = Some((58_625, "TD192102N424113K01", 12, 76));
        assert_eq!(file_name(name), parts);
        assert_eq!(
            file_name(&format!("/a_sp1-2/{}", &name[..name.len() - 3])),
            parts
        );
        let huge = format!("med-{}-A_sp1-2.fits", i64::MIN);
        for text in [
            huge.as_str(),
            "med-1-A_sp1-2",
            "med-x-A_sp1-2.fits",
            "med-1-A_sp-2.fits",
            "1-A_sp1-2.fits",
            "",
        ] {
            assert_eq!(file_name(text), None, "{text}");
        }
    }

    #[test]
    fn positions_are_read_in_both_ways() {
        for (text, ra_deg, dec_deg) in [
            ("16:03:05.1 +37:12:36", 240.771_25, 37.21),
            ("16:03:05.1, -00:12:36", 240.771_25, -0.21),
            ("240.77125 37.21", 240.771_25, 37.21),
            ("16:03 +37", 240.75, 37.0),
        ] {
            let (ra, dec) = position(text).unwrap();
            assert!(
                (ra - ra_deg).abs() < 1e-9 && (dec - dec_deg).abs() < 1e-9,
                "{text}"
            );
        }
        for text in [
            "J1603",
            "1 2 3",
            "400 0",
            "10 -91",
            "a:b c",
            "1:2:3:4 5",
            "nan 1",
            "--1 2",
            "",
        ] {
            assert_eq!(position(text), None, "{text}");
        }
    }
}
