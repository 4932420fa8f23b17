//! `relrv validate survey`: a calibration of the survey's size, timed and scored.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use crate::Result;
use crate::calibrate::arms::{CalibrateOptions, calibrate};
use crate::lab::validate::survey::{Survey, SurveyConfig};
use crate::table::Table;

/// Parts of the stars that the next field observed too: fields apart, and all linked into one component.
const LINKED: [f64; 2] = [0.0, 0.05];

/// Draws and calibrates a survey of each kind, tells the numbers and writes them to `survey.csv` in `out`. `asked` tells everything but
/// how the fields are linked.
///
/// # Errors
/// [`crate::Error::Io`] when the table cannot be written.
pub fn run(asked: &SurveyConfig, out: &Path, told: &mut dyn Write) -> Result<Table> {
    let mut rows: Vec<[f64; 8]> = Vec::new();
    for linked in LINKED {
        let config = SurveyConfig {
            linked,
            ..asked.clone()
        };
        let mut survey = Survey::new(&config);
        let clock = Instant::now();
        let arms = calibrate(&mut survey.observations, &CalibrateOptions::default())?;
        let seconds = clock.elapsed().as_secs_f64();
        for arm in &arms {
            let solution = &arm.solution;
            let (rms_km_s, quoted_km_s, pull) = survey.score(arm);
            let row = [
                linked,
                arm.graph.graph.n_obs() as f64,
                solution.stars.len() as f64,
                solution.zp.len() as f64,
                solution.n_components as f64,
                seconds,
                rms_km_s,
                pull,
            ];
            // A closed output is no error: the table is still to be written.
            let _ = writeln!(
                told,
                "{} RVs, {} stars, {} zero points, {} components: {seconds:.1} s; rms {rms_km_s:.4} km/s, quoted {quoted_km_s:.4} \
                 km/s, pull {pull:.3}",
                row[1], row[2], row[3], row[4]
            );
            rows.push(row);
        }
    }
    let column = |k: usize| rows.iter().map(|row| row[k]).collect();
    let mut table = Table::new();
    table
        .push_f64(
            "linked",
            "",
            "part of the stars that the next field observed too",
            column(0),
        )
        .push_f64("n_rv", "", "velocities", column(1))
        .push_f64("n_stars", "", "stars", column(2))
        .push_f64("n_zp", "", "zero points", column(3))
        .push_f64("n_components", "", "components", column(4))
        .push_f64("time", "s", "time of the calibration", column(5))
        .push_f64("zp_rms", "km/s", "rms error of the zero points", column(6))
        .push_f64("pull", "", "rms of error over quoted error", column(7));
    table.write(&out.join("survey.csv"))?;
    Ok(table)
}
