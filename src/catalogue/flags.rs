//! Bits of `flags_r` and `flags_b` in the catalogue: those of the measurement, and what only the calibration knows.

use crate::calibrate::cal_flags::CalFlags as Calibrated;
use crate::likelihood::RvFlags;
use crate::likelihood::flags as measured;

bitflags::bitflags! {
    /// Flags of a velocity in the catalogue: the columns `flags_r` and `flags_b`. The bits of [`RvFlags`] mean here what they mean there;
    /// the others are the catalogue's own.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct CatalogueFlags: u32 {
        /// The exposure has too few stars in this arm: no zero point, and no corrected velocity.
        const NO_ZERO_POINT = 1 << 8;
        /// Far from the other velocities of its star, which is a constant: had less weight in the zero point.
        const OUTLIER = 1 << 9;
        /// This exposure is the star's reference in this arm, or the one that sets the zero of its velocities.
        const REFERENCE = 1 << 10;
        /// The star was not measured in this arm in this exposure.
        const NOT_MEASURED = 1 << 11;
        /// The bits that are flags of the measurement.
        const MEASURED = RvFlags::all().bits();
    }
}

impl CatalogueFlags {
    /// Every bit in order: its value, name and meaning. Those of [`RvFlags`] are among them.
    pub fn described() -> impl Iterator<Item = (u32, &'static str, &'static str)> {
        all()
    }
}

impl From<RvFlags> for CatalogueFlags {
    fn from(flags: RvFlags) -> Self {
        Self::from_bits_retain(flags.bits())
    }
}

/// The names, with a bar between them; nothing without flags.
impl std::fmt::Display for CatalogueFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = all()
            .filter(|(bit, ..)| self.bits() & bit != 0)
            .map(|(_, name, _)| name)
            .collect();
        f.write_str(&names.join("|"))
    }
}

/// The flags that the catalogue adds to [`measured::ALL`]: name and meaning.
pub const ADDED: [(CatalogueFlags, &str, &str); 4] = [
    (
        CatalogueFlags::NO_ZERO_POINT,
        "no_zero_point",
        "too few stars in the exposure: not corrected",
    ),
    (
        CatalogueFlags::OUTLIER,
        "outlier",
        "far from the other velocities of its constant star",
    ),
    (
        CatalogueFlags::REFERENCE,
        "reference",
        "the star's reference exposure in this arm",
    ),
    (
        CatalogueFlags::NOT_MEASURED,
        "not_measured",
        "not measured in this arm",
    ),
];

/// Every bit in order: its value, name and meaning.
pub fn all() -> impl Iterator<Item = (u32, &'static str, &'static str)> {
    let measured = measured::ALL.map(|(flag, name, meaning)| (flag.bits(), name, meaning));
    let added = ADDED.map(|(flag, name, meaning)| (flag.bits(), name, meaning));
    let mut all: Vec<_> = measured.into_iter().chain(added).collect();
    all.sort_by_key(|(bit, ..)| *bit);
    all.into_iter()
}

/// The calibration's flags in the catalogue's bits. Its flags about missing numbers have no bit here: the numbers themselves show it.
pub fn of_calibration(flags: Calibrated) -> CatalogueFlags {
    let bit = |from: Calibrated, to: CatalogueFlags| match flags.contains(from) {
        true => to,
        false => CatalogueFlags::empty(),
    };
    bit(Calibrated::NO_ZERO_POINT, CatalogueFlags::NO_ZERO_POINT)
        | bit(Calibrated::OUTLIER, CatalogueFlags::OUTLIER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_listed_once_in_order() {
        for (i, (bit, name, _)) in all().enumerate() {
            assert_eq!(bit, 1 << i, "{name}");
            assert_eq!(CatalogueFlags::from_bits_retain(bit).to_string(), name);
        }
        let two = CatalogueFlags::from(RvFlags::EDGE) | CatalogueFlags::REFERENCE;
        assert_eq!(two.to_string(), "edge|reference");
    }
}
