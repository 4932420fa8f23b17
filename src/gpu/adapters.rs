//! What adapters there are, and which one to take.

use super::adapter::{AdapterChoice, AdapterInfo, DeviceKind, fits};
use crate::{Error, Result};

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
