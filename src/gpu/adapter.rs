//! What is known of an adapter, and what can be asked for. These types need no graphics library, so a build without the feature `gpu`
//! has them too.

// Such a build never makes a value of some of these types.
#![cfg_attr(not(feature = "gpu"), allow(dead_code))]

use serde::Serialize;

/// Kind of an adapter, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A card of its own.
    Discrete,
    /// Part of the processor's chip.
    Integrated,
    /// A share of a card, lent by a virtual machine's host.
    Virtual,
    /// The driver does not say.
    Other,
    /// A program on the CPU, such as lavapipe.
    Software,
}

impl DeviceKind {
    /// Whether it is hardware made for this.
    pub fn is_real(self) -> bool {
        matches!(
            self,
            DeviceKind::Discrete | DeviceKind::Integrated | DeviceKind::Virtual
        )
    }

    /// Word for messages.
    pub fn name(self) -> &'static str {
        match self {
            DeviceKind::Discrete => "discrete",
            DeviceKind::Integrated => "integrated",
            DeviceKind::Virtual => "virtual",
            DeviceKind::Other => "other",
            DeviceKind::Software => "software",
        }
    }
}

/// An adapter, and the limits that matter to a compute kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdapterInfo {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: DeviceKind,
    /// Interface it is reached by.
    pub backend: String,
    /// Driver and its version.
    pub driver: String,
    /// Largest buffer, bytes.
    pub max_buffer_bytes: u64,
    /// Largest part of a buffer that a shader can see, bytes.
    pub max_binding_bytes: u64,
    /// Memory that the threads of a workgroup share, bytes.
    pub max_workgroup_bytes: u32,
    /// Threads of a workgroup.
    pub max_workgroup_threads: u32,
    /// Workgroups along one dimension of a dispatch.
    pub max_workgroups: u32,
    /// Whether it can time its own work.
    pub timestamps: bool,
}

/// Which adapter is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdapterChoice {
    /// Part of its name, in any case; empty for any.
    pub name: String,
    /// Whether a software adapter will do.
    pub software: bool,
}

/// Settings of an engine.
#[derive(Clone, Debug, Default)]
pub struct EngineConfig {
    /// Which adapter.
    pub adapter: AdapterChoice,
    /// Largest buffer to be made, bytes; None for what the adapter allows, up to 2 GiB.
    pub max_buffer_bytes: Option<u64>,
    /// Lose the device after this many dispatches: how tests see what happens then.
    pub fail_after_dispatches: Option<u32>,
}

/// Whether an adapter may be taken by this choice.
#[cfg(feature = "gpu")]
pub fn fits(info: &AdapterInfo, choice: &AdapterChoice) -> bool {
    let named = info
        .name
        .to_lowercase()
        .contains(&choice.name.to_lowercase());
    named && (choice.software || info.kind.is_real())
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use super::*;

    fn adapter(name: &str, kind: DeviceKind) -> AdapterInfo {
        AdapterInfo {
            name: name.into(),
            kind,
            backend: "vulkan".into(),
            driver: String::new(),
            max_buffer_bytes: 1,
            max_binding_bytes: 1,
            max_workgroup_bytes: 1,
            max_workgroup_threads: 1,
            max_workgroups: 1,
            timestamps: false,
        }
    }

    #[test]
    fn software_is_taken_only_when_allowed_and_names_match_in_any_case() {
        let choice = |name: &str, software| AdapterChoice {
            name: name.into(),
            software,
        };
        let llvmpipe = adapter("llvmpipe (LLVM 15)", DeviceKind::Software);
        let card = adapter("NVIDIA H100", DeviceKind::Discrete);
        assert!(!fits(&llvmpipe, &choice("", false)));
        assert!(fits(&llvmpipe, &choice("", true)));
        assert!(fits(&card, &choice("h100", false)));
        assert!(!fits(&card, &choice("radeon", true)));
        assert!(!fits(&adapter("?", DeviceKind::Other), &choice("", false)));
    }
}
