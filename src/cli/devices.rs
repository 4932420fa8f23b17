//! `relrv devices`: every adapter, and what relrv would do with it.

use serde::Serialize;

use super::Outcome;
use crate::gpu::{AdapterInfo, NOT_BUILT};
use crate::likelihood::devices::judged_adapters;
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
        let adapters = judged_adapters().into_iter();
        let adapters = adapters.map(|(adapter, verdict)| Device { adapter, verdict });
        let devices = Devices {
            cpu: Cpu.name(),
            adapters: adapters.collect(),
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

/// Why there is no adapter.
const NONE: &str = match cfg!(feature = "gpu") {
    true => "the system shows no adapter (is a Vulkan driver installed?)",
    false => NOT_BUILT,
};

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
