//! Integration tests, one binary: what a user could see go wrong.

mod bad_input;
mod calibrate;
mod cli;
mod columns;
mod corruption;
mod fits_edit;
mod gpu;
mod memory;
mod monte_carlo;
mod oracle;
mod phase;
mod plate;
mod precision;
mod real;
mod report;
mod run;
mod run_faults;
mod run_resume;
mod run_support;
mod run_truth;
mod sb2;
mod support;
