//! The tests of the paper.

pub mod all;
pub mod cell;
pub mod end_to_end;
pub mod mock;
pub mod monte_carlo;
mod page;
mod paper;
pub mod phase;
pub mod precision;
pub mod progress;
pub mod pulsators;
pub mod section;
pub mod settings;
pub mod spread;
pub mod statistics;
pub mod survey;
pub mod types;

pub use progress::Progress;
