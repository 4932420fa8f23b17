//! What an exposure is compared with: one exposure, or the coadd of those that agree.

pub mod coadd;
pub mod response;
pub mod single;
pub mod sunlight;
pub mod telluric;

pub use coadd::{Coadd, Sunlit, SunlitWhere, weigh_down_lines};
pub use single::Reference;
