//! What a calibration says of a velocity.

bitflags::bitflags! {
    /// Flags of a velocity in a calibration: the column `cal_flags`. Nothing is dropped: a flagged one stays in the
    /// product. A type of its own, because other flag words have other meanings for the same bits.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct CalFlags: i32 {
        /// The RV is not finite (in a table with one column per arm: not measured).
        const BAD_RV = 1;
        /// The error is not finite, zero or negative.
        const BAD_ERR = 2;
        /// The star or the exposure has no name.
        const NO_NAME = 4;
        /// The same star, exposure, group and arm came in an earlier row; that one is used.
        const DUPLICATE = 8;
        /// Too few stars in this exposure: no zero point.
        const NO_ZERO_POINT = 16;
        /// Far from the other RVs of its star, which is constant: has less weight.
        const OUTLIER = 32;
        /// The star's only usable observation in this arm.
        const SINGLE = 64;
        /// The caller says that this is no velocity of the star (two sets of lines, say): it is corrected, but not used.
        const NO_VELOCITY = 128;
    }
}

impl CalFlags {
    /// Flags that keep an observation out of the solution.
    pub const UNUSABLE: Self = Self::BAD_RV
        .union(Self::BAD_ERR)
        .union(Self::NO_NAME)
        .union(Self::DUPLICATE);

    /// Every flag in order: name and meaning.
    pub const ALL: [(Self, &str, &str); 8] = [
        (Self::BAD_RV, "bad_rv", "RV not finite"),
        (Self::BAD_ERR, "bad_err", "error not finite or not positive"),
        (Self::NO_NAME, "no_name", "star or exposure without a name"),
        (
            Self::DUPLICATE,
            "duplicate",
            "same star and exposure as an earlier row",
        ),
        (
            Self::NO_ZERO_POINT,
            "no_zero_point",
            "too few stars in the exposure",
        ),
        (
            Self::OUTLIER,
            "outlier",
            "outlier of a constant star, less weight",
        ),
        (
            Self::SINGLE,
            "single",
            "only usable observation of the star",
        ),
        (
            Self::NO_VELOCITY,
            "no_velocity",
            "flagged as no velocity of the star, not used",
        ),
    ];

    /// All flags with their numbers and meanings, as the column tells them.
    pub fn meanings() -> String {
        Self::ALL
            .map(|(flag, _, text)| format!("{}: {text}", flag.bits()))
            .join("; ")
    }
}

/// The names, with a bar between them; nothing without flags.
impl std::fmt::Display for CalFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bar = "";
        for (flag, name, _) in Self::ALL {
            if self.contains(flag) {
                write!(f, "{bar}{name}")?;
                bar = "|";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_one_bit_with_a_name() {
        for (i, (flag, name, _)) in CalFlags::ALL.into_iter().enumerate() {
            assert_eq!(flag.bits(), 1 << i, "{name}");
            assert_eq!(flag.to_string(), name);
            assert!(
                CalFlags::from_name(&name.to_uppercase()) == Some(flag),
                "{name}"
            );
        }
        assert_eq!(CalFlags::all().bits(), 255);
        let two = CalFlags::BAD_RV | CalFlags::SINGLE;
        assert_eq!(
            (two.to_string(), CalFlags::empty().to_string()),
            ("bad_rv|single".into(), "".into())
        );
    }
}
