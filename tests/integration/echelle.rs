//! A made-up instrument that has nothing of the survey's: an echelle order of 4000 pixels at a resolving power of 50,000, with the lines
//! of stars made up here. Only the public face of measuring is used.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use relrv::{C_KM_S, Device, MeasureOptions, Measurer, Spectrum};

const N_PIXELS: usize = 4000;
const RESOLUTION: f64 = 50_000.0;
/// Ratio of the full width at half maximum of a Gaussian to its standard deviation.
const FWHM_SIGMA: f64 = 2.354_820_045;

/// The arrays of one exposure.
pub struct Exposure {
    pub wave_aa: Vec<f64>,
    pub flux: Vec<f64>,
    pub ivar: Vec<f64>,
    pub rv_true_km_s: f64,
}

/// Lines of a star: centre (A), depth and standard deviation (A) as the spectrograph shows them.
type Lines = Vec<(f64, f64, f64)>;

/// A star with lines at random places, broadened by its own velocities of a few km/s and by the spectrograph.
fn star(rng: &mut ChaCha8Rng) -> Lines {
    let own_km_s = rng.random_range(2.0..5.0);
    let line = |rng: &mut ChaCha8Rng| {
        let centre_aa = rng.random_range(6090.0..6260.0);
        let own_aa = centre_aa * own_km_s / C_KM_S;
        let seen_aa = own_aa.hypot(centre_aa / RESOLUTION / FWHM_SIGMA);
        let depth = 0.8 * rng.random::<f64>().powi(2);
        (centre_aa, depth * own_aa / seen_aa, seen_aa)
    };
    (0..110).map(|_| line(rng)).collect()
}

/// An exposure with a blaze, photon noise and a dispersion that is no polynomial of the survey's; the pixels lie elsewhere each time,
/// as the Earth moves.
fn expose(lines: &Lines, rv_km_s: f64, snr: f64, rng: &mut ChaCha8Rng) -> Exposure {
    let frame = 1.0 + rng.random_range(-30.0..30.0) / C_KM_S;
    let z = 1.0 + rv_km_s / C_KM_S;
    let mut out = Exposure {
        wave_aa: Vec::new(),
        flux: Vec::new(),
        ivar: Vec::new(),
        rv_true_km_s: rv_km_s,
    };
    for i in 0..N_PIXELS {
        let x = 2.0 * i as f64 / (N_PIXELS - 1) as f64 - 1.0;
        let wave_aa = frame * (6175.0 + 75.0 * x - 1.2 * x * x + 0.003 * (40.0 * x).sin());
        let rest_aa = wave_aa / z;
        let dips = lines.iter().map(|(centre, depth, sigma)| {
            let u = (rest_aa - centre) / sigma;
            if u.abs() < 7.0 {
                depth * (-0.5 * u * u).exp()
            } else {
                0.0
            }
        });
        let normalized = (1.0 - dips.sum::<f64>()).max(0.02);
        let blaze = 1.0 - 0.6 * x * x;
        // Photons, in units of those where the blaze is highest; nobody's unit.
        let expected = blaze * normalized;
        let sigma = expected.sqrt() / snr;
        let noise: f64 = rng.sample(StandardNormal);
        out.wave_aa.push(wave_aa);
        out.flux.push(3e-15 * (expected + sigma * noise));
        out.ivar.push((3e-15 * sigma).powi(-2));
    }
    out
}

/// Stars with so many exposures each.
pub fn stars(n: usize, n_exposures: usize, seed: u64) -> Vec<Vec<Exposure>> {
    let one = |number: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number as u64);
        let lines = star(&mut rng);
        let exposure = |_| {
            let rv_km_s = rng.random_range(-30.0..30.0);
            let snr = rng.random_range(30.0..100.0);
            expose(&lines, rv_km_s, snr, &mut rng)
        };
        (0..n_exposures).map(exposure).collect()
    };
    (0..n).map(one).collect()
}

/// Options for this instrument: three numbers, and how far to look.
pub fn options() -> MeasureOptions {
    MeasureOptions::new((6105.0, 6245.0), 1.9, 3.3).vmax_km_s(100.0)
}

/// The arrays as spectra.
pub fn spectra(star: &[Exposure]) -> Vec<Spectrum<'_>> {
    star.iter()
        .map(|e| Spectrum::new(&e.wave_aa, &e.flux, &e.ivar).unwrap())
        .collect()
}

/// What the velocities of many stars are worth.
#[derive(Debug)]
pub struct Worth {
    /// Root mean square of velocity over error, against the reference and about the star's mean.
    pub pull: f64,
    pub pull_own: f64,
    /// Mean difference from the truth, and slope with the true velocity, each in its error.
    pub bias_sigma: f64,
    pub slope_sigma: f64,
    /// Median error.
    pub err_own_km_s: f64,
    /// Velocities with any flag.
    pub n_flagged: usize,
    /// Median reduced chi^2.
    pub chi2_red: f64,
}

/// Measures stars and compares with the truth.
pub fn worth(options: MeasureOptions, stars: &[Vec<Exposure>]) -> Worth {
    let measurer = Measurer::new(options, Device::Cpu).unwrap();
    let arrays: Vec<Vec<Spectrum<'_>>> = stars.iter().map(|s| spectra(s)).collect();
    let measured = measurer.stars(&arrays).unwrap();
    let (mut squares, mut n, mut squares_own, mut n_own) = (0.0, 0.0, 0.0, 0.0);
    let (mut of_mean, mut mean_weight) = (0.0, 0.0);
    let (mut of_slope, mut slope_weight) = (0.0, 0.0);
    let (mut n_flagged, mut errors, mut chi2) = (0, Vec::new(), Vec::new());
    for (star, found) in stars.iter().zip(&measured) {
        let best = found.reference.unwrap();
        let z = |i: usize| 1.0 + star[i].rv_true_km_s / C_KM_S;
        let off: Vec<f64> = (0..star.len())
            .map(|i| found.rv_km_s[i] - C_KM_S * (z(i) / z(best) - 1.0))
            .collect();
        let weight = |i: usize| found.rv_err_own_km_s[i].powi(-2);
        let weights: f64 = (0..star.len()).map(weight).sum();
        let mean = (0..star.len()).map(|i| weight(i) * off[i]).sum::<f64>() / weights;
        // Of the mean of the others against the reference: its own error is in all of them.
        let err2 = found.rv_err_own_km_s[best].powi(2) + 1.0 / (weights - weight(best));
        let others = |i: &usize| *i != best;
        let of_others = (0..star.len()).filter(others).map(|i| weight(i) * off[i]);
        of_mean += of_others.sum::<f64>() / (weights - weight(best)) / err2;
        mean_weight += 1.0 / err2;
        let centre = (0..star.len())
            .map(|i| weight(i) * star[i].rv_true_km_s)
            .sum::<f64>()
            / weights;
        for i in 0..star.len() {
            if i != best {
                squares += (off[i] / found.rv_err_km_s[i]).powi(2);
                n += 1.0;
            }
            squares_own += weight(i) * (off[i] - mean).powi(2);
            let v = star[i].rv_true_km_s - centre;
            of_slope += weight(i) * v * (off[i] - mean);
            slope_weight += weight(i) * v * v;
            n_flagged += usize::from(!found.flags[i].is_empty());
            errors.push(found.rv_err_own_km_s[i]);
            chi2.push(found.chi2_red[i]);
        }
        n_own += star.len() as f64 - 1.0;
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Worth {
        pull: (squares / n).sqrt(),
        pull_own: (squares_own / n_own).sqrt(),
        bias_sigma: of_mean / mean_weight.sqrt(),
        slope_sigma: of_slope / slope_weight.sqrt(),
        err_own_km_s: median(&mut errors),
        n_flagged,
        chi2_red: median(&mut chi2),
    }
}
