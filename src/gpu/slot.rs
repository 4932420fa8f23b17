//! The memory of one dispatch: inputs with their staging, scratch, output with its readback. Buffers grow and are reused.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rayon::prelude::*;
use wgpu::BufferUsages as Usage;

use super::engine::Engine;
use super::kernel::{Buffer, Kernel};
use crate::Result;

/// Waits on the device in pieces of this length, so that a lost device is noticed.
const WAIT: Duration = Duration::from_secs(5);

/// A dispatch that has not ended after so many waits is given up: 10 minutes.
const MAX_WAITS: usize = 120;

/// A kernel's turn in a dispatch; it sees what those before it have made.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// What runs.
    pub kernel: &'a Kernel,
    /// Workgroups along the first and second dimension.
    pub workgroups: [u32; 2],
}

/// Sizes of a dispatch. All bytes are multiples of 4.
#[derive(Clone, Debug)]
pub struct Dispatch<'a> {
    /// Contents of the uniform block.
    pub uniform: &'a [u8],
    /// Each input's parts, written in parallel: byte offsets where they begin, multiples of 8 and ascending, and at the
    /// end the input's bytes, a multiple of 4.
    pub inputs: &'a [Vec<u64>],
    /// Bytes of each buffer that kernels make.
    pub made_bytes: &'a [u64],
    /// Bytes of scratch.
    pub scratch_bytes: u64,
    /// Bytes of output.
    pub output_bytes: u64,
    /// Kernels in their order, as many as the slot has clocks for.
    pub passes: &'a [Pass<'a>],
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
    made: Vec<Growing>,
    scratch: Growing,
    output: Growing,
    readback: Growing,
    clock: Option<Clock>,
    in_flight: Option<InFlight>,
}

/// Timestamps around each pass.
#[derive(Debug)]
struct Clock {
    n_passes: usize,
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
    /// A slot for dispatches with so many inputs, buffers that are made, and passes.
    pub fn new(engine: &Engine, n_inputs: usize, n_made: usize, n_passes: usize) -> Result<Self> {
        let stage = |label| Growing::new(label, Usage::MAP_WRITE | Usage::COPY_SRC, true);
        let timed = engine.info().timestamps;
        Ok(Slot {
            uniform: Growing::new("uniform", Usage::UNIFORM | Usage::COPY_DST, false),
            inputs: (0..n_inputs)
                .map(|_| {
                    let usage = Usage::STORAGE | Usage::COPY_DST;
                    Growing::new("input", usage, false)
                })
                .collect(),
            made: (0..n_made)
                .map(|_| Growing::new("table", Usage::STORAGE, false))
                .collect(),
            staging: (0..n_inputs).map(|_| stage("staging")).collect(),
            scratch: Growing::new("scratch", Usage::STORAGE | Usage::COPY_SRC, false),
            output: Growing::new(
                "output",
                Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST,
                false,
            ),
            readback: Growing::new("readback", Usage::MAP_READ | Usage::COPY_DST, false),
            clock: if timed {
                Some(Clock::new(engine, n_passes)?)
            } else {
                None
            },
            in_flight: None,
        })
    }

    /// Writes the inputs by `fill` (number of the input, number of the part, where to), starts the kernels, and returns without waiting. The
    /// output is cleared before, so that what the kernels do not write is 0.
    pub fn start(
        &mut self,
        engine: &Engine,
        dispatch: &Dispatch,
        fill: impl Fn(usize, usize, wgpu::WriteOnly<'_, [u8]>) + Sync,
    ) -> Result<()> {
        engine.check()?;
        let mut encoder = engine.device.create_command_encoder(&Default::default());
        for (i, cuts) in dispatch.inputs.iter().enumerate() {
            self.upload(engine, &mut encoder, i, cuts, &fill)?;
        }
        for (made, bytes) in self.made.iter_mut().zip(dispatch.made_bytes) {
            made.at_least(engine, *bytes)?;
        }
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
        for (i, pass) in dispatch.passes.iter().enumerate() {
            self.record_pass(engine, &mut encoder, i, pass);
        }
        if bytes > 0 {
            encoder.copy_buffer_to_buffer(&from, 0, &readback, 0, bytes);
        }
        if let Some(clock) = &self.clock {
            let n = 2 * clock.n_passes as u32;
            encoder.resolve_query_set(&clock.queries, 0..n, &clock.resolved, 0);
            let bytes = u64::from(n) * 8;
            encoder.copy_buffer_to_buffer(&clock.resolved, 0, &clock.readback, 0, bytes);
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

    fn growing(&self, buffer: Buffer) -> Option<&Growing> {
        match buffer {
            Buffer::Input(i) => self.inputs.get(i),
            Buffer::Made(i) => self.made.get(i),
            Buffer::Scratch => Some(&self.scratch),
            Buffer::Output => Some(&self.output),
        }
    }

    /// Binds the buffers of pass `i`, all of which are there by now, and has its kernel run on them.
    fn record_pass(
        &self,
        engine: &Engine,
        encoder: &mut wgpu::CommandEncoder,
        i: usize,
        pass: &Pass<'_>,
    ) {
        let storage = pass.kernel.bound.iter().map(|b| self.growing(*b));
        let bound = std::iter::once(Some(&self.uniform)).chain(storage);
        let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
            .zip(bound.filter_map(|growing| growing?.buffer.as_ref()))
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let group = engine.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pass.kernel.layout,
            entries: &entries,
        });
        let mut recorded = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: None,
            timestamp_writes: self.clock.as_ref().map(|clock| clock.writes(i)),
        });
        recorded.set_pipeline(&pass.kernel.pipeline);
        recorded.set_bind_group(0, &group, &[]);
        let [x, y] = pass.workgroups;
        recorded.dispatch_workgroups(x, y, 1);
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

    /// Waits for the dispatch and gives its output to `read`, with the time of each pass where the adapter has a clock.
    pub fn finish<T>(
        &mut self,
        engine: &Engine,
        read: impl FnOnce(&[u8], Option<Vec<Duration>>) -> T,
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
        let times = match &self.clock {
            Some(clock) => clock.read(engine)?,
            None => None,
        };
        let readback = self.readback.at_least(engine, flight.bytes)?;
        let result = if flight.bytes == 0 {
            read(&[], times)
        } else {
            let view = readback
                .get_mapped_range(..flight.bytes)
                .map_err(|e| engine.error(e.to_string()))?;
            read(&view, times)
        };
        readback.unmap();
        Ok(result)
    }
}

impl Clock {
    /// Beginning and end of pass `i`.
    fn writes(&self, i: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        let i = i.min(self.n_passes - 1) as u32;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(2 * i),
            end_of_pass_write_index: Some(2 * i + 1),
        }
    }

    fn new(engine: &Engine, n_passes: usize) -> Result<Self> {
        let n_passes = n_passes.max(1);
        let bytes = (16 * n_passes as u64).next_multiple_of(256);
        let resolved = Usage::QUERY_RESOLVE | Usage::COPY_SRC;
        Ok(Clock {
            n_passes,
            queries: engine.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2 * n_passes as u32,
            }),
            resolved: engine.buffer("clock", bytes, resolved, false)?,
            readback: engine.buffer("clock", bytes, Usage::MAP_READ | Usage::COPY_DST, false)?,
        })
    }

    /// Time of each pass; None if the clock stood still.
    fn read(&self, engine: &Engine) -> Result<Option<Vec<Duration>>> {
        let ticks: Vec<[u64; 2]> = {
            let view = self
                .readback
                .get_mapped_range(..16 * self.n_passes as u64)
                .map_err(|e| engine.error(e.to_string()))?;
            bytemuck::pod_collect_to_vec(&view[..])
        };
        self.readback.unmap();
        let period_ns = f64::from(engine.queue.get_timestamp_period());
        let time = |[from, to]: [u64; 2]| {
            Duration::from_nanos((to.saturating_sub(from) as f64 * period_ns) as u64)
        };
        let times: Vec<Duration> = ticks.into_iter().map(time).collect();
        Ok(times.iter().any(|t| !t.is_zero()).then_some(times))
    }
}
