//! The whole of it against the truth of a simulated survey.

pub mod figures;
pub mod score;
pub mod section;
pub mod tables;
