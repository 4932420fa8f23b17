//! FITS files (standard 4.0): blocks, headers read and written, tables, check sums.
//!
//! Every rule of the format is here, once, for spectra and for tables of results. Nothing here knows what the numbers mean.

pub mod checksum;
pub mod element;
pub mod escape;
pub mod header;
pub mod header_text;
pub mod plain;
pub mod reader;
pub mod vectors;

/// Size of a FITS block in bytes: headers and data fill whole ones.
pub const BLOCK: usize = 2880;

/// Length of a header's card in bytes.
pub const CARD: usize = 80;
