//! `relrv calibrate TABLE`: any table of velocities in, its stars, exposures and arms as numbers to the calibration, and the products in
//! the table's own words. Only the code in this folder knows columns and names of other people's tables.

mod cells;
mod components;
pub mod input;
mod known_constants;
mod lines;
mod names;
mod never_constant;
mod not_used;
mod own_flags;
mod parts;
mod position;
pub mod products;
mod roles;
mod room;

pub use components::components;
pub use known_constants::KnownConstants;
pub use never_constant::never_constant;
pub use not_used::mark_not_used;
pub use products::summaries;
pub use roles::Roles;

#[cfg(test)]
mod tests;
