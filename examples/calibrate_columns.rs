//! Zero points of velocities that somebody else measured: 40 stars in 12 exposures, one of which is off.
//!
//! Usage: `cargo run --example calibrate_columns`

use ndarray::Array1;
use relrv::{CalibrateOptions, Observations, calibrate};

fn main() -> relrv::Result<()> {
    // Every star in every exposure. Yours come from your table; numbers of stars and exposures are yours to choose.
    let rows: Vec<(u32, u32)> = (0..40).flat_map(|s| (0..12).map(move |e| (s, e))).collect();
    let star = Array1::from_iter(rows.iter().map(|row| row.0));
    let exposure = Array1::from_iter(rows.iter().map(|row| row.1));
    let rv_km_s = Array1::from_iter(rows.iter().map(|&(s, e)| {
        let of_star = 3.0 * f64::from(s);
        let of_exposure = if e == 7 { 1.5 } else { 0.1 * f64::from(e % 3) };
        let noise = 0.05 * f64::from((31 * s + 17 * e) % 13) - 0.3;
        of_star + of_exposure + noise
    }));
    let rv_err_km_s = Array1::from_elem(rows.len(), 0.2);

    let observations = Observations::from_columns(
        star.view(),
        exposure.view(),
        rv_km_s.view(),
        rv_err_km_s.view(),
    )?;
    let found = calibrate(&observations, &CalibrateOptions::default())?;

    for zero_point in &found.zero_points {
        println!(
            "exposure {:2}: zero point {:+.3} +- {:.3} km/s from {} stars",
            zero_point.exposure, zero_point.zp, zero_point.zp_err, zero_point.n_constants
        );
    }
    let varies = found
        .stars
        .iter()
        .filter(|star| star.is_variable == Some(true));
    let n_variable = varies.count();
    println!("{n_variable} of {} stars vary", found.stars.len());
    println!(
        "first velocity: {:.3} -> {:.3} km/s",
        rv_km_s[0], found.rv[0]
    );
    Ok(())
}
