//! `relrv validate`: the tests of the paper.

mod all;
mod end_to_end;
mod mock;
mod phase;
mod precision;
mod pulsators;
mod survey;

use std::io::{Write, sink};
use std::path::Path;

use super::Outcome;
use super::progress::Bar;
use crate::Result;
use crate::files::workplace;
use crate::tell::Told;

/// Which test.
#[derive(Debug, clap::Subcommand)]
pub enum Validate {
    /// The mock stars of the paper's section 3.3, with its figures 1 and 2.
    Mock(mock::MockArgs),
    /// A calibration of the survey's size, timed and scored.
    Survey(survey::SurveyArgs),
    /// Scatter of simulated spectra by type and signal-to-noise ratio, with the paper's figure 8.
    Precision(precision::PrecisionArgs),
    /// Stars whose temperature changes, with the paper's figure 9.
    Pulsators(pulsators::PulsatorsArgs),
    /// Bias of the velocity against where between pixels it falls.
    Phase(phase::PhaseArgs),
    /// A simulated plate through the main job, against its truth, with the paper's figures 3 to 7 and table 2.
    EndToEnd(end_to_end::EndToEndArgs),
    /// All of them but survey, and one page that sets every figure and table of the paper beside ours.
    All(all::AllArgs),
}

impl Validate {
    /// Runs it; its directory must not be one of a run or a calibration.
    pub fn run(self) -> Result<Outcome> {
        workplace::refuse_others(self.out(), "validate")?;
        match self {
            Validate::Mock(args) => args.run(),
            Validate::Survey(args) => args.run(),
            Validate::Precision(args) => args.run(),
            Validate::Pulsators(args) => args.run(),
            Validate::Phase(args) => args.run(),
            Validate::EndToEnd(args) => args.run(),
            Validate::All(args) => args.run(),
        }?;
        Ok(Outcome::Done)
    }

    fn out(&self) -> &Path {
        match self {
            Validate::Mock(args) => &args.out,
            Validate::Survey(args) => &args.out,
            Validate::Precision(args) => &args.out,
            Validate::Pulsators(args) => &args.out,
            Validate::Phase(args) => &args.out,
            Validate::EndToEnd(args) => &args.out,
            Validate::All(args) => &args.out,
        }
    }
}

/// Where a test's numbers and its progress are told: nowhere if `quiet`.
fn listeners(quiet: bool) -> (Box<dyn Write>, Bar) {
    let told: Box<dyn Write> = match quiet {
        true => Box::new(sink()),
        false => Box::new(Told),
    };
    (told, Bar::of_steps(quiet))
}
