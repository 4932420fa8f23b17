// The whole grid by the nearest table entries, with the reference's variance constant over BLOCK_LANES velocities: twin
// of src/likelihood/search.rs. Lanes are velocities: lane 0 is the largest, and the next lane is the next entry of the
// same phase. A thread has the lanes of two blocks FAR apart, and half of the pixels: a staged pixel serves all sixteen, a
// division and a logarithm the eight of a block. The sums of both halves are integers, and their order does not matter.

// Largest variance of a pixel: beside it that of the reference is nothing, and products of four of them stay finite in float32.
const MAX_VARIANCE: f32 = 100000000.0;

// Pixels, staged: places of the flux in rows and of the first block's variance in tables, flux, variance.
// Later the scratch of reductions.
var<workgroup> stage: array<vec4<u32>, THREADS>;

fn place(spectrum: Spectrum, entry: u32) -> u32 {
    return min((entry % PHASES) * spectrum.table_len + entry / PHASES, PHASES * spectrum.table_len - 1u);
}

// Where in rows a four begins with entry start of fluxes.
fn row_of(start: u32) -> u32 {
    return (start & 3u) * params.row_stride + (start >> 2u);
}

// Pixels that fill up a group of four add the same to every velocity.
fn near_pixel(spectrum: Spectrum, index: u32) -> vec4<u32> {
    let block0 = spectrum.table + PHASES * spectrum.table_len;
    if index >= spectrum.n_pixels {
        return vec4<u32>(row_of(spectrum.flux), block0, 0u, bitcast<u32>(MAX_VARIANCE));
    }
    let pixel = pixels[spectrum.first_pixel + index];
    let whole = pixel.place >> spectrum.frac_bits;
    let entry = whole + ((pixel.place >> (spectrum.frac_bits - 1u)) & 1u);
    let step = entry / PHASES;
    return vec4<u32>(
        row_of(spectrum.flux + (entry % PHASES) * spectrum.table_len + step),
        block0 + (step % BLOCK_LANES) * spectrum.n_blocks + step / BLOCK_LANES,
        bitcast<u32>(pixel.flux),
        bitcast<u32>(min(1.0 / pixel.ivar, MAX_VARIANCE)),
    );
}

// Chi^2 at a thread's velocities: lower and upper four of the near block and of the far one.
struct Chi2 {
    near_lower: vec4<f32>,
    near_upper: vec4<f32>,
    far_lower: vec4<f32>,
    far_upper: vec4<f32>,
}

// S of a staged pixel in the near and the far block.
fn near_variance(pixel: vec4<u32>, block: u32) -> vec2<f32> {
    let start = pixel.y + block;
    return bitcast<f32>(pixel.w) + vec2<f32>(tables[start], tables[start + FAR / BLOCK_LANES]);
}

// Adds a staged pixel at the velocities from four fours of lanes on.
fn add_pixel(chi2: ptr<function, Chi2>, pixel: vec4<u32>, fours: u32, weight: vec2<f32>) {
    let start = pixel.x + fours;
    let flux = bitcast<f32>(pixel.z);
    let near_lower = flux - rows[start];
    let near_upper = flux - rows[start + 1u];
    let far_lower = flux - rows[start + FAR / 4u];
    let far_upper = flux - rows[start + FAR / 4u + 1u];
    (*chi2).near_lower += near_lower * near_lower * weight.x;
    (*chi2).near_upper += near_upper * near_upper * weight.x;
    (*chi2).far_lower += far_lower * far_lower * weight.y;
    (*chi2).far_upper += far_upper * far_upper * weight.y;
}

// Writes the sums of four lanes to scratch, or adds them to what is there.
fn write_lanes(sum: Wide4, add: bool, scratch0: u32, lane: u32) {
    for (var j = 0u; j < 4u; j++) {
        if lane + j < params.n_velocities {
            let at = scratch0 + params.n_velocities - 1u - lane - j;
            let own = vec2<u32>(bitcast<u32>(sum.high[j]), sum.low[j]);
            if add {
                scratch[at] = narrow_add(own, scratch[at]);
            } else {
                scratch[at] = own;
            }
        }
    }
}

// Writes -2 ln L of every velocity to scratch, in ascending velocity.
fn search(spectrum: Spectrum, scratch0: u32, thread: u32) {
    // Half of the threads take every other BLOCK of pixels.
    let half = thread / HALF;
    for (var tile = 0u; tile < params.n_velocities; tile += TILE) {
        let lane = tile + BLOCK_LANES * (thread % HALF);
        let block = lane / BLOCK_LANES;
        let zero = Wide4(vec4<i32>(0), vec4<u32>(0u));
        var near_lower = zero;
        var near_upper = zero;
        var far_lower = zero;
        var far_upper = zero;
        var mantissa = vec2<f32>(1.0);
        var exponent = vec2<i32>(0);
        for (var first = 0u; first < spectrum.n_pixels; first += THREADS) {
            workgroupBarrier();
            stage[thread] = near_pixel(spectrum, first + thread);
            workgroupBarrier();
            // Where the grid is short, threads whose velocities lie beyond it skip the work.
            let n_staged = select(0u, min(THREADS, spectrum.n_pixels - first), lane < params.n_velocities);
            var chi2 = Chi2(vec4<f32>(0.0), vec4<f32>(0.0), vec4<f32>(0.0), vec4<f32>(0.0));
            let end = min((half + 1u) * BLOCK, n_staged);
            for (var i = half * BLOCK; i < end; i += 4u) {
                let a = stage[i];
                let b = stage[i + 1u];
                let c = stage[i + 2u];
                let d = stage[i + 3u];
                let s_a = near_variance(a, block);
                let s_b = near_variance(b, block);
                let s_c = near_variance(c, block);
                let s_d = near_variance(d, block);
                let s_ab = s_a * s_b;
                let s_cd = s_c * s_d;
                let product = s_ab * s_cd;
                let inverse = 1.0 / product;
                let inverse_ab = inverse * s_cd;
                let inverse_cd = inverse * s_ab;
                add_pixel(&chi2, a, lane / 4u, inverse_ab * s_b);
                add_pixel(&chi2, b, lane / 4u, inverse_ab * s_a);
                add_pixel(&chi2, c, lane / 4u, inverse_cd * s_d);
                add_pixel(&chi2, d, lane / 4u, inverse_cd * s_c);
                let bits = bitcast<vec2<u32>>(mantissa * product);
                exponent += vec2<i32>(bits >> vec2<u32>(23u)) - vec2<i32>(127);
                mantissa = bitcast<vec2<f32>>((bits & vec2<u32>(0x007fffffu)) | vec2<u32>(0x3f800000u));
            }
            near_lower = wide_add(near_lower, wide_of(chi2.near_lower));
            near_upper = wide_add(near_upper, wide_of(chi2.near_upper));
            far_lower = wide_add(far_lower, wide_of(chi2.far_lower));
            far_upper = wide_add(far_upper, wide_of(chi2.far_upper));
        }
        let near_ln_s = wide_ln(vec4<i32>(exponent.x), vec4<f32>(mantissa.x));
        let far_ln_s = wide_ln(vec4<i32>(exponent.y), vec4<f32>(mantissa.y));
        for (var turn = 0u; turn < 2u; turn++) {
            if turn == half {
                write_lanes(wide_add(near_lower, near_ln_s), turn == 1u, scratch0, lane);
                write_lanes(wide_add(near_upper, near_ln_s), turn == 1u, scratch0, lane + 4u);
                write_lanes(wide_add(far_lower, far_ln_s), turn == 1u, scratch0, lane + FAR);
                write_lanes(wide_add(far_upper, far_ln_s), turn == 1u, scratch0, lane + FAR + 4u);
            }
            storageBarrier();
            workgroupBarrier();
        }
    }
}
