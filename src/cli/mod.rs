//! cli.

pub mod calibrate;
