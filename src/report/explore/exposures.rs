//! The exposures with their zero points, and which stars each plate and spectrograph has.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use super::Pieces;
use super::by_star::ByStar;
use super::json;
use super::stars::PER_KM_S;
use crate::Result;
use crate::catalogue::row::ARMS;
use crate::catalogue::zero_point::ZeroPointRow;
use crate::report::finished::Finished;

/// A piece begins no other plate and spectrograph once it has so many exposures.
const EXPOSURES: usize = 5000;

/// Plate and spectrograph.
type Group<'a> = (&'a str, i32);
/// The exposures of one, by their minutes, with the zero points of both arms in the order of [`ARMS`].
type Exposures<'a> = BTreeMap<i64, [Option<&'a ZeroPointRow>; 2]>;

/// Writes the pieces; how many there are.
pub fn write(pieces: &mut Pieces, products: &Finished, of_stars: &ByStar) -> Result<usize> {
    let mut groups: BTreeMap<Group, Exposures> = BTreeMap::new();
    for row in &products.zero_points {
        let group = groups.entry((&row.planid, row.spid)).or_default();
        let arms = group.entry(row.lmjm).or_default();
        arms[usize::from(row.arm != ARMS[0])] = Some(row);
    }
    let stars = stars_of(products, of_stars, groups.keys());
    let all: Vec<(Group, Exposures, Vec<u32>)> = groups
        .into_iter()
        .zip(stars)
        .map(|((group, exposures), stars)| (group, exposures, stars))
        .collect();
    let (mut rest, mut n_pieces) = (&all[..], 0);
    while !rest.is_empty() {
        let mut exposures = 0;
        let full = rest.iter().position(|(_, of_group, _)| {
            exposures += of_group.len();
            exposures >= EXPOSURES
        });
        let (piece, others) = rest.split_at(full.map_or(rest.len(), |last| last + 1));
        pieces.write(&format!("exposures-{n_pieces:05}"), |out| {
            columns(out, piece)
        })?;
        (rest, n_pieces) = (others, n_pieces + 1);
    }
    Ok(n_pieces)
}

/// The stars that each of these plates and spectrographs saw.
fn stars_of<'a>(
    products: &Finished,
    of_stars: &ByStar,
    groups: impl Iterator<Item = &'a Group<'a>>,
) -> Vec<Vec<u32>> {
    let numbers: HashMap<Group, usize> = groups.copied().zip(0..).collect();
    let mut stars: Vec<Vec<u32>> = vec![Vec::new(); numbers.len()];
    for star in 0..products.catalogue.stars.len() {
        for row in of_stars.rows.of(star) {
            let e = products.catalogue.exposure(row);
            let Some(group) = numbers.get(&(&*e.planid, e.spid)) else {
                continue;
            };
            // A star's rows of one group may follow each other or not; its number is the largest so far.
            if stars[*group].last() != Some(&(star as u32)) {
                stars[*group].push(star as u32);
            }
        }
    }
    stars
}

fn columns(out: &mut dyn Write, piece: &[(Group, Exposures, Vec<u32>)]) -> io::Result<()> {
    write!(out, "{{\"groups\":{}", piece.len())?;
    let groups = || piece.iter();
    json::list(out, "plate", groups(), |out, g| json::text(out, g.0.0))?;
    json::list(out, "spid", groups(), |out, g| write!(out, "{}", g.0.1))?;
    json::list(out, "n", groups(), |out, g| write!(out, "{}", g.1.len()))?;
    // A list of stars as steps from one to the next.
    json::list(out, "stars", groups(), |out, g| {
        let before = std::iter::once(0).chain(g.2.iter().copied());
        let steps: Vec<String> = before.zip(&g.2).map(|(a, b)| (b - a).to_string()).collect();
        write!(out, "[{}]", steps.join(","))
    })?;
    let exposures = || groups().flat_map(|g| g.1.iter());
    json::list(out, "lmjm", exposures(), |out, e| write!(out, "{}", e.0))?;
    for (i, arm) in ARMS.into_iter().enumerate() {
        let key = |what: &str| format!("{what}_{}", arm.letter().to_ascii_lowercase());
        let km_s = |out: &mut dyn Write, key: &str, value: fn(&ZeroPointRow) -> f64| {
            json::list(out, key, exposures(), |out, e| {
                json::scaled(out, e.1[i].map_or(f64::NAN, value), PER_KM_S)
            })
        };
        km_s(out, &key("zp"), |z| z.found.zp)?;
        km_s(out, &key("err"), |z| z.found.zp_err)?;
        km_s(out, &key("slope"), |z| z.found.slope)?;
        km_s(out, &key("bend"), |z| z.found.curve)?;
        json::list(out, &key("constants"), exposures(), |out, e| {
            write!(out, "{}", e.1[i].map_or(0, |z| z.found.n_constants))
        })?;
        json::list(out, &key("component"), exposures(), |out, e| {
            write!(
                out,
                "{}",
                e.1[i].and_then(|z| z.found.component).map_or(-1, i64::from)
            )
        })?;
    }
    out.write_all(b"}")
}
