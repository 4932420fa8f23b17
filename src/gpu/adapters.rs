//! What adapters there are, and which one to take.

use serde::Serialize;

use crate::{Error, Result};

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

fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // No validation layers: our shaders are validated by tests, and a layer on one machine would change the timing there.
    descriptor.flags = wgpu::InstanceFlags::empty();
    wgpu::Instance::new(descriptor)
}

fn info(adapter: &wgpu::Adapter) -> AdapterInfo {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    AdapterInfo {
        name: info.name,
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => DeviceKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => DeviceKind::Integrated,
            wgpu::DeviceType::VirtualGpu => DeviceKind::Virtual,
            wgpu::DeviceType::Cpu => DeviceKind::Software,
            wgpu::DeviceType::Other => DeviceKind::Other,
        },
        backend: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_owned(),
        max_buffer_bytes: limits.max_buffer_size,
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
        max_workgroup_threads: limits.max_compute_invocations_per_workgroup,
        max_workgroups: limits.max_compute_workgroups_per_dimension,
        timestamps: adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY),
    }
}

/// Every adapter, best first.
fn enumerate() -> Vec<(wgpu::Adapter, AdapterInfo)> {
    let adapters = pollster::block_on(instance().enumerate_adapters(wgpu::Backends::all()));
    let mut adapters: Vec<_> = adapters.into_iter().map(|a| (info(&a), a)).collect();
    adapters.sort_by_key(|(a, _)| a.kind);
    adapters.into_iter().map(|(info, a)| (a, info)).collect()
}

/// Every adapter, best first.
pub fn list() -> Vec<AdapterInfo> {
    enumerate().into_iter().map(|(_, info)| info).collect()
}

/// Whether an adapter may be taken by this choice.
pub fn fits(info: &AdapterInfo, choice: &AdapterChoice) -> bool {
    let named = info
        .name
        .to_lowercase()
        .contains(&choice.name.to_lowercase());
    named && (choice.software || info.kind.is_real())
}

/// The best adapter that fits.
pub(super) fn choose(choice: &AdapterChoice) -> Result<(wgpu::Adapter, AdapterInfo)> {
    let adapters = enumerate();
    let names: Vec<String> = adapters
        .iter()
        .map(|(_, info)| format!("{} ({})", info.name, info.kind.name()))
        .collect();
    adapters
        .into_iter()
        .find(|(_, info)| fits(info, choice))
        .ok_or_else(|| {
            let wanted = match choice.name.as_str() {
                "" => "no GPU was found".to_owned(),
                name => format!("no GPU named '{name}' was found"),
            };
            Error::NoGpu(match names.as_slice() {
                [] => {
                    format!("{wanted}: the system shows no adapter (is a Vulkan driver installed?)")
                }
                names => format!("{wanted}; there are: {}", names.join(", ")),
            })
        })
}

#[cfg(test)]
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
