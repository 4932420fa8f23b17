//! The `joint` method: v = a(star) + z(zero point at the star's fibre), by a hierarchical model in which every star counts.
//!
//! 1. A start that no minority can spoil: all stars, absolute deviations instead of squares (convex, so there is one
//!    answer, and stars that link two groups are used from the beginning).
//! 2. Every star has a jitter of its own: a scatter that its errors do not explain. How likely its velocities are with each jitter is
//!    tabulated ([`super::star_fit`]), with the zero points as the other stars give them.
//! 3. The jitters of all stars come from one population of quiet and variable stars ([`super::population`]), found from these tables.
//! 4. A velocity has the weight 1 / (err^2 + jitter^2), in the mean over what its star's jitter may be; single outliers have less.
//!    The zero points are solved anew, per component of the graph, and with them how they change along the slit and with the stars' lines ([`super::shape`]).
//! 5. Steps 2 to 4 repeat until the zero points stay. Constants are a result: stars that are probably quiet.
//!
//! Nothing here knows the unit: every threshold is in units of the errors, or a probability. `docs/calibration.md` ("How well") shows what
//! the numbers that were chosen by hand give on the paper's mock.
//!
//! Words: a component is a set of zero points that common stars link ([`super::components`]); a group is a plate and spectrograph.

use super::finish::finished;
use super::graph::Graph;
use super::problem::Problem;
pub use super::problem::{JointOptions, Known};
use super::solution::ArmSolution;
use super::start::{scaled, start, to_unit};
use super::state::State;
use crate::Result;

/// Calibrates one arm; `group` tells the group of each zero point.
pub fn solve(
    graph: &Graph,
    group: &[u32],
    known: &Known<'_>,
    config: &JointOptions,
) -> Result<ArmSolution> {
    let (graph, unit) = scaled(graph);
    let problem = Problem {
        graph: &graph,
        group,
        known,
        config,
    };
    let mut state = State::new(&problem, start(&problem)?);
    let mut log = Vec::new();
    let mut converged = false;
    for step in 1..=config.max_iterations.max(1) {
        let (iteration, has_settled) = state.advance(&problem, step)?;
        log.push(iteration);
        if has_settled {
            converged = true;
            break;
        }
    }
    let mut solution = finished(&problem, state)?;
    (solution.log, solution.converged) = (log, converged);
    to_unit(&mut solution, unit);
    Ok(solution)
}
