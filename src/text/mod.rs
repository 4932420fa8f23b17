//! Text from elsewhere, and text for a reader.

pub mod date;
pub mod encoding;
pub mod plain;
