// Chi^2 and sum of ln S of four velocities. Four pixels share one division and one exponent: their fractions are added
// over the common denominator (src/likelihood/kernel.rs).

struct Sums {
    chi2: vec4<f32>,
    mantissa: vec4<f32>,
    exponent: vec4<i32>,
    total: Wide4,
}

fn no_sums() -> Sums {
    return Sums(vec4<f32>(0.0), vec4<f32>(1.0), vec4<i32>(0), Wide4(vec4<i32>(0), vec4<u32>(0u)));
}

// r^2 (r) and S (s) of four pixels.
fn add_quad(
    sums: ptr<function, Sums>,
    r_a: vec4<f32>, s_a: vec4<f32>,
    r_b: vec4<f32>, s_b: vec4<f32>,
    r_c: vec4<f32>, s_c: vec4<f32>,
    r_d: vec4<f32>, s_d: vec4<f32>,
) {
    let s_ab = s_a * s_b;
    let s_cd = s_c * s_d;
    let n_ab = r_a * s_b + r_b * s_a;
    let n_cd = r_c * s_d + r_d * s_c;
    let s = s_ab * s_cd;
    (*sums).chi2 += (n_ab * s_cd + n_cd * s_ab) / s;
    let bits = bitcast<vec4<u32>>((*sums).mantissa * s);
    (*sums).exponent += vec4<i32>(bits >> vec4<u32>(23u)) - vec4<i32>(127);
    (*sums).mantissa = bitcast<vec4<f32>>((bits & vec4<u32>(0x007fffffu)) | vec4<u32>(0x3f800000u));
}

// Adds the float32 sum of a block to the sums in integers (wide.wgsl), and clears it.
fn end_block(sums: ptr<function, Sums>) {
    (*sums).total = wide_add((*sums).total, wide_of((*sums).chi2));
    (*sums).chi2 = vec4<f32>(0.0);
}

// -2 ln L without constants.
fn likelihood(sums: Sums) -> Wide4 {
    return wide_add(sums.total, wide_ln(sums.exponent, sums.mantissa));
}
