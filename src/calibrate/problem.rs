//! What the `joint` method is given: velocities as a graph, its settings, and what is known of the stars.

use super::graph::Graph;
use super::tail::Tail;
use super::terms::{ByLines, FibreOrder};

/// Settings of the `joint` method.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct JointOptions {
    /// A star is constant only if its p-value, the probability of a larger chi^2, is above this. A probability, between 0 and 0.5.
    pub p_min: f64,
    /// Residuals beyond this many sigma are rather outliers than noise, and lose weight; above 0.
    pub outlier_sigma: f64,
    /// Stars that an exposure needs for a zero point.
    pub min_constants: usize,
    /// Steps of the iteration, at most.
    pub max_iterations: usize,
    /// Largest component, in unknowns (a zero point has one for each of its terms), whose errors come from a dense
    /// inverse. Larger ones get them by random probes, good to a few per cent.
    pub max_exact: usize,
    /// Highest power of the fibre's place along the slit in a zero point.
    pub fibre_order: FibreOrder,
    /// Whether a zero point may depend on where the lines of a star lie and how sharp they are.
    pub by_lines: ByLines,
}

impl Default for JointOptions {
    fn default() -> Self {
        JointOptions {
            p_min: 0.01,
            outlier_sigma: 4.0,
            min_constants: 3,
            max_iterations: 60,
            max_exact: 4096,
            fibre_order: FibreOrder::Auto,
            by_lines: ByLines::Auto,
        }
    }
}

/// What is known of the stars beside the velocities.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Stars that may determine zero points (None: all).
    pub allowed: Option<&'a [bool]>,
    /// Stars that may be called constant (None: all that may determine zero points).
    pub constants: Option<&'a [bool]>,
    /// Probability of each star to be quiet before its velocities are seen, NaN where nothing tells it (None: nothing tells any).
    pub quiet: Option<&'a [f64]>,
}

/// What is to be solved.
pub(super) struct Problem<'a> {
    pub(super) graph: &'a Graph,
    /// Group of each zero point.
    pub(super) group: &'a [u32],
    pub(super) known: &'a Known<'a>,
    pub(super) config: &'a JointOptions,
}

impl Problem<'_> {
    /// Whether a star may determine zero points.
    pub(super) fn may(&self, star: usize) -> bool {
        self.known.allowed.is_none_or(|a| a[star])
    }

    /// Whether a star may be called constant.
    pub(super) fn may_be_constant(&self, star: usize) -> bool {
        self.may(star) && self.known.constants.is_none_or(|c| c[star])
    }

    /// Probability that a star is quiet before its velocities are seen.
    pub(super) fn quiet(&self, star: usize) -> Option<f64> {
        self.known.quiet.map(|q| q[star]).filter(|q| q.is_finite())
    }

    pub(super) fn tail(&self) -> Tail {
        Tail::at(self.config.outlier_sigma)
    }
}
