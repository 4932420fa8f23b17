//! Text from elsewhere, and text for a reader.

pub mod count;
pub mod date;
pub mod encoding;
pub mod nearest;
pub mod plain;
