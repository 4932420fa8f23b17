//! Compute on a graphics processor, by wgpu (Vulkan, Metal, Direct3D 12). Knows no astronomy.
//!
//! `adapters` lists what there is and chooses; an `Engine` is an opened device; a `Kernel` is a compiled shader with
//! one uniform block, read-only inputs, scratch and one output; a `Slot` is the memory of one dispatch in flight. With
//! two slots the next dispatch's inputs are written while the present one runs.
//!
//! Nothing here panics on what a driver does: refused memory, a lost device and validation errors all come back as
//! [`crate::Error`].

mod adapter;
#[cfg(feature = "gpu")]
pub mod adapters;
#[cfg(feature = "gpu")]
mod engine;
#[cfg(feature = "gpu")]
mod slot;
#[cfg(all(feature = "gpu", feature = "lab"))]
pub mod testing;

pub use adapter::{AdapterChoice, AdapterInfo, EngineConfig};
#[cfg(feature = "gpu")]
pub use adapter::{DeviceKind, fits};
#[cfg(feature = "gpu")]
pub use engine::{Engine, Kernel};
#[cfg(feature = "gpu")]
pub use slot::{Dispatch, Shifted, Slot};

/// What is said where a GPU is asked of a build that has none.
pub const NOT_BUILT: &str = "this relrv was built without the feature gpu";
