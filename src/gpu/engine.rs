//! An opened device, its memory account and its compiled kernels.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use super::adapter::{AdapterInfo, EngineConfig};
use super::adapters::choose;
use crate::{Error, Result};

/// The first message about something that went wrong on the device.
#[derive(Debug, Default)]
struct Trouble(Mutex<Option<String>>);

impl Trouble {
    fn note(&self, message: String) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(message);
    }

    fn get(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// An opened device.
#[derive(Debug)]
pub struct Engine {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    info: AdapterInfo,
    max_buffer_bytes: u64,
    trouble: Arc<Trouble>,
    fail_after: Option<u32>,
    dispatches: AtomicU32,
    bytes: AtomicU64,
    peak_bytes: AtomicU64,
}

impl Engine {
    /// Largest buffer where the adapter would allow a larger one and the user said nothing: 2 GiB.
    pub const DEFAULT_BUFFER_BYTES: u64 = 2 << 30;

    /// Opens the best adapter that fits, with the adapter's own limits (the defaults would cap a binding at 128 MiB).
    pub fn open(config: &EngineConfig) -> Result<Self> {
        let (adapter, info) = choose(&config.adapter)?;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("relrv"),
            required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
            required_limits: adapter.limits(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|e| Error::Gpu {
                adapter: info.name.clone(),
                message: format!("cannot be opened: {e}"),
            })?;
        let trouble = Arc::new(Trouble::default());
        let noted = trouble.clone();
        device.on_uncaptured_error(Arc::new(move |e| noted.note(e.to_string())));
        let noted = trouble.clone();
        device.set_device_lost_callback(move |reason, message| {
            // This is also called when an engine is dropped, but then nobody asks for the message.
            let why = if message.is_empty() {
                format!("{reason:?}")
            } else {
                message
            };
            noted.note(format!("device lost ({why})"));
        });
        let allowed = info.max_buffer_bytes.min(info.max_binding_bytes);
        let wanted = config
            .max_buffer_bytes
            .unwrap_or(Self::DEFAULT_BUFFER_BYTES);
        Ok(Engine {
            device,
            queue,
            max_buffer_bytes: allowed.min(wanted) & !255,
            info,
            trouble,
            fail_after: config.fail_after_dispatches,
            dispatches: AtomicU32::new(0),
            bytes: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
        })
    }

    /// The adapter.
    pub fn info(&self) -> &AdapterInfo {
        &self.info
    }

    /// Largest buffer that can be made, bytes.
    pub fn max_buffer_bytes(&self) -> u64 {
        self.max_buffer_bytes
    }

    /// Most bytes of buffers that were alive at a time, on the device and staged for it.
    pub fn peak_bytes(&self) -> u64 {
        self.peak_bytes.load(Ordering::Relaxed)
    }

    /// Error with the adapter's name.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::Gpu {
            adapter: self.info.name.clone(),
            message: message.into(),
        }
    }

    /// Error if anything went wrong on the device since it was opened.
    pub fn check(&self) -> Result<()> {
        match self.trouble.get() {
            Some(message) => Err(self.error(message)),
            None => Ok(()),
        }
    }

    /// Counts a dispatch, and loses the device if that was asked for.
    pub(super) fn count_dispatch(&self) {
        let done = self.dispatches.fetch_add(1, Ordering::Relaxed);
        if self.fail_after.is_some_and(|limit| done >= limit) {
            self.device.destroy();
            self.trouble
                .note("device lost (as was asked for, to test it)".into());
        }
    }

    /// Waits for a submission; false if it is not done after `timeout`.
    pub(super) fn wait(
        &self,
        submission: &wgpu::SubmissionIndex,
        timeout: Duration,
    ) -> Result<bool> {
        let poll = || {
            self.device.poll(wgpu::PollType::Wait {
                submission_index: Some(submission.clone()),
                timeout: Some(timeout),
            })
        };
        // wgpu 30 panics here when the driver reports a lost device.
        let poll = quietly(poll);
        self.check()?;
        match poll {
            Some(Ok(_)) => Ok(true),
            Some(Err(wgpu::PollError::Timeout)) => Ok(false),
            Some(Err(e)) => Err(self.error(e.to_string())),
            None => Err(self.error("device lost")),
        }
    }

    /// Makes a buffer, and counts it.
    pub(super) fn buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
        mapped: bool,
    ) -> Result<wgpu::Buffer> {
        if bytes > self.max_buffer_bytes {
            return Err(Error::GpuMemory {
                adapter: self.info.name.clone(),
                what: label.to_owned(),
                needed_bytes: bytes,
                limit_bytes: self.max_buffer_bytes,
            });
        }
        self.check()?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage,
            mapped_at_creation: mapped,
        });
        let validation = pollster::block_on(validation.pop());
        let memory = pollster::block_on(memory.pop());
        if let Some(e) = memory.or(validation) {
            return Err(self.error(format!(
                "no memory for {label}, {:.1} MiB: {e}",
                bytes as f64 / f64::from(1 << 20)
            )));
        }
        let now = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak_bytes.fetch_max(now, Ordering::Relaxed);
        Ok(buffer)
    }

    /// Takes the bytes of a buffer that is gone off the account.
    pub(super) fn forget(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; None if it panicked. Such a panic prints nothing.
fn quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(false);
    result.ok()
}
