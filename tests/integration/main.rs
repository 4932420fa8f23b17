//! Integration tests, one binary: what a user could see go wrong.

mod bad_input;
mod cli;
mod corruption;
mod fits_edit;
mod memory;
mod monte_carlo;
mod plate;
mod precision;
mod real;
mod support;
