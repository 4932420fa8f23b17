//! A table of columns with units and meanings, written to and read from FITS, CSV and Parquet, written as
//! machine-readable text (MRT), and read from VOTable.
//!
//! From the floor up: `columns` is what a table is; `cells`, `words`, `source` and `outcome` are what every reader needs; a
//! folder for each format; `read` and `write`, which choose among the formats.

mod about;
mod cells;
mod columns;
mod csv;
mod field;
mod field_reader;
mod fits;
mod format;
pub(crate) mod formula;
mod mrt;
mod outcome;
mod parquet;
pub(crate) mod pieces;
mod read;
mod source;
pub mod units;
mod votable;
mod width;
mod words;
pub(crate) mod write;
mod yaml_meta;

#[cfg(test)]
mod tests;

pub(crate) use about::About;
pub(crate) use columns::free_name;
pub use columns::{Column, ColumnData, Table, TimeColumn};
#[cfg(feature = "lab")]
pub use field::Missing;
pub use field::{Cell, Field};
pub(crate) use field::{field, field_of};
pub use field_reader::FieldReader;
pub use outcome::Skipped;
pub(crate) use pieces::Pieces;
pub use width::Width;
pub use words::{is_missing, number};
