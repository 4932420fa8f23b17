// Numbers of 64 bits for -2 ln L: high * 2^12 + low * 2^-20. Sums of integers are exact in any order, and differences
// of large sums keep their digits.

const LARGEST_HIGH: i32 = 1 << 30u;
// A block's chi^2 is held below 2^41, so that neither half of a number can overflow.
const LARGEST_PART: f32 = 2199023255552.0;
// ln 2 in units of 2^-20, without the half that wide_ln adds.
const LN_2: u32 = 726817u;

struct Wide4 {
    high: vec4<i32>,
    low: vec4<u32>,
}

fn wide_add(a: Wide4, b: Wide4) -> Wide4 {
    let low = a.low + b.low;
    let carry = select(vec4<i32>(0), vec4<i32>(1), low < b.low);
    return Wide4(min(a.high + b.high + carry, vec4<i32>(LARGEST_HIGH)), low);
}

// A float32 that is not negative, as a wide number.
fn wide_of(value: vec4<f32>) -> Wide4 {
    let clamped = clamp(value, vec4<f32>(0.0), vec4<f32>(LARGEST_PART));
    let high = floor(clamped * 0.000244140625);
    let rest = clamped - high * 4096.0;
    return Wide4(vec4<i32>(high), vec4<u32>(rest * 1048576.0));
}

// exponent * ln 2 + ln(mantissa), mantissa in [1, 2).
fn wide_ln(exponent: vec4<i32>, mantissa: vec4<f32>) -> Wide4 {
    let upper = (exponent >> vec4<u32>(12u)) * i32(LN_2);
    let lower = vec4<u32>(exponent & vec4<i32>(4095)) * LN_2;
    let half = exponent >> vec4<u32>(1u);
    var sum = Wide4(upper >> vec4<u32>(20u), vec4<u32>(upper) << vec4<u32>(12u));
    sum = wide_add(sum, Wide4(vec4<i32>(0), lower));
    sum = wide_add(sum, Wide4(half >> vec4<u32>(31u), vec4<u32>(half)));
    return wide_add(sum, Wide4(vec4<i32>(0), vec4<u32>(max(log(mantissa), vec4<f32>(0.0)) * 1048576.0)));
}

// A wide number as it lies in memory: (high, low).
fn narrow_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.y + b.y;
    let high = bitcast<i32>(a.x) + bitcast<i32>(b.x) + select(0, 1, low < b.y);
    return vec2<u32>(bitcast<u32>(min(high, LARGEST_HIGH)), low);
}

fn narrow_less(a: vec2<u32>, b: vec2<u32>) -> bool {
    let high_a = bitcast<i32>(a.x);
    let high_b = bitcast<i32>(b.x);
    return high_a < high_b || (high_a == high_b && a.y < b.y);
}

// a - b for a >= b.
fn narrow_above(a: vec2<u32>, b: vec2<u32>) -> f32 {
    let low = a.y - b.y;
    let high = bitcast<i32>(a.x) - bitcast<i32>(b.x) - select(0, 1, a.y < b.y);
    return f32(high) * 4096.0 + f32(low) * 0.00000095367431640625;
}
