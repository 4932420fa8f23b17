//! Compute on a graphics processor, by wgpu (Vulkan, Metal, Direct3D 12). Knows no astronomy.
//!
//! `adapters` lists what there is and chooses; an `Engine` is an opened device; a `Kernel` is a compiled shader with the buffers that
//! it reads and writes; a `Slot` is the memory of one dispatch in flight: a uniform block, inputs, what kernels make for others that
//! run after them, scratch and one output. With two slots the next dispatch's inputs are written while the present one runs.
//!
//! Nothing here panics on what a driver does: refused memory, a lost device and validation errors all come back as
//! [`crate::Error`].

mod adapter;
#[cfg(feature = "gpu")]
pub mod adapters;
#[cfg(feature = "gpu")]
mod engine;
#[cfg(feature = "gpu")]
mod kernel;
#[cfg(feature = "gpu")]
mod slot;
#[cfg(all(feature = "gpu", feature = "lab"))]
pub mod testing;

pub use adapter::{AdapterChoice, AdapterInfo, EngineConfig};
#[cfg(feature = "gpu")]
pub use adapter::{DeviceKind, fits};
#[cfg(feature = "gpu")]
pub use engine::Engine;
#[cfg(feature = "gpu")]
pub use kernel::{Buffer, Kernel};
#[cfg(feature = "gpu")]
pub use slot::{Dispatch, Pass, Slot};

/// What is said where a GPU is asked of a build that has none.
pub const NOT_BUILT: &str = "this relrv was built without the feature gpu";
