//! The shader against the CPU: equal velocities, errors and flags, whatever the sizes; and shaders broken on purpose.

use super::structs::SHADER;
use super::*;
use crate::gpu::testing;
use crate::likelihood::test_data::{exposure, reference};
use crate::likelihood::{Cpu, SpectrumPixels, batch};
use crate::reference::Reference;
use crate::spectrum::Normalized;

/// Spectra of SNR 5 to 200 of several stars, so several tables.
fn plate(grid: &VelocityGrid) -> Batch {
    let mut batch = Batch {
        grid: *grid,
        references: Vec::new(),
        spectra: Vec::new(),
    };
    for (star, snr) in [5.0, 12.0, 30.0, 80.0, 200.0].into_iter().enumerate() {
        let reference = reference(1.5 * snr);
        let exposures: Vec<_> = (1..5u32)
            .map(|k| {
                exposure(
                    f64::from(k) * 11.3 - 30.0,
                    snr,
                    u64::from(k) + 10 * star as u64,
                )
            })
            .collect();
        add_star(&mut batch, &reference, &exposures);
    }
    batch
}

pub(super) fn add_star(batch: &mut Batch, reference: &Reference, exposures: &[Normalized]) {
    let number = batch.references.len();
    for exposure in exposures {
        let pixels = SpectrumPixels::new(exposure, reference, &batch.grid);
        batch.spectra.push(pixels.with_reference(number));
    }
    batch.references.push(reference.clone());
}

/// The largest disagreement of two back ends.
#[derive(Debug, Default)]
pub(super) struct Disagreement {
    dv_m_s: f64,
    err_ratio: f64,
    own_ratio: f64,
    chi2_ratio: f64,
    dlnl: f64,
    second: f64,
    flags: usize,
    nan: usize,
}

pub(super) fn disagreement(a: &[Measurement], b: &[Measurement]) -> Disagreement {
    assert_eq!(a.len(), b.len());
    let mut worst = Disagreement::default();
    for (a, b) in a.iter().zip(b) {
        let nan = |f: fn(&Measurement) -> f64| f(a).is_nan() != f(b).is_nan();
        worst.nan += usize::from(
            nan(|m| m.rv_km_s)
                || nan(|m| m.rv_err_km_s)
                || nan(|m| m.lnl_max)
                || nan(|m| m.chi2_red),
        );
        let ratio = |f: fn(&Measurement) -> f64| (f(a) / f(b) - 1.0).abs();
        worst.dv_m_s = worst.dv_m_s.max(1e3 * (a.rv_km_s - b.rv_km_s).abs());
        worst.err_ratio = worst.err_ratio.max(ratio(|m| m.rv_err_km_s));
        worst.own_ratio = worst.own_ratio.max(ratio(|m| m.rv_err_own_km_s));
        worst.chi2_ratio = worst.chi2_ratio.max(ratio(|m| m.chi2_red));
        worst.dlnl = worst.dlnl.max((a.lnl_max - b.lnl_max).abs());
        worst.second = worst.second.max((a.second_peak - b.second_peak).abs());
        worst.flags += usize::from(a.flags != b.flags || a.n_pix != b.n_pix);
    }
    worst
}

impl Disagreement {
    /// |dv| < 1 m/s, errors to 0.1 %, the same flags; and ln L to 0.1.
    pub(super) fn is_parity(&self) -> bool {
        self.dv_m_s < 1.0
            && self.err_ratio < 1e-3
            && self.own_ratio < 1e-3
            && self.chi2_ratio < 1e-3
            && self.dlnl < 0.1
            && self.second < 1e-3
            && self.flags == 0
            && self.nan == 0
    }
}

fn bytes(measurements: &[Measurement]) -> String {
    format!("{measurements:?}")
}

#[test]
fn velocities_errors_and_flags_are_those_of_the_cpu() {
    let Some(config) = testing::gpu() else { return };
    let gpu = Gpu::open(&config).unwrap();
    for (vmax, step) in [(500.0, 1.0), (200.0, 0.5), (60.0, 2.5)] {
        let batch = plate(&VelocityGrid::new(vmax, step).unwrap());
        let clock = Instant::now();
        let on_gpu = gpu.measure(&batch).unwrap();
        let time = clock.elapsed();
        let worst = disagreement(&on_gpu, &Cpu.measure(&batch).unwrap());
        println!("{vmax} {step}: {worst:?}, {time:?}, {:?}", gpu.take_stats());
        assert!(worst.is_parity(), "vmax {vmax} step {step}: {worst:?}");
        assert_eq!(
            bytes(&on_gpu),
            bytes(&gpu.measure(&batch).unwrap()),
            "two runs"
        );
    }
}

/// A few spectra on a short grid: quick on a software adapter.
pub(super) fn small_plate() -> Batch {
    let grid = VelocityGrid::new(60.0, 1.0).unwrap();
    let mut plate = plate(&grid);
    let mut kept = 0;
    plate.spectra.retain(|_| {
        kept += 1;
        kept % 3 == 1
    });
    plate
}

#[test]
fn curves_are_those_of_the_cpu() {
    let Some(config) = testing::gpu() else { return };
    let gpu = Gpu::open(&config).unwrap();
    let batch = small_plate();
    for i in [0, 3] {
        let (on_gpu, on_cpu) = (gpu.curve(&batch, i).unwrap(), Cpu.curve(&batch, i).unwrap());
        assert_eq!(on_gpu.len(), on_cpu.len());
        for (v, (a, b)) in on_gpu.iter().zip(&on_cpu).enumerate() {
            assert!((a - b).abs() < 1e-6 * b.abs() + 2e-3, "{i} {v}: {a} {b}");
        }
    }
}

/// Velocities to 1 m/s, or to a thousandth of an error where a few pixels give errors of km/s.
fn assert_alike(on_gpu: &Measurement, on_cpu: &Measurement, what: &str) {
    assert_eq!(on_gpu.n_pix, on_cpu.n_pix, "{what}");
    assert_eq!(on_gpu.flags, on_cpu.flags, "{what}: {on_gpu:?} {on_cpu:?}");
    assert_eq!(on_gpu.rv_km_s.is_nan(), on_cpu.rv_km_s.is_nan(), "{what}");
    let dv_km_s = (on_gpu.rv_km_s - on_cpu.rv_km_s).abs();
    let allowed = f64::max(1e-3, 1e-3 * on_cpu.rv_err_km_s);
    assert!(
        dv_km_s.is_nan() || dv_km_s < allowed,
        "{what}: {on_gpu:?} {on_cpu:?}"
    );
}

#[test]
fn odd_sizes_and_odd_weights() {
    let Some(config) = testing::gpu() else { return };
    let gpu = Gpu::open(&config).unwrap();
    let full = small_plate();
    let mut batch = Batch {
        spectra: Vec::new(),
        ..full.clone()
    };
    assert!(gpu.measure(&batch).unwrap().is_empty(), "no spectrum");
    let mut names = Vec::new();
    for n in [0, 1, 3, 4, 5, 63, 64, 65, 255, 256, 257, 1000] {
        // Pixels around a line, so that a few of them know a velocity.
        let mut pixels = full.spectra[6].clone();
        let first = 900.min(pixels.len() - n);
        pixels.index = pixels.index[first..first + n].to_vec();
        pixels.frac = pixels.frac[first..first + n].to_vec();
        pixels.flux = pixels.flux[first..first + n].to_vec();
        pixels.ivar = pixels.ivar[first..first + n].to_vec();
        batch.spectra.push(pixels);
        names.push(format!("{n} pixels"));
    }
    let mut with = |name: &str, change: fn(&mut SpectrumPixels)| {
        let mut pixels = full.spectra[4].clone();
        change(&mut pixels);
        batch.spectra.push(pixels);
        names.push(name.to_owned());
    };
    with("ivar of nothing", |p| p.ivar.fill(batch::MIN_IVAR));
    with("ivar of everything", |p| p.ivar.fill(batch::MAX_IVAR));
    with("weights of both kinds", |p| {
        p.ivar
            .iter_mut()
            .step_by(2)
            .for_each(|w| *w = batch::MIN_IVAR)
    });
    with("flux beyond all", |p| p.flux.fill(batch::MAX_FLUX));
    with("no number", |p| p.flux[17] = f32::NAN);
    let on_gpu = gpu.measure(&batch).unwrap();
    let on_cpu = Cpu.measure(&batch).unwrap();
    assert_eq!(on_gpu.len(), names.len());
    for ((on_gpu, on_cpu), name) in on_gpu.iter().zip(&on_cpu).zip(&names) {
        if name == "ivar of nothing" {
            // The curve is flat but for rounding: any velocity will do, if its error says so.
            assert_eq!(on_gpu.n_pix, on_cpu.n_pix);
            assert!(
                on_gpu.rv_err_km_s > 1e6 && on_cpu.rv_err_km_s > 1e6,
                "{on_gpu:?} {on_cpu:?}"
            );
        } else {
            assert_alike(on_gpu, on_cpu, name);
        }
    }
    // A spectrum measured alone gives the same result as in the batch.
    for (i, together) in on_gpu.iter().enumerate() {
        let alone = Batch {
            spectra: vec![batch.spectra[i].clone()],
            ..batch.clone()
        };
        assert_eq!(
            bytes(&gpu.measure(&alone).unwrap()),
            bytes(&[*together]),
            "{}",
            names[i]
        );
    }
}

#[test]
fn results_do_not_depend_on_the_size_of_a_dispatch() {
    let Some(config) = testing::gpu() else { return };
    let batch = plate(&VelocityGrid::new(60.0, 1.0).unwrap());
    let large = Gpu::open(&config).unwrap();
    let expected = large.measure(&batch).unwrap();
    assert_eq!(large.take_stats().dispatches, 1);
    let small = Gpu::open(&EngineConfig {
        max_buffer_bytes: Some(1 << 20),
        ..config
    })
    .unwrap();
    let found = small.measure(&batch).unwrap();
    let n = small.take_stats().dispatches;
    assert!(n > 2, "{n} dispatches do not test the seams");
    assert_eq!(bytes(&found), bytes(&expected));
    assert!(
        small.engine().peak_bytes() < 20 << 20,
        "{}",
        small.engine().peak_bytes()
    );
}

#[test]
fn two_hundred_thousand_spectra_in_one_call() {
    let Some(config) = testing::gpu() else { return };
    let gpu = Gpu::open(&config).unwrap();
    let full = small_plate();
    let grid = VelocityGrid::new(10.0, 1.0).unwrap();
    let mut few = full.spectra[6].clone();
    for v in [&mut few.frac, &mut few.flux, &mut few.ivar] {
        v.truncate(20);
    }
    few.index.truncate(20);
    let empty = SpectrumPixels {
        reference: few.reference,
        ..Default::default()
    };
    let n = 200_000;
    let batch = Batch {
        grid,
        references: full.references.clone(),
        spectra: (0..n)
            .map(|i| {
                if i % 100 == 99 {
                    few.clone()
                } else {
                    empty.clone()
                }
            })
            .collect(),
    };
    let on_gpu = gpu.measure(&batch).unwrap();
    let one = gpu
        .measure(&Batch {
            spectra: vec![few],
            ..batch.clone()
        })
        .unwrap();
    let none = Measurement::without_pixels();
    assert_eq!(on_gpu.len(), n);
    for (i, found) in on_gpu.iter().enumerate() {
        let expected = if i % 100 == 99 { &one[0] } else { &none };
        assert_eq!(bytes(&[*found]), bytes(&[*expected]), "{i}");
    }
}

#[test]
fn a_lost_device_is_an_error_and_the_cpu_goes_on() {
    let Some(config) = testing::gpu() else { return };
    let batch = small_plate();
    let failing = |limit| {
        Gpu::open(&EngineConfig {
            fail_after_dispatches: Some(limit),
            max_buffer_bytes: Some(1 << 20),
            ..config.clone()
        })
        .unwrap()
    };
    for limit in [0, 1] {
        let gpu = failing(limit);
        let error = gpu.measure(&batch).unwrap_err();
        assert!(
            error.is_gpu() && error.to_string().contains("lost"),
            "{error}"
        );
        let error = gpu.measure(&batch).unwrap_err();
        assert!(error.is_gpu(), "still lost: {error}");
    }
    let told = std::sync::Arc::new(Mutex::new(Vec::new()));
    let warnings = told.clone();
    let backend = crate::likelihood::backend::Backend::auto(failing(1), move |warning| {
        warnings.lock().unwrap().push(warning.to_owned())
    });
    let on_cpu = bytes(&Cpu.measure(&batch).unwrap());
    assert_eq!(bytes(&backend.measure(&batch).unwrap()), on_cpu);
    assert_eq!(bytes(&backend.measure(&batch).unwrap()), on_cpu);
    assert_eq!(told.lock().unwrap().len(), 1, "told once");
    assert!(backend.name().contains("then CPU"), "{}", backend.name());
}

#[test]
fn a_device_that_is_too_small_is_an_error() {
    let Some(config) = testing::gpu() else { return };
    let gpu = Gpu::open(&EngineConfig {
        max_buffer_bytes: Some(4096),
        ..config
    })
    .unwrap();
    let error = gpu.measure(&small_plate()).unwrap_err();
    assert!(matches!(error, Error::GpuMemory { .. }), "{error}");
}

#[test]
fn a_result_that_is_not_written_is_an_error() {
    let Some(config) = testing::gpu() else { return };
    let silent = SHADER.replace("        results[index] = found;\n", "");
    assert_ne!(silent, SHADER);
    let gpu = Gpu::with_shaders(
        &config,
        Shaders {
            measure: &silent,
            ..SHADERS
        },
    )
    .unwrap();
    let error = gpu.measure(&small_plate()).unwrap_err();
    assert!(error.to_string().contains("did not write"), "{error}");
}

#[test]
fn a_shader_that_does_not_compile_is_an_error() {
    let Some(config) = testing::gpu() else { return };
    let broken = "fn measure() { return 1; }";
    for shaders in [
        Shaders {
            measure: broken,
            ..SHADERS
        },
        Shaders {
            tabulate: broken,
            ..SHADERS
        },
    ] {
        let error = Gpu::with_shaders(&config, shaders).unwrap_err();
        assert!(
            error.is_gpu() && error.to_string().contains("refused"),
            "{error}"
        );
    }
}
