//! The survey's files from spectra to calibrated velocities: the plate that comes with the source, or files of yours.
//!
//! Usage: `cargo run --release --example survey -- [OUT [FILE_OR_DIRECTORY...]]`

use std::path::PathBuf;

use relrv::{Column, ProductFormat, RunOptions, Table, run};

fn main() -> relrv::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let out = arguments.next().unwrap_or_else(|| "survey-out".into());
    let mut inputs: Vec<PathBuf> = arguments.collect();
    if inputs.is_empty() {
        inputs.push("data-samples/plate-small".into());
    }
    let options = RunOptions::new(inputs, &out).formats(&[ProductFormat::Fits]);
    let summary = run(&options)?;
    println!(
        "{} of {} spectra measured, of {} stars",
        summary.n_measured, summary.n_spectra, summary.n_stars
    );
    for rejected in summary.rejected.iter().chain(&summary.complaints) {
        println!("{rejected}");
    }

    // The products are tables like any other: here the stars that vary.
    let stars = Table::read(&out.join("stars.fits"))?;
    let column = |name: &str| stars.column(name);
    let scatter = column("scatter_after").and_then(Column::to_f64);
    if let (Some(name), Some(arm), Some(variable), Some(scatter_km_s)) = (
        column("designation"),
        column("arm"),
        column("variable"),
        scatter,
    ) {
        for (row, scatter_km_s) in scatter_km_s.iter().enumerate() {
            if variable.text_at(row) == "true" {
                let (name, arm) = (name.text_at(row), arm.text_at(row));
                println!("{name} varies by {scatter_km_s:.2} km/s ({arm})");
            }
        }
    }
    Ok(())
}
