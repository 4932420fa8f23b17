//! The two arms of a LAMOST medium-resolution spectrograph.

use std::fmt;

use crate::C_KM_S;
use crate::spectrum::band::{Band, SecondLines, Sky};

/// Knot spacing of a reference, pixels: half the line-spread function's width.
pub const KNOT_PIXELS: usize = 3;

/// Resolving power.
const RESOLUTION: f64 = 7500.0;

/// One arm of the spectrograph.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Arm {
    /// 4950-5350 A.
    Blue,
    /// 6300-6800 A.
    Red,
}

impl Arm {
    /// Both arms, in the order of their HDUs.
    pub const ALL: [Arm; 2] = [Arm::Blue, Arm::Red];

    /// Wavelengths (A, vacuum) whose pixels enter the likelihood (paper, section 4).
    pub fn window_aa(self) -> (f64, f64) {
        match self {
            Arm::Blue => (5000.0, 5300.0),
            Arm::Red => (6400.0, 6700.0),
        }
    }

    /// What the stages that know no survey need to know of the arm.
    pub fn band(self) -> Band {
        Band {
            window_aa: self.window_aa(),
            // Pixels of the survey's two arms are 5.1 to 7.2 km/s wide.
            pixel_km_s: 7.5,
            lsf_pixels: 2.0 * KNOT_PIXELS as f64,
            is_polynomial: true,
            sky: Some(Sky {
                lsf_km_s: C_KM_S / RESOLUTION,
                has_water: self == Arm::Red,
            }),
            second_lines: SecondLines {
                bin_km_s: 10.0,
                reach_km_s: 460.0,
                // docs/method.md, (27); chosen on the simulated plates of section 12 there.
                own_correlation: Some(match self {
                    Arm::Blue => 0.38,
                    Arm::Red => 0.42,
                }),
                has_widths: true,
            },
        }
    }

    /// Letter that starts the name of the arm's HDUs: `B-<LMJM>`, `R-<LMJM>`.
    pub fn letter(self) -> char {
        match self {
            Arm::Blue => 'B',
            Arm::Red => 'R',
        }
    }

    /// Word for tables and options.
    pub fn name(self) -> &'static str {
        match self {
            Arm::Blue => "blue",
            Arm::Red => "red",
        }
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
