//! What stands still on the detector and is no line of the star's: the ripple that flat fields leave, some 0.8 % over some 50 km/s.
//!
//! It is in all exposures of a fibre, at the same pixels, so it pulls every velocity to that of the coadd. In a star like the Sun, whose
//! mean slope is 3e-3 per km/s, that is nothing beside the noise; hot stars have a twentieth of it. Above the slope of the ripple itself
//! what it moves goes into the error; below it the spectrum says as much of the ripple as of the star.

/// Root mean square slope of a spectrum, per km/s, below which its velocity is flagged: that of the ripple itself.
const MIN_SLOPE: f64 = 1.1e-4;

/// The ripple moves a velocity by this over the root mean square slope of the spectrum, km/s: its amplitude over the square root of the
/// number of its waves in a window, some 500. Chosen on simulated plates (`--sky hard`, seeds 3151 to 3153, 3161 and 3162), whose stars move
/// little. Where hot stars move by more than a wave and have more slope than [`FROM_SLOPE`], they are held back by up to 1.6 times what their
/// errors say (`tests/rippled.rs`).
const PULL: f64 = 3.5e-4;

/// From this slope on, per km/s, the disagreement of the window's pieces tells more of what moves a velocity. So that no error jumps there,
/// what it would be at this slope is taken off.
const FROM_SLOPE: f64 = 2.5e-4;

/// Error by what stands still, km/s, of a spectrum of this mean squared slope, (km/s)^-2. None where there is no telling.
pub(super) fn error_km_s(slope2: f64) -> f64 {
    let variance = PULL * PULL * (1.0 / slope2 - 1.0 / (FROM_SLOPE * FROM_SLOPE));
    // `f64::max` gives 0 for NaN, too.
    let km_s = variance.max(0.0).sqrt();
    if km_s.is_finite() { km_s } else { 0.0 }
}

/// Whether a spectrum of this mean squared slope says no more of the star than of what stands still.
pub(super) fn hides(slope2: f64) -> bool {
    slope2 < MIN_SLOPE * MIN_SLOPE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_flat_spectra_have_a_larger_error_and_only_flatter_ones_a_flag() {
        assert_eq!(error_km_s(3e-3 * 3e-3), 0.0);
        assert_eq!(error_km_s(2.5e-4 * 2.5e-4), 0.0);
        assert!(error_km_s(2.4e-4 * 2.4e-4) < 0.5);
        let half = error_km_s(1.25e-4 * 1.25e-4);
        assert!((half - 1.4 * 3f64.sqrt()).abs() < 1e-9, "{half}");
        for nothing in [0.0, f64::NAN] {
            assert_eq!(error_km_s(nothing), 0.0);
        }
        assert!(hides(1e-4 * 1e-4) && hides(0.0));
        assert!(!hides(1.2e-4 * 1.2e-4));
    }
}
