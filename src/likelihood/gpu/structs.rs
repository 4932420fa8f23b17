//! What host and device share: twin of `shaders/layout.wgsl`.

use bytemuck::{Pod, Zeroable};

/// The shader that makes tables of references.
pub const TABULATE: &str = concat!(
    include_str!("../../../shaders/layout.wgsl"),
    include_str!("../../../shaders/tabulate.wgsl"),
);

/// The shader that measures with them. One module, so that its parts can use each other.
pub const SHADER: &str = concat!(
    include_str!("../../../shaders/layout.wgsl"),
    include_str!("../../../shaders/bindings.wgsl"),
    include_str!("../../../shaders/wide.wgsl"),
    include_str!("../../../shaders/sums.wgsl"),
    include_str!("../../../shaders/search.wgsl"),
    include_str!("../../../shaders/exact.wgsl"),
    include_str!("../../../shaders/peak.wgsl"),
    include_str!("../../../shaders/precision.wgsl"),
    include_str!("../../../shaders/measure.wgsl"),
);

/// Velocities of one tile of the search.
pub const TILE: usize = 1024;

/// Bit of [`Found::state`]: the kernel has written this result.
pub const WRITTEN: u32 = 1;
/// Bit of [`Found::state`]: the peak lies far enough from the ends of the grid to be looked at exactly.
pub const REFINED: u32 = 2;
/// Bit of [`Found::state`]: the parabola through the exact values has a vertex.
pub const VERTEX: u32 = 4;

/// Settings of a dispatch.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Params {
    /// Spectra.
    pub n_spectra: u32,
    /// Velocities of the grid.
    pub n_velocities: u32,
    /// Entries of scratch that a workgroup has.
    pub scratch_stride: u32,
    /// 1 to leave the interpolated curve in scratch.
    pub curve: u32,
    /// Number of fours (four float32 numbers) in each shifted copy of the fluxes.
    pub row_stride: u32,
    /// References.
    pub n_references: u32,
    /// Table entries per km/s.
    pub entries_per_km_s: f32,
}

/// A reference: where its splines are, and where its table is made.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct ReferenceRecord {
    /// First word of its splines.
    pub splines: u32,
    /// Pixels whose places these begin with.
    pub n_pixels: u32,
    /// Coefficients of each spline.
    pub n_coefficients: u32,
    /// Place of the first pixel in its knot interval.
    pub first_pixel: u32,
    /// Pixels of a knot interval.
    pub knot_pixels: u32,
    /// Fraction bits of the pixels' places.
    pub place_bits: u32,
    /// First of its fluxes.
    pub flux: u32,
    /// First float of the rest of its table.
    pub table: u32,
    /// Entries of each phase.
    pub table_len: u32,
    /// Runs of each row of the block variances.
    pub n_blocks: u32,
    /// Entries of the coarse tables.
    pub n_coarse: u32,
}

/// A spectrum: where its pixels and its table are.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Spectrum {
    /// Its first pixel.
    pub first_pixel: u32,
    /// Its pixels.
    pub n_pixels: u32,
    /// First of its reference's fluxes.
    pub flux: u32,
    /// First float of the rest of its table.
    pub table: u32,
    /// Entries of each phase.
    pub table_len: u32,
    /// Runs of each row of the block variances.
    pub n_blocks: u32,
    /// Entries of the coarse tables.
    pub n_coarse: u32,
    /// Fraction bits of its pixels' places.
    pub frac_bits: u32,
}

/// A pixel.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Pixel {
    /// Place in the table at the largest velocity, entries in fixed point.
    pub place: u32,
    /// Normalised flux.
    pub flux: f32,
    /// Its inverse variance.
    pub ivar: f32,
}

/// What comes back of a spectrum.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Found {
    /// Bits: [`WRITTEN`], [`REFINED`], [`VERTEX`].
    pub state: u32,
    /// Highest velocity of the search, steps of the grid.
    pub top: u32,
    /// Highest exact velocity, quarters of a step.
    pub quarter: u32,
    /// The vertex from there, steps.
    pub offset: f32,
    /// -2 ln L at the highest exact velocity is `high * 2^12 + low * 2^-20`.
    pub high: i32,
    /// See `high`.
    pub low: u32,
    /// ln L at the vertex above that.
    pub rise: f32,
    /// As in [`crate::likelihood::Measurement`].
    pub second_peak: f32,
    /// Sums of [`crate::likelihood::precision::PrecisionSums`], slopes per table entry.
    pub slope2: f32,
    /// See `slope2`.
    pub slope_noise: f32,
    /// See `slope2`.
    pub own_slope2: f32,
    /// See `slope2`.
    pub chi2: f32,
}

/// ln L from -2 ln L as the device has it.
pub fn ln_likelihood(high: i32, low: u32) -> f64 {
    -0.5 * (f64::from(high) * 4096.0 + f64::from(low) / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use std::mem::{offset_of, size_of};

    use wgpu::naga;

    use super::*;
    use crate::likelihood::{lanes, peak, reference_table, search};

    fn module_of(source: &str) -> naga::Module {
        naga::front::wgsl::parse_str(source)
            .unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)))
    }

    fn module() -> naga::Module {
        module_of(SHADER)
    }

    #[test]
    fn the_shaders_are_valid() {
        for source in [TABULATE, SHADER] {
            let mut validator = naga::valid::Validator::new(
                naga::valid::ValidationFlags::all(),
                naga::valid::Capabilities::empty(),
            );
            if let Err(e) = validator.validate(&module_of(source)) {
                panic!("{}", e.emit_to_string(source));
            }
        }
    }

    #[test]
    fn constants_are_the_same() {
        let modules = [module(), module_of(TABULATE)];
        let value = |name: &str| -> f64 {
            let found = modules.iter().find_map(|module| {
                let mut constants = module.constants.iter();
                let constant = constants.find(|(_, c)| c.name.as_deref() == Some(name));
                Some((module, constant?))
            });
            let (module, (_, constant)) = found.unwrap_or_else(|| panic!("no constant {name}"));
            match module.global_expressions[constant.init] {
                naga::Expression::Literal(naga::Literal::U32(v)) => f64::from(v),
                naga::Expression::Literal(naga::Literal::I32(v)) => f64::from(v),
                naga::Expression::Literal(naga::Literal::F32(v)) => f64::from(v),
                ref other => panic!("{name} is {other:?}"),
            }
        };
        for (name, rust) in [
            ("TILE", TILE as f64),
            ("THREADS", f64::from(super::super::THREADS)),
            ("PHASES", reference_table::PHASES as f64),
            ("COARSE", reference_table::COARSE as f64),
            (
                "LEAST_VARIANCE",
                f64::from(reference_table::LEAST_VARIANCE as f32),
            ),
            ("MOST_VARIANCE", reference_table::MOST_VARIANCE),
            ("FINE_PER_STEP", peak::FINE_PER_STEP as f64),
            ("FINE_SIDE", peak::FINE_SIDE as f64),
            ("SEARCH_DEPTH", peak::SEARCH_DEPTH),
            ("BLOCK_LANES", lanes::BLOCK_LANES as f64),
            ("MAX_VARIANCE", f64::from(search::MAX_VARIANCE)),
            ("PARABOLA_DEPTH", peak::PARABOLA_DEPTH),
            ("MIN_POINTS", peak::MIN_POINTS as f64),
            ("PEAK_PROMINENCE", peak::PEAK_PROMINENCE),
            ("WRITTEN", f64::from(WRITTEN)),
            ("REFINED", f64::from(REFINED)),
            ("VERTEX", f64::from(VERTEX)),
        ] {
            assert_eq!(value(name), rust, "{name}");
        }
        assert_eq!(value("THREADS"), 2.0 * value("HALF"));
        assert_eq!(value("THREADS"), 2.0 * value("BLOCK"));
        assert_eq!(value("FAR"), value("HALF") * value("BLOCK_LANES"));
        assert_eq!(value("TILE"), 2.0 * value("FAR"));
    }

    #[test]
    fn workgroups_and_their_memory_fit_the_smallest_device() {
        let module = module();
        for entry in module
            .entry_points
            .iter()
            .chain(&module_of(TABULATE).entry_points)
        {
            assert_eq!(
                entry.workgroup_size,
                [super::super::THREADS, 1, 1],
                "{}",
                entry.name
            );
        }
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let shared: u32 = module
            .global_variables
            .iter()
            .filter(|(_, v)| v.space == naga::AddressSpace::WorkGroup)
            .map(|(_, v)| layouter[v.ty].size)
            .sum();
        assert!(
            shared <= super::super::WORKGROUP_BYTES,
            "{shared} bytes of workgroup memory"
        );
    }

    #[test]
    fn structs_are_laid_out_alike() {
        let modules = [module(), module_of(TABULATE)];
        let check = |name: &str, size: usize, fields: &[(&str, usize)]| {
            let mut types = modules.iter().flat_map(|module| module.types.iter());
            let (_, ty) = types
                .find(|(_, t)| t.name.as_deref() == Some(name))
                .unwrap_or_else(|| panic!("no struct {name}"));
            let naga::TypeInner::Struct { members, span } = &ty.inner else {
                panic!("{name} is no struct")
            };
            assert_eq!(*span as usize, size, "{name}");
            let theirs: Vec<(&str, usize)> = members
                .iter()
                .map(|m| (m.name.as_deref().unwrap_or(""), m.offset as usize))
                .collect();
            assert_eq!(theirs, fields, "{name}");
        };
        macro_rules! same {
            ($t:ident: $($field:ident),*) => {
                check(stringify!($t), size_of::<$t>(), &[$((stringify!($field), offset_of!($t, $field))),*]);
            };
        }
        same!(Params: n_spectra, n_velocities, scratch_stride, curve, row_stride, n_references, entries_per_km_s);
        same!(ReferenceRecord: splines, n_pixels, n_coefficients, first_pixel, knot_pixels, place_bits, flux, table, table_len, n_blocks, n_coarse);
        same!(Spectrum: first_pixel, n_pixels, flux, table, table_len, n_blocks, n_coarse, frac_bits);
        same!(Pixel: place, flux, ivar);
        same!(Found: state, top, quarter, offset, high, low, rise, second_peak, slope2, slope_noise, own_slope2, chi2);
    }
}
