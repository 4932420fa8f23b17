//! The page of a calibration of anybody's table: its zero points, what is left of the constant stars' velocities, and its stars.
//!
//! Such a table has its own arms, exposures and unit, so the page takes names and numbers, and knows no column.

mod arm_figures;
mod html;
mod tables;

#[cfg(test)]
mod tests;

pub use html::page;

/// Everything that the page tells. Velocities are in `unit`.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    /// What was calibrated, as it is called.
    pub table: String,
    /// Unit of the velocities; empty where nothing tells it.
    pub unit: String,
    /// Facts in words: what, and what is to be said of it.
    pub facts: Vec<(&'static str, String)>,
    /// The arms.
    pub arms: Vec<ArmOfTable>,
    /// The tables beside the page.
    pub tables: Vec<String>,
}

/// An arm, or all there is.
#[derive(Clone, Debug, Default)]
pub struct ArmOfTable {
    /// Its name; empty where the table tells no arms.
    pub name: String,
    /// What was done with it, in sentences.
    pub says: Vec<String>,
    /// Its zero points, in their order.
    pub zero_points: Vec<ZeroPointOfTable>,
    /// Its stars.
    pub stars: Vec<StarOfTable>,
    /// Velocities of the constant stars.
    pub residuals: Vec<Residual>,
}

/// The zero point of an exposure.
#[derive(Clone, Debug, Default)]
pub struct ZeroPointOfTable {
    /// The exposure, and its group where there are groups.
    pub exposure: String,
    /// Zero point; NaN where there is none.
    pub zp: f64,
    /// Its error.
    pub err: f64,
    /// Constant stars that determine it.
    pub n_constants: u32,
    /// Zero points of different components cannot be compared.
    pub component: Option<u32>,
}

/// A velocity of a constant star about the star's mean.
#[derive(Clone, Copy, Debug)]
pub struct Residual {
    /// Number of its zero point.
    pub zero_point: usize,
    /// Before calibration.
    pub before: f64,
    /// After it.
    pub after: f64,
}

/// A star.
#[derive(Clone, Debug, Default)]
pub struct StarOfTable {
    /// Its name.
    pub name: String,
    /// Velocities whose exposures have a zero point.
    pub n: u32,
    /// Standard deviation of its velocities before.
    pub before: f64,
    /// After.
    pub after: f64,
    /// Probability that a constant star scatters more.
    pub p_value: f64,
    /// It is constant, as far as that can be said.
    pub is_constant: Option<bool>,
    /// It varies, as far as that can be said.
    pub is_variable: Option<bool>,
    /// Why nothing can be said of it; empty where something can.
    pub unjudged: &'static str,
}

impl StarOfTable {
    /// What is said of it.
    fn verdict(&self) -> String {
        match (self.is_variable, self.is_constant) {
            (Some(true), _) => "variable".to_owned(),
            (_, Some(true)) => "constant".to_owned(),
            (Some(_), _) | (_, Some(_)) => "undecided".to_owned(),
            _ => format!("not judged: {}", self.unjudged),
        }
    }
}
