//! Why a pixel of a spectrum does not count: one bit each.

bitflags::bitflags! {
    /// What keeps a pixel out of the comparison of a spectrum with its reference; 0 for a pixel that counts.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct PixelFlags: u16 {
        /// Flux or inverse variance is not finite.
        const NOT_FINITE = 1 << 0;
        /// The inverse variance is not positive.
        const NO_IVAR = 1 << 1;
        /// The mask that came with the spectrum says so.
        const GIVEN = 1 << 2;
        /// At an end of the spectrum, where instruments have odd values.
        const EDGE = 1 << 3;
        /// In a spike or dip that is narrower than the line-spread function: a cosmic ray or a dead pixel.
        const SPIKE = 1 << 4;
        /// The continuum is so low there that no star's light can be.
        const FAINT = 1 << 5;
        /// None of the star's other exposures shows what is there.
        const ALONE = 1 << 6;
        /// Outside the window of wavelengths.
        const OUTSIDE = 1 << 7;
        /// The reference, moved to the exposure's velocity, does not reach there.
        const NO_REFERENCE = 1 << 8;
    }
}

impl PixelFlags {
    /// Every flag in order: name and meaning.
    pub const ALL: [(Self, &str, &str); 9] = [
        (
            Self::NOT_FINITE,
            "not_finite",
            "flux or inverse variance not finite",
        ),
        (Self::NO_IVAR, "no_ivar", "inverse variance not positive"),
        (Self::GIVEN, "given", "masked by the spectrum's own mask"),
        (Self::EDGE, "edge", "at an end of the spectrum"),
        (
            Self::SPIKE,
            "spike",
            "in a spike or dip narrower than the line-spread function",
        ),
        (
            Self::FAINT,
            "faint",
            "continuum too low for any star's light",
        ),
        (
            Self::ALONE,
            "alone",
            "shows what none of the star's other exposures has",
        ),
        (
            Self::OUTSIDE,
            "outside",
            "outside the window of wavelengths",
        ),
        (
            Self::NO_REFERENCE,
            "no_reference",
            "beyond the reference at the exposure's velocity",
        ),
    ];
}

/// The names, with a bar between them; nothing without flags.
impl std::fmt::Display for PixelFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = Self::ALL.iter().filter(|(flag, ..)| self.contains(*flag));
        f.write_str(&set.map(|(_, name, _)| *name).collect::<Vec<_>>().join("|"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_one_bit_with_a_name() {
        for (i, (flag, name, _)) in PixelFlags::ALL.into_iter().enumerate() {
            assert_eq!(flag.bits(), 1 << i, "{name}");
            assert_eq!(flag.to_string(), name);
        }
        assert_eq!(PixelFlags::all().bits(), (1 << PixelFlags::ALL.len()) - 1);
        let two = PixelFlags::SPIKE | PixelFlags::OUTSIDE;
        assert_eq!(two.to_string(), "spike|outside");
    }
}
