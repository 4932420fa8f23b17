//! Stars that show two sets of lines.

pub mod coarse;
pub mod judge;
pub mod line_width;
pub mod second_copy;

pub use judge::{Evidence, evidence, judge};
