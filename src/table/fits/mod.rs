//! FITS tables: one binary table to a file, and what others write.

mod field;
pub(super) mod read;
pub(super) mod write;
