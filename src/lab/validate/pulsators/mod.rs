//! Pulsating stars.

pub mod run;
