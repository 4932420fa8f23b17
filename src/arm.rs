//! The two arms of a LAMOST medium-resolution spectrograph.

use std::fmt;

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
