//! The tests of the paper.

pub mod all;
pub mod cell;
pub mod end_to_end_figures;
pub mod end_to_end_run;
pub mod end_to_end_score;
pub mod end_to_end_tables;
pub mod mock;
pub mod mock_figures;
pub mod mock_run;
pub mod mock_score;
pub mod monte_carlo;
mod page;
mod paper;
pub mod phase;
pub mod phase_run;
pub mod precision_figure;
pub mod precision_run;
pub mod progress;
pub mod pulsators_run;
pub mod section;
pub mod spread;
pub mod statistics;
pub mod survey;
pub mod survey_run;
pub mod types;
