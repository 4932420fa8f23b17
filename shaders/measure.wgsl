// One workgroup measures one spectrum at a time: search, peak, exact values around it, parabola, precision.

var<workgroup> shared_plan: Plan;
var<workgroup> shared_vertex: vec3<f32>;

fn measure_spectrum(index: u32, scratch0: u32, thread: u32) {
    let spectrum = spectra[index];
    search(spectrum, scratch0, thread);
    storageBarrier();
    workgroupBarrier();
    let top = lowest(scratch0, params.n_velocities, thread);
    if thread == 0u {
        shared_plan = plan_around(scratch0, top);
    }
    let plan = workgroupUniformLoad(&shared_plan);
    let second = second_peak(scratch0, top, thread);

    var found: Found;
    found.state = plan.state;
    found.top = top;
    found.quarter = 4u * top;
    found.second_peak = second;
    if plan.n > 0u {
        exact(spectrum, plan, scratch0, thread);
        workgroupBarrier();
        let best = lowest(scratch0, plan.n, thread);
        if thread == 0u {
            shared_vertex = parabola(plan, scratch0, best);
        }
        let vertex = workgroupUniformLoad(&shared_vertex);
        if vertex.z > 0.0 {
            let peak = scratch[scratch0 + best];
            found.state |= VERTEX;
            found.quarter = 4u * plan.first + best * plan.quarters;
            found.offset = vertex.x;
            found.high = bitcast<i32>(peak.x);
            found.low = peak.y;
            found.rise = vertex.y;
        }
    }
    let down = 4u * (params.n_velocities - 1u) - found.quarter;
    let sums = precision_sums(spectrum, down, found.offset, thread);
    found.slope2 = sums.x;
    found.slope_noise = sums.y;
    found.own_slope2 = sums.z;
    found.chi2 = sums.w;
    if thread == 0u {
        results[index] = found;
    }
    // The next spectrum overwrites scratch and stage.
    storageBarrier();
    workgroupBarrier();
}

@compute @workgroup_size(128)
fn measure(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let first = workgroup.y * workgroups.x + workgroup.x;
    let scratch0 = first * params.scratch_stride;
    for (var index = first; index < params.n_spectra; index += workgroups.x * workgroups.y) {
        if spectra[index].n_pixels == 0u {
            if thread == 0u {
                results[index].state = WRITTEN;
            }
        } else if params.curve == 1u {
            exact(spectra[index], Plan(0u, 4u, params.n_velocities, WRITTEN), scratch0, thread);
            if thread == 0u {
                results[index].state = WRITTEN;
            }
        } else {
            measure_spectrum(index, scratch0, thread);
        }
    }
}
