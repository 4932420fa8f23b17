//! What the headers of the products say of the run: its settings, and from when its spectra are. Not when it was made, which `run.json`
//! tells: the products of two runs on the same input are the same to the byte.

use super::config::RunConfig;
use crate::Result;
use crate::catalogue::row::CatalogueRow;
use crate::catalogue::settings::{self, OF_CALIBRATING, OF_MEASURING};
use crate::table::About;
use crate::text::date;

/// Julian date of 1970-01-01T00:00:00.
const JD_OF_1970: f64 = 2_440_587.5;
/// Julian dates of the years 1 to 9999, which ISO 8601 writes with four digits.
const WITH_FOUR_DIGITS: std::ops::Range<f64> = 1_721_425.5..5_373_484.5;

/// What the products of a run say of it.
///
/// # Errors
/// [`crate::Error::Config`] for settings that JSON cannot hold.
pub fn of_run(config: &RunConfig, catalogue: &[CatalogueRow]) -> Result<About> {
    let maker = "relrv run, or plan, unit and merge";
    Ok(About {
        dates: dates(catalogue.iter().map(|row| row.exposure.bjd_tdb)),
        history: history(maker, config, &[&OF_MEASURING, &OF_CALIBRATING])?,
    })
}

/// Who made it, then a line for each setting.
pub(crate) fn history(maker: &str, config: &RunConfig, names: &[&[&str]]) -> Result<Vec<String>> {
    let mut lines = vec![format!("made by {maker}, with")];
    let told = settings::told(&config.identity()?, &names.concat());
    lines.extend(
        told.into_iter()
            .map(|(name, value)| format!("--{name} {value}")),
    );
    Ok(lines)
}

/// The first and the last of these barycentric Julian dates, to the second; None where there is none that can be written.
pub(crate) fn dates(bjd: impl Iterator<Item = f64>) -> Option<(String, String)> {
    let (first, last) = bjd
        .filter(|d| WITH_FOUR_DIGITS.contains(d))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), d| {
            (a.min(d), b.max(d))
        });
    let text = |d: f64| date::iso(((d - JD_OF_1970) * 86_400.0).round() as i64);
    (first <= last).then(|| (text(first), text(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_first_and_the_last_that_can_be() {
        let all = [f64::NAN, 2_458_630.25, 1e7, 2_458_411.5, 0.0];
        let found = dates(all.into_iter());
        let text = |s: &str| s.to_owned();
        assert_eq!(
            found,
            Some((text("2018-10-20T00:00:00"), text("2019-05-26T18:00:00")))
        );
        assert_eq!(dates([f64::NAN, f64::INFINITY].into_iter()), None);
    }
}
