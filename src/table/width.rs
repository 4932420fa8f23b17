//! Integers of other widths than signed 32 and 64 bits. In memory they are widened to one of these; in files they keep their width.

/// Bits of a stored integer, with a sign (I) or without (U).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// -128 to 127.
    I8,
    /// 0 to 255.
    U8,
    /// -32768 to 32767.
    I16,
    /// 0 to 65535.
    U16,
    /// 0 to 2^32 - 1.
    U32,
    /// 0 to 2^64 - 1, of which a table holds the lower half as integers.
    U64,
}

impl Width {
    /// Bits, and whether there is a sign.
    pub(super) fn bits(self) -> (u8, bool) {
        match self {
            Width::I8 => (8, true),
            Width::U8 => (8, false),
            Width::I16 => (16, true),
            Width::U16 => (16, false),
            Width::U32 => (32, false),
            Width::U64 => (64, false),
        }
    }

    /// The width of so many bits; None for signed integers of 32 and 64 bits, which a table has in memory, and for unknown ones.
    pub(super) fn of(bits: u32, is_signed: bool) -> Option<Self> {
        Some(match (bits, is_signed) {
            (8, true) => Width::I8,
            (8, false) => Width::U8,
            (16, true) => Width::I16,
            (16, false) => Width::U16,
            (32, false) => Width::U32,
            (64, false) => Width::U64,
            _ => return None,
        })
    }

    /// Whether it can hold the value.
    pub(super) fn holds(self, value: i64) -> bool {
        let value = i128::from(value);
        match self.bits() {
            (bits, true) => (-1 << (bits - 1)..1 << (bits - 1)).contains(&value),
            (bits, false) => (0..1_i128 << bits).contains(&value),
        }
    }

    /// FITS: letter, bytes, and TZERO, which is added to what is stored (FITS 4.0, table 19). Signed bytes go as 16 bits:
    /// astropy makes floats of them otherwise.
    pub(super) fn in_fits(self) -> (char, usize, i128) {
        match self {
            Width::U8 => ('B', 1, 0),
            Width::I8 | Width::I16 => ('I', 2, 0),
            Width::U16 => ('I', 2, 1 << 15),
            Width::U32 => ('J', 4, 1 << 31),
            Width::U64 => ('K', 8, 1 << 63),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_width_holds_its_range_and_comes_back_from_its_bits() {
        for (width, lowest, highest) in [
            (Width::I8, -128, 127),
            (Width::U8, 0, 255),
            (Width::I16, -32768, 32767),
            (Width::U16, 0, 65535),
            (Width::U32, 0, i64::from(u32::MAX)),
            (Width::U64, 0, i64::MAX),
        ] {
            assert!(width.holds(lowest) && width.holds(highest));
            assert!(!width.holds(lowest - 1));
            assert!(highest == i64::MAX || !width.holds(highest + 1));
            let (bits, is_signed) = width.bits();
            assert_eq!(Width::of(bits.into(), is_signed), Some(width));
        }
        assert_eq!(Width::of(32, true), None);
    }
}
