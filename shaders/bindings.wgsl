// The buffers of the kernel that measures.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> spectra: array<Spectrum>;
@group(0) @binding(2) var<storage, read> pixels: array<Pixel>;
@group(0) @binding(3) var<storage, read> fluxes: array<f32>;
@group(0) @binding(4) var<storage, read> tables: array<f32>;
// Four copies of the fluxes, each beginning one number later than the one before, in fours: four numbers from any place on are an aligned
// four in one of them.
@group(0) @binding(5) var<storage, read> rows: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> scratch: array<vec2<u32>>;
@group(0) @binding(7) var<storage, read_write> results: array<Found>;
