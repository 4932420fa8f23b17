//! The likelihood of one spectrum on the default grid, one thread: ns per pixel and velocity.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use relrv::Arm;
use relrv::double_lined::coarse::CoarseExposure;
use relrv::double_lined::judge::evidence;
use relrv::lab::simulate::{SpectrumOptions, StellarParams, Template, spectrum};
use relrv::lamost::arm::KNOT_PIXELS;
use relrv::likelihood::{Batch, Cpu, Likelihood, ReferenceTable, SpectrumPixels, VelocityGrid};
use relrv::reference::Reference;
use relrv::spectrum::{Normalizer, SpectrumConfig};

fn stages(c: &mut Criterion) {
    let grid = VelocityGrid::new(500.0, 1.0).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut normalizer = Normalizer::default();
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .unwrap();
    for arm in Arm::ALL {
        let template = Template::new(&StellarParams::dwarf(5800.0), arm);
        let raw = [60.0, 40.0].map(|snr| {
            spectrum(
                &mut rng,
                &template,
                0.0,
                0.0,
                snr,
                &SpectrumOptions::default(),
            )
        });
        let config = SpectrumConfig::default();
        let mut normalize = |raw| normalizer.normalize(&config, raw, 500.0).unwrap();
        let (best, exposure) = (normalize(&raw[0]), normalize(&raw[1]));
        let mut group = c.benchmark_group(arm.name());
        group.bench_function("continuum and masks", |b| {
            b.iter(|| normalize(black_box(&raw[1])))
        });
        group.bench_function("reference spline", |b| {
            b.iter(|| Reference::new(black_box(&best), KNOT_PIXELS))
        });
        let reference = Reference::new(&best, KNOT_PIXELS).unwrap();
        group.bench_function("reference table", |b| {
            b.iter(|| ReferenceTable::new(black_box(&reference), &grid))
        });
        let mut scratch = CoarseExposure::default();
        // The reference itself costs what is done once for a star; each further exposure adds its own time.
        for n in [1, 11] {
            let exposures: Vec<_> = std::iter::repeat_n(&exposure, n).collect();
            group.bench_function(format!("second copies, {n} exposures"), |b| {
                b.iter(|| evidence(&reference, exposures.iter().copied(), 0, true, &mut scratch))
            });
        }
        group.bench_function("pixels", |b| {
            b.iter(|| SpectrumPixels::new(black_box(&exposure), &reference, &grid))
        });
        let pixels = SpectrumPixels::new(&exposure, &reference, &grid);
        group.throughput(Throughput::Elements((pixels.len() * grid.len()) as u64));
        let batch = Batch {
            grid,
            references: vec![reference],
            spectra: vec![pixels],
        };
        group.bench_function("likelihood", |b| {
            b.iter(|| Cpu.measure(black_box(&batch)).unwrap())
        });
        group.finish();
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
