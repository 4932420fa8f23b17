//! The library's Monte Carlo, with the grid of the tests.

use relrv::lab::validate::monte_carlo;
use relrv::likelihood::{Measurement, VelocityGrid};
use relrv::spectrum::Normalized;

pub use relrv::lab::validate::monte_carlo::{Case, Sample, bounds_km_s};

/// Velocities that hold all those of the tests.
pub fn grid() -> VelocityGrid {
    VelocityGrid::new(100.0, 1.0).unwrap()
}

/// Simulates and measures the case with the CPU back end.
pub fn run(case: &Case) -> Vec<Sample> {
    run_on(case, grid())
}

/// The same on another grid of velocities.
pub fn run_on(case: &Case, grid: VelocityGrid) -> Vec<Sample> {
    monte_carlo::run(case, &grid).unwrap()
}

/// Simulates the case; `measure` gets a reference's exposures and the reference exposure.
pub fn run_with(
    case: &Case,
    measure: impl Fn(&[Normalized], &Normalized) -> Vec<Measurement> + Sync,
) -> Vec<Sample> {
    let all = |exposures: &[Option<Normalized>], reference: Option<&Normalized>| {
        let exposures: Vec<Normalized> = exposures.iter().map(|n| n.clone().unwrap()).collect();
        Ok(measure(&exposures, reference.unwrap()))
    };
    monte_carlo::run_with(case, &case.star, &grid(), all).unwrap()
}
