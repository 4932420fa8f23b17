//! `relrv validate all`: every test of the paper, and one page that sets its figures and tables beside ours.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use super::section::Section;
use super::{end_to_end, mock, page, phase, precision, pulsators};
use crate::Result;
use crate::files::whole;
use crate::lab::validate::end_to_end::run::EndToEndArgs;
use crate::lab::validate::mock::run::MockArgs;
use crate::lab::validate::phase::run::PhaseArgs;
use crate::lab::validate::precision::run::PrecisionArgs;
use crate::lab::validate::pulsators::run::PulsatorsArgs;
use crate::text::plain;

/// Options of `relrv validate all`.
#[derive(Clone, Debug, clap::Args)]
pub struct AllArgs {
    /// Directory: index.html, tables.md, and a directory for each test
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Small samples: a minute or two, and numbers that scatter
    #[arg(long)]
    pub quick: bool,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Print nothing but errors
    #[arg(long)]
    pub quiet: bool,
}

/// A test's results and how long it took, s.
pub struct Timed {
    /// Results.
    pub section: Section,
    /// Wall time.
    pub seconds: f64,
}

/// Runs every test in a directory of its own, writes `tables.md` and `index.html`, and tells the times.
///
/// # Errors
/// Those of the tests.
pub fn run(args: &AllArgs, told: &mut dyn Write) -> Result<()> {
    let mut done = Vec::new();
    let mut timed = |told: &mut dyn Write, test: &dyn Fn() -> Result<Section>| -> Result<()> {
        let start = Instant::now();
        let section = test()?;
        let seconds = start.elapsed().as_secs_f64();
        if !args.quiet {
            // What was found is written; a closed output is no error.
            let _ = writeln!(told, "{:<12} {seconds:>6.1} s", section.name);
        }
        done.push(Timed { section, seconds });
        Ok(())
    };
    timed(told, &|| mock::run::run(&mock(args), &mut std::io::sink()))?;
    timed(told, &|| {
        end_to_end::run::run(&end_to_end(args), &mut std::io::sink())
    })?;
    timed(told, &|| {
        precision::run::run(&precision(args), &mut std::io::sink())
    })?;
    timed(told, &|| {
        pulsators::run::run(&pulsators(args), &mut std::io::sink())
    })?;
    timed(told, &|| {
        phase::run::run(&phase(args), &mut std::io::sink())
    })?;
    let tables: Vec<String> = done
        .iter()
        .map(|t| format!("### {}\n\n{}", t.section.name, t.section.markdown()))
        .collect();
    whole::remove_parts(&args.out)?;
    whole::write_bytes(&args.out.join("tables.md"), tables.join("\n").as_bytes())?;
    let path = args.out.join("index.html");
    whole::write_bytes(&path, page::html(args, &done).as_bytes())?;
    if !args.quiet {
        let _ = writeln!(told, "{}", plain::path(&path));
    }
    Ok(())
}

fn mock(args: &AllArgs) -> MockArgs {
    MockArgs {
        out: args.out.join("mock"),
        seeds: if args.quick { 4 } else { 50 },
        quiet: args.quiet,
    }
}

fn end_to_end(args: &AllArgs) -> EndToEndArgs {
    let full = !args.quick;
    EndToEndArgs {
        out: args.out.join("end-to-end"),
        spectrographs: if full { 16 } else { 2 },
        stars: if full { 20 } else { 14 },
        nights: if full { 6 } else { 3 },
        exposures: if full { 4 } else { 3 },
        seed: args.seed,
        keep_spectra: false,
        quiet: args.quiet,
    }
}

fn precision(args: &AllArgs) -> PrecisionArgs {
    let full = !args.quick;
    PrecisionArgs {
        out: args.out.join("precision"),
        n: if full { 1000 } else { 24 },
        ratio: if full { vec![1.0, 2.0] } else { vec![1.0] },
        snr: precision::run::default_snrs(),
        types: super::types::TYPES
            .iter()
            .map(|t| t.name.to_owned())
            .collect(),
        seed: args.seed,
        quiet: args.quiet,
    }
}

fn pulsators(args: &AllArgs) -> PulsatorsArgs {
    PulsatorsArgs {
        out: args.out.join("pulsators"),
        n: if args.quick { 24 } else { 1000 },
        seed: args.seed,
        quiet: args.quiet,
    }
}

fn phase(args: &AllArgs) -> PhaseArgs {
    PhaseArgs {
        out: args.out.join("phase"),
        n: if args.quick { 200 } else { 7000 },
        seed: args.seed,
        quiet: args.quiet,
    }
}
