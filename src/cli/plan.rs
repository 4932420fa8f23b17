//! `relrv plan`: what a run would measure, kept for others to do.

use super::Outcome;
use super::measure_summary::tell_rejections;
use super::run::WhatArgs;
use crate::files::workplace;
use crate::run;
use crate::text::plain;
use crate::{Result, tell};

/// Find inputs, stars and units once and keep the plan in DIR, for relrv unit, relrv merge and relrv slurm.
///
/// A unit is the stars of one plate and spectrograph. Units are measured one by one, by as many programs and machines as you like; what
/// relrv merge makes of them is the same to the byte as what relrv run writes.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    what: WhatArgs,
}

impl PlanArgs {
    /// As [`WhatArgs::check`].
    pub fn check(&self) -> Result<()> {
        self.what.check()
    }

    /// Makes the plan.
    pub fn run(self) -> Result<Outcome> {
        let what = &self.what;
        let backend = what.measure.backend.open()?;
        let config = what.config(&backend)?;
        what.refuse_config()?;
        workplace::refuse_no_directory(&what.out)?;
        what.refuse_nothing()?;
        let pool = what.measure.pool()?;
        let head = pool.install(|| run::plan(&config))?;
        let rejected = head.rejected();
        let defects = rejected.iter().filter(|r| r.reason.is_defect()).count();
        tell_rejections(&rejected, what.measure.verbose);
        if !what.measure.quiet {
            let n_stars: usize = head.units.iter().map(|unit| unit.n_stars).sum();
            let n_files: usize = head.units.iter().map(|unit| unit.n_files).sum();
            tell::say!("units    {:>8}", head.units.len());
            tell::say!("stars    {n_stars:>8}");
            tell::say!("files    {n_files:>8}");
            let dir = plain::path(&what.out);
            tell::say!("plan     {dir}");
            tell::say!(
                "next     relrv unit {dir} {}, then relrv merge {dir}",
                all_units(head.units.len())
            );
        }
        Ok(match defects {
            0 => Outcome::Done,
            _ => Outcome::SomeRejected,
        })
    }
}

/// The numbers of all units, as `relrv unit` takes them.
fn all_units(n: usize) -> String {
    match n {
        1 => "1".to_owned(),
        _ => format!("1-{n}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_is_no_range() {
        assert_eq!((all_units(1), all_units(12)), ("1".into(), "1-12".into()));
    }
}
