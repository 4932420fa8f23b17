//! Periods of stars from the velocities of both arms together: the best sinusoid over a grid of frequencies, with a mean for each arm, and
//! how probable it is that a star without a period shows one as good. Pure functions over numbers: this room knows no spectra and no
//! tables.

mod chance;
mod epochs;
mod grid;
mod noise;
mod power;
mod search;
#[cfg(test)]
mod tests;

pub use search::{Period, PeriodOptions, Velocities, period};
