//! Small mathematics that knows nothing of what its numbers are.

pub mod sets;
pub mod statistics;
