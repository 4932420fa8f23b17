//! Stands for the GPU in a build without the feature `gpu`: there is none, and none can be opened.

use super::{Batch, Likelihood, Measurement};
use crate::gpu::{EngineConfig, NOT_BUILT};
use crate::{Error, Result};

/// No value of this type exists.
#[derive(Debug)]
pub enum Gpu {}

impl Gpu {
    /// Never opens one.
    ///
    /// # Errors
    /// [`Error::NoGpu`].
    pub fn open(_: &EngineConfig) -> Result<Self> {
        Err(Error::NoGpu(format!("no GPU can be used: {NOT_BUILT}")))
    }
}

impl Likelihood for Gpu {
    fn name(&self) -> String {
        match *self {}
    }

    fn measure(&self, _: &Batch) -> Result<Vec<Measurement>> {
        match *self {}
    }

    fn curve(&self, _: &Batch, _: usize) -> Result<Vec<f64>> {
        match *self {}
    }
}
