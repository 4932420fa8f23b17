//! CSV: written with names alone, read with what others put in front of them (ECSV).

mod ecsv;
mod quotes;
pub(super) mod read;
pub(super) mod write;
