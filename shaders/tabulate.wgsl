// Tables of references from the coefficients of their splines: twin of src/likelihood/reference_table.rs and of the functions
// sample_flux and sample_variances of src/reference/single.rs.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> references: array<ReferenceRecord>;
@group(0) @binding(2) var<storage, read> splines: array<u32>;
// What is made: the buffers of these names in bindings.wgsl.
@group(0) @binding(3) var<storage, read_write> fluxes: array<f32>;
@group(0) @binding(4) var<storage, read_write> tables: array<f32>;
@group(0) @binding(5) var<storage, read_write> rows: array<f32>;

const ROW_COPIES: u32 = 4u;
const LEAST_VARIANCE: f32 = 1e-8;
const MOST_VARIANCE: f32 = 1.0;

// A place on the splines' knots: number of the interval, fraction of the way through it; knot intervals per km/s.
struct OnKnots {
    interval: u32,
    t: f32,
    per_km_s: f32,
}

// Where table entry `entry` is. Between two pixels the place goes with ln(wavelength).
fn on_knots(reference: ReferenceRecord, entry: u32) -> OnKnots {
    let at = entry << reference.place_bits;
    var low = 0u;
    var high = reference.n_pixels - 1u;
    while high - low > 1u {
        let middle = (low + high) / 2u;
        if splines[reference.splines + middle] <= at {
            low = middle;
        } else {
            high = middle;
        }
    }
    let before = splines[reference.splines + low];
    let width = f32(max(splines[reference.splines + low + 1u] - before, 1u));
    let x = min(f32(at - before) / width, 1.0);
    let pixel = reference.first_pixel + low;
    let interval = min(pixel / reference.knot_pixels, reference.n_coefficients - 4u);
    let knot_pixels = f32(reference.knot_pixels);
    let t = (f32(pixel - interval * reference.knot_pixels) + x) / knot_pixels;
    let pixels_per_entry = f32(1u << reference.place_bits) / width;
    return OnKnots(interval, t, pixels_per_entry * params.entries_per_km_s / knot_pixels);
}

// The four cubic B-splines of an interval, and their derivatives.
fn basis(t: f32) -> vec4<f32> {
    let s = 1.0 - t;
    return vec4<f32>(
        s * s * s / 6.0,
        2.0 / 3.0 - t * t * (1.0 - 0.5 * t),
        2.0 / 3.0 - s * s * (1.0 - 0.5 * s),
        t * t * t / 6.0,
    );
}

fn basis_slope(t: f32) -> vec4<f32> {
    let s = 1.0 - t;
    return vec4<f32>(-0.5 * s * s, -2.0 * t + 1.5 * t * t, 2.0 * s - 1.5 * s * s, 0.5 * t * t);
}

// The spline whose coefficients begin at word `first`, at `knot`.
fn spline(first: u32, knot: OnKnots) -> f32 {
    let c = first + knot.interval;
    return dot(basis(knot.t), bitcast<vec4<f32>>(vec4<u32>(splines[c], splines[c + 1u], splines[c + 2u], splines[c + 3u])));
}

// b^T C b, with the band of the covariance C of the coefficients that live on the interval.
fn quadratic_form(reference: ReferenceRecord, interval: u32, b: vec4<f32>) -> f32 {
    let covariance = reference.splines + reference.n_pixels + 2u * reference.n_coefficients;
    var sum = 0.0;
    for (var j = 0u; j < 4u; j++) {
        let row = covariance + 4u * (interval + j);
        var of_row = b[j] * bitcast<f32>(splines[row]);
        for (var k = j + 1u; k < 4u; k++) {
            of_row += 2.0 * b[k] * bitcast<f32>(splines[row + k - j]);
        }
        sum += b[j] * of_row;
    }
    return sum;
}

// Writes a flux, and to each shifted copy.
fn write_flux(at: u32, flux: f32) {
    fluxes[at] = flux;
    for (var copy = 0u; copy < ROW_COPIES; copy++) {
        if at >= copy {
            rows[4u * copy * params.row_stride + at - copy] = flux;
        }
    }
}

// Flux and variance of every entry, and the coarse tables. Workgroups along the first dimension share a reference.
@compute @workgroup_size(128)
fn tabulate(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let first = workgroup.x * THREADS + thread;
    let stride = workgroups.x * THREADS;
    for (var r = workgroup.y; r < params.n_references; r += workgroups.y) {
        let reference = references[r];
        let flux0 = reference.splines + reference.n_pixels;
        let n = PHASES * reference.table_len;
        // Neighbouring threads write neighbouring numbers.
        for (var i = first; i < n; i += stride) {
            let entry = PHASES * (i % reference.table_len) + i / reference.table_len;
            let knot = on_knots(reference, entry);
            write_flux(reference.flux + i, spline(flux0, knot));
            let variance = spline(flux0 + reference.n_coefficients, knot);
            tables[reference.table + i] = clamp(variance, LEAST_VARIANCE, MOST_VARIANCE);
        }
        let coarse0 = reference.table + n + BLOCK_LANES * reference.n_blocks;
        for (var i = first; i < reference.n_coarse; i += stride) {
            let knot = on_knots(reference, PHASES * COARSE * i);
            let of_flux = quadratic_form(reference, knot.interval, basis(knot.t));
            let of_slope = quadratic_form(reference, knot.interval, basis_slope(knot.t)) * knot.per_km_s * knot.per_km_s;
            tables[coarse0 + i] = min(of_flux, MOST_VARIANCE);
            tables[coarse0 + reference.n_coarse + i] = min(of_slope, MOST_VARIANCE);
        }
    }
}

// Means of the variance over blocks, once all variances are there.
@compute @workgroup_size(128)
fn block_means(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let stride = workgroups.x * THREADS;
    for (var r = workgroup.y; r < params.n_references; r += workgroups.y) {
        let reference = references[r];
        let blocks = reference.table + PHASES * reference.table_len;
        for (var i = workgroup.x * THREADS + thread; i < BLOCK_LANES * reference.n_blocks; i += stride) {
            let step = i / reference.n_blocks + BLOCK_LANES * (i % reference.n_blocks);
            var sum = 0.0;
            for (var lane = 0u; lane < BLOCK_LANES; lane++) {
                sum += tables[reference.table + min(step + lane, reference.table_len - 1u)];
            }
            tables[blocks + i] = sum / f32(BLOCK_LANES);
        }
    }
}
