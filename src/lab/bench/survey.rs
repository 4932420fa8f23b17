//! Rows of a whole survey that are made up, so that merging, calibration, catalogue and report can be timed at its size.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::lamost::stars::Star;
use crate::likelihood::{Measurement, RvFlags};
use crate::measure::{RvRow, Unit};
use crate::run::{MadeUnit, keep_made};
use crate::{Arm, Result};

/// Fibres of a spectrograph, and spectrographs of a plate.
const STARS: usize = 250;
const SPECTROGRAPHS: usize = 16;

/// Nights of a plate, and exposures of a night: as many as a time-domain plate has.
const NIGHTS: usize = 4;
const EXPOSURES: usize = 3;

/// One star of so many varies, by 20 km/s.
const VARIES: usize = 7;

/// Scatter of the zero points, and of a quiet star's velocities beyond their errors, km/s.
const ZERO_POINTS_KM_S: f64 = 1.0;
const JITTER_KM_S: f64 = 0.1;

/// Rows of a unit.
const ROWS: usize = STARS * NIGHTS * EXPOSURES * 2;

/// Keeps so many rows, or a few more, in a directory for `relrv merge`; the number of units.
///
/// # Errors
/// What writing them says.
pub fn make(out: &Path, rows: usize, seed: u64) -> Result<usize> {
    let n = rows.div_ceil(ROWS);
    keep_made(out, n, |i| unit(seed, i))?;
    Ok(n)
}

fn unit(seed: u64, number: usize) -> MadeUnit {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(number as u64));
    let (plate, spid) = (number / SPECTROGRAPHS, 1 + (number % SPECTROGRAPHS) as i32);
    let planid = format!("MADE{plate:05}");
    let mut made = MadeUnit {
        unit: Unit {
            planid: planid.clone(),
            spid,
            stars: Vec::new(),
        },
        files: Vec::new(),
        rows: Vec::new(),
    };
    let planid: Arc<str> = planid.into();
    let mut normal = || -> f64 { rng.sample(StandardNormal) };
    let zero_points: Vec<f64> = (0..NIGHTS * EXPOSURES * 2)
        .map(|_| ZERO_POINTS_KM_S * normal())
        .collect();
    for fibre in 0..STARS {
        // A grid on the sky, so that no two are one star.
        let k = number * STARS + fibre;
        let (ra_deg, dec_deg) = (
            (k % 36_000) as f64 / 100.0,
            (k / 36_000) as f64 / 50.0 - 10.0,
        );
        let designation = format!("JM{k:09}");
        let night = |night: usize| -> PathBuf {
            format!(
                "med-{}-{planid}_sp{spid:02}-{:03}.fits.gz",
                58_000 + 7 * night,
                fibre + 1
            )
            .into()
        };
        let files: Vec<Arc<PathBuf>> = (0..NIGHTS).map(|i| Arc::new(night(i))).collect();
        let first = made.files.len();
        made.files.extend(files.iter().map(|path| (**path).clone()));
        let star = Star {
            designation: designation.clone(),
            ra_deg,
            dec_deg,
            names: Default::default(),
            members: (first..made.files.len()).collect(),
        };
        made.unit.stars.push((1 + k as i64, star));
        let designation: Arc<str> = designation.into();
        let err_km_s = 0.1 * (0.5 * normal()).exp();
        let varies = if fibre % VARIES == 0 {
            20.0
        } else {
            JITTER_KM_S
        };
        for exposure in 0..NIGHTS * EXPOSURES {
            let own_km_s = varies * normal();
            let lmjm = 1440 * (58_000 + 7 * (exposure / EXPOSURES) as i64)
                + 30 * (exposure % EXPOSURES) as i64
                + 40_000 * plate as i64;
            for arm in Arm::ALL {
                let zp_km_s = zero_points[2 * exposure + arm as usize];
                made.rows.push(RvRow {
                    star: 1 + k as i64,
                    designation: designation.clone(),
                    ra_deg,
                    dec_deg,
                    obsid: k as i64,
                    planid: planid.clone(),
                    spid,
                    fiberid: fibre as i32 + 1,
                    arm,
                    lmjm,
                    hjd: 2_400_000.5 + lmjm as f64 / 1440.0,
                    bjd_tdb: 2_400_000.5 + lmjm as f64 / 1440.0,
                    snr: 10.0 / err_km_s,
                    measurement: Measurement {
                        rv_km_s: own_km_s + zp_km_s + err_km_s * normal(),
                        rv_err_km_s: err_km_s * std::f64::consts::SQRT_2,
                        rv_err_own_km_s: err_km_s,
                        lnl_max: -1000.0,
                        chi2_red: 1.0,
                        n_pix: 2000,
                        second_peak: 0.1,
                        flags: RvFlags::empty(),
                    },
                    is_reference: exposure == 0,
                    n_reference: (NIGHTS * EXPOSURES) as i32,
                    noise_scale: 1.0,
                    line_place: 0.0,
                    line_width_km_s: 20.0,
                    path: files[exposure / EXPOSURES].clone(),
                });
            }
        }
    }
    made
}
