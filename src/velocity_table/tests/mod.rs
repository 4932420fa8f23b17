//! Calibration of mocks: what helps all its tests.

mod arms;
mod bad_input;
mod errors;
mod failures;
mod invariance;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::input::{self, Input};
use super::products;
use crate::calibrate::CalFlags;
use crate::calibrate::arms::{
    CalibrateOptions, CalibratedArm, Method, Scope, calibrate, calibrate_except,
};
use crate::lab::validate::mock::{Mock, MockConfig};
use crate::table::{ColumnData, Table};

/// A mock as a table; row i is the mock's row i.
fn table(mock: &Mock) -> Table {
    let rows = &mock.rows;
    let mut t = Table::new();
    t.push_text(
        "star",
        "",
        "",
        rows.iter().map(|r| format!("s{}", r.star)).collect(),
    );
    t.push_i64(
        "exposure",
        "",
        "",
        rows.iter().map(|r| i64::from(r.exposure)).collect(),
    );
    t.push_f64("rv", "km/s", "", rows.iter().map(|r| r.rv_km_s).collect());
    t.push_f64(
        "rv_err",
        "km/s",
        "",
        rows.iter().map(|r| r.err_km_s).collect(),
    );
    t
}

fn mock(seed: u64, missing: f64) -> Mock {
    Mock::new(&MockConfig {
        seed,
        missing,
        ..MockConfig::default()
    })
}

fn run(table: &Table, config: &CalibrateOptions) -> (Input, Vec<CalibratedArm>) {
    let mut input = input::observations(table).unwrap();
    let arms = calibrate(&mut input.observations, config).unwrap();
    (input, arms)
}

fn f64s(table: &Table, name: &str) -> Vec<f64> {
    table.column(name).unwrap().data.to_f64().unwrap()
}

fn bools(table: &Table, name: &str) -> Vec<bool> {
    match &table.column(name).unwrap().data {
        ColumnData::Bool(v) => v.clone(),
        other => panic!("{}", other.type_name()),
    }
}

/// Zero points and errors by exposure name.
fn zps(table: &Table) -> Vec<(f64, f64)> {
    let (input, arms) = run(table, &CalibrateOptions::default());
    let zp = products::zero_points(&input, &arms);
    f64s(&zp, "zp")
        .into_iter()
        .zip(f64s(&zp, "zp_err"))
        .collect()
}

fn assert_same(a: &[(f64, f64)], b: &[(f64, f64)], scale: f64) {
    assert_eq!(a.len(), b.len());
    let largest = a.iter().map(|v| v.0.abs()).fold(0.0, f64::max);
    let mut worst = 0.0_f64;
    for (a, b) in a.iter().zip(b) {
        worst = worst.max((a.0 * scale - b.0).abs() / (largest * scale));
        worst = worst.max((a.1 * scale / b.1 - 1.0).abs());
    }
    println!("largest relative difference {worst:.1e}");
    assert!(worst < 1e-9, "{worst}");
}

fn scaled(table: &Table, factor: f64) -> Table {
    let mut t = table.clone();
    for c in &mut t.columns {
        if let ColumnData::F64(v) = &mut c.data {
            v.iter_mut().for_each(|x| *x *= factor);
        }
    }
    t
}

fn shuffled(table: &Table, seed: u64) -> Table {
    let mut order: Vec<usize> = (0..table.n_rows()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut t = table.clone();
    for c in &mut t.columns {
        c.data = match &c.data {
            ColumnData::Text(v) => ColumnData::Text(order.iter().map(|&i| v[i].clone()).collect()),
            ColumnData::I64(v) => ColumnData::I64(order.iter().map(|&i| v[i]).collect()),
            ColumnData::F64(v) => ColumnData::F64(order.iter().map(|&i| v[i]).collect()),
            other => other.clone(),
        };
    }
    t
}
