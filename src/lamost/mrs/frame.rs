//! The frame of an exposure's wavelengths. The survey's files are in vacuum and in the Sun's frame; where a header says that its
//! wavelengths are not, they are moved there. What the header says is checked against the Earth's motion.

use crate::C_KM_S;
use crate::lamost::raw::{FileHeader, RawSpectrum, StoredWave};
use crate::lamost::times::Earth;

/// `HELIO_RV` may differ from the telescope's velocity by so much, km/s: one value stands for a night, in which the Earth's rotation
/// changes it by 0.7 at most.
const BELIEVED_KM_S: f64 = 2.0;

/// Settles the frames of one file's exposures.
#[derive(Debug, Default)]
pub(super) struct Settler {
    /// What HELIO_RV should be, about, km/s. It is computed for the first exposure alone, because that takes as long as reading a tenth of
    /// a spectrum.
    near_km_s: Option<f64>,
}

impl Settler {
    /// Brings the wavelengths into vacuum and into the Sun's frame, if the header says that they are not, and notes by what velocity
    /// they were moved.
    pub(super) fn settle(&mut self, header: &FileHeader, exposure: &mut RawSpectrum) {
        let frame = &header.frame;
        let compute = |e: &RawSpectrum| {
            Earth::at(e.lmjm, e.mid_s).helio_rv_km_s(header.ra_deg, header.dec_deg)
        };
        let near_km_s = *self.near_km_s.get_or_insert_with(|| compute(exposure));
        let is_believed = |v: &f64| (v - near_km_s).abs() <= BELIEVED_KM_S;
        if frame.is_vacuum == Some(false) {
            change(&mut exposure.pixels.wave, vacuum_aa);
        }
        let said = frame.helio_rv_km_s;
        exposure.helio_rv_km_s = match frame.is_heliocentric {
            Some(false) => {
                // If the header names a velocity that is not the Earth's, it is taken for what was left in the wavelengths. But zero
                // means that there is none, and the opposite sign is the Earth's velocity by another convention.
                let is_other = |v: &f64| *v != 0.0 && (v + near_km_s).abs() > BELIEVED_KM_S;
                let by_km_s = said
                    .filter(|v| is_believed(v) || is_other(v))
                    .unwrap_or_else(|| compute(exposure));
                change(&mut exposure.pixels.wave, |wave_aa| {
                    wave_aa * (1.0 - by_km_s / C_KM_S)
                });
                Some(by_km_s)
            }
            Some(true) => said.filter(is_believed),
            None => None,
        };
        exposure.frame_moved = frame.is_moved();
        let contradicts = said.is_some_and(|v| !is_believed(&v));
        exposure.frame_doubtful = contradicts && frame.is_heliocentric.is_some();
        if frame.is_vacuum.is_none() {
            exposure.helio_rv_km_s = None;
        }
    }
}

/// Changes every wavelength (A). Wavelengths that were stored as float32 become float64, so that no more digits are lost.
fn change(wave: &mut StoredWave, new_aa: impl Fn(f64) -> f64) {
    let changed = match wave {
        StoredWave::Log10(log10) => log10
            .iter()
            .map(|x| new_aa(10f64.powf(f64::from(*x))))
            .collect(),
        StoredWave::Linear(wave_aa) => wave_aa.iter().map(|x| new_aa(*x)).collect(),
    };
    *wave = StoredWave::Linear(changed);
}

/// Wavelength in vacuum of one in standard air, A (Ciddor 1996, Applied Optics 35, 1566, with the series in air's wavelength by
/// N. Piskunov, as the VALD database has it; good to 1 m/s).
fn vacuum_aa(air_aa: f64) -> f64 {
    // Wave number squared, 1 / micrometre^2.
    let s = (1e4 / air_aa).powi(2);
    let refraction = 8.336_624_212_083e-5
        + 2.408_926_869_968e-2 / (130.106_592_452_226_6 - s)
        + 1.599_740_894_897e-4 / (38.925_687_933_267_2 - s);
    air_aa * (1.0 + refraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_where_they_are_known_to_be() {
        // H-alpha, Mg b and a line of iron, in air and in vacuum (NIST Atomic Spectra Database).
        for (air_aa, expected_aa) in [
            (6562.79, 6564.60),
            (5183.604, 5185.048),
            (5167.322, 5168.761),
        ] {
            let found_aa = vacuum_aa(air_aa);
            assert!(
                (found_aa - expected_aa).abs() < 0.006,
                "{air_aa} {found_aa}"
            );
        }
    }
}
