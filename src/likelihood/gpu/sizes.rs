//! How much memory the parts of a dispatch take.

use super::structs::{Pixel, TILE};

/// Bytes of float32, and of a word.
pub const F32: u64 = 4;

/// Buffers that are made on the device: fluxes, rest of the tables, shifted copies of the fluxes.
pub const N_MADE: usize = 3;

/// Copies of the fluxes, each beginning one float later than the one before, so that four numbers from any place on are an aligned four
/// in one of the copies.
pub const ROW_COPIES: u64 = 4;

/// How much of everything there is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sizes {
    /// Pixels, with those that fill up.
    pub pixels: u64,
    /// Words of the splines.
    pub splines: u64,
    /// Fluxes of the tables.
    pub flux: u64,
    /// Floats of the rest of the tables.
    pub rest: u64,
}

impl Sizes {
    /// Both together.
    pub fn plus(self, other: Sizes) -> Sizes {
        Sizes {
            pixels: self.pixels + other.pixels,
            splines: self.splines + other.splines,
            flux: self.flux + other.flux,
            rest: self.rest + other.rest,
        }
    }

    /// Bytes of the largest buffer, without those that go with the number of spectra.
    pub fn largest_bytes(self) -> u64 {
        let [fluxes, rest, rows] = self.made_bytes();
        [
            pixel_bytes(self.pixels),
            F32 * self.splines,
            fluxes,
            rest,
            rows,
        ]
        .into_iter()
        .fold(0, u64::max)
    }

    /// Bytes of the buffers that are made on the device.
    pub fn made_bytes(self) -> [u64; N_MADE] {
        let fluxes = float_bytes(self.flux);
        [fluxes, float_bytes(self.rest), ROW_COPIES * fluxes]
    }

    /// Number of fours in each of the [`ROW_COPIES`].
    pub fn row_stride(self) -> u32 {
        (float_bytes(self.flux) / (4 * F32)) as u32
    }
}

/// Pixels or words of a part begin at multiples of 8 bytes.
pub fn padded(n: u64) -> u64 {
    n.next_multiple_of(2)
}

/// Bytes of so many pixels.
pub fn pixel_bytes(n_pixels: u64) -> u64 {
    n_pixels * size_of::<Pixel>() as u64
}

/// Bytes of so many floats of tables.
pub fn float_bytes(n_floats: u64) -> u64 {
    // The search's last tile reads beyond the end of the fluxes, and everything is read in fours: room is left for both.
    F32 * (n_floats.next_multiple_of(4) + TILE as u64 + 16)
}
