//! Integration tests, one binary: what a user could see go wrong.

mod columns;
mod monte_carlo;
mod oracle;
mod phase;
mod precision;
