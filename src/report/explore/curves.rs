//! The velocities, in pieces of some stars that follow each other in the list.

use std::io::{self, Write};
use std::ops::Range;

use super::Pieces;
use super::by_star::ByStar;
use super::json;
use super::stars::PER_KM_S;
use crate::Result;
use crate::catalogue::flags::CatalogueFlags;
use crate::catalogue::row::{ARMS, ArmVelocity};
use crate::report::finished::Finished;

/// A piece has no more stars than this, and begins no other star once it has so many rows: it is loaded without a wait that is felt.
const STARS: usize = 1000;
const ROWS: usize = 20_000;

/// Dates are counted from here, in hundred-thousandths of a day.
const FROM_D: f64 = 2_400_000.0;
const PER_DAY: f64 = 1e5;

/// Writes the pieces; the first star of each.
pub fn write(pieces: &mut Pieces, products: &Finished, of_stars: &ByStar) -> Result<Vec<usize>> {
    let n = products.catalogue.stars.len();
    let mut starts = Vec::new();
    let mut first = 0;
    while first < n {
        let mut rows = 0;
        let full = (first..n).find(|star| {
            rows += of_stars.rows.len(*star);
            rows >= ROWS || star - first + 1 >= STARS
        });
        let end = full.map_or(n, |last| last + 1);
        pieces.write(&format!("curves-{:05}", starts.len()), |out| {
            columns(out, products, of_stars, first..end)
        })?;
        starts.push(first);
        first = end;
    }
    Ok(starts)
}

fn columns(
    out: &mut dyn Write,
    products: &Finished,
    of_stars: &ByStar,
    stars: Range<usize>,
) -> io::Result<()> {
    let c = &products.catalogue;
    let rows = || stars.clone().flat_map(|star| of_stars.rows.of(star));
    let exposures = || rows().map(|row| c.exposure(row));
    write!(out, "{{\"first\":{}", stars.start)?;
    json::list(out, "n", stars.clone(), |out, s| {
        write!(out, "{}", of_stars.rows.len(s))
    })?;
    json::list(out, "t", exposures(), |out, e| {
        json::scaled(out, e.bjd_tdb - FROM_D, PER_DAY)
    })?;
    json::list(out, "lmjm", exposures(), |out, e| write!(out, "{}", e.lmjm))?;
    json::list(out, "obsid", exposures(), |out, e| {
        write!(out, "\"{}\"", e.obsid)
    })?;
    json::list(out, "spid", exposures(), |out, e| write!(out, "{}", e.spid))?;
    json::list(out, "fibre", exposures(), |out, e| {
        write!(out, "{}", e.fiberid)
    })?;
    // Rows of one plate follow each other, so its name is told where it changes: its row, then the name.
    let plates = exposures().enumerate().scan(None, |before, (i, e)| {
        let is_new = *before != Some(&e.planid);
        *before = Some(&e.planid);
        Some(is_new.then_some((i, &e.planid)))
    });
    json::list(out, "plates", plates.flatten(), |out, (i, name)| {
        write!(out, "{i},")?;
        json::text(out, name)
    })?;
    for arm in ARMS {
        let key = |what: &str| format!("{what}_{}", arm.letter().to_ascii_lowercase());
        let said = || rows().map(|row| told(c.arm(arm, row)));
        json::list(out, &key("rv"), said(), |out, v| {
            json::scaled(out, v.0, PER_KM_S)
        })?;
        json::list(out, &key("err"), said(), |out, v| {
            json::scaled(out, v.1, PER_KM_S)
        })?;
        json::list(out, &key("flags"), said(), |out, v| {
            write!(out, "{}", v.2.bits())
        })?;
    }
    out.write_all(b"}")
}

/// Velocity, error and flags that a curve shows. Without a zero point it is the velocity as measured, and its flags say so.
fn told(v: &ArmVelocity) -> (f64, f64, CatalogueFlags) {
    match v.rv_corr_km_s.is_finite() {
        true => (v.rv_corr_km_s, v.rv_corr_err_km_s, v.flags),
        false if v.rv_km_s.is_finite() => (
            v.rv_km_s,
            v.rv_err_own_km_s,
            v.flags | CatalogueFlags::NO_ZERO_POINT,
        ),
        false => (f64::NAN, f64::NAN, v.flags),
    }
}
