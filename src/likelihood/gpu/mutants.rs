//! Shaders broken on purpose: each must be noticed by the comparison with the CPU.

use super::structs::{SHADER, TABULATE};
use super::tests::{add_star, disagreement, small_plate};
use super::*;
use crate::gpu::testing;
use crate::likelihood::Cpu;
use crate::likelihood::test_data::exposure;
use crate::reference::Reference;

/// One-line mistakes: what is replaced, by what.
const MUTANTS: [(&str, &str, &str); 19] = [
    (
        "last pixel skipped",
        "if index >= spectrum.n_pixels {\n        return Terms",
        "if index + 1u >= spectrum.n_pixels {\n        return Terms",
    ),
    (
        "wrong sign of v",
        "let down0 = 4u * (params.n_velocities - 1u - plan.first);",
        "let down0 = 4u * plan.first;",
    ),
    (
        "index of interpolation off by one",
        "place(spectrum, entry[j] + 1u)",
        "place(spectrum, entry[j] + 2u)",
    ),
    (
        "weight missing",
        "Terms(r * r * pixel.ivar,",
        "Terms(r * r,",
    ),
    (
        "log term missing",
        "(*sums).exponent += vec4<i32>(bits >> vec4<u32>(23u)) - vec4<i32>(127);",
        "",
    ),
    (
        "flux taken for the variance",
        "v0[j] = tables[spectrum.table + here];",
        "v0[j] = fluxes[spectrum.flux + here];",
    ),
    ("fine step wrong", "- k * plan.quarters;", "- k * 2u;"),
    (
        "block sum dropped",
        "(*sums).total = wide_add((*sums).total, wide_of((*sums).chi2));",
        "(*sums).total = wide_of((*sums).chi2);",
    ),
    (
        "carry dropped",
        "let carry = select(vec4<i32>(0), vec4<i32>(1), low < b.low);",
        "let carry = vec4<i32>(0);",
    ),
    ("borrow dropped", " - select(0, 1, a.y < b.y)", ""),
    (
        "last group of pixels dropped",
        "g < groups; g++",
        "g < groups - 1u; g++",
    ),
    (
        "barrier dropped",
        "        workgroupBarrier();\n        if thread < side",
        "        if thread < side",
    ),
    (
        "half of the threads not summed",
        "let sum = bitcast<vec4<f32>>(stage[thread]) + bitcast<vec4<f32>>(stage[thread + half]);",
        "let sum = bitcast<vec4<f32>>(stage[thread]);",
    ),
    (
        "vertex at twice the distance",
        "let x = -0.5 * b / c * unit;",
        "let x = -b / c * unit;",
    ),
    (
        "search looks elsewhere",
        "* spectrum.table_len + step),",
        "* spectrum.table_len + step + 40u),",
    ),
    ("own error not own", "weighed * own,", "weighed,"),
    (
        "row of another copy",
        "(start & 3u) * params.row_stride",
        "(start & 2u) * params.row_stride",
    ),
    ("half of the pixels not searched", "if add {", "if !add {"),
    (
        "near block's variance for the far one",
        "tables[start + FAR / BLOCK_LANES]",
        "tables[start]",
    ),
];

/// The same in the shader that makes tables.
const TABLE_MUTANTS: [(&str, &str, &str); 10] = [
    (
        "fluxes of the next pixel",
        "let pixel = reference.first_pixel + low;",
        "let pixel = reference.first_pixel + low + 1u;",
    ),
    (
        "place in the pixel forgotten",
        "let x = min(f32(at - before) / width, 1.0);",
        "let x = 0.5;",
    ),
    (
        "knot interval off by one",
        "let c = first + knot.interval;",
        "let c = first + knot.interval + 1u;",
    ),
    ("last B-spline dropped", "t * t * t / 6.0,\n", "0.0,\n"),
    (
        "shifted copies that are not made",
        "copy < ROW_COPIES;",
        "copy < 1u;",
    ),
    (
        "flux taken for the variance",
        "spline(flux0 + reference.n_coefficients, knot)",
        "spline(flux0, knot)",
    ),
    (
        "covariances dropped",
        "of_row += 2.0 * b[k] * bitcast<f32>(splines[row + k - j]);",
        "",
    ),
    (
        "slope per knot interval",
        " * knot.per_km_s * knot.per_km_s",
        "",
    ),
    (
        "fit's variances of another place",
        "on_knots(reference, PHASES * COARSE * i)",
        "on_knots(reference, COARSE * i)",
    ),
    (
        "blocks' means of one velocity",
        "min(step + lane, reference.table_len - 1u)",
        "min(step, reference.table_len - 1u)",
    ),
];

/// A double-lined star on the whole grid, so that the height of the second peak tells how the search did far from the first;
/// the reference's noise comes and goes within a few hundred km/s.
fn double_lined() -> Batch {
    let mut batch = Batch {
        grid: VelocityGrid::new(500.0, 1.0).unwrap(),
        references: Vec::new(),
        spectra: Vec::new(),
    };
    let mut best = exposure(0.0, 40.0, 0);
    for (i, ivar) in best.ivar.iter_mut().enumerate() {
        *ivar *= 1.0 + 0.9 * (i as f64 / 30.0).sin();
    }
    let mut double = exposure(-160.0, 30.0, 3);
    let other = exposure(170.0, 30.0, 3);
    for (flux, other) in double.flux.iter_mut().zip(&other.flux) {
        *flux = 0.5 * (*flux + other);
    }
    add_star(
        &mut batch,
        &Reference::new(&best, 3).expect("good pixels"),
        &[double],
    );
    batch
}

#[test]
fn every_mutant_is_rejected() {
    let Some(config) = testing::gpu() else { return };
    let mut single = small_plate();
    single.spectra.truncate(5);
    let judged = [single, double_lined()].map(|batch| {
        let on_cpu = Cpu.measure(&batch).unwrap();
        (batch, on_cpu)
    });
    assert!(judged[1].1[0].second_peak > 0.3, "{:?}", judged[1].1);
    let agrees = |shaders: Shaders<'_>| {
        let Ok(gpu) = Gpu::with_shaders(&config, shaders) else {
            return false;
        };
        judged
            .iter()
            .all(|(batch, on_cpu)| match gpu.measure(batch) {
                Ok(on_gpu) => disagreement(&on_gpu, on_cpu).is_parity(),
                Err(_) => false,
            })
    };
    assert!(agrees(SHADERS), "the shaders themselves are rejected");
    let survivors: Vec<&str> = MUTANTS
        .iter()
        .filter(|(name, from, to)| {
            assert_eq!(SHADER.matches(from).count(), 1, "{name}: {from}");
            agrees(Shaders {
                measure: &SHADER.replace(from, to),
                ..SHADERS
            })
        })
        .map(|(name, _, _)| *name)
        .collect();
    assert!(survivors.is_empty(), "not noticed: {survivors:?}");
    let survivors: Vec<&str> = TABLE_MUTANTS
        .iter()
        .filter(|(name, from, to)| {
            assert_eq!(TABULATE.matches(from).count(), 1, "{name}: {from}");
            agrees(Shaders {
                tabulate: &TABULATE.replace(from, to),
                ..SHADERS
            })
        })
        .map(|(name, _, _)| *name)
        .collect();
    assert!(survivors.is_empty(), "not noticed: {survivors:?}");
}
