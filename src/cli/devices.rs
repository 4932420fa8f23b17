//! `relrv devices`: every adapter, and what relrv would do with it.

use serde::Serialize;

use super::Outcome;
#[cfg(feature = "gpu")]
use crate::gpu::{AdapterChoice, DeviceKind, adapters, fits};
use crate::gpu::{AdapterInfo, NOT_BUILT};
use crate::likelihood::{Cpu, Likelihood};
use crate::text::plain;
use crate::{Result, tell};

/// List the GPUs that relrv could compute on.
#[derive(Debug, clap::Args)]
pub struct DevicesArgs {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Device {
    #[serde(flatten)]
    adapter: AdapterInfo,
    /// What relrv would do with it.
    verdict: String,
}

#[derive(Serialize)]
struct Devices {
    cpu: String,
    adapters: Vec<Device>,
}

impl DevicesArgs {
    /// Lists them.
    pub fn run(self) -> Result<Outcome> {
        let devices = Devices {
            cpu: Cpu.name(),
            adapters: adapters(),
        };
        if self.json {
            let text = serde_json::to_string_pretty(&devices)
                .map_err(|e| crate::Error::Config(e.to_string()))?;
            tell::product(format!("{text}\n").as_bytes())?;
        } else {
            tell::product(text(&devices).as_bytes())?;
        }
        Ok(Outcome::Done)
    }
}

#[cfg(feature = "gpu")]
fn adapters() -> Vec<Device> {
    let list = adapters::list();
    let devices = list.iter().enumerate().map(|(i, adapter)| Device {
        adapter: adapter.clone(),
        verdict: verdict(&list, i),
    });
    devices.collect()
}

#[cfg(not(feature = "gpu"))]
fn adapters() -> Vec<Device> {
    Vec::new()
}

/// Why there is no adapter.
const NONE: &str = match cfg!(feature = "gpu") {
    true => "the system shows no adapter (is a Vulkan driver installed?)",
    false => NOT_BUILT,
};

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
    if let Some(defect) = crate::likelihood::gpu::unfit(adapter) {
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

fn text(devices: &Devices) -> String {
    let mut out = format!("{}\n", devices.cpu);
    if devices.adapters.is_empty() {
        out += &format!("no GPU: {NONE}\n");
    }
    let mib = |bytes: u64| format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20));
    for Device { adapter, verdict } in &devices.adapters {
        out += &format!("{}\n", plain::line(&adapter.name));
        let rows = [
            ("type", adapter.kind.name().to_owned()),
            ("backend", adapter.backend.clone()),
            ("driver", adapter.driver.clone()),
            ("buffer", mib(adapter.max_buffer_bytes)),
            ("binding", mib(adapter.max_binding_bytes)),
            (
                "workgroup",
                format!(
                    "{} threads, {} KiB",
                    adapter.max_workgroup_threads,
                    adapter.max_workgroup_bytes / 1024
                ),
            ),
            (
                "own clock",
                if adapter.timestamps { "yes" } else { "no" }.to_owned(),
            ),
            ("relrv", verdict.clone()),
        ];
        for (name, value) in rows {
            out += &format!("  {name:<10} {}\n", plain::line(&value));
        }
    }
    out
}
