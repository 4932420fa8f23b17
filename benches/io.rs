//! Time to read files, per spectrum: `cargo bench --bench io`. With `RELRV_REAL_DATA` on the real files there as well.
//!
//! The budget is 0.25 ms a spectrum for reading, inflating and parsing (one core). Files come from the system's cache.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use relrv::lamost::inflate::Inflater;
use relrv::lamost::inputs;
use relrv::lamost::mrs::{parse, read_file, read_header};
use relrv::lamost::times::Earth;

#[allow(dead_code)]
#[path = "../src/lamost/mrs/tests/sample.rs"]
mod sample;

use sample::{Layout, Sample, gzip};

fn bench_files(c: &mut Criterion, name: &str, files: &[PathBuf]) {
    let mut inflater = Inflater::new();
    let read = |path: &PathBuf, inflater: &mut Inflater| read_file(path, inflater).unwrap();
    let n_spectra: usize = files
        .iter()
        .map(|path| read(path, &mut inflater).spectra.len())
        .sum();
    let contents: Vec<Vec<u8>> = files
        .iter()
        .map(|path| inflater.read(path).unwrap().to_vec())
        .collect();
    let bytes = |lens: &mut dyn Iterator<Item = usize>| lens.sum::<usize>() / 1000;
    eprintln!(
        "{name}: {} files, {n_spectra} spectra, {} kB stored, {} kB inflated; times below are for all of them",
        files.len(),
        bytes(
            &mut files
                .iter()
                .map(|p| std::fs::metadata(p).unwrap().len() as usize)
        ),
        bytes(&mut contents.iter().map(Vec::len)),
    );
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(n_spectra as u64));
    group.bench_function("read, inflate, parse", |b| {
        b.iter(|| {
            for path in files {
                black_box(read(path, &mut inflater));
            }
        });
    });
    group.bench_function("read, inflate", |b| {
        b.iter(|| {
            for path in files {
                black_box(inflater.read(path).unwrap());
            }
        });
    });
    group.bench_function("parse", |b| {
        b.iter(|| {
            for content in &contents {
                black_box(parse(Path::new("med.fits"), content).unwrap());
            }
        });
    });
    group.throughput(Throughput::Elements(files.len() as u64));
    group.bench_function("primary headers", |b| {
        b.iter(|| {
            for path in files {
                black_box(read_header(path, &mut inflater).unwrap());
            }
        });
    });
    group.finish();
}

fn reading(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    for (name, layout) in [
        ("made rows", Layout::Rows),
        ("made vectors", Layout::Vectors),
    ] {
        let bytes = Sample::new(layout, 4).bytes();
        let path = folder.path().join("med-58625-made_sp01-001.fits.gz");
        std::fs::write(&path, gzip(&bytes)).unwrap();
        bench_files(c, name, &[path]);
    }
    match std::env::var_os("RELRV_REAL_DATA") {
        Some(real) => bench_files(c, "real", &inputs::expand(&[PathBuf::from(real)]).0),
        None => eprintln!("real files skipped: RELRV_REAL_DATA names no folder"),
    }
}

fn dates(c: &mut Criterion) {
    c.bench_function("dates", |b| {
        b.iter(|| Earth::at(black_box(84_420_148), 600.0).dates(292.0, 43.9));
    });
}

criterion_group!(benches, reading, dates);
criterion_main!(benches);
