// Sums from which error and chi^2 come: twin of src/likelihood/precision_sums.rs. Slopes are per table entry.

// The velocity is `offset` steps above the one that lies `down` quarters of a step below the largest velocity of the grid.
fn precision_sums(spectrum: Spectrum, down: u32, offset: f32, thread: u32) -> vec4<f32> {
    let unit = f32(1u << spectrum.frac_bits);
    let shift = i32(round(min(offset, 0.25 * f32(down)) * f32(PHASES) * unit));
    let whole = (down << (spectrum.frac_bits - 1u)) - bitcast<u32>(shift);
    let mask = (1u << spectrum.frac_bits) - 1u;
    let flux0 = spectrum.flux;
    let variance0 = spectrum.table;
    let coarse0 = variance0 + PHASES * spectrum.table_len + BLOCK_LANES * spectrum.n_blocks;
    var sums = vec4<f32>(0.0);
    for (var i = thread; i < spectrum.n_pixels; i += THREADS) {
        let pixel = pixels[spectrum.first_pixel + i];
        let at = pixel.place + whole;
        let entry = at >> spectrum.frac_bits;
        let w = f32(at & mask) / unit;
        let here = place(spectrum, entry);
        let next = place(spectrum, entry + 1u);
        let f0 = fluxes[flux0 + here];
        let f1 = fluxes[flux0 + next];
        // Derivative of the cubic through the four nearest entries.
        let rise = fluxes[flux0 + place(spectrum, max(entry, 1u) - 1u)] * (w - 0.5 * w * w - 1.0 / 3.0)
            + f0 * (1.5 * w * w - 2.0 * w - 0.5)
            + f1 * (1.0 + w - 1.5 * w * w)
            + fluxes[flux0 + place(spectrum, entry + 2u)] * (0.5 * w * w - 1.0 / 6.0);
        let v0 = tables[variance0 + here];
        let reference_variance = v0 + w * (tables[variance0 + next] - v0);
        let coarse = (f32(entry) + w) / f32(PHASES * COARSE);
        let step = min(u32(coarse), spectrum.n_coarse - 2u);
        let part = coarse - f32(step);
        let flux_variance0 = tables[coarse0 + step];
        let flux_variance = flux_variance0 + part * (tables[coarse0 + step + 1u] - flux_variance0);
        let slope0 = coarse0 + spectrum.n_coarse;
        let slope_variance0 = tables[slope0 + step];
        let slope_variance = slope_variance0 + part * (tables[slope0 + step + 1u] - slope_variance0);

        let residual = (pixel.flux - f0) - w * (f1 - f0);
        // sigma_t^2 / S.
        let own = 1.0 / (1.0 + pixel.ivar * reference_variance);
        let inverse = pixel.ivar * own;
        let weighed = rise * rise * inverse;
        sums += vec4<f32>(
            weighed,
            slope_variance * inverse,
            weighed * own,
            residual * residual * pixel.ivar / (1.0 + pixel.ivar * flux_variance),
        );
    }
    return sum_of_threads(sums, thread);
}
