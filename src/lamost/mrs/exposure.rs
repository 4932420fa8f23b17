//! One single exposure: an HDU named `B-<LMJM>` or `R-<LMJM>`.

use multiversion::multiversion;

use super::mid::mid;
use crate::Arm;
use crate::fits::element::ElementType;
use crate::fits::header::Header;
use crate::fits::reader::Hdu;
use crate::fits::vectors::{BinTable, Column};
use crate::lamost::raw::{RawSpectrum, RejectReason, StoredWave};
use crate::spectrum::Pixels;

/// Fewest pixels of a usable exposure; real ones have 4136.
const MIN_PIXELS: usize = 500;

/// Latest exposure start that is believed, Modified Julian Minutes (year 2239). Beyond it the number is not a time.
const MAX_LMJM: i64 = 200_000_000;

/// Why an exposure cannot be used.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) reason: RejectReason,
    pub(super) detail: String,
}

impl Problem {
    fn new(reason: RejectReason, detail: impl Into<String>) -> Self {
        Problem {
            reason,
            detail: detail.into(),
        }
    }
}

/// Arm of an HDU name such as `R-84420148`; `None` for any other name.
pub(super) fn arm_of(name: &str) -> Option<Arm> {
    let (first, rest) = name.split_at_checked(1)?;
    if !rest.starts_with('-') {
        return None;
    }
    Arm::ALL
        .into_iter()
        .find(|arm| first.eq_ignore_ascii_case(arm.letter().encode_utf8(&mut [0; 4])))
}

/// Wavelengths (A, vacuum) that every pixel of an arm lies within. Four DR7 files span 4898-5397 and 6270-6851 A;
/// there is room for other spectrographs and shifts, none for the other arm.
fn pixel_range_aa(arm: Arm) -> (f64, f64) {
    match arm {
        Arm::Blue => (4700.0, 5600.0),
        Arm::Red => (6000.0, 7100.0),
    }
}

fn bad_column(detail: impl Into<String>) -> Problem {
    Problem::new(RejectReason::BadColumn, detail.into())
}

/// The columns of an exposure, each with a value for every pixel.
struct PixelColumns<'t, 'b> {
    table: &'t BinTable<'b>,
    n_pix: usize,
}

impl<'t, 'b> PixelColumns<'t, 'b> {
    /// As many pixels as the flux has.
    fn of(table: &'t BinTable<'b>) -> Result<Self, Problem> {
        let flux = table.column("FLUX");
        let flux = flux.ok_or_else(|| bad_column("no column FLUX"))?;
        Ok(PixelColumns {
            table,
            n_pix: flux.len(),
        })
    }

    /// The column, if there is one; an error if it is not of the pixels.
    fn get(&self, name: &str) -> Result<Option<Column<'t>>, Problem> {
        let Some(column) = self.table.column(name) else {
            return Ok(None);
        };
        match pixel_problem(&column, self.table, self.n_pix) {
            Some(problem) => Err(bad_column(format!("column {name}: {problem}"))),
            None => Ok(Some(column)),
        }
    }

    fn floats(&self, name: &str) -> Result<Vec<f32>, Problem> {
        let column = self.get(name)?;
        let column = column.ok_or_else(|| bad_column(format!("no column {name}")))?;
        column.to_f32().ok_or_else(|| not_numeric(name, &column))
    }

    /// PIXMASK is set; false everywhere where there is no such column.
    fn masked(&self) -> Result<Vec<bool>, Problem> {
        match self.get("PIXMASK")? {
            Some(column) => {
                let set = column.to_set();
                set.ok_or_else(|| not_numeric("PIXMASK", &column))
            }
            None => Ok(vec![false; self.n_pix]),
        }
    }

    fn wave(&self) -> Result<StoredWave, Problem> {
        if let Some(column) = self.get("WAVELENGTH")? {
            let wave = column.to_f64().map(StoredWave::Linear);
            return wave.ok_or_else(|| not_numeric("WAVELENGTH", &column));
        }
        let column = self.get("LOGLAM")?;
        let column = column.ok_or_else(|| bad_column("no column LOGLAM or WAVELENGTH"))?;
        let wave = match column.element() {
            // log10 of the wavelength in float64: it is turned into wavelengths, so that no digits are lost.
            ElementType::F64 => column
                .to_f64()
                .map(|log| StoredWave::Linear(log.into_iter().map(|x| 10f64.powf(x)).collect())),
            _ => column.to_f32().map(StoredWave::Log10),
        };
        wave.ok_or_else(|| not_numeric("LOGLAM", &column))
    }
}

fn not_numeric(name: &str, column: &Column<'_>) -> Problem {
    bad_column(format!(
        "column {name} is {}, not numeric",
        column.element()
    ))
}

/// Reads an exposure: what `header` tells of it, and the pixels of `hdu`. `lmjd`: the file's local Modified Julian Day, 0 if unknown.
pub(super) fn read(
    header: &Header<'_>,
    hdu: &Hdu<'_>,
    name: &str,
    arm: Arm,
    lmjd: i64,
) -> Result<RawSpectrum, Problem> {
    let lmjm = lmjm(header, name, lmjd)?;
    if !hdu.is_bintable() {
        return Err(bad_column("expected a BINTABLE extension"));
    }
    let table = BinTable::parse(hdu).map_err(bad_column)?;
    let columns = PixelColumns::of(&table)?;
    let n_pix = columns.n_pix;
    let mut flux = columns.floats("FLUX")?;
    let mut ivar = columns.floats("IVAR")?;
    let mut masked = columns.masked()?;
    let mut wave = columns.wave()?;
    let descending = check_wave(&wave, arm)
        .map_err(|detail| Problem::new(RejectReason::BadWavelength, detail))?;
    if descending {
        flux.reverse();
        ivar.reverse();
        masked.reverse();
        match &mut wave {
            StoredWave::Log10(x) => x.reverse(),
            StoredWave::Linear(x) => x.reverse(),
        }
    }
    let n_good = clean(&mut flux, &mut ivar, &masked);
    if n_good == 0 {
        let n_ivar = ivar.iter().filter(|&&x| x > 0.0).count();
        return Err(Problem::new(
            RejectReason::NoGoodPixels,
            format!(
                "of {n_pix} pixels {n_ivar} have finite flux and ivar > 0, none of them without PIXMASK"
            ),
        ));
    }
    let mid = mid(header, lmjm);
    Ok(RawSpectrum {
        arm,
        hdu: name.to_owned(),
        lmjm,
        mid_s: mid.mid_s,
        time_uncertain: mid.is_uncertain,
        helio_rv_km_s: None,
        frame_moved: false,
        frame_doubtful: false,
        snr: header.float("SNR").unwrap_or(f64::NAN),
        pixels: Pixels {
            wave,
            flux,
            ivar,
            masked,
        },
    })
}

/// Start of the exposure: key `LMJM` (text or number) or the number in the HDU's name. They must not contradict each
/// other, unless the file's day tells which is wrong.
fn lmjm(header: &Header<'_>, name: &str, lmjd: i64) -> Result<i64, Problem> {
    let believed = |minute: &i64| (1..=MAX_LMJM).contains(minute);
    let of_key = header.int("LMJM").filter(believed);
    let of_name = name
        .get(2..)
        .and_then(|digits| digits.trim().parse().ok())
        .filter(believed);
    let problem = |detail| Problem::new(RejectReason::MissingKey, detail);
    match (of_key, of_name) {
        (Some(a), Some(b)) if a != b => {
            // A local day begins at LMJD * 1440; a night may run past its end.
            let in_night = |minute: i64| (minute.div_euclid(1440) - lmjd).abs() <= 1;
            match (in_night(a), in_night(b)) {
                (true, false) => Ok(a),
                (false, true) => Ok(b),
                _ => Err(problem(format!(
                    "LMJM = {a} contradicts the name of the HDU"
                ))),
            }
        }
        (Some(minute), _) | (None, Some(minute)) => Ok(minute),
        (None, None) => Err(problem(format!(
            "no LMJM: the key holds {}, the name no number",
            header.text("LMJM").unwrap_or("nothing".to_owned())
        ))),
    }
}

/// What is wrong with a column of pixels.
fn pixel_problem(column: &Column<'_>, table: &BinTable<'_>, n_pix: usize) -> Option<String> {
    if let ElementType::Text | ElementType::Other(_) = column.element() {
        return Some(format!("expected numbers, found {}", column.element()));
    }
    if table.rows() > 1 && column.repeat() != 1 {
        return Some(format!(
            "expected one row of vectors or one pixel a row, found {} rows of {}",
            table.rows(),
            column.repeat()
        ));
    }
    if column.len() != n_pix {
        return Some(format!(
            "expected {n_pix} pixels as in FLUX, found {}",
            column.len()
        ));
    }
    if n_pix < MIN_PIXELS {
        return Some(format!(
            "expected at least {MIN_PIXELS} pixels, found {n_pix}"
        ));
    }
    None
}

/// Checks the wavelengths; whether they descend.
fn check_wave(wave: &StoredWave, arm: Arm) -> Result<bool, String> {
    let (low, high) = pixel_range_aa(arm);
    let n = match wave {
        StoredWave::Log10(x) => x.len(),
        StoredWave::Linear(x) => x.len(),
    };
    let at = |i: usize| match wave {
        StoredWave::Log10(x) => 10f64.powf(f64::from(x[i])),
        StoredWave::Linear(x) => x[i],
    };
    let (descending, bad) = match wave {
        StoredWave::Log10(x) => order(x),
        StoredWave::Linear(x) => order(x),
    };
    if let Some(i) = bad {
        return Err(format!(
            "expected wavelengths that are finite and rise or fall from pixel to pixel, found {} A at pixel {i} of {n} after {} A",
            at(i),
            at(i.saturating_sub(1)),
        ));
    }
    // Being monotonic, they lie between their ends.
    for i in [0, n - 1] {
        let x = at(i);
        if !(low..=high).contains(&x) {
            return Err(format!(
                "expected wavelengths of the {arm} arm, {low} to {high} A, found {x} A"
            ));
        }
    }
    Ok(descending)
}

/// Whether values descend, and the first that is not finite or does not go on strictly in that direction.
fn order<T: Copy + Into<f64> + PartialOrd>(x: &[T]) -> (bool, Option<usize>) {
    let descending = x.first() > x.last();
    let in_order = |a: T, b: T| if descending { a > b } else { a < b };
    let finite = |x: &T| (*x).into().is_finite();
    // Without an early exit the comparison vectorises. What is in order is finite between finite ends.
    let all = x
        .windows(2)
        .fold(true, |all, pair| all & in_order(pair[0], pair[1]));
    if all && x.first().is_none_or(finite) && x.last().is_none_or(finite) {
        return (descending, None);
    }
    let bad = x.iter().position(|x| !finite(x)).or_else(|| {
        let step = x.windows(2).position(|pair| !in_order(pair[0], pair[1]));
        step.map(|i| i + 1)
    });
    (descending, bad)
}

/// Pixels without information get ivar 0, and flux 0 where that is not finite; the number of pixels left that are not masked.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn clean(flux: &mut [f32], ivar: &mut [f32], masked: &[bool]) -> usize {
    let mut n_good = 0u32;
    // Selects instead of branches, so that it vectorises.
    for ((f, v), &m) in flux.iter_mut().zip(ivar).zip(masked) {
        let known = f.is_finite() & v.is_finite();
        let good = known & (*v > 0.0);
        *f = if known { *f } else { 0.0 };
        *v = if good { *v } else { 0.0 };
        n_good += u32::from(good & !m);
    }
    n_good as usize
}
