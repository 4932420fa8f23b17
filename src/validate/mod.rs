//! The tests of the paper.

pub mod mock;
pub mod mock_run;
pub mod mock_score;
pub mod monte_carlo;
pub mod statistics;
pub mod survey;
pub mod survey_run;
pub mod types;
