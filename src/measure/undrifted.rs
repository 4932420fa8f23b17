//! Velocities of a unit's stars without what all stars of an exposure have in common, which is its drift.

use super::drift;
use super::row::RvRow;
use crate::Arm;
use crate::likelihood::RvFlags;
use crate::numbers::statistics::median;

/// Fewer stars tell nothing of the drift of an exposure.
const FEWEST_STARS: usize = 5;

/// A velocity of a star, without the drift of its exposure.
#[derive(Clone, Copy, Debug)]
pub struct Undrifted {
    /// Number of the row.
    pub row: usize,
    /// Local Modified Julian Minute of the exposure.
    pub minute: i64,
    /// From the middle of the star's, km/s.
    pub km_s: f64,
    /// Its own error, km/s.
    pub err_km_s: f64,
}

/// The velocities of each star in an arm that say something of it, in exposures whose drift is known.
pub fn stars(rows: &[RvRow], arm: Arm) -> Vec<Vec<Undrifted>> {
    let says_something = |row: &RvRow| {
        let m = &row.measurement;
        let nothing = RvFlags::NO_VELOCITY | RvFlags::LOW_INFORMATION;
        let are_numbers = m.rv_km_s.is_finite() && m.rv_err_own_km_s > 0.0;
        row.arm == arm && are_numbers && !m.flags.intersects(nothing)
    };
    let numbers: Vec<usize> = (0..rows.len())
        .filter(|i| says_something(&rows[*i]))
        .collect();
    let mut minutes: Vec<i64> = numbers.iter().map(|i| rows[*i].lmjm).collect();
    minutes.sort_unstable();
    minutes.dedup();
    let exposure = |i: usize| minutes.partition_point(|t| *t < rows[i].lmjm);
    let of_stars: Vec<&[usize]> = numbers
        .chunk_by(|a, b| rows[*a].star == rows[*b].star)
        .collect();
    let velocity = |i: &usize| {
        let m = &rows[*i].measurement;
        (exposure(*i), m.rv_km_s, m.rv_err_own_km_s)
    };
    let velocities: Vec<Vec<(usize, f64, f64)>> = of_stars
        .iter()
        .map(|star| star.iter().map(velocity).collect())
        .collect();
    let drift_km_s = drift::of_exposures(&velocities, minutes.len());
    let mut n_stars = vec![0; minutes.len()];
    velocities
        .iter()
        .flatten()
        .for_each(|(e, ..)| n_stars[*e] += 1);
    of_stars
        .iter()
        .zip(&velocities)
        .map(|(numbers, velocities)| {
            let both = numbers.iter().zip(velocities);
            let known = both.filter(|(_, (e, ..))| n_stars[*e] >= FEWEST_STARS);
            let own: Vec<(usize, f64, f64)> = known
                .map(|(row, (e, rv, err))| (*row, rv - drift_km_s[*e], *err))
                .collect();
            let middle = median(&mut own.iter().map(|o| o.1).collect::<Vec<f64>>());
            let point = |(row, rv, err_km_s): (usize, f64, f64)| Undrifted {
                row,
                minute: rows[row].lmjm,
                km_s: rv - middle,
                err_km_s,
            };
            own.into_iter().map(point).collect()
        })
        .collect()
}

#[cfg(test)]
pub mod test_rows {
    use std::path::PathBuf;

    use super::*;
    use crate::likelihood::Measurement;

    /// Four nights of two exposures, 30 minutes apart, of six stars in both arms; the exposures have drifted by up to 4 km/s.
    pub fn unit(velocity: impl Fn(i64, usize, Arm) -> f64) -> Vec<RvRow> {
        let drift_km_s = [0.0, 3.0, -4.0, 1.0, 2.0, -1.0, 0.5, 3.5];
        let mut rows = Vec::new();
        for star in 1..=6 {
            for arm in Arm::ALL {
                for (exposure, drift_km_s) in drift_km_s.iter().enumerate() {
                    let rv_km_s = velocity(star, exposure, arm) + drift_km_s;
                    rows.push(row(star, exposure as i64, arm, rv_km_s));
                }
            }
        }
        rows
    }

    pub fn row(star: i64, exposure: i64, arm: Arm, rv_km_s: f64) -> RvRow {
        RvRow {
            star,
            designation: "J".into(),
            ra_deg: 0.0,
            dec_deg: 0.0,
            obsid: 10 * star + exposure / 2,
            planid: "P".into(),
            spid: 1,
            fiberid: star as i32,
            arm,
            lmjm: 1440 * (exposure / 2) + 30 * (exposure % 2),
            hjd: 0.0,
            bjd_tdb: 0.0,
            snr: 50.0,
            measurement: Measurement {
                rv_km_s,
                rv_err_km_s: 0.5,
                rv_err_own_km_s: 0.4,
                n_pix: 2000,
                flags: RvFlags::empty(),
                ..Measurement::without_pixels()
            },
            is_reference: false,
            n_reference: 8,
            noise_scale: 1.0,
            line_place: f64::NAN,
            line_width_km_s: f64::NAN,
            path: PathBuf::from("f").into(),
        }
    }
}
