// The velocities around the peak, interpolated between table entries. Threads are spread over velocities (four each)
// and pixels (every so many groups of four), and the sums of all pixel groups are added as integers.

// Velocities at which ln L is wanted: `n` of them, the first at position `first` of the grid, `quarters` quarters of a step apart.
struct Plan {
    first: u32,
    quarters: u32,
    n: u32,
    state: u32,
}

var<workgroup> parts: array<vec2<u32>, 512>;

// r^2 and S of a pixel, in units of its own noise.
struct Terms {
    r: vec4<f32>,
    s: vec4<f32>,
}

// `down` counts quarters of a step below the largest velocity.
fn exact_terms(spectrum: Spectrum, index: u32, down: vec4<u32>) -> Terms {
    if index >= spectrum.n_pixels {
        return Terms(vec4<f32>(0.0), vec4<f32>(1.0));
    }
    let pixel = pixels[spectrum.first_pixel + index];
    let at = vec4<u32>(pixel.place) + (down << vec4<u32>(spectrum.frac_bits - 1u));
    let entry = at >> vec4<u32>(spectrum.frac_bits);
    let mask = (1u << spectrum.frac_bits) - 1u;
    let above = vec4<f32>(at & vec4<u32>(mask)) / f32(1u << spectrum.frac_bits);
    var f0: vec4<f32>;
    var f1: vec4<f32>;
    var v0: vec4<f32>;
    var v1: vec4<f32>;
    for (var j = 0u; j < 4u; j++) {
        let here = place(spectrum, entry[j]);
        let next = place(spectrum, entry[j] + 1u);
        f0[j] = fluxes[spectrum.flux + here];
        f1[j] = fluxes[spectrum.flux + next];
        v0[j] = tables[spectrum.table + here];
        v1[j] = tables[spectrum.table + next];
    }
    let r = (pixel.flux - f0) - above * (f1 - f0);
    let v = v0 + above * (v1 - v0);
    return Terms(r * r * pixel.ivar, 1.0 + v * pixel.ivar);
}

// Writes -2 ln L at the velocities of the plan to scratch.
fn exact(spectrum: Spectrum, plan: Plan, scratch0: u32, thread: u32) {
    // Fours of velocities side by side.
    var fours = 16u;
    if plan.n <= 32u { fours = 8u; }
    if plan.n <= 16u { fours = 4u; }
    let side = 4u * fours;
    let group = thread / fours;
    let groups = THREADS / fours;
    let down0 = 4u * (params.n_velocities - 1u - plan.first);
    for (var tile = 0u; tile < plan.n; tile += side) {
        let of_four = tile + 4u * (thread % fours);
        let k = min(vec4<u32>(of_four) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(plan.n - 1u));
        let down = vec4<u32>(down0) - k * plan.quarters;
        var sums = no_sums();
        var in_block = 0u;
        for (var i = 4u * group; i < spectrum.n_pixels; i += 4u * groups) {
            let a = exact_terms(spectrum, i, down);
            let b = exact_terms(spectrum, i + 1u, down);
            let c = exact_terms(spectrum, i + 2u, down);
            let d = exact_terms(spectrum, i + 3u, down);
            add_quad(&sums, a.r, a.s, b.r, b.s, c.r, c.s, d.r, d.s);
            in_block += 4u;
            if in_block == BLOCK {
                end_block(&sums);
                in_block = 0u;
            }
        }
        end_block(&sums);
        let wide = likelihood(sums);
        for (var j = 0u; j < 4u; j++) {
            parts[4u * thread + j] = vec2<u32>(bitcast<u32>(wide.high[j]), wide.low[j]);
        }
        workgroupBarrier();
        if thread < side && tile + thread < plan.n {
            var sum = parts[thread];
            for (var g = 1u; g < groups; g++) {
                sum = narrow_add(sum, parts[g * side + thread]);
            }
            scratch[scratch0 + tile + thread] = sum;
        }
        workgroupBarrier();
    }
    storageBarrier();
}
