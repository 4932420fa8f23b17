//! Pulsating stars.

pub mod section;
