//! What comes between a star and its file beside noise and one zero point: air, moonlight, optics, detector, mistakes.
//!
//! [`Sky`] has the amounts, [`Conditions`] and [`Response`] what is drawn from them for a spectrum, and [`Light`] and
//! [`View`] put it together before the detector's noise is added.

mod amounts;
mod conditions;
mod damage;
mod detector;
mod exposure;
mod light;
mod lsf;
mod moonlight;
mod sky_lines;
mod truth;
mod water;

pub use amounts::Sky;
pub use conditions::{Conditions, Place};
pub use damage::{Blob, Damage};
pub use detector::Response;
pub use exposure::{Above, Asked, Taken};
pub use light::{Light, View};
pub use lsf::Lsf;
pub use sky_lines::Residuals;
pub use truth::SkyRow;
