//! What was done with each arm, in lines.

use std::io::Write;

use crate::calibrate::summary::ArmSummary;
use crate::text::count::count;
use crate::text::plain;

/// What was done with each arm.
pub fn tell_arms(arms: &[ArmSummary], unit: &str, told: &mut dyn Write) -> std::io::Result<()> {
    for arm in arms {
        let name = if arm.arm.is_empty() { "all" } else { &arm.arm };
        let (name, unit) = (plain::line(name), plain::line(unit));
        let space = if unit.is_empty() { "" } else { " " };
        writeln!(
            told,
            "{name}: {} of {} in {}; {}; common jitter {:.4}{space}{unit}; {}",
            count(arm.n_usable, "usable RV"),
            count(arm.n_stars, "star"),
            count(arm.n_exposures, "exposure"),
            count(arm.n_constants, "constant"),
            arm.common_jitter,
            count(arm.log.len(), "step"),
        )?;
        for line in [arm.told_zero_points(), arm.told_population(&unit)]
            .into_iter()
            .flatten()
        {
            writeln!(told, "{name}: {line}")?;
        }
        if let Some(from) = &arm.constants_from {
            writeln!(
                told,
                "{name}: constants from {from}; {} without {from} RVs, corrected only",
                count(arm.n_without_red, "star")
            )?;
        }
        if arm.n_without_zero_point > 0 {
            writeln!(
                told,
                "{name}: {} without a zero point, for want of stars",
                count(arm.n_without_zero_point, "exposure")
            )?;
        }
        if arm.component_sizes.len() > 1 {
            let mut sizes = arm.component_sizes.clone();
            sizes.sort_unstable_by(|a, b| b.cmp(a));
            let shown: Vec<String> = sizes.iter().take(8).map(usize::to_string).collect();
            let more = if sizes.len() > 8 { ", ..." } else { "" };
            writeln!(
                told,
                "{name}: {} components share no constant star: each has a zero of its own (exposures: {}{more})",
                sizes.len(),
                shown.join(", ")
            )?;
        }
        for line in &arm.links {
            writeln!(told, "{name}: {}", plain::line(line))?;
        }
        if let Some(complaint) = arm.complaint() {
            writeln!(told, "{complaint}")?;
        }
        for (text, n) in &arm.flags {
            writeln!(told, "{name}: {} flagged: {text}", count(*n, "RV"))?;
        }
    }
    Ok(())
}
