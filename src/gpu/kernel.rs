//! A compiled shader and the buffers that it works on.

use super::engine::Engine;
use crate::Result;

/// A buffer of a [`super::Slot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// An input, which the host writes.
    Input(usize),
    /// What one kernel makes and a later one reads.
    Made(usize),
    /// Memory that a kernel needs while it runs.
    Scratch,
    /// What the host reads back.
    Output,
}

/// A compiled shader.
#[derive(Debug)]
pub struct Kernel {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
    /// Buffers in the order of their bindings, from 1 on.
    pub(super) bound: Vec<Buffer>,
}

impl Engine {
    /// Compiles a kernel.
    ///
    /// The shader's group 0 must have a uniform block at binding 0, then the storage buffers `read` and then `write`, in their order.
    ///
    /// # Errors
    /// [`crate::Error::Gpu`] where the shader is refused or the device is lost.
    pub fn kernel(
        &self,
        label: &str,
        source: &str,
        entry: &str,
        read: &[Buffer],
        write: &[Buffer],
    ) -> Result<Kernel> {
        self.check()?;
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(label),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            });
        let layout = self.layout(label, read.len(), write.len());
        let pipeline_layout = self
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(label),
                bind_group_layouts: &[Some(&layout)],
                ..Default::default()
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(label),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some(entry),
                compilation_options: Default::default(),
                cache: None,
            });
        let internal = pollster::block_on(internal.pop());
        let validation = pollster::block_on(scope.pop());
        match validation.or(internal) {
            Some(e) => Err(self.error(format!("shader {label} is refused: {e}"))),
            None => Ok(Kernel {
                pipeline,
                layout,
                bound: read.iter().chain(write).copied().collect(),
            }),
        }
    }

    fn layout(&self, label: &str, n_read: usize, n_write: usize) -> wgpu::BindGroupLayout {
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let uniform = std::iter::once(wgpu::BufferBindingType::Uniform);
        let types = uniform
            .chain(std::iter::repeat_n(storage(true), n_read))
            .chain(std::iter::repeat_n(storage(false), n_write));
        let entries: Vec<wgpu::BindGroupLayoutEntry> = (0..)
            .zip(types)
            .map(|(binding, ty)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty,
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        self.device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(label),
                entries: &entries,
            })
    }
}
