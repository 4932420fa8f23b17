//! Text from elsewhere, and text for a reader.

pub mod count;
pub mod date;
pub mod encoding;
#[cfg(any(test, feature = "cli"))]
pub mod nearest;
pub mod plain;
