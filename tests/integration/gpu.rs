//! The GPU against the CPU, from files to rows, and what the command line makes of a GPU that is lost.

use std::path::Path;

use relrv::gpu::testing;
use relrv::lab::bench::Agreement;
use relrv::likelihood::{Cpu, Gpu, Likelihood, Measurement};
use relrv::measure::measure;

use crate::support::{default_config, folder, relrv, root, run_measure, small_plate, told};

fn measured<P: AsRef<Path>>(inputs: &[P], backend: &dyn Likelihood) -> Vec<Measurement> {
    let measured = measure(&default_config(), inputs, backend, &()).unwrap();
    measured.rows.iter().map(|r| r.measurement).collect()
}

fn assert_parity<P: AsRef<Path>>(gpu: &Gpu, inputs: &[P]) {
    let (on_gpu, on_cpu) = (measured(inputs, gpu), measured(inputs, &Cpu));
    let agreement = Agreement::of(&on_gpu, &on_cpu);
    println!("{agreement:?}");
    assert_eq!(on_gpu.len(), on_cpu.len());
    assert!(
        agreement.spectra >= 4 && agreement.is_parity(),
        "{agreement:?}"
    );
}

#[test]
fn simulated_plates_give_the_same_rows() {
    let Some(config) = testing::gpu() else { return };
    let gpu = Gpu::open(&config).unwrap();
    assert_parity(&gpu, &[root().join("data-samples/plate-small")]);
    assert_parity(&gpu, &[small_plate()]);
}

#[test]
fn real_files_give_the_same_rows() {
    let Some(config) = testing::gpu() else { return };
    let Some(folder) = std::env::var_os("RELRV_REAL_DATA") else {
        eprintln!("skipped: RELRV_REAL_DATA names no folder of LAMOST files");
        return;
    };
    assert_parity(&Gpu::open(&config).unwrap(), &[folder]);
}

#[test]
fn a_lost_gpu_that_was_demanded_is_a_clean_failure() {
    if testing::gpu().is_none() {
        return;
    }
    let folder = folder();
    let out = folder.path().join("rv.fits");
    let more = ["--backend", "gpu", "--gpu-fail-after", "0"];
    let (status, stdout, stderr) = run_measure(&[small_plate()], &out, &more);
    assert_eq!(status, 1, "{stdout}{stderr}");
    assert!(
        stderr.contains("error: GPU") && stderr.contains("lost"),
        "{stderr}"
    );
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "half-written"
    );
}

#[test]
fn an_adapter_that_is_not_there_is_named() {
    let folder = folder();
    let out = folder.path().join("rv.csv");
    let demanded = ["--backend", "gpu", "--adapter", "Voodoo 2"];
    let (status, _, stderr) = run_measure(&[small_plate()], &out, &demanded);
    assert_eq!(status, 1);
    assert!(stderr.contains("Voodoo 2") && !out.exists(), "{stderr}");
    let (status, stdout, stderr) = run_measure(&[small_plate()], &out, &["--adapter", "Voodoo 2"]);
    assert_eq!(status, 0, "{stderr}");
    assert!(
        stderr.contains("Voodoo 2") && stdout.contains("CPU ("),
        "{stdout}{stderr}"
    );
}

#[test]
fn devices_are_listed() {
    let (status, stdout, _) = told(&relrv(&["devices"]));
    assert_eq!(status, 0);
    assert!(stdout.starts_with("CPU ("), "{stdout}");
    let (status, stdout, _) = told(&relrv(&["devices", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(status, 0);
    for adapter in json["adapters"].as_array().unwrap() {
        let software = adapter["kind"] == "software";
        let verdict = adapter["verdict"].as_str().unwrap();
        assert!(
            !software || verdict.contains("never taken by auto"),
            "{verdict}"
        );
    }
}

#[test]
fn bench_tells_agreement_and_times() {
    let args = [
        "bench",
        "--spectra",
        "30",
        "--vmax",
        "60",
        "--runs",
        "1",
        "--threads",
        "2",
    ];
    let (status, stdout, stderr) = told(&relrv(&[&args[..], &["--backend", "cpu"]].concat()));
    assert_eq!(status, 0, "{stderr}");
    assert!(
        stdout.contains("spectra/s") && stdout.contains("2215918"),
        "{stdout}"
    );
    if testing::gpu().is_none() {
        return;
    }
    let more = ["--backend", "gpu", "--cpu-spectra", "12", "--json"];
    let (status, stdout, stderr) = told(&relrv(&[&args[..], &more].concat()));
    assert_eq!(status, 0, "{stderr}");
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["agreement"]["spectra"], 12);
    assert_eq!(json["agreement"]["flags_differ"], 0);
    assert_eq!(json["gpu_repeats"], true);
    assert!(
        json["agreement"]["dv_m_s"][2].as_f64().unwrap() < 1.0,
        "{stdout}"
    );
}
