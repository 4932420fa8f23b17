//! A finished run on a simulated plate against the plate's truth.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::catalogue::exposure::Exposure;
use crate::catalogue::flags::CatalogueFlags;
use crate::lab::simulate::TruthRow;
use crate::lab::validate::statistics::{mean, quantile, rms};
use crate::report::finished::Finished;
use crate::{Arm, Error, Result};

/// The arms, in the order they are told.
pub const ARMS: [Arm; 2] = [Arm::Red, Arm::Blue];

/// Separation (km/s), light ratio, SNR and number of such exposures from which a double-lined star has to be found.
pub const SB2_LIMITS: (f64, f64, f64, usize) = (80.0, 0.5, 20.0, 3);

/// One zero point.
#[derive(Clone, Copy, Debug)]
pub struct ZeroPointError {
    /// Arm.
    pub arm: Arm,
    /// Spectrograph.
    pub spid: i64,
    /// Exposure.
    pub lmjm: i64,
    /// As injected, km/s, the mean of its component taken off.
    pub true_km_s: f64,
    /// Found less injected, km/s, the mean of its component taken off: only differences can be known.
    pub error_km_s: f64,
    /// Quoted error, km/s.
    pub quoted_km_s: f64,
}

/// Residuals about the means of their groups, with the degrees of freedom that the means take.
#[derive(Clone, Copy, Debug)]
pub struct Residuals {
    /// Values.
    pub n: usize,
    /// Rms, km/s.
    pub rms_km_s: f64,
    /// Rms of the quoted errors, km/s.
    pub quoted_km_s: f64,
    /// Rms of residual over quoted error.
    pub pull: f64,
}

/// Velocities of the stars of one kind in one arm, without flags; the references are left out.
#[derive(Clone, Debug)]
pub struct Velocities {
    /// Arm.
    pub arm: Arm,
    /// Kind of star.
    pub kind: &'static str,
    /// Velocities of this kind, and those of them with a flag.
    pub n_flagged: (usize, usize),
    /// Measured less true.
    pub before: Residuals,
    /// Corrected less true.
    pub after: Residuals,
    /// (corrected - true - mean of the star) over its error, one each.
    pub pulls: Vec<f64>,
}

/// What the stars of one kind were taken for in one arm.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    /// Stars.
    pub n: usize,
    /// Taken for constant.
    pub constant: usize,
    /// Taken for variable.
    pub variable: usize,
    /// Taken for double-lined.
    pub sb2: usize,
}

/// Kinds of stars, the double-lined ones in two: those that have to be found by [`SB2_LIMITS`], and the others.
pub const KINDS: [&str; 5] = ["constant", "pulsator", "sb1", "sb2 wide", "sb2 other"];

/// Everything.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Zero points of both arms.
    pub zero_points: Vec<ZeroPointError>,
    /// Velocities by arm and kind.
    pub velocities: Vec<Velocities>,
    /// What stars were taken for, by arm and [`KINDS`].
    pub taken: Vec<(Arm, &'static str, Taken)>,
}

type Key = (i64, i64, i64, Arm);

fn key(e: &Exposure, arm: Arm) -> Key {
    (e.spid.into(), e.fiberid.into(), e.lmjm, arm)
}

/// Values and their errors, by what they have a mean in common with.
type Groups<K> = BTreeMap<K, Vec<(f64, f64)>>;

/// Residuals about the weighted means of the groups of two and more.
fn residuals<K>(groups: &Groups<K>) -> (Residuals, Vec<f64>) {
    let (mut squares, mut variances, mut ratios, mut n, mut free) = (0.0, 0.0, 0.0, 0, 0);
    let mut pulls = Vec::new();
    for of in groups.values().filter(|of| of.len() > 1) {
        let weight: f64 = of.iter().map(|(_, e)| e.powi(-2)).sum();
        let mean = of.iter().map(|(d, e)| d * e.powi(-2)).sum::<f64>() / weight;
        for (d, e) in of {
            squares += (d - mean).powi(2);
            variances += e * e;
            ratios += ((d - mean) / e).powi(2);
            // The mean takes part of each.
            pulls.push((d - mean) / (e * e - 1.0 / weight).max(1e-12).sqrt());
        }
        n += of.len();
        free += of.len() - 1;
    }
    let root = |sum: f64, n: usize| (sum / n as f64).sqrt();
    let all = Residuals {
        n,
        rms_km_s: root(squares, free),
        quoted_km_s: root(variances, n),
        pull: root(ratios, free),
    };
    (all, pulls)
}

/// Compares the products in `run` with `truth.csv` of the plate in `plate`.
///
/// # Errors
/// [`Error::Format`] for tables that are not those of a run, or not of this plate.
pub fn compare(plate: &Path, run: &Path) -> Result<Comparison> {
    let truth = truth(plate)?;
    let products = Finished::read(run)?;
    Ok(Comparison {
        zero_points: zero_points(&truth, &products, run)?,
        velocities: velocities(&truth, &products, run)?,
        taken: taken(&truth, &products, run)?,
    })
}

fn truth(plate: &Path) -> Result<HashMap<Key, TruthRow>> {
    let path = plate.join("truth.csv");
    let bad = |e: csv::Error| Error::format(&path, e.to_string());
    let mut rows = HashMap::new();
    for row in csv::Reader::from_path(&path).map_err(bad)?.deserialize() {
        let row: TruthRow = row.map_err(bad)?;
        let arm = if row.arm == Arm::Red.name() {
            Arm::Red
        } else {
            Arm::Blue
        };
        rows.insert((row.spid.into(), row.fiberid.into(), row.lmjm, arm), row);
    }
    Ok(rows)
}

fn not_of_plate(run: &Path) -> Error {
    Error::format(run, "a product has an exposure that the plate has not")
}

fn zero_points(
    truth: &HashMap<Key, TruthRow>,
    products: &Finished,
    run: &Path,
) -> Result<Vec<ZeroPointError>> {
    let injected: HashMap<(i64, i64, Arm), f64> = truth
        .iter()
        .map(|((spid, _, lmjm, arm), row)| ((*spid, *lmjm, *arm), row.zp_true))
        .collect();
    let mut groups: BTreeMap<(Arm, Option<u32>), Vec<ZeroPointError>> = BTreeMap::new();
    for z in products
        .zero_points
        .iter()
        .filter(|z| z.found.zp.is_finite())
    {
        let spid = i64::from(z.spid);
        let true_km_s = injected.get(&(spid, z.lmjm, z.arm));
        let true_km_s = *true_km_s.ok_or_else(|| not_of_plate(run))?;
        let error = ZeroPointError {
            arm: z.arm,
            spid,
            lmjm: z.lmjm,
            true_km_s,
            error_km_s: z.found.zp - true_km_s,
            quoted_km_s: z.found.zp_err,
        };
        groups
            .entry((z.arm, z.found.component))
            .or_default()
            .push(error);
    }
    for of in groups.values_mut() {
        let errors: Vec<f64> = of.iter().map(|z| z.error_km_s).collect();
        let trues: Vec<f64> = of.iter().map(|z| z.true_km_s).collect();
        for z in of.iter_mut() {
            z.error_km_s -= mean(&errors);
            z.true_km_s -= mean(&trues);
        }
    }
    let mut all: Vec<ZeroPointError> = groups.into_values().flatten().collect();
    all.sort_by_key(|z| (z.arm, z.spid, z.lmjm));
    Ok(all)
}

fn velocities(
    truth: &HashMap<Key, TruthRow>,
    products: &Finished,
    run: &Path,
) -> Result<Vec<Velocities>> {
    let c = &products.catalogue;
    let mut out = Vec::new();
    for arm in ARMS {
        for kind in ["constant", "sb1", "pulsator"] {
            let (mut before, mut after) = (Groups::new(), Groups::new());
            let (mut n, mut n_flagged) = (0, 0);
            for i in 0..c.len() {
                let velocity = c.arm(arm, i);
                let (raw, corr) = (velocity.rv_km_s, velocity.rv_corr_km_s);
                let err = velocity.rv_corr_err_km_s;
                if !(raw.is_finite() && corr.is_finite() && err > 0.0) {
                    continue;
                }
                let row = truth
                    .get(&key(c.exposure(i), arm))
                    .ok_or_else(|| not_of_plate(run))?;
                // The reference itself is one of the flags.
                if row.kind != kind || velocity.flags == CatalogueFlags::REFERENCE {
                    continue;
                }
                n += 1;
                if !velocity.flags.is_empty() {
                    n_flagged += 1;
                    continue;
                }
                let star = c.star[i];
                before
                    .entry(star)
                    .or_insert_with(Vec::new)
                    .push((raw - row.rv_true, velocity.rv_err_own_km_s));
                after
                    .entry(star)
                    .or_insert_with(Vec::new)
                    .push((corr - row.rv_true, err));
            }
            let (after, pulls) = residuals(&after);
            out.push(Velocities {
                arm,
                kind,
                n_flagged: (n, n_flagged),
                before: residuals(&before).0,
                after,
                pulls,
            });
        }
    }
    Ok(out)
}

fn taken(
    truth: &HashMap<Key, TruthRow>,
    products: &Finished,
    run: &Path,
) -> Result<Vec<(Arm, &'static str, Taken)>> {
    let (separation, light, snr, least) = SB2_LIMITS;
    // By star and arm: its kind, and how many of its exposures are far enough apart.
    let mut kinds: HashMap<(&str, Arm), (&str, usize)> = HashMap::new();
    for ((_, _, _, arm), row) in truth {
        let of = kinds.entry((&row.star, *arm)).or_insert((&row.kind, 0));
        let apart = row
            .rv2_true
            .is_some_and(|v| (v - row.rv_true).abs() >= separation);
        let bright = row.flux_ratio.is_some_and(|r| r >= light) && row.snr >= snr;
        of.1 += usize::from(apart && bright);
    }
    let c = &products.catalogue;
    let mut star_of: HashMap<&str, &str> = HashMap::new();
    for i in 0..c.len() {
        let found = ARMS
            .iter()
            .find_map(|arm| truth.get(&key(c.exposure(i), *arm)));
        let row = found.ok_or_else(|| not_of_plate(run))?;
        star_of.insert(&*c.stars[c.star[i]], &row.star);
    }
    let mut counts: BTreeMap<(usize, usize), Taken> = BTreeMap::new();
    for found in &products.stars {
        let star = star_of
            .get(&*found.designation)
            .ok_or_else(|| not_of_plate(run))?;
        let Some(&(kind, n_apart)) = kinds.get(&(*star, found.arm)) else {
            continue;
        };
        let kind = match kind {
            "sb2" if n_apart >= least => "sb2 wide",
            "sb2" => "sb2 other",
            other => other,
        };
        let place = |list: &[&str], name: &str| list.iter().position(|k| *k == name);
        let (Some(a), Some(k)) = (
            ARMS.iter().position(|a| *a == found.arm),
            place(&KINDS, kind),
        ) else {
            continue;
        };
        let t = counts.entry((a, k)).or_default();
        t.n += 1;
        t.constant += usize::from(found.found.is_constant == Some(true));
        t.variable += usize::from(found.found.is_variable == Some(true));
        t.sb2 += usize::from(found.is_double_lined);
    }
    let named = counts.into_iter().map(|((a, k), t)| (ARMS[a], KINDS[k], t));
    Ok(named.collect())
}

impl Comparison {
    /// Zero points of an arm: rms error and rms quoted error (km/s), rms pull, and rms and largest injected (km/s). The component's
    /// mean takes one degree of freedom.
    pub fn zero_point_score(&self, arm: Arm) -> (Residuals, f64, f64) {
        let of: Vec<&ZeroPointError> = self.zero_points.iter().filter(|z| z.arm == arm).collect();
        let values = |f: fn(&ZeroPointError) -> f64| of.iter().map(|z| f(z)).collect::<Vec<f64>>();
        let score = Residuals {
            n: of.len(),
            rms_km_s: rms(&values(|z| z.error_km_s)),
            quoted_km_s: rms(&values(|z| z.quoted_km_s)),
            pull: rms(&values(|z| z.error_km_s / z.quoted_km_s)),
        };
        let injected = values(|z| z.true_km_s.abs());
        (score, rms(&injected), quantile(&injected, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residuals_are_about_weighted_means_with_their_degrees_of_freedom() {
        let mut groups: Groups<usize> = Groups::new();
        // Mean 1 (the second value weighs four times as much): residuals 4 and -1.
        groups.insert(0, vec![(5.0, 2.0), (0.0, 1.0)]);
        // One value says nothing.
        groups.insert(1, vec![(100.0, 1.0)]);
        let (all, pulls) = residuals(&groups);
        assert_eq!(all.n, 2);
        assert!((all.rms_km_s - 17f64.sqrt()).abs() < 1e-12);
        assert!((all.quoted_km_s - 2.5f64.sqrt()).abs() < 1e-12);
        assert!((all.pull - 5f64.sqrt()).abs() < 1e-12);
        // The same difference of two, seen from either.
        assert!((pulls[0] - 5f64.sqrt()).abs() < 1e-12 && (pulls[1] + 5f64.sqrt()).abs() < 1e-12);
    }
}
