//! Velocities of a star from arrays of any instrument. `cargo run --release --example own_spectra`
//!
//! The arrays are made here; yours come from your reader: vacuum wavelengths in Angstrom in one frame (that of the Sun, say), flux in
//! any unit, and its inverse variance.

use relrv::{C_KM_S, Device, MeasureOptions, Measurer, Spectrum};

/// Wavelengths, flux and inverse variance of a star with this velocity. The noise is a cheap one, different for each `seed`.
fn exposure(rv_km_s: f64, snr: f64, seed: u64) -> [Vec<f64>; 3] {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let wave_aa: Vec<f64> = (0..4000).map(|i| 6100.0 + 0.0375 * f64::from(i)).collect();
    let flux = wave_aa.iter().map(|wave_aa| {
        let rest_aa = wave_aa / (1.0 + rv_km_s / C_KM_S);
        let line = |at_aa: f64| 0.5 * (-0.5 * ((rest_aa - at_aa) / 0.06).powi(2)).exp();
        let lines: f64 = (0..20).map(|k| line(6108.3 + 7.1 * f64::from(k))).sum();
        // Twelve uniform numbers less 6: nearly normal, of variance 1.
        let noise: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        1.0 - lines + noise / snr
    });
    [flux.collect(), vec![snr * snr; 4000], wave_aa]
}

fn main() -> relrv::Result<()> {
    let rv_km_s = [0.0, 12.0, -7.5, 21.3];
    let arrays: Vec<_> = (1..)
        .zip(rv_km_s)
        .map(|(seed, v)| exposure(v, 60.0, seed))
        .collect();
    let spectra = arrays
        .iter()
        .map(|[flux, ivar, wave_aa]| Spectrum::new(wave_aa, flux, ivar))
        .collect::<relrv::Result<Vec<_>>>()?;

    // The wavelengths that are compared, the widest pixel in km/s, the full width at half maximum of the line-spread function in pixels;
    // and the largest velocity that is looked for.
    let options = MeasureOptions::new((6105.0, 6245.0), 1.9, 3.8).vmax_km_s(100.0);
    let measurer = Measurer::new(options, Device::Cpu)?;
    let star = measurer.star(&spectra)?;

    println!("true km/s    rv km/s  error km/s  flags");
    for (i, rv_true_km_s) in rv_km_s.iter().enumerate() {
        let against = rv_true_km_s - rv_km_s[star.reference.unwrap_or(0)];
        let (rv, err) = (star.rv_km_s[i], star.rv_err_km_s[i]);
        println!("{against:9.2}  {rv:9.3}  {err:10.3}  {}", star.flags[i]);
    }
    Ok(())
}
