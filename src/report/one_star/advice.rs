//! What to do about each flag.

/// By the names of the flags ([`crate::CatalogueFlags`]).
const ADVICE: [(&str, &str); 19] = [
    (
        "edge",
        "no velocity of the star: measure with a larger --vmax if it may be that fast, else leave it out",
    ),
    ("no_curvature", "no velocity; leave it out"),
    (
        "multiple_peaks",
        "the velocity may be that of the other peak: compare it with its neighbours in time and with the other arm",
    ),
    (
        "few_pixels",
        "look at the spectrum: much of it is masked or missing, and the error tells only what noise does",
    ),
    (
        "chi2_high",
        "the spectrum is no shifted copy of its reference: look for a companion, for pulsation or for a defect",
    ),
    (
        "low_information",
        "few or shallow lines: take the error for a lower bound, and believe no variation of less than three times of it",
    ),
    (
        "wave_as_stored",
        "the wavelengths are rounded by the file: errors below 0.1 km/s mean nothing",
    ),
    (
        "single_exposure",
        "0 by definition, so it says nothing: add another exposure of the star",
    ),
    (
        "double_lined",
        "a mixture of two stars: not a velocity of either; measure them with a method for two sets of lines",
    ),
    (
        "not_as_others",
        "no velocity of this star: look whether it is another star's spectrum (a wrong fibre), sunlight or a defect",
    ),
    (
        "time_uncertain",
        "the velocity stands, but use its time only where minutes do not matter",
    ),
    (
        "frame_moved",
        "nothing, unless the header is wrong about its own wavelengths",
    ),
    (
        "frame_doubtful",
        "make sure that all files of the star are in the Sun's frame; if not, differences are off by up to 60 km/s",
    ),
    (
        "blended",
        "use it only where the two stars are known to have been at one velocity; see the exposures with double_lined",
    ),
    (
        "arms_disagree",
        "look at both spectra: lines of a pulsating star move differently, a companion or a defect moves one arm alone; one of the two is wrong",
    ),
    (
        "no_zero_point",
        "uncorrected, so it may be off by kilometres a second: add all files of the plate, as three stars in the exposure are needed",
    ),
    (
        "outlier",
        "had less weight in the zero point of its exposure; the velocity itself is as it was measured",
    ),
    (
        "reference",
        "nothing: the star's other velocities in this arm are counted from this exposure",
    ),
    (
        "not_measured",
        "look it up in rejected.csv, which has the reason",
    ),
];

/// What to do where a velocity has this flag.
pub fn of(flag: &str) -> &'static str {
    let found = ADVICE.iter().find(|(name, _)| *name == flag);
    found.map_or("", |(_, advice)| advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::flags;

    #[test]
    fn there_is_advice_for_every_flag_and_for_nothing_else() {
        let names: Vec<&str> = flags::all().map(|(_, name, _)| name).collect();
        for name in &names {
            assert!(!of(name).is_empty(), "{name}");
        }
        for (name, _) in ADVICE {
            assert!(names.contains(&name), "{name}");
        }
    }
}
