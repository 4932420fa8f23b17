//! The one public error.

use std::path::{Path, PathBuf};

use crate::text::count::count;

/// Result with the crate's error.
pub type Result<T> = std::result::Result<T, Error>;

/// Why arrays are no spectrum.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpectrumError {
    /// There is no pixel at all.
    #[error("a spectrum without pixels")]
    Empty,
    /// An array is not as long as the wavelengths.
    #[error("{array} has {found} pixels, and wave_aa {expected}")]
    Length {
        /// Name of the array.
        array: &'static str,
        /// Its length.
        found: usize,
        /// Length of the wavelengths.
        expected: usize,
    },
    /// A wavelength is no positive, finite number.
    #[error("wave_aa is {wave_aa} at pixel {pixel}, expected a wavelength in Angstrom")]
    Wavelength {
        /// Number of the pixel, from 0.
        pixel: usize,
        /// What is there.
        wave_aa: f64,
    },
    /// The wavelengths neither ascend nor descend from pixel to pixel.
    #[error(
        "wave_aa is {wave_aa} at pixel {pixel}, which neither ascends nor descends like the pixels before"
    )]
    Order {
        /// Number of the pixel, from 0.
        pixel: usize,
        /// What is there.
        wave_aa: f64,
    },
}

/// The first of these, and how many more there are.
fn some_of(units: &[String]) -> String {
    const MOST: usize = 8;
    let first = units[..units.len().min(MOST)].join(", ");
    match units.len().saturating_sub(MOST) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Everything that can go wrong, a variant for each kind of cause. The text of an error names the file, option or value that is to
/// blame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be read or written.
    #[error("{}: {source}", crate::text::plain::path(path))]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what it should be; the text says what was expected and what was found.
    #[error("{}: {message}", crate::text::plain::path(path))]
    Format {
        /// File.
        path: PathBuf,
        /// HDU or column where there is one, what was expected, what was found.
        message: String,
    },
    /// An output would take the place of an input.
    #[error(
        "{}: is the same file as the input {}, which an output must not replace; choose another place for the output",
        output.display(),
        input.display()
    )]
    OutputIsInput {
        /// Where the output was to go.
        output: PathBuf,
        /// The input's name.
        input: PathBuf,
    },
    /// Where a file of the program's own belongs there is something that the program has not made. It is left alone.
    #[error("{}: {found}; move it away, or choose another directory", path.display())]
    InTheWay {
        /// File or directory.
        path: PathBuf,
        /// What it is, and what was expected.
        found: String,
    },
    /// A setting that makes no sense; the text names it, and says what was expected and found.
    #[error("{0}")]
    Config(String),
    /// A table lacks a column that is needed, or has one that is not what it should be; the text names it.
    #[error("{0}")]
    Table(String),
    /// Arrays of velocities that do not fit each other; the text names the one that does not.
    #[error("{0}")]
    Arrays(String),
    /// A directory holds what belongs to another run or another command, or another program works in it at this moment. It is left alone.
    #[error("{0}")]
    Occupied(String),
    /// An input cannot be found that an earlier call of the same run has used; what was measured of it is kept.
    #[error("{0}")]
    Gone(String),
    /// Units of a plan have not been measured, or not all of their files could be read.
    #[error(
        "not measured: {} of {} in {}: {}\nrelrv status tells why, relrv unit measures them; --partial makes products of the others",
        units.len(),
        count(*total, "unit"),
        crate::text::plain::path(dir),
        some_of(units)
    )]
    Incomplete {
        /// The directory.
        dir: PathBuf,
        /// Units of the plan.
        total: usize,
        /// Those that are not measured, in words.
        units: Vec<String>,
    },
    /// A directory holds no finished run.
    #[error("{0}")]
    NoRun(String),
    /// A run has no such star or exposure, or several of them.
    #[error("{0}")]
    NoStar(String),
    /// Arrays that are no spectrum.
    #[error("{0}")]
    Spectrum(#[from] SpectrumError),
    /// The user ended the program; the text says how to go on.
    #[error("{0}")]
    Interrupted(String),
    /// Nothing could be measured.
    #[error("{0}")]
    NothingUsable(String),
    /// The zero points' normal equations have no solution: a velocity or weight is no number, or exposures are linked by weights so small
    /// that they are lost in rounding.
    #[error("zero points: the normal matrix is not positive ({what})")]
    NotPositive {
        /// Where it showed.
        what: &'static str,
    },
    /// The zero points did not settle.
    #[error(
        "zero points: the solution did not settle in {}: residual {residual:.1e} of the right-hand side, expected {tolerance:.1e}",
        count(*iterations, "iteration")
    )]
    NotSettled {
        /// Iterations done.
        iterations: usize,
        /// Residual that is left, relative to the right-hand side of the equations.
        residual: f64,
        /// Residual at which the iteration would have ended, relative as well.
        tolerance: f64,
    },
    /// There is no graphics processor, or none that fits what was asked for.
    #[error("{0}")]
    NoGpu(String),
    /// A graphics processor failed: it was lost, refused memory, or refused a shader.
    #[error("GPU {adapter}: {message}")]
    Gpu {
        /// Its name.
        adapter: String,
        /// What happened.
        message: String,
    },
    /// A buffer would be needed that is larger than the graphics processor's limit, or than the limit that the user has set.
    #[error(
        "GPU {adapter}: {what} needs {:.1} MiB at once, and the limit is {:.1} MiB",
        *needed_bytes as f64 / 1048576.0,
        *limit_bytes as f64 / 1048576.0
    )]
    GpuMemory {
        /// Its name.
        adapter: String,
        /// What it is for.
        what: String,
        /// Bytes needed.
        needed_bytes: u64,
        /// Bytes allowed.
        limit_bytes: u64,
    },
}

impl Error {
    /// Error of the operating system at `path`.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// Whether a graphics processor failed, so that the CPU may do better.
    pub fn is_gpu(&self) -> bool {
        matches!(
            self,
            Error::NoGpu(_) | Error::Gpu { .. } | Error::GpuMemory { .. }
        )
    }

    /// Whether the zero points of one arm have no solution, which says nothing against the other arm.
    pub fn is_of_solution(&self) -> bool {
        matches!(self, Error::NotPositive { .. } | Error::NotSettled { .. })
    }

    /// What is at `path` is not the program's.
    pub fn in_the_way(path: &Path, found: impl Into<String>) -> Self {
        Error::InTheWay {
            path: path.to_owned(),
            found: found.into(),
        }
    }

    /// Error in the content of `path`.
    pub fn format(path: &Path, message: impl Into<String>) -> Self {
        Error::Format {
            path: path.to_owned(),
            message: message.into(),
        }
    }
}
