//! Compute on a graphics processor, by wgpu (Vulkan, Metal, Direct3D 12). Knows no astronomy.
//!
//! [`adapters`] lists what there is and chooses; an [`Engine`] is an opened device; a [`Kernel`] is a compiled shader with
//! one uniform block, read-only inputs, scratch and one output; a [`Slot`] is the memory of one dispatch in flight. With
//! two slots the next dispatch's inputs are written while the present one runs.
//!
//! Nothing here panics on what a driver does: refused memory, a lost device and validation errors all come back as
//! [`crate::Error`].

pub mod adapters;
mod engine;
mod slot;
#[doc(hidden)]
pub mod testing;

pub use adapters::{AdapterChoice, AdapterInfo, DeviceKind};
pub use engine::{Engine, EngineConfig, Kernel};
pub use slot::{Dispatch, Shifted, Slot};
