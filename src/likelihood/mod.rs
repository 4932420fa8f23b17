//! likelihood.
