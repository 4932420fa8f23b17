// What host and device share. The Rust twin is src/likelihood/gpu/structs.rs; a test compares every constant and every offset. The files
// of this folder are two modules, put together there: this one with tabulate.wgsl, and with all others. "Twin" means: Rust code that does the same, and must be changed along.
//
// A "four" is four neighbouring float32 numbers, read as one vec4. The table of a reference has its flux and variance in PHASES rows:
// entries of a row are a velocity step apart (src/likelihood/reference_table.rs).

// Threads of a workgroup; one workgroup measures one spectrum at a time.
const THREADS: u32 = 128u;
// Threads of the search that share a pixel; the others have other pixels.
const HALF: u32 = 64u;
// Velocities of one tile of the search.
const TILE: u32 = 1024u;
// A thread of the search has BLOCK_LANES velocities side by side (its near block), and as many again this far on (its far block).
const FAR: u32 = 512u;
// Pixels whose chi^2 is summed in float32 before it goes into integers.
const BLOCK: u32 = 64u;

// The same as the constants of these names in src/likelihood (lanes.rs, reference_table.rs, peak.rs).
const BLOCK_LANES: u32 = 8u;
const PHASES: u32 = 2u;
const COARSE: u32 = 4u;
const FINE_PER_STEP: u32 = 4u;
const FINE_SIDE: u32 = 4u;
const SEARCH_DEPTH: f32 = 6.0;
const PARABOLA_DEPTH: f32 = 4.5;
const MIN_POINTS: u32 = 5u;
const PEAK_PROMINENCE: f32 = 4.5;

// Bits of Found.state.
const WRITTEN: u32 = 1u;
const REFINED: u32 = 2u;
const VERTEX: u32 = 4u;

struct Params {
    n_spectra: u32,
    n_velocities: u32,
    // Entries of scratch that a workgroup has.
    scratch_stride: u32,
    // If 1, the interpolated ln L of the whole grid is left in scratch, for the host to read.
    curve: u32,
    // Number of fours in each copy of the rows of fluxes.
    row_stride: u32,
    n_references: u32,
    entries_per_km_s: f32,
}

struct ReferenceRecord {
    // Where its splines begin: places of n_pixels pixels, then coefficients of the flux, of the variance, and for each coefficient of
    // the flux its covariances with itself and the next three.
    splines: u32,
    n_pixels: u32,
    n_coefficients: u32,
    // The first pixel is this one of its knot interval.
    first_pixel: u32,
    knot_pixels: u32,
    // How many bits of a place are the fraction of an entry.
    place_bits: u32,
    // Where its table is made: see Spectrum.
    flux: u32,
    table: u32,
    table_len: u32,
    n_blocks: u32,
    n_coarse: u32,
}

struct Spectrum {
    first_pixel: u32,
    n_pixels: u32,
    // Where its reference's flux begins in fluxes: PHASES x table_len.
    flux: u32,
    // Where the rest begins in tables: variance (PHASES x table_len), block_variance (BLOCK_LANES x n_blocks), then
    // n_coarse values of the fitted flux's variance and as many of the slope's.
    table: u32,
    table_len: u32,
    n_blocks: u32,
    n_coarse: u32,
    // How many bits of a pixel's place are the fraction of an entry.
    frac_bits: u32,
}

struct Pixel {
    // Table entry at the largest velocity, fixed point.
    place: u32,
    flux: f32,
    ivar: f32,
}

struct Found {
    state: u32,
    // Highest velocity of the search, in steps of the grid.
    top: u32,
    // Highest exact velocity, in quarters of a step.
    quarter: u32,
    // Vertex of the parabola from there, steps.
    offset: f32,
    // -2 ln L at the highest exact velocity: see wide.wgsl.
    high: i32,
    low: u32,
    // ln L at the vertex above it.
    rise: f32,
    second_peak: f32,
    // Sums of precision.rs, slopes per table entry.
    slope2: f32,
    slope_noise: f32,
    own_slope2: f32,
    chi2: f32,
}
