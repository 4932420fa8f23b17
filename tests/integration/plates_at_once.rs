//! A back end that takes plates gets all of a plate's spectra of one arm in one call, and no number depends on it.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use relrv::gpu::testing;
use relrv::lab::bench::Agreement;
use relrv::lab::simulate::Config;
use relrv::likelihood::{Batch, Cpu, Gpu, Likelihood, Measurement};
use relrv::measure::{MeasureConfig, Measured, Progress, ReferenceKind, measure};

use crate::support::{default_config, made_once};

/// The CPU, which says that it takes plates; notes the spectra of each call.
#[derive(Default)]
struct Device(Mutex<Vec<usize>>);

impl Likelihood for Device {
    fn name(&self) -> String {
        Cpu.name()
    }

    fn takes_plates(&self) -> bool {
        true
    }

    fn measure(&self, batch: &Batch) -> relrv::Result<Vec<Measurement>> {
        self.0.lock().unwrap().push(batch.spectra.len());
        Cpu.measure(batch)
    }

    fn curve(&self, batch: &Batch, spectrum: usize) -> relrv::Result<Vec<f64>> {
        Cpu.curve(batch, spectrum)
    }
}

/// Two plates of two spectrographs with four stars each: 32 files, 64 spectra an arm.
fn two_plates() -> &'static [PathBuf] {
    static PLATES: OnceLock<[PathBuf; 2]> = OnceLock::new();
    let make = |seed| {
        made_once(Config {
            seed,
            stars: 4,
            spectrographs: 2,
            nights: 2,
            exposures: 2,
            snr: (25.0, 80.0),
            out: format!("plates-at-once-{seed}").into(),
            ..Config::default()
        })
    };
    PLATES.get_or_init(|| [61, 62].map(make))
}

fn settings() -> MeasureConfig {
    MeasureConfig {
        reference: ReferenceKind::Coadd,
        ..default_config()
    }
}

fn measured(config: &MeasureConfig, inputs: &[PathBuf], backend: &dyn Likelihood) -> Measured {
    measure(config, inputs, backend, &()).unwrap()
}

#[test]
fn a_call_has_a_plate_and_an_arm() {
    let plates = two_plates();
    let device = Device::default();
    let on_device = measured(&settings(), plates, &device);
    let calls = device.0.into_inner().unwrap();
    println!("spectra of the calls: {calls:?}");
    // Two spectrographs x 4 stars x 2 nights x 2 exposures.
    assert_eq!(calls, [32, 32, 32, 32], "plates x arms");
    let on_cpu = measured(&settings(), plates, &Cpu);
    assert_eq!(
        format!("{:?}", on_device.rows),
        format!("{:?}", on_cpu.rows)
    );
    assert_eq!(on_device.n_spectra, on_cpu.n_spectra);

    // With the least memory that can be set a plate is cut, and nothing else changes.
    let little = MeasureConfig {
        memory_bytes: 1 << 20,
        ..settings()
    };
    let device = Device::default();
    let cut = measured(&little, plates, &device);
    let calls = device.0.into_inner().unwrap();
    assert!(calls.len() > 4, "{calls:?}");
    assert_eq!(format!("{:?}", cut.rows), format!("{:?}", on_cpu.rows));

    let Some(config) = testing::gpu() else { return };
    let gpu = Gpu::open(&config).unwrap();
    let on_gpu = measured(&settings(), plates, &gpu);
    let device = gpu.device_use().unwrap();
    println!("{device:?}");
    assert_eq!((device.dispatches, device.largest_dispatch), (4, 32));
    assert_eq!(device.spectra, 128);
    assert!(device.bytes_up as f64 / 128.0 < 43e3, "{device:?}");
    let rows = |m: &Measured| m.rows.iter().map(|r| r.measurement).collect::<Vec<_>>();
    let agreement = Agreement::of(&rows(&on_gpu), &rows(&on_cpu));
    assert!(agreement.is_parity(), "{agreement:?}");
}

/// Cancels once the first plate is done.
#[derive(Default)]
struct Stops(Mutex<bool>);

impl Progress for Stops {
    fn files(&self, done: usize, _: usize) {
        *self.0.lock().unwrap() = done > 0;
    }

    fn cancelled(&self) -> bool {
        *self.0.lock().unwrap()
    }
}

#[test]
fn a_run_that_is_cancelled_ends_after_the_plate_that_is_done() {
    let plates = two_plates();
    let device = Device::default();
    let error = measure(&settings(), plates, &device, &Stops::default()).unwrap_err();
    assert!(matches!(error, relrv::Error::Interrupted(_)), "{error}");
    assert!(device.0.into_inner().unwrap().len() <= 4);
}
