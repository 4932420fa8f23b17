// The whole grid by the nearest table entries, with the reference's variance constant over BLOCK_LANES velocities: twin
// of src/likelihood/search.rs. Lanes are velocities: lane 0 is the largest, and the next lane is the next entry of the
// same phase. A thread has the lanes of one block: a staged pixel, a division and a logarithm serve all eight.

// A variance beside which that of the reference is nothing; products of four such stay finite.
const MAX_VARIANCE: f32 = 100000000.0;

// Pixels, staged: places of the flux and of the first block's variance in tables, flux, variance.
// Later the scratch of reductions.
var<workgroup> stage: array<vec4<u32>, THREADS>;

fn place(spectrum: Spectrum, entry: u32) -> u32 {
    return min((entry % PHASES) * spectrum.table_len + entry / PHASES, PHASES * spectrum.table_len - 1u);
}

// Pixels that fill up a group of four add the same to every velocity.
fn near_pixel(spectrum: Spectrum, index: u32) -> vec4<u32> {
    let block0 = spectrum.table + 2u * PHASES * spectrum.table_len;
    if index >= spectrum.n_pixels {
        return vec4<u32>(spectrum.table, block0, 0u, bitcast<u32>(MAX_VARIANCE));
    }
    let pixel = pixels[spectrum.first_pixel + index];
    let whole = pixel.place >> spectrum.frac_bits;
    let entry = whole + ((pixel.place >> (spectrum.frac_bits - 1u)) & 1u);
    let step = entry / PHASES;
    return vec4<u32>(
        spectrum.table + (entry % PHASES) * spectrum.table_len + step,
        block0 + (step % BLOCK_LANES) * spectrum.n_blocks + step / BLOCK_LANES,
        bitcast<u32>(pixel.flux),
        bitcast<u32>(min(1.0 / pixel.ivar, MAX_VARIANCE)),
    );
}

struct Row {
    lower: vec4<f32>,
    upper: vec4<f32>,
}

// Eight entries of tables from start on: three aligned loads, shifted against each other.
fn near_row(start: u32) -> Row {
    let a = tables4[start >> 2u];
    let b = tables4[(start >> 2u) + 1u];
    let c = tables4[(start >> 2u) + 2u];
    let odd = (start & 1u) != 0u;
    let lower = select(a, vec4<f32>(a.yzw, b.x), odd);
    let upper = select(b, vec4<f32>(b.yzw, c.x), odd);
    let after = select(c.xy, c.yz, odd);
    let two = (start & 2u) != 0u;
    return Row(
        select(lower, vec4<f32>(lower.zw, upper.xy), two),
        select(upper, vec4<f32>(upper.zw, after), two),
    );
}

// Chi^2 of a pixel of this flux at eight lanes.
fn add_pixel(chi2: ptr<function, Row>, flux: u32, row: Row, weight: f32) {
    let lower = bitcast<f32>(flux) - row.lower;
    let upper = bitcast<f32>(flux) - row.upper;
    (*chi2).lower += lower * lower * weight;
    (*chi2).upper += upper * upper * weight;
}

// Writes -2 ln L of every velocity to scratch, in ascending velocity.
fn search(spectrum: Spectrum, scratch0: u32, thread: u32) {
    let n_velocities = params.n_velocities;
    for (var tile = 0u; tile < n_velocities; tile += TILE) {
        let lane = tile + PER_THREAD * thread;
        let block = lane / BLOCK_LANES;
        var lower = Wide4(vec4<i32>(0), vec4<u32>(0u));
        var upper = lower;
        var mantissa = 1.0;
        var exponent = 0;
        for (var first = 0u; first < spectrum.n_pixels; first += THREADS) {
            workgroupBarrier();
            stage[thread] = near_pixel(spectrum, first + thread);
            workgroupBarrier();
            // Whole warps have nothing to do where the grid is short.
            let n_staged = select(0u, min(THREADS, spectrum.n_pixels - first), lane < n_velocities);
            for (var chunk = 0u; chunk < n_staged; chunk += BLOCK) {
                let end = min(chunk + BLOCK, n_staged);
                var chi2 = Row(vec4<f32>(0.0), vec4<f32>(0.0));
                for (var i = chunk; i < end; i += 4u) {
                    let a = stage[i];
                    let b = stage[i + 1u];
                    let c = stage[i + 2u];
                    let d = stage[i + 3u];
                    let s_a = bitcast<f32>(a.w) + tables[a.y + block];
                    let s_b = bitcast<f32>(b.w) + tables[b.y + block];
                    let s_c = bitcast<f32>(c.w) + tables[c.y + block];
                    let s_d = bitcast<f32>(d.w) + tables[d.y + block];
                    let s_ab = s_a * s_b;
                    let s_cd = s_c * s_d;
                    let product = s_ab * s_cd;
                    let inverse = 1.0 / product;
                    let inverse_ab = inverse * s_cd;
                    let inverse_cd = inverse * s_ab;
                    add_pixel(&chi2, a.z, near_row(a.x + lane), inverse_ab * s_b);
                    add_pixel(&chi2, b.z, near_row(b.x + lane), inverse_ab * s_a);
                    add_pixel(&chi2, c.z, near_row(c.x + lane), inverse_cd * s_d);
                    add_pixel(&chi2, d.z, near_row(d.x + lane), inverse_cd * s_c);
                    let bits = bitcast<u32>(mantissa * product);
                    exponent += i32(bits >> 23u) - 127;
                    mantissa = bitcast<f32>((bits & 0x007fffffu) | 0x3f800000u);
                }
                lower = wide_add(lower, wide_of(chi2.lower));
                upper = wide_add(upper, wide_of(chi2.upper));
            }
        }
        let ln_s = wide_ln(vec4<i32>(exponent), vec4<f32>(mantissa));
        lower = wide_add(lower, ln_s);
        upper = wide_add(upper, ln_s);
        for (var j = 0u; j < 4u; j++) {
            if lane + j < n_velocities {
                let at = scratch0 + n_velocities - 1u - lane - j;
                scratch[at] = vec2<u32>(bitcast<u32>(lower.high[j]), lower.low[j]);
            }
            if lane + j + 4u < n_velocities {
                let at = scratch0 + n_velocities - 5u - lane - j;
                scratch[at] = vec2<u32>(bitcast<u32>(upper.high[j]), upper.low[j]);
            }
        }
    }
}
