//! The work on the stars of a bite: each is read and normalised, all are measured against their best exposures, and each against its
//! coadds.

use std::sync::Arc;

use super::bites::ToDo;
use super::coadd::against_coadds;
use super::comparison::ReferenceKind;
use super::first_pass::{self, FirstPass, first_pass};
use super::job::Job;
use super::memory::Budget;
use super::moonlight::Lit;
use super::prepared::Prepared;
use super::row::RvRow;
use super::star::{self, Exposure, PreparedStar};
use super::still::Still;
use super::telluric::Air;
use super::unit::MeasuredStar;
use super::workspace::Workspace;
use crate::lamost::raw::Rejection;
use crate::lamost::times::Clock;
use crate::{Arm, Result};

/// Reads and normalises a star.
pub(super) fn prepare(
    job: &Job<'_>,
    budget: Budget,
    todo: &ToDo<'_>,
    air: &Air,
    workspace: &mut Workspace,
) -> Result<PreparedStar> {
    if job.progress.cancelled() {
        return Ok(PreparedStar::default());
    }
    let (plan, star) = (job.plan, todo.star);
    if let Some(why) = budget.too_small_for(star, todo.bytes) {
        return Ok(PreparedStar::too_large(star, plan, &why));
    }
    let prepared = star::prepare(job.config, star, plan, air, workspace, job.clocks);
    match prepared.rejected.iter().find_map(Rejection::fault) {
        Some(fault) => Err(fault),
        None => Ok(prepared),
    }
}

/// A star, measured against its best exposures.
#[derive(Default)]
pub(super) struct Measured {
    /// What is known of it beside the velocities: how many spectra it has, and which of them are not measured.
    star: MeasuredStar,
    /// Its exposures in each arm.
    exposures: Vec<(Arm, Vec<Exposure>)>,
    /// What was measured of them.
    arms: Vec<FirstPass>,
}

/// Measures the stars of a bite against their best exposures, each arm in one call of the back end.
pub(super) fn first_pass_of(
    job: &Job<'_>,
    stars: &[ToDo<'_>],
    prepared: Vec<PreparedStar>,
) -> Result<Vec<Measured>> {
    let comparison = job.config.comparison();
    let mut out: Vec<Measured> = Vec::with_capacity(stars.len());
    let mut arms = Vec::new();
    for (i, star) in prepared.into_iter().enumerate() {
        let mut measured = Measured::default();
        measured.star.n_spectra = star.n_spectra;
        measured.star.rejected = star.rejected;
        out.push(measured);
        arms.extend(star.arms.into_iter().map(|arm| (i, arm)));
    }
    for arm in &job.config.arms {
        let (of_arm, others): (Vec<_>, _) = arms.into_iter().partition(|(_, of)| of.arm == *arm);
        arms = others;
        let mut of_stars: Vec<(i64, Prepared)> = Vec::with_capacity(of_arm.len());
        let mut places = Vec::with_capacity(of_arm.len());
        for (i, prepared) in of_arm {
            of_stars.push((stars[i].number, prepared.prepared));
            out[i].exposures.push((*arm, prepared.exposures));
            places.push(i);
        }
        if of_stars.is_empty() {
            continue;
        }
        let measured = first_pass(&comparison, of_stars, job.backend, job.clocks)?;
        for (i, measured) in places.into_iter().zip(measured) {
            out[i].arms.push(measured);
        }
    }
    Ok(out)
}

/// Measures a star against its coadds where these are the references.
pub(super) fn second_pass_of(
    job: &Job<'_>,
    todo: &ToDo<'_>,
    measured: Measured,
    clock: &mut Clock,
) -> MeasuredStar {
    let Measured {
        mut star,
        exposures,
        mut arms,
    } = measured;
    let comparison = job.config.comparison();
    if comparison.reference == ReferenceKind::Coadd {
        let cancelled = || job.progress.cancelled();
        against_coadds(&comparison, &mut arms, job.clocks, &cancelled);
    }
    first_pass::flag(&mut arms);
    for ((arm, exposures), measured) in exposures.into_iter().zip(arms) {
        add_rows(clock, todo, (arm, exposures), measured, &mut star);
    }
    star
}

/// Adds a star's rows in one arm.
fn add_rows(
    clock: &mut Clock,
    todo: &ToDo<'_>,
    (arm, exposures): (Arm, Vec<Exposure>),
    measured: FirstPass,
    measured_star: &mut MeasuredStar,
) {
    let MeasuredStar {
        rows, lit, still, ..
    } = measured_star;
    let (number, star) = (todo.number, todo.star);
    let designation: Arc<str> = star.designation.as_str().into();
    for (i, (exposure, mut measurement)) in
        exposures.into_iter().zip(measured.measurements).enumerate()
    {
        let noise_scale = measured.noise_scale.get(i).copied().unwrap_or(1.0);
        measurement.flags |= exposure.flags;
        lit.push(Lit {
            row: rows.len(),
            sunlit: measured.sunlit.get(i).copied().flatten(),
            light: exposure.light,
            helio_rv_km_s: exposure.helio_rv_km_s.unwrap_or(0.0),
            err_km_s: measured.sunlight_err_km_s.get(i).copied().unwrap_or(0.0),
            is_odd: measured.odd.get(i).copied().unwrap_or(false),
        });
        still.push(Still {
            place_km_s: exposure.place_km_s,
            n_pixels: exposure.n_pixels,
            slope2: measured.slope2.get(i).copied().unwrap_or(f64::NAN),
        });
        let header = &exposure.header;
        let dates = clock.dates(exposure.lmjm, exposure.mid_s, star.ra_deg, star.dec_deg);
        rows.push(RvRow {
            star: number,
            designation: designation.clone(),
            ra_deg: star.ra_deg,
            dec_deg: star.dec_deg,
            obsid: header.obsid,
            planid: header.planid.as_str().into(),
            spid: header.spid,
            fiberid: header.fiberid,
            arm,
            lmjm: exposure.lmjm,
            hjd: dates.hjd,
            bjd_tdb: dates.bjd_tdb,
            snr: exposure.snr,
            measurement,
            is_reference: i == measured.best,
            n_reference: measured.n_reference,
            noise_scale,
            line_place: measured.lines.map_or(f64::NAN, |lines| lines.place),
            line_width_km_s: measured.lines.map_or(f64::NAN, |lines| lines.sigma_km_s),
            path: header.path.clone(),
        });
    }
}
