//! A row of the catalogue: a star in one exposure, both arms side by side (paper, Table 2).

use super::exposure::{DATES, Exposure, FILE, PLACE, TIME};
use super::flags::CatalogueFlags;
use crate::measure::RvRow;
use crate::table::{Cell, Column, ColumnData, Field, Table, field};
use crate::{Arm, C_KM_S};

/// The arms in the order of the products' columns: red first, as in the paper.
pub const ARMS: [Arm; 2] = [Arm::Red, Arm::Blue];

/// What one arm says of the star in this exposure; velocities and errors in km/s, NaN where there are none.
#[derive(Clone, Debug, PartialEq)]
pub struct ArmVelocity {
    /// Signal-to-noise ratio per pixel.
    pub snr: f64,
    /// Velocity against the star's reference, as measured.
    pub rv_km_s: f64,
    /// 1-sigma error of the difference between the exposure and its reference.
    pub rv_err_km_s: f64,
    /// 1-sigma error without the part that all velocities of the star share (the noise of its reference).
    pub rv_err_own_km_s: f64,
    /// The velocity less the zero point of its exposure.
    pub rv_corr_km_s: f64,
    /// Its own error and that of the zero point together.
    pub rv_corr_err_km_s: f64,
    /// Reduced chi^2 at the maximum of the likelihood.
    pub chi2_red: f64,
    /// Where the star's lines lie in the arm's window: -1 at its blue end, 1 at its red end.
    pub line_place: f64,
    /// Width of the star's lines as observed, km/s.
    pub line_width_km_s: f64,
    /// Flags.
    pub flags: CatalogueFlags,
}

impl ArmVelocity {
    /// The exposure has a row in this arm.
    pub fn is_measured(&self) -> bool {
        !self.flags.contains(CatalogueFlags::NOT_MEASURED)
    }
}

impl Default for ArmVelocity {
    fn default() -> Self {
        ArmVelocity {
            snr: f64::NAN,
            rv_km_s: f64::NAN,
            rv_err_km_s: f64::NAN,
            rv_err_own_km_s: f64::NAN,
            rv_corr_km_s: f64::NAN,
            rv_corr_err_km_s: f64::NAN,
            chi2_red: f64::NAN,
            line_place: f64::NAN,
            line_width_km_s: f64::NAN,
            flags: CatalogueFlags::NOT_MEASURED,
        }
    }
}

impl From<&RvRow> for ArmVelocity {
    fn from(row: &RvRow) -> Self {
        let mut flags = CatalogueFlags::from(row.measurement.flags);
        flags.set(CatalogueFlags::REFERENCE, row.is_reference);
        ArmVelocity {
            snr: row.snr,
            rv_km_s: row.measurement.rv_km_s,
            rv_err_km_s: row.measurement.rv_err_km_s,
            rv_err_own_km_s: row.measurement.rv_err_own_km_s,
            chi2_red: row.measurement.chi2_red,
            line_place: row.line_place,
            line_width_km_s: row.line_width_km_s,
            flags,
            ..ArmVelocity::default()
        }
    }
}

/// A star in one exposure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CatalogueRow {
    /// The star and the exposure.
    pub exposure: Exposure,
    /// What the arms say, in the order of [`ARMS`].
    pub arms: [ArmVelocity; 2],
}

impl CatalogueRow {
    /// What one arm says.
    pub fn arm(&self, arm: Arm) -> &ArmVelocity {
        &self.arms[usize::from(arm == Arm::Blue)]
    }
}

/// Largest signal-to-noise ratio, chi^2 and other number without a limit of its own that is believed when a table is read.
pub(super) const LARGEST: f64 = 1e12;

/// The columns that each arm has.
pub static ARM: [Field<ArmVelocity>; 10] = [
    field!(
        f64,
        ArmVelocity,
        snr,
        "snr_x",
        "",
        "signal-to-noise ratio per pixel, {arm} arm"
    )
    .page("signal-to-noise ratio per pixel")
    .ucd("stat.snr")
    .up_to(LARGEST),
    field!(
        f64,
        ArmVelocity,
        rv_km_s,
        "drv_x",
        "km/s",
        "velocity against the star's reference as measured, {arm} arm, > 0 = redshifted"
    )
    .page("velocity $cz$ against the star's reference exposure in this arm, as measured, > 0 = redshifted")
    .ucd("spect.dopplerVeloc;stat.uncalib")
    .up_to(C_KM_S),
    field!(
        f64,
        ArmVelocity,
        rv_err_km_s,
        "drv_x_err",
        "km/s",
        "1-sigma error of drv_x as a difference of two exposures"
    )
    .page("1-sigma error of `drv_x` as the difference of two exposures")
    .ucd("stat.error;spect.dopplerVeloc")
    .up_to(C_KM_S),
    field!(
        f64,
        ArmVelocity,
        rv_err_own_km_s,
        "drv_x_err_own",
        "km/s",
        "1-sigma error of drv_x once the star's offset is known"
    )
    .page("1-sigma error of `drv_x` once the star's offset is known")
    .ucd("stat.error;spect.dopplerVeloc")
    .up_to(C_KM_S),
    field!(
        f64,
        ArmVelocity,
        rv_corr_km_s,
        "drv_x_corr",
        "km/s",
        "drv_x less the zero point of its exposure"
    )
    .page("`drv_x` less the zero point of its exposure. NaN without a zero point")
    .ucd("spect.dopplerVeloc")
    .up_to(C_KM_S),
    field!(
        f64,
        ArmVelocity,
        rv_corr_err_km_s,
        "drv_x_corr_err",
        "km/s",
        "own error of drv_x, error of the zero point at the star's fibre and the star's jitter as a quiet star, together"
    )
    .page("own error of `drv_x`, error of the zero point at the star's fibre and the star's jitter as a quiet star, together: for curves of one star")
    .ucd("stat.error;spect.dopplerVeloc")
    .up_to(C_KM_S),
    field!(
        f64,
        ArmVelocity,
        chi2_red,
        "chi2_x",
        "",
        "reduced chi^2 of drv_x"
    )
    .page("reduced chi^2 at the maximum of the likelihood")
    .ucd("stat.fit.chi2")
    .up_to(LARGEST),
    field!(
        f64,
        ArmVelocity,
        line_place,
        "line_place_x",
        "",
        "where the star's lines lie in the window of the {arm} arm: -1 = its blue end, 1 = its red end; NaN = not known"
    )
    .page("where the star's lines lie in the arm's window, weighted by what tells of a velocity: -1 at its blue end, 1 at its red end. NaN where that is not known")
    .ucd("pos")
    .up_to(LARGEST)
    .late(),
    field!(
        f64,
        ArmVelocity,
        line_width_km_s,
        "line_width_x",
        "km/s",
        "width of the star's lines in the {arm} arm as observed: standard deviation of a Gaussian line whose slope changes as fast; NaN = not known"
    )
    .page("width of the star's lines as observed: standard deviation of a Gaussian line whose slope changes as fast. A line that is not resolved has 17 km/s. NaN where that is not known")
    .ucd("spect.line.width")
    .up_to(C_KM_S)
    .late(),
    Field::new(
        "flags_x",
        "",
        "bit mask of the {arm} arm, see docs/columns.md",
        Cell::I32(
            |v: &ArmVelocity| v.flags.bits() as i32,
            |v, x| v.flags = CatalogueFlags::from_bits_retain(x as u32),
        ),
    ).page("sum of the bits below; 0 = nothing to say")
    .ucd("meta.code.qual"),
];

fn of_arm(arm: Arm) -> Vec<Field<ArmVelocity>> {
    let letter = arm.letter().to_ascii_lowercase();
    ARM.iter().map(|f| f.of_arm(letter, arm.name())).collect()
}

/// The catalogue as a table, with columns of these arms: a run of one arm has no columns without a single number.
pub fn to_table(rows: &[CatalogueRow], arms: &[Arm]) -> Table {
    let exposures = rows.iter().map(|r| &r.exposure);
    let mut table = Table::new();
    table
        .push_fields(&PLACE, exposures.clone())
        .push_fields(&TIME, exposures.clone());
    for (i, arm) in ARMS.into_iter().enumerate() {
        if arms.contains(&arm) {
            table.push_fields(&of_arm(arm), rows.iter().map(|r| &r.arms[i]));
        }
    }
    table.push_fields(&FILE, exposures);
    table.times.extend(DATES);
    table
}

/// Adds the flags' names beside their numbers.
pub fn push_flags_text(table: &mut Table, rows: &[CatalogueRow], arms: &[Arm]) {
    for arm in ARMS.into_iter().filter(|arm| arms.contains(arm)) {
        let name = format!("flags_{}", arm.letter().to_ascii_lowercase());
        let texts = rows.iter().map(|r| r.arm(arm).flags.to_string());
        let column = Column::new(
            &format!("{name}_text"),
            "",
            &format!("names of the flags of the {arm} arm"),
            ColumnData::Text(texts.collect()),
        );
        table.insert_after(&name, column);
    }
}

/// The rows of a catalogue, and how many of its numbers are impossibly large and were taken for missing.
///
/// # Errors
/// [`crate::Error::Table`] naming the column that is missing or of another type.
#[cfg(feature = "report")]
pub fn from_table(table: &Table) -> crate::Result<(Vec<CatalogueRow>, usize)> {
    let mut rows = vec![CatalogueRow::default(); table.n_rows()];
    let mut reader = crate::table::FieldReader::new(table);
    reader.fill(&PLACE, &mut rows, |r| &mut r.exposure)?;
    reader.fill(&TIME, &mut rows, |r| &mut r.exposure)?;
    reader.fill(&FILE, &mut rows, |r| &mut r.exposure)?;
    let fields = ARMS.map(of_arm);
    let is_there = fields.each_ref().map(|fields| {
        let mut names = fields.iter().map(|f| &f.name);
        names.any(|name| table.column(name).is_some())
    });
    for (i, fields) in fields.iter().enumerate() {
        // The other arm alone was measured. Without either something is wrong, and the error says what.
        if !is_there[i] && is_there.contains(&true) {
            continue;
        }
        reader.fill(fields, &mut rows, |r| &mut r.arms[i])?;
    }
    Ok((rows, reader.n_absurd))
}
