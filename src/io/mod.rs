//! Files in: finding inputs, inflating them, reading LAMOST MRS spectra.

pub mod raw;
