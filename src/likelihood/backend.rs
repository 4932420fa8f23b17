//! Which back end measures: it is chosen once, and where a GPU fails the CPU takes over.

use std::sync::{Mutex, PoisonError};

use super::batch::Batch;
use super::{Cpu, DeviceUse, Gpu, Likelihood, Measurement};
use crate::gpu::{AdapterChoice, EngineConfig};
use crate::{Error, Result};

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// A real GPU (no software one) if there is one, else the CPU. If the GPU fails, the CPU takes over.
    #[default]
    Auto,
    /// The best adapter there is, a software one if need be; its failure is an error.
    Gpu,
    /// The CPU.
    Cpu,
}

/// Settings of [`Backend::open`].
#[derive(Clone, Debug, Default)]
pub struct BackendConfig {
    /// What was asked for.
    pub choice: Choice,
    /// Part of the adapter's name, in any case; empty for any.
    pub adapter: String,
    /// Largest buffer on the GPU, bytes.
    pub max_buffer_bytes: Option<u64>,
    /// Lose the GPU after this many dispatches: for tests.
    pub fail_after_dispatches: Option<u32>,
}

/// A back end, chosen.
pub struct Backend {
    gpu: Option<Gpu>,
    /// Why the CPU measures although a GPU was wanted.
    cpu_because: Mutex<Option<String>>,
    choice: Choice,
    /// Is told once when a GPU fails and the CPU takes over.
    warn: Box<dyn Fn(&str) + Sync + Send>,
}

impl Backend {
    /// Opens what was asked for. `warn` is told when a GPU fails and the CPU takes over.
    pub fn open(
        config: &BackendConfig,
        warn: impl Fn(&str) + Sync + Send + 'static,
    ) -> Result<Self> {
        let engine = EngineConfig {
            adapter: AdapterChoice {
                name: config.adapter.clone(),
                software: config.choice == Choice::Gpu,
            },
            max_buffer_bytes: config.max_buffer_bytes,
            fail_after_dispatches: config.fail_after_dispatches,
        };
        let mut backend = Backend {
            gpu: None,
            cpu_because: Mutex::new(None),
            choice: config.choice,
            warn: Box::new(warn),
        };
        match config.choice {
            Choice::Cpu => {}
            Choice::Gpu => backend.gpu = Some(Gpu::open(&engine)?),
            Choice::Auto => match Gpu::open(&engine) {
                Ok(gpu) => backend.gpu = Some(gpu),
                // A machine without a GPU is no reason for a warning, unless the user named one.
                Err(Error::NoGpu(why)) if config.adapter.is_empty() => backend.give_up(why),
                Err(e) => {
                    (backend.warn)(&format!("{e}; measuring on the CPU"));
                    backend.give_up(e.to_string());
                }
            },
        }
        Ok(backend)
    }

    /// A GPU that is open already, with the CPU behind it.
    #[cfg(test)]
    pub fn auto(gpu: Gpu, warn: impl Fn(&str) + Sync + Send + 'static) -> Self {
        Backend {
            gpu: Some(gpu),
            cpu_because: Mutex::new(None),
            choice: Choice::Auto,
            warn: Box::new(warn),
        }
    }

    /// The GPU, if one was opened.
    #[cfg(feature = "lab")]
    pub fn gpu(&self) -> Option<&Gpu> {
        self.gpu.as_ref()
    }

    /// Whether a GPU measures, as far as is known now.
    pub fn is_gpu(&self) -> bool {
        self.gpu.is_some() && self.because().is_none()
    }

    /// Why the CPU measures although a GPU was wanted.
    pub fn cpu_because(&self) -> Option<String> {
        self.because().clone()
    }

    fn because(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.cpu_because
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn give_up(&self, why: String) {
        *self.because() = Some(why);
    }

    /// On the GPU while it works, else on the CPU.
    fn either<T>(
        &self,
        on_gpu: impl FnOnce(&Gpu) -> Result<T>,
        on_cpu: impl FnOnce(&Cpu) -> Result<T>,
    ) -> Result<T> {
        let Some(gpu) = &self.gpu else {
            return on_cpu(&Cpu);
        };
        if self.because().is_some() {
            return on_cpu(&Cpu);
        }
        match on_gpu(gpu) {
            Err(e) if e.is_gpu() && self.choice == Choice::Auto => {
                (self.warn)(&format!("{e}; the rest is measured on the CPU"));
                self.give_up(e.to_string());
                on_cpu(&Cpu)
            }
            result => result,
        }
    }
}

impl Likelihood for Backend {
    fn takes_plates(&self) -> bool {
        self.is_gpu()
    }

    fn device_use(&self) -> Option<DeviceUse> {
        self.gpu.as_ref().and_then(Likelihood::device_use)
    }

    fn name(&self) -> String {
        match (&self.gpu, self.because().is_some()) {
            (Some(gpu), false) => gpu.name(),
            (Some(gpu), true) => format!("{}, then {}", gpu.name(), Cpu.name()),
            (None, _) => Cpu.name(),
        }
    }

    fn measure(&self, batch: &Batch) -> Result<Vec<Measurement>> {
        self.either(|gpu| gpu.measure(batch), |cpu| cpu.measure(batch))
    }

    fn curve(&self, batch: &Batch, spectrum: usize) -> Result<Vec<f64>> {
        self.either(
            |gpu| gpu.curve(batch, spectrum),
            |cpu| cpu.curve(batch, spectrum),
        )
    }
}
