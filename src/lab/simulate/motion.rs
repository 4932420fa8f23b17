//! Why a star's velocity changes, or not.

use super::orbit::{Orbit, Pulsation};
use super::params::StellarParams;

/// Why a star's velocity changes, or not.
#[derive(Clone, Copy, Debug)]
pub enum Motion {
    /// It does not.
    Constant,
    /// Pulsation, with a change of temperature.
    Pulsator(Pulsation),
    /// A companion that is not seen.
    Sb1(Orbit),
    /// A companion that is seen.
    Sb2 {
        /// Orbit of the primary.
        primary: Orbit,
        /// Orbit of the secondary.
        secondary: Orbit,
        /// The secondary.
        companion: StellarParams,
        /// Light of the secondary over that of the primary.
        flux_ratio: f64,
    },
}

impl Motion {
    /// Word for the truth table.
    pub fn name(&self) -> &'static str {
        match self {
            Motion::Constant => "constant",
            Motion::Pulsator(_) => "pulsator",
            Motion::Sb1(_) => "sb1",
            Motion::Sb2 { .. } => "sb2",
        }
    }
}
