//! The stages put together: from spectra to velocities, for a star, for many stars, for all files.

mod alone;
mod arms;
mod astray;
mod bite;
pub mod bites;
pub mod coadd;
pub mod compared;
pub mod comparison;
pub mod config;
pub mod curve;
mod drift;
pub mod files;
pub mod first_pass;
mod flow;
pub mod job;
pub mod keeper;
pub mod measurer;
pub mod memory;
pub mod moonlight;
pub mod options;
pub mod pixel_flags;
pub mod plan;
mod prepared;
pub mod row;
#[cfg(feature = "report")]
pub mod seen;
mod shelf;
pub mod spectra;
pub mod stages;
mod star;
pub mod still;
pub mod survey_file;
pub mod telluric;
mod undrifted;
pub mod unit;
mod workspace;

pub use compared::ComparedSpectrum;
pub use comparison::ReferenceKind;
pub use config::{MeasureConfig, Telluric};
pub use curve::Curve;
pub use files::{Measured, measure};
#[cfg(feature = "lab")]
pub use first_pass::FirstPass;
pub use flow::measure_units;
pub use job::{Job, Progress};
pub use keeper::Keeper;
pub use measurer::{Measurer, NotMeasured, StarVelocities};
pub use options::{Device, MeasureOptions};
pub use pixel_flags::PixelFlags;
pub use plan::{Plan, Unit};
pub use row::RvRow;
pub use spectra::Spectrum;
pub use survey_file::{SurveyFile, SurveySpectrum};
#[cfg(feature = "lab")]
pub use telluric::Air;
pub use unit::{MeasuredStar, MeasuredUnit};
