//! What to know about a velocity before using it: one bit each.

use crate::spectrum::MODEL_SIGMA;

bitflags::bitflags! {
    /// Flags of a measured velocity: the column `flags`. A type of its own, because the flags of a calibration have other meanings for
    /// the same bits.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct RvFlags: u32 {
        /// The maximum lies at the edge of the velocity grid: the velocity is a limit.
        const EDGE = 1 << 0;
        /// The likelihood has no maximum that a parabola fits: the velocity is NaN.
        const NO_CURVATURE = 1 << 1;
        /// A second maximum of the likelihood reaches more than [`MULTIPLE_PEAKS_LIMIT`] of the first one's height: the star may be
        /// double-lined, or the signal is too weak.
        const MULTIPLE_PEAKS = 1 << 2;
        /// Fewer than half of the window's pixels could be used.
        const FEW_PIXELS = 1 << 3;
        /// Reduced chi^2 above [`CHI2_HIGH_LIMIT`]: the spectrum is not a shifted copy of the reference.
        const CHI2_HIGH = 1 << 4;
        /// More than [`LOW_INFORMATION_LIMIT`] of the reference's slope is lost in its noise, or the spectrum has hardly any lines: the
        /// error is only an estimate.
        const LOW_INFORMATION = 1 << 5;
        /// The stored wavelengths are no polynomial in pixel number and were used with their rounding.
        const WAVE_AS_STORED = 1 << 6;
        /// The star has no other usable exposure in this arm: it was measured against itself.
        const SINGLE_EXPOSURE = 1 << 7;
        /// The spectrum has two sets of lines, or another mixture of them than its reference: see
        /// [`crate::double_lined::judge`]. Bits 8 to 11 are the catalogue's.
        const DOUBLE_LINED = 1 << 12;
        /// The spectrum differs from the star's other exposures, or was spoiled over more than a line's width; or it is one of two that
        /// do not agree: see [`crate::reference::coadd`].
        const NOT_AS_OTHERS = 1 << 13;
        /// The header does not say when the middle of the exposure was, or contradicts itself: `hjd` and `bjd_tdb` may be off.
        const TIME_UNCERTAIN = 1 << 14;
        /// The header says that the wavelengths are the observer's, or of air: they were moved into the Sun's frame, or into vacuum.
        const FRAME_MOVED = 1 << 15;
        /// The header's heliocentric velocity is not that of the Earth: the wavelengths may be in another frame than the star's others.
        const FRAME_DOUBTFUL = 1 << 16;
        /// Other spectra of the star, in any band, show two sets of lines: here these may lie on each other, and the velocity be that of
        /// both together. A fourth to a half of such velocities are wrong by more than five errors (docs/method.md, section 12).
        const BLENDED = 1 << 17;
        /// The other arm of the exposure tells of another velocity, each against its own middle over the star's exposures: lines of different
        /// kinds move differently, or one of the two is wrong.
        const ARMS_DISAGREE = 1 << 18;
    }
}

impl RvFlags {
    /// A velocity with any of these flags says nothing about the star: it is only a limit, or of another star's light, of one of two
    /// stars, or in another frame. It is corrected for the zero point like all others, but determines none, and does not count when
    /// a star is called constant or variable.
    pub const NO_VELOCITY: Self = Self::EDGE
        .union(Self::NO_CURVATURE)
        .union(Self::MULTIPLE_PEAKS)
        .union(Self::DOUBLE_LINED)
        .union(Self::BLENDED)
        .union(Self::NOT_AS_OTHERS)
        .union(Self::FRAME_DOUBTFUL);
}

/// The names, with a bar between them; nothing without flags.
impl std::fmt::Display for RvFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = ALL.iter().filter(|(flag, ..)| self.contains(*flag));
        f.write_str(&set.map(|(_, name, _)| *name).collect::<Vec<_>>().join("|"))
    }
}

/// Reduced chi^2 above which [`RvFlags::CHI2_HIGH`] is set where noise hides all else ([`chi2_high_limit`]).
pub const CHI2_HIGH_LIMIT: f64 = 2.0;

/// Reduced chi^2 above which [`RvFlags::CHI2_HIGH`] is set, for pixels of this inverse variance (of flux over continuum): at high
/// signal-to-noise ratios a misfit that moves no velocity is many times the noise.
pub fn chi2_high_limit(ivar: f64) -> f64 {
    CHI2_HIGH_LIMIT * (1.0 + MODEL_SIGMA * MODEL_SIGMA * ivar)
}

/// Relative height of the second maximum above which [`RvFlags::MULTIPLE_PEAKS`] is set. This limit and the next were chosen by hand;
/// `docs/method.md`, section 8, shows what the next one gives.
pub const MULTIPLE_PEAKS_LIMIT: f64 = 0.5;

/// Share of the reference's expected squared slope that may be unknown before [`RvFlags::LOW_INFORMATION`] is set.
pub const LOW_INFORMATION_LIMIT: f64 = 0.35;

/// Every flag: bit, name and meaning.
pub const ALL: [(RvFlags, &str, &str); 15] = [
    (
        RvFlags::EDGE,
        "edge",
        "the maximum lies at the edge of the velocity grid",
    ),
    (
        RvFlags::NO_CURVATURE,
        "no_curvature",
        "no maximum that a parabola fits; rv is NaN",
    ),
    (
        RvFlags::MULTIPLE_PEAKS,
        "multiple_peaks",
        "a second maximum of the likelihood is at least half as high as the first",
    ),
    (
        RvFlags::FEW_PIXELS,
        "few_pixels",
        "fewer than half of the window's pixels are usable",
    ),
    (RvFlags::CHI2_HIGH, "chi2_high", "reduced chi^2 above 2"),
    (
        RvFlags::LOW_INFORMATION,
        "low_information",
        "more than 35 % of the reference's expected squared slope is lost in its noise",
    ),
    (
        RvFlags::WAVE_AS_STORED,
        "wave_as_stored",
        "stored wavelengths are no polynomial; used with their rounding",
    ),
    (
        RvFlags::SINGLE_EXPOSURE,
        "single_exposure",
        "the star's only usable exposure in this arm, measured against itself",
    ),
    (
        RvFlags::DOUBLE_LINED,
        "double_lined",
        "two sets of lines, or another mixture of them than in the reference",
    ),
    (
        RvFlags::NOT_AS_OTHERS,
        "not_as_others",
        "unlike the star's other exposures, or one of two that do not agree",
    ),
    (
        RvFlags::TIME_UNCERTAIN,
        "time_uncertain",
        "no exposure time, or dates that contradict it or LMJM: hjd and bjd_tdb may be off",
    ),
    (
        RvFlags::FRAME_MOVED,
        "frame_moved",
        "the header says that the wavelengths are the observer's or of air: moved to the Sun's frame and to vacuum",
    ),
    (
        RvFlags::FRAME_DOUBTFUL,
        "frame_doubtful",
        "HELIO_RV is not the Earth's velocity: the wavelengths may be in another frame",
    ),
    (
        RvFlags::BLENDED,
        "blended",
        "other spectra of the star show two sets of lines, which may lie on each other here",
    ),
    (
        RvFlags::ARMS_DISAGREE,
        "arms_disagree",
        "the other arm of the exposure tells of another velocity",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_listed_once_in_order() {
        // The catalogue's own bits lie between; `catalogue::flags` tests all of them together.
        for (flag, name, _) in ALL {
            assert_eq!(flag.bits().count_ones(), 1, "{name}");
            assert_eq!(flag.to_string(), name);
        }
        assert!(ALL.windows(2).all(|w| w[0].0.bits() < w[1].0.bits()));
        let all = ALL
            .iter()
            .fold(RvFlags::empty(), |all, (flag, ..)| all | *flag);
        assert_eq!(all, RvFlags::all());
        let two = RvFlags::CHI2_HIGH | RvFlags::EDGE;
        assert_eq!(two.to_string(), "edge|chi2_high");
        assert_eq!(RvFlags::empty().to_string(), "");
    }
}
