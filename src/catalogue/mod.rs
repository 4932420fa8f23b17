//! The products of a run: from measured rows to the calibrated catalogue, its stars, constants and zero points. Each column of each
//! product is declared here once, and nowhere else: what is written, what is read back and what the page of all columns says.

mod calibrated;
pub mod component;
pub mod exposure;
pub mod flags;
pub mod measured;
mod observations;
#[cfg(test)]
mod page;
mod paired;
pub mod period;
pub mod rejected;
pub mod row;
pub mod settings;
pub mod star;
pub mod star_period;
mod verdict;
pub mod zero_point;

#[cfg(any(test, feature = "lab"))]
pub use calibrated::products;
pub use calibrated::{Products, TABLES, calibrated};
#[cfg(feature = "report")]
pub use observations::FIBRES;
pub use observations::{slit_place, star_lines};
pub use paired::uncalibrated;
