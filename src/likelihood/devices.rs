//! What likelihoods can be evaluated on, and what relrv would do with each.

use super::{Cpu, Likelihood};
use crate::gpu::AdapterInfo;
#[cfg(feature = "gpu")]
use crate::gpu::{AdapterChoice, DeviceKind, adapters, fits};

/// Something that likelihoods can be evaluated on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// Its name; that of the processor has its vector instructions and the number of threads.
    pub name: String,
    /// `cpu`, or the kind of a graphics processor: `discrete`, `integrated`, `virtual`, `other`, `software`.
    pub kind: String,
    /// Interface that it is reached by (`vulkan`, `metal`, `dx12`); empty for the processor.
    pub backend: String,
    /// Driver and its version; empty for the processor.
    pub driver: String,
    /// Largest buffer, bytes; 0 for the processor.
    pub max_buffer_bytes: u64,
    /// What relrv would do with it, in words.
    pub verdict: String,
}

/// The processor and every graphics processor that the system shows, as `relrv devices` lists them.
///
/// ```
/// assert_eq!(relrv::devices()[0].kind, "cpu");
/// ```
pub fn devices() -> Vec<DeviceInfo> {
    let cpu = DeviceInfo {
        name: Cpu.name(),
        kind: "cpu".to_owned(),
        backend: String::new(),
        driver: String::new(),
        max_buffer_bytes: 0,
        verdict: "always there".to_owned(),
    };
    let gpus = judged_adapters().into_iter();
    let gpus = gpus.map(|(adapter, verdict)| DeviceInfo {
        name: adapter.name,
        kind: adapter.kind.name().to_owned(),
        backend: adapter.backend,
        driver: adapter.driver,
        max_buffer_bytes: adapter.max_buffer_bytes,
        verdict,
    });
    std::iter::once(cpu).chain(gpus).collect()
}

/// Every adapter, and what relrv would do with it.
#[cfg(feature = "gpu")]
pub fn judged_adapters() -> Vec<(AdapterInfo, String)> {
    let list = adapters::list();
    let judged = list.iter().enumerate();
    judged
        .map(|(i, adapter)| (adapter.clone(), verdict(&list, i)))
        .collect()
}

/// Every adapter: none in this build.
#[cfg(not(feature = "gpu"))]
pub fn judged_adapters() -> Vec<(AdapterInfo, String)> {
    Vec::new()
}

/// What relrv would do with adapter `i`.
#[cfg(feature = "gpu")]
fn verdict(list: &[AdapterInfo], i: usize) -> String {
    let first = |software| {
        let choice = AdapterChoice {
            name: String::new(),
            software,
        };
        list.iter().position(|a| fits(a, &choice))
    };
    let adapter = &list[i];
    if let Some(defect) = super::gpu::unfit(adapter) {
        return format!("not used: {defect}");
    }
    if first(false) == Some(i) {
        return "taken by --backend auto and gpu".to_owned();
    }
    let why = match adapter.kind {
        DeviceKind::Software => {
            "never taken by auto: a program on the CPU, slower than relrv's own"
        }
        DeviceKind::Other => "never taken by auto: of unknown kind",
        _ => "not the first",
    };
    let how = match first(true) == Some(i) {
        true => "taken by --backend gpu",
        false => "taken by --backend gpu with --adapter",
    };
    format!("{how}; {why}")
}
