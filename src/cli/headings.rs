//! Groups of options in the help: those without a heading come first, and are all that `-h` lists beside a few others.

/// How spectra are measured.
pub const MEASURING: &str = "Measuring";
/// How zero points are found.
pub const ZERO_POINTS: &str = "Zero points";
/// Which columns of a table are meant.
pub const COLUMNS: &str = "Columns of the table";
/// What the machine does.
pub const MACHINE: &str = "Machine";
