//! Bits of `flags_r` and `flags_b` in the catalogue: those of the measurement, and what only the calibration knows.

use crate::likelihood::flags as measured;
use crate::selfcal::CalFlags;

/// The exposure has too few constant stars in this arm: no zero point, and no corrected velocity.
pub const NO_ZERO_POINT: u32 = 1 << 8;
/// Far from the other velocities of its star, which is a constant: had less weight in the zero point.
pub const OUTLIER: u32 = 1 << 9;
/// The star's reference in this arm.
pub const REFERENCE: u32 = 1 << 10;
/// Not measured in this arm.
pub const NOT_MEASURED: u32 = 1 << 11;

/// The bits that the catalogue adds to [`measured::ALL`]: bit, name and meaning.
pub const ADDED: [(u32, &str, &str); 4] = [
    (
        NO_ZERO_POINT,
        "no_zero_point",
        "too few constant stars in the exposure: not corrected",
    ),
    (
        OUTLIER,
        "outlier",
        "far from the other velocities of its constant star",
    ),
    (
        REFERENCE,
        "reference",
        "the star's reference exposure in this arm",
    ),
    (NOT_MEASURED, "not_measured", "not measured in this arm"),
];

/// Every bit in order: bit, name and meaning.
pub fn all() -> impl Iterator<Item = (u32, &'static str, &'static str)> {
    let mut all: Vec<_> = measured::ALL.into_iter().chain(ADDED).collect();
    all.sort_by_key(|(bit, ..)| *bit);
    all.into_iter()
}

/// The calibration's flags in the catalogue's bits. Those about missing numbers are seen in the numbers.
pub fn of_calibration(flags: CalFlags) -> u32 {
    let bit = |from, to: u32| if flags.contains(from) { to } else { 0 };
    bit(CalFlags::NO_ZERO_POINT, NO_ZERO_POINT) | bit(CalFlags::OUTLIER, OUTLIER)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_bit_is_listed_once_in_order() {
        for (i, (bit, name, _)) in super::all().enumerate() {
            assert_eq!(bit, 1 << i, "{name}");
        }
    }
}
