//! What is divided out of the exposures of a night: whether there is water is decided for a whole night and not for each exposure.
//!
//! Most of the error is common to the exposures of a night; decided one by one, one that is just significant would be corrected and one that is just
//! not would not, and they would differ by more than they do.

use super::strength::Strength;

/// Exposures farther apart in time than this, minutes, are not of one night.
pub const SAME_NIGHT_MIN: u64 = 720;

/// The strength that is nearest in time, if it is of the same night, and the mean of its night.
fn of_night(strengths: &[Strength], lmjm: i64) -> Option<(Strength, Strength)> {
    let distance = |s: &&Strength| s.lmjm.abs_diff(lmjm);
    let nearest = strengths.iter().min_by_key(distance)?;
    if distance(&nearest) >= SAME_NIGHT_MIN {
        return None;
    }
    let same_night = |s: &&Strength| s.lmjm.abs_diff(nearest.lmjm) < SAME_NIGHT_MIN;
    let night = || strengths.iter().filter(same_night);
    let n = night().count() as f64;
    let mean = Strength {
        lmjm: nearest.lmjm,
        value: night().map(|s| s.value).sum::<f64>() / n,
        error: night().map(|s| s.error).sum::<f64>() / n,
    };
    Some((*nearest, mean))
}

/// What is to be divided out of an exposure of this time: its own strength, or that of the exposure of the same night that is nearest in
/// time, drawn towards 0 by as much as the night's mean is; 0 where nothing is known.
pub fn to_divide_out(strengths: &[Strength], lmjm: i64) -> f64 {
    let Some((nearest, mean)) = of_night(strengths, lmjm) else {
        return 0.0;
    };
    match mean.shrunk() {
        water if water > 0.0 => nearest.value.max(0.0) * (water / mean.value),
        _ => 0.0,
    }
}

/// The strength as measured in a night with water, and 0 in others.
pub fn measured(strengths: &[Strength], lmjm: i64) -> f64 {
    match of_night(strengths, lmjm) {
        Some((nearest, mean)) if mean.shrunk() > 0.0 => nearest.value.max(0.0),
        _ => 0.0,
    }
}
