//! The memory of one dispatch: inputs with their staging, scratch, output with its readback. Buffers grow and are reused.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rayon::prelude::*;
use wgpu::BufferUsages as Usage;

use super::engine::{Engine, Kernel};
use crate::Result;

/// Waits on the device in pieces of this length, so that a lost device is noticed.
const WAIT: Duration = Duration::from_secs(5);

/// A dispatch that has not ended after so many waits is given up: 10 minutes.
const MAX_WAITS: usize = 120;

/// An input that the kernel also sees as copies in one more buffer: copy k begins at k times the input's bytes, with what
/// lies k times `step_bytes` into the input. Made on the device.
#[derive(Clone, Copy, Debug)]
pub struct Shifted {
    /// Which input.
    pub input: usize,
    /// Number of copies.
    pub copies: u64,
    /// A multiple of 4.
    pub step_bytes: u64,
}

/// Sizes of a dispatch. All bytes are multiples of 4.
#[derive(Clone, Debug)]
pub struct Dispatch<'a> {
    /// Contents of the uniform block.
    pub uniform: &'a [u8],
    /// Each input's parts, written in parallel: byte offsets where they begin, multiples of 8 and ascending, and at the
    /// end the input's bytes, a multiple of 4.
    pub inputs: &'a [Vec<u64>],
    /// Copies of one of them.
    pub shifted: Shifted,
    /// Bytes of scratch.
    pub scratch_bytes: u64,
    /// Bytes of output.
    pub output_bytes: u64,
    /// Workgroups along the first and second dimension.
    pub workgroups: [u32; 2],
    /// Read the scratch back and not the output.
    pub read_scratch: bool,
}

/// A buffer that is made anew when it is too small.
#[derive(Debug)]
struct Growing {
    label: &'static str,
    usage: Usage,
    mapped: bool,
    buffer: Option<wgpu::Buffer>,
}

impl Growing {
    fn new(label: &'static str, usage: Usage, mapped: bool) -> Self {
        Growing {
            label,
            usage,
            mapped,
            buffer: None,
        }
    }

    /// The buffer, with `bytes` at least. Grows by a quarter more than it must, where the limit lets it.
    fn at_least(&mut self, engine: &Engine, bytes: u64) -> Result<&wgpu::Buffer> {
        // A binding must not be empty, so no buffer is.
        let bytes = bytes.max(256);
        let old = self.buffer.take_if(|b| b.size() < bytes);
        let grows = old.is_some();
        if let Some(old) = old {
            engine.forget(old.size());
            old.destroy();
        }
        if self.buffer.is_none() {
            let roomy = (bytes + bytes / 4).next_multiple_of(256);
            let size = if grows {
                roomy
            } else {
                bytes.next_multiple_of(256)
            };
            let size = size.min(engine.max_buffer_bytes()).max(bytes);
            self.buffer = Some(engine.buffer(self.label, size, self.usage, self.mapped)?);
        }
        self.buffer
            .as_ref()
            .ok_or_else(|| engine.error("no buffer"))
    }
}

/// Memory of one dispatch in flight.
#[derive(Debug)]
pub struct Slot {
    uniform: Growing,
    inputs: Vec<Growing>,
    staging: Vec<Growing>,
    shifted: Growing,
    scratch: Growing,
    output: Growing,
    readback: Growing,
    clock: Option<Clock>,
    in_flight: Option<InFlight>,
}

/// Timestamps around the kernel.
#[derive(Debug)]
struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readback: wgpu::Buffer,
}

/// Whether a buffer can be read or written.
type Mapped = std::result::Result<(), wgpu::BufferAsyncError>;

#[derive(Debug)]
struct InFlight {
    submission: wgpu::SubmissionIndex,
    mapped: Receiver<Mapped>,
    n_mapped: usize,
    bytes: u64,
}

impl Slot {
    /// A slot for a kernel with this many inputs.
    pub fn new(engine: &Engine, n_inputs: usize) -> Result<Self> {
        let stage = |label| Growing::new(label, Usage::MAP_WRITE | Usage::COPY_SRC, true);
        let timed = engine.info().timestamps;
        Ok(Slot {
            uniform: Growing::new("uniform", Usage::UNIFORM | Usage::COPY_DST, false),
            inputs: (0..n_inputs)
                .map(|_| {
                    let usage = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
                    Growing::new("input", usage, false)
                })
                .collect(),
            shifted: Growing::new("shifted copies", Usage::STORAGE | Usage::COPY_DST, false),
            staging: (0..n_inputs).map(|_| stage("staging")).collect(),
            scratch: Growing::new("scratch", Usage::STORAGE | Usage::COPY_SRC, false),
            output: Growing::new(
                "output",
                Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST,
                false,
            ),
            readback: Growing::new("readback", Usage::MAP_READ | Usage::COPY_DST, false),
            clock: if timed {
                Some(Clock::new(engine)?)
            } else {
                None
            },
            in_flight: None,
        })
    }

    /// Writes the inputs by `fill` (number of the input, number of the part, where to), starts the kernel, and returns without waiting. The
    /// output is cleared before, so that what the kernel does not write is 0.
    pub fn start(
        &mut self,
        engine: &Engine,
        kernel: &Kernel,
        dispatch: &Dispatch,
        fill: impl Fn(usize, usize, wgpu::WriteOnly<'_, [u8]>) + Sync,
    ) -> Result<()> {
        engine.check()?;
        let mut encoder = engine.device.create_command_encoder(&Default::default());
        for (i, cuts) in dispatch.inputs.iter().enumerate() {
            self.upload(engine, &mut encoder, i, cuts, &fill)?;
        }
        self.copy_shifted(engine, &mut encoder, dispatch)?;
        let uniform = self
            .uniform
            .at_least(engine, dispatch.uniform.len() as u64)?;
        engine.queue.write_buffer(uniform, 0, dispatch.uniform);
        let scratch = self.scratch.at_least(engine, dispatch.scratch_bytes)?;
        let output = self.output.at_least(engine, dispatch.output_bytes)?;
        encoder.clear_buffer(output, 0, Some(dispatch.output_bytes.max(4)));
        let (from, bytes) = match dispatch.read_scratch {
            true => (scratch.clone(), dispatch.scratch_bytes),
            false => (output.clone(), dispatch.output_bytes),
        };
        let readback = self.readback.at_least(engine, bytes)?.clone();
        self.record_pass(engine, &mut encoder, kernel, dispatch.workgroups);
        if bytes > 0 {
            encoder.copy_buffer_to_buffer(&from, 0, &readback, 0, bytes);
        }
        if let Some(clock) = &self.clock {
            encoder.resolve_query_set(&clock.queries, 0..2, &clock.resolved, 0);
            encoder.copy_buffer_to_buffer(&clock.resolved, 0, &clock.readback, 0, 16);
        }
        let submission = engine.queue.submit([encoder.finish()]);
        engine.count_dispatch();
        engine.check()?;
        let (mapped, n_mapped) = self.map_back(&readback);
        self.in_flight = Some(InFlight {
            submission,
            mapped,
            n_mapped,
            bytes,
        });
        Ok(())
    }

    /// Has input `i` written to its staging, part by part, and copied to the device.
    fn upload(
        &mut self,
        engine: &Engine,
        encoder: &mut wgpu::CommandEncoder,
        i: usize,
        cuts: &[u64],
        fill: &(impl Fn(usize, usize, wgpu::WriteOnly<'_, [u8]>) + Sync),
    ) -> Result<()> {
        let bytes = cuts.last().copied().unwrap_or(0);
        let staging = self.staging[i].at_least(engine, bytes)?;
        let view = |(part, cut): (usize, &[u64])| {
            let view = staging.get_mapped_range_mut(cut[0]..cut[1]);
            view.map(|view| (part, view))
        };
        let parts: Vec<(usize, wgpu::BufferViewMut)> = cuts
            .windows(2)
            .enumerate()
            .filter(|(_, cut)| cut[1] > cut[0])
            .map(view)
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| engine.error(e.to_string()))?;
        parts
            .into_par_iter()
            .for_each(|(part, mut view)| fill(i, part, view.slice(..)));
        staging.unmap();
        let input = self.inputs[i].at_least(engine, bytes)?;
        if bytes > 0 {
            encoder.copy_buffer_to_buffer(staging, 0, input, 0, bytes);
        }
        Ok(())
    }

    /// Has the shifted copies of an input made on the device.
    fn copy_shifted(
        &mut self,
        engine: &Engine,
        encoder: &mut wgpu::CommandEncoder,
        dispatch: &Dispatch,
    ) -> Result<()> {
        let Shifted {
            input,
            copies,
            step_bytes,
        } = dispatch.shifted;
        let bytes = dispatch.inputs[input].last().copied().unwrap_or(0);
        let shifted = self.shifted.at_least(engine, copies * bytes)?;
        let of = self.inputs[input].at_least(engine, bytes)?;
        for k in 0..copies {
            let skipped = k * step_bytes;
            if skipped < bytes {
                encoder.copy_buffer_to_buffer(of, skipped, shifted, k * bytes, bytes - skipped);
            }
        }
        Ok(())
    }

    /// Binds the buffers, all of which are there by now, and has the kernel run on them.
    fn record_pass(
        &self,
        engine: &Engine,
        encoder: &mut wgpu::CommandEncoder,
        kernel: &Kernel,
        [x, y]: [u32; 2],
    ) {
        let others = [&self.shifted, &self.scratch, &self.output];
        let bound = std::iter::once(&self.uniform)
            .chain(&self.inputs)
            .chain(others);
        let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
            .zip(bound.filter_map(|growing| growing.buffer.as_ref()))
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let group = engine.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &kernel.layout,
            entries: &entries,
        });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: None,
            timestamp_writes: self.clock.as_ref().map(Clock::writes),
        });
        pass.set_pipeline(&kernel.pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(x, y, 1);
    }

    /// Asks for the results, the clock and the staging of the next dispatch; how many answers will come, and where.
    fn map_back(&self, readback: &wgpu::Buffer) -> (Receiver<Mapped>, usize) {
        let (sender, mapped) = channel();
        let mut n_mapped = 0;
        let mut map = |buffer: &wgpu::Buffer, mode| {
            let sender = sender.clone();
            n_mapped += 1;
            buffer.map_async(mode, .., move |result| {
                // Nobody listens if the slot is gone.
                let _ = sender.send(result);
            });
        };
        map(readback, wgpu::MapMode::Read);
        if let Some(clock) = &self.clock {
            map(&clock.readback, wgpu::MapMode::Read);
        }
        for staging in self.staging.iter().filter_map(|s| s.buffer.as_ref()) {
            map(staging, wgpu::MapMode::Write);
        }
        (mapped, n_mapped)
    }

    /// Waits for the dispatch and gives its output to `read`, with the kernel's time where the adapter has a clock.
    pub fn finish<T>(
        &mut self,
        engine: &Engine,
        read: impl FnOnce(&[u8], Option<Duration>) -> T,
    ) -> Result<T> {
        let Some(flight) = self.in_flight.take() else {
            return Err(engine.error("nothing was started"));
        };
        let mut waits = 0;
        loop {
            if engine.wait(&flight.submission, WAIT)? {
                break;
            }
            waits += 1;
            if waits == MAX_WAITS {
                return Err(engine.error("does not answer"));
            }
        }
        for _ in 0..flight.n_mapped {
            let mapped = flight.mapped.recv_timeout(WAIT);
            if !matches!(mapped, Ok(Ok(()))) {
                engine.check()?;
                return Err(engine.error("the results could not be read back"));
            }
        }
        let kernel_time = match &self.clock {
            Some(clock) => clock.read(engine)?,
            None => None,
        };
        let readback = self.readback.at_least(engine, flight.bytes)?;
        let result = if flight.bytes == 0 {
            read(&[], kernel_time)
        } else {
            let view = readback
                .get_mapped_range(..flight.bytes)
                .map_err(|e| engine.error(e.to_string()))?;
            read(&view, kernel_time)
        };
        readback.unmap();
        Ok(result)
    }
}

impl Clock {
    /// The kernel's beginning and end.
    fn writes(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        }
    }

    fn new(engine: &Engine) -> Result<Self> {
        Ok(Clock {
            queries: engine.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: engine.buffer("clock", 256, Usage::QUERY_RESOLVE | Usage::COPY_SRC, false)?,
            readback: engine.buffer("clock", 256, Usage::MAP_READ | Usage::COPY_DST, false)?,
        })
    }

    fn read(&self, engine: &Engine) -> Result<Option<Duration>> {
        let ticks: [u64; 2] = {
            let view = self
                .readback
                .get_mapped_range(..16)
                .map_err(|e| engine.error(e.to_string()))?;
            bytemuck::pod_read_unaligned(&view)
        };
        self.readback.unmap();
        let ns = ticks[1].saturating_sub(ticks[0]) as f64
            * f64::from(engine.queue.get_timestamp_period());
        Ok((ns > 0.0).then(|| Duration::from_nanos(ns as u64)))
    }
}
