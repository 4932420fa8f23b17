//! The list of stars: one row a star, whatever its arms and groups.

use std::io::{self, Write};

use super::Pieces;
use super::by_star::ByStar;
use super::json;
use crate::Result;
use crate::catalogue::flags::CatalogueFlags;
use crate::catalogue::row::ARMS;
use crate::catalogue::star::StarRow;
use crate::report::finished::Finished;

/// Stars of a piece: it is read in some tens of milliseconds.
const STARS: usize = 10_000;

/// What may be said of a star, by number.
pub const VERDICTS: [&str; 4] = ["not judged", "constant", "undecided", "variable"];
const NOT_JUDGED: u8 = 0;
const CONSTANT: u8 = 1;
const UNDECIDED: u8 = 2;
const VARIABLE: u8 = 3;

/// Units of the integers: 0.1 m/s and 0.00001 deg.
pub const PER_KM_S: f64 = 1e4;
const PER_DEG: f64 = 1e5;

/// Writes the pieces; how many there are.
pub fn write(pieces: &mut Pieces, products: &Finished, of_stars: &ByStar) -> Result<usize> {
    let n = products.catalogue.stars.len();
    let n_pieces = n.div_ceil(STARS);
    for piece in 0..n_pieces {
        let stars: Vec<Listed> = (piece * STARS..n.min((piece + 1) * STARS))
            .map(|star| Listed::new(products, of_stars, star))
            .collect();
        pieces.write(&format!("stars-{piece:05}"), |out| columns(out, &stars))?;
    }
    Ok(n_pieces)
}

fn columns(out: &mut dyn Write, stars: &[Listed]) -> io::Result<()> {
    write!(out, "{{\"n\":{}", stars.len())?;
    json::list(out, "name", stars, |out, s| json::text(out, s.name))?;
    json::list(out, "other", stars, |out, s| json::text(out, &s.other))?;
    json::list(out, "ra", stars, |out, s| {
        json::scaled(out, s.ra_deg, PER_DEG)
    })?;
    json::list(out, "dec", stars, |out, s| {
        json::scaled(out, s.dec_deg, PER_DEG)
    })?;
    json::list(out, "exposures", stars, |out, s| {
        write!(out, "{}", s.n_rows)
    })?;
    json::list(out, "verdict", stars, |out, s| write!(out, "{}", s.verdict))?;
    json::list(out, "why", stars, |out, s| json::text(out, s.why))?;
    for (i, arm) in ARMS.into_iter().enumerate() {
        let key = |what: &str| format!("{what}_{}", arm.letter().to_ascii_lowercase());
        let found = || stars.iter().map(|s| s.arms[i].map(|row| &row.found));
        let none = f64::NAN;
        json::list(out, &key("p"), found(), |out, s| {
            json::rough(out, s.map_or(none, |s| s.p_value))
        })?;
        json::list(out, &key("quiet"), found(), |out, s| {
            json::rough(out, s.map_or(none, |s| s.p_quiet))
        })?;
        json::list(out, &key("scatter"), found(), |out, s| {
            json::scaled(
                out,
                s.filter(|s| s.n_used > 1).map_or(none, |s| s.scatter_after),
                PER_KM_S,
            )
        })?;
    }
    let period = || {
        stars.iter().map(|s| {
            s.arms[0]
                .or(s.arms[1])
                .map(|row| row.period)
                .unwrap_or_default()
        })
    };
    json::list(out, "period", period(), |out, p| {
        json::exact(out, p.period_d)
    })?;
    json::list(out, "fap", period(), |out, p| {
        json::rough(out, p.false_alarm)
    })?;
    json::list(out, "amp", period(), |out, p| {
        json::scaled(out, p.amplitude_km_s, PER_KM_S)
    })?;
    json::list(out, "flags", stars, |out, s| write!(out, "{}", s.flags))?;
    out.write_all(b"}")
}

/// What the list tells of a star.
pub struct Listed<'a> {
    name: &'a str,
    other: String,
    ra_deg: f64,
    dec_deg: f64,
    n_rows: usize,
    pub verdict: u8,
    pub why: &'static str,
    /// Its rows in the order of [`ARMS`]. A star that is calibrated in several groups has several in an arm: the one that is least like a
    /// constant star's.
    arms: [Option<&'a StarRow>; 2],
    /// The flags that any of its velocities has.
    pub flags: u32,
}

impl<'a> Listed<'a> {
    pub fn new(products: &'a Finished, of_stars: &ByStar, star: usize) -> Self {
        let c = &products.catalogue;
        let found = || of_stars.found.of(star).map(|i| &products.stars[i]);
        let arms = ARMS.map(|arm| {
            found()
                .filter(|row| row.arm == arm)
                .min_by(|a, b| a.found.p_value.total_cmp(&b.found.p_value))
        });
        let verdict = match () {
            () if found().any(|row| row.found.is_variable == Some(true)) => VARIABLE,
            () if found().any(|row| row.found.is_constant == Some(true)) => CONSTANT,
            () if found().any(|row| row.found.unjudged.is_none()) => UNDECIDED,
            () => NOT_JUDGED,
        };
        let why = found().find_map(|row| row.found.unjudged);
        let first = of_stars.rows.of(star).next();
        let place = first.map_or((f64::NAN, f64::NAN), |row| {
            (c.exposure(row).ra_deg, c.exposure(row).dec_deg)
        });
        Listed {
            name: &c.stars[star],
            other: found().next().map(other_names).unwrap_or_default(),
            ra_deg: place.0,
            dec_deg: place.1,
            n_rows: of_stars.rows.len(star),
            verdict,
            why: match (verdict, why) {
                (NOT_JUDGED, Some(why)) => why.reason(),
                _ => "",
            },
            arms,
            flags: flags(products, of_stars, star),
        }
    }
}

/// What headers call the star, as a line.
fn other_names(row: &StarRow) -> String {
    let names = &row.names;
    let named = [
        ("LAMOST", &names.desig),
        ("target", &names.objname),
        ("UQID", &names.uqid),
        ("Gaia", &names.gaia_source_id),
    ];
    let told = named.iter().map(|(what, name)| (what, name.trim()));
    let told = told.filter(|(_, name)| !name.is_empty());
    // Designations say themselves whose they are.
    let told = told.map(|(what, name)| match name.starts_with(what) {
        true => name.to_owned(),
        false => format!("{what} {name}"),
    });
    told.collect::<Vec<String>>().join("; ")
}

/// The flags that any of its velocities has, but those that nearly every star has.
fn flags(products: &Finished, of_stars: &ByStar, star: usize) -> u32 {
    let usual = CatalogueFlags::REFERENCE | CatalogueFlags::NOT_MEASURED;
    let rows = of_stars.rows.of(star);
    let all = rows.flat_map(|row| ARMS.map(|arm| products.catalogue.arm(arm, row).flags));
    let any = all.fold(CatalogueFlags::empty(), |any, flags| any | flags);
    any.difference(usual).bits()
}
