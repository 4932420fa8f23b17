// From a curve of -2 ln L to its peak: twin of src/likelihood/peak.rs.

// Stands for "no second peak": lower than any ln L.
const NONE: f32 = -3.0e38;

// Position of the lowest of the first n values of scratch; of equal ones the first.
fn lowest(scratch0: u32, n: u32, thread: u32) -> u32 {
    var best = vec3<u32>(0x7fffffffu, 0xffffffffu, 0xffffffffu);
    for (var i = thread; i < n; i += THREADS) {
        let value = scratch[scratch0 + i];
        if narrow_less(value, best.xy) {
            best = vec3<u32>(value, i);
        }
    }
    stage[thread] = vec4<u32>(best, 0u);
    for (var half = THREADS / 2u; half > 0u; half = half / 2u) {
        workgroupBarrier();
        if thread < half {
            let mine = stage[thread];
            let other = stage[thread + half];
            let equal = mine.x == other.x && mine.y == other.y;
            if narrow_less(other.xy, mine.xy) || (equal && other.z < mine.z) {
                stage[thread] = other;
            }
        }
    }
    let found = workgroupUniformLoad(&stage[0]).z;
    return min(found, n - 1u);
}

// Sum over all threads, in a fixed order.
fn sum_of_threads(value: vec4<f32>, thread: u32) -> vec4<f32> {
    stage[thread] = bitcast<vec4<u32>>(value);
    for (var half = THREADS / 2u; half > 0u; half = half / 2u) {
        workgroupBarrier();
        if thread < half {
            let sum = bitcast<vec4<f32>>(stage[thread]) + bitcast<vec4<f32>>(stage[thread + half]);
            stage[thread] = bitcast<vec4<u32>>(sum);
        }
    }
    return bitcast<vec4<f32>>(workgroupUniformLoad(&stage[0]));
}

// Values beside the top, in one direction, that are less than SEARCH_DEPTH below it.
fn near_top(scratch0: u32, top: u32, upwards: bool) -> u32 {
    let peak = scratch[scratch0 + top];
    let n = select(top, params.n_velocities - 1u - top, upwards);
    for (var i = 1u; i <= n; i++) {
        let value = scratch[scratch0 + select(top - i, top + i, upwards)];
        if 0.5 * narrow_above(value, peak) >= SEARCH_DEPTH {
            return i - 1u;
        }
    }
    return n;
}

// What the parabola needs around the search's maximum (Refinement::around).
fn plan_around(scratch0: u32, top: u32) -> Plan {
    let n_velocities = params.n_velocities;
    if top == 0u || top + 1u >= n_velocities {
        return Plan(0u, 1u, 0u, WRITTEN);
    }
    let side = max(near_top(scratch0, top, false), near_top(scratch0, top, true)) + 1u;
    if side < FINE_SIDE {
        if top < FINE_SIDE || top + FINE_SIDE >= n_velocities {
            return Plan(0u, 1u, 0u, WRITTEN);
        }
        return Plan(top - FINE_SIDE, 4u / FINE_PER_STEP, 2u * FINE_SIDE * FINE_PER_STEP, WRITTEN | REFINED);
    }
    let first = max(top, side) - side;
    return Plan(first, 4u, min(top + side + 1u, n_velocities) - first, WRITTEN | REFINED);
}

// Height of the highest maximum beside the top in one direction, in ln L below the top; NONE if there is none.
fn walk(scratch0: u32, top: u32, upwards: bool) -> f32 {
    let n = select(top, params.n_velocities - 1u - top, upwards);
    var lowest_yet = 0.0;
    var risen = false;
    var second = NONE;
    for (var i = 1u; i <= n; i++) {
        let value = bitcast<f32>(scratch[scratch0 + select(top - i, top + i, upwards)].x);
        lowest_yet = min(lowest_yet, value);
        risen = risen || value > lowest_yet + PEAK_PROMINENCE;
        if risen {
            second = max(second, value);
        }
    }
    return second;
}

// Turns the curve of the search into ln L below its top, and finds the second peak's height.
fn second_peak(scratch0: u32, top: u32, thread: u32) -> f32 {
    let n_velocities = params.n_velocities;
    let peak = scratch[scratch0 + top];
    // Every thread has read the peak before one overwrites it.
    storageBarrier();
    workgroupBarrier();
    var sum = 0.0;
    for (var i = thread; i < n_velocities; i += THREADS) {
        let value = -0.5 * narrow_above(scratch[scratch0 + i], peak);
        scratch[scratch0 + i] = vec2<u32>(bitcast<u32>(value), 0u);
        sum += value;
    }
    storageBarrier();
    let height = -sum_of_threads(vec4<f32>(sum), thread).x / f32(n_velocities);
    // Both directions at once, in warps of their own.
    if thread == 0u || thread == 64u {
        stage[thread].x = bitcast<u32>(walk(scratch0, top, thread == 0u));
    }
    workgroupBarrier();
    let second = max(bitcast<f32>(stage[0].x), bitcast<f32>(stage[64].x));
    workgroupBarrier();
    if second > -height && height > 0.0 {
        return (second + height) / height;
    }
    return 0.0;
}

// Vertex of the weighted least-squares parabola around the lowest of the plan's values (fit_parabola): offset in steps
// from it, ln L above it, and 1 if there is a vertex.
fn parabola(plan: Plan, scratch0: u32, best: u32) -> vec3<f32> {
    let peak = scratch[scratch0 + best];
    let half = MIN_POINTS / 2u;
    var needed = 0.0;
    for (var i = max(best, half) - half; i < min(best + half + 1u, plan.n); i++) {
        needed = max(needed, 0.5 * narrow_above(scratch[scratch0 + i], peak));
    }
    let depth = max(PARABOLA_DEPTH, 1.25 * needed);
    var start = best;
    while start > 0u && 0.5 * narrow_above(scratch[scratch0 + max(start, 1u) - 1u], peak) < depth {
        start -= 1u;
    }
    var end = best + 1u;
    while end < plan.n && 0.5 * narrow_above(scratch[scratch0 + min(end, plan.n - 1u)], peak) < depth {
        end += 1u;
    }
    // Positions in units of the region's longer side, so that float32 holds their fourth powers.
    let unit = max(1.0, f32(max(best - start, end - 1u - best)));
    var m = array<f32, 5>(0.0, 0.0, 0.0, 0.0, 0.0);
    var r = vec3<f32>(0.0);
    for (var i = start; i < end; i++) {
        let x = (f32(i) - f32(best)) / unit;
        let y = -0.5 * narrow_above(scratch[scratch0 + i], peak);
        let share = 1.0 + y / depth;
        let w = share * share;
        m[0] += w;
        m[1] += w * x;
        m[2] += w * x * x;
        m[3] += w * x * x * x;
        m[4] += w * x * x * x * x;
        r += w * y * vec3<f32>(1.0, x, x * x);
    }
    let c00 = m[2] * m[4] - m[3] * m[3];
    let c01 = m[1] * m[4] - m[3] * m[2];
    let c02 = m[1] * m[3] - m[2] * m[2];
    let c11 = m[0] * m[4] - m[2] * m[2];
    let c12 = m[0] * m[3] - m[1] * m[2];
    let c22 = m[0] * m[2] - m[1] * m[1];
    let determinant = m[0] * c00 - m[1] * c01 + m[2] * c02;
    if determinant <= 0.0 {
        return vec3<f32>(0.0);
    }
    let a = (c00 * r.x - c01 * r.y + c02 * r.z) / determinant;
    let b = (c11 * r.y - c01 * r.x - c12 * r.z) / determinant;
    let c = (c02 * r.x - c12 * r.y + c22 * r.z) / determinant;
    if c >= 0.0 {
        return vec3<f32>(0.0);
    }
    let x = -0.5 * b / c * unit;
    let inside = x >= f32(start) - f32(best) && x <= f32(end - 1u) - f32(best);
    // Both x and the ends are in the plan's points here.
    return vec3<f32>(x * 0.25 * f32(plan.quarters), a - 0.25 * b * b / c, select(0.0, 1.0, inside));
}
