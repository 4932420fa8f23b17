//! Precision against the bound of Cramer and Rao.

pub mod figure;
pub mod section;
