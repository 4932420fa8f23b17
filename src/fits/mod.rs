//! FITS files: headers, and tables of fixed-width columns.

pub mod header;
pub mod reader;
pub mod vectors;
