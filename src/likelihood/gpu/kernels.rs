//! The kernels of a dispatch, and the buffers between them.

use super::structs::{SHADER, TABULATE};
use crate::Result;
use crate::gpu::{Buffer, Engine, Kernel};

// Inputs, in the order of `Chunk::inputs`.
const SPECTRA: Buffer = Buffer::Input(0);
const PIXELS: Buffer = Buffer::Input(1);
const REFERENCES: Buffer = Buffer::Input(2);
const SPLINES: Buffer = Buffer::Input(3);
// What is made of them, in the order of `Sizes::made_bytes`.
const FLUXES: Buffer = Buffer::Made(0);
const TABLES: Buffer = Buffer::Made(1);
const ROWS: Buffer = Buffer::Made(2);

/// Passes of a dispatch.
pub const N_PASSES: usize = 3;

/// In the order in which they run.
#[derive(Debug)]
pub struct Kernels {
    /// Makes tables of references from their splines.
    pub tabulate: Kernel,
    /// Averages the tables' variances over blocks.
    pub block_means: Kernel,
    /// Measures with the tables.
    pub measure: Kernel,
}

/// Sources of the kernels.
#[derive(Clone, Copy, Debug)]
pub struct Shaders<'a> {
    /// Makes tables of references.
    pub tabulate: &'a str,
    /// Measures with them.
    pub measure: &'a str,
}

/// The sources in `shaders/`.
pub const SHADERS: Shaders<'static> = Shaders {
    tabulate: TABULATE,
    measure: SHADER,
};

impl Kernels {
    /// Compiles them.
    pub fn new(engine: &Engine, shaders: Shaders<'_>) -> Result<Self> {
        let made_of = [REFERENCES, SPLINES];
        let made = [FLUXES, TABLES, ROWS];
        let tables = |entry| engine.kernel("tables", shaders.tabulate, entry, &made_of, &made);
        let read = [SPECTRA, PIXELS, FLUXES, TABLES, ROWS];
        let write = [Buffer::Scratch, Buffer::Output];
        Ok(Kernels {
            tabulate: tables("tabulate")?,
            block_means: tables("block_means")?,
            measure: engine.kernel("likelihood", shaders.measure, "measure", &read, &write)?,
        })
    }
}
