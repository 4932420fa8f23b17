//! How much stars vary by themselves: the population that each star's jitter is drawn from.

/// The jitter of stars. A star is quiet or variable; either kind has jitters that are lognormal. Velocities are in the unit of the
/// observations.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Population {
    /// Fraction of the stars that are quiet.
    pub quiet: f64,
    /// Its 1-sigma error.
    pub quiet_err: f64,
    /// Median jitter of quiet stars. It holds what the quoted errors leave out, too.
    pub quiet_jitter: f64,
    /// Error of its natural logarithm.
    pub quiet_jitter_log_err: f64,
    /// Standard deviation of the natural logarithm of quiet stars' jitter.
    pub quiet_width: f64,
    /// Root mean square jitter of quiet stars: part of every corrected velocity's error.
    pub quiet_rms: f64,
    /// Median jitter of variable stars.
    pub variable_jitter: f64,
    /// Error of its natural logarithm.
    pub variable_jitter_log_err: f64,
    /// Standard deviation of the natural logarithm of variable stars' jitter.
    pub variable_width: f64,
    /// Stars that it is found from.
    pub n_stars: usize,
}
