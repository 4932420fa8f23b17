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
mod support;
