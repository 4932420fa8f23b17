//! The settings of all tests together, and the result of one.

use super::section::Section;

/// How much is simulated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Small samples: a minute or two, and numbers that scatter.
    pub quick: bool,
    /// Random seed.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            quick: false,
            seed: 1,
        }
    }
}

/// A test's results and how long it took, s.
pub struct Timed {
    /// Results.
    pub section: Section,
    /// Wall time.
    pub seconds: f64,
}
