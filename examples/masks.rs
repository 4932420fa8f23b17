//! Shows what is masked in exposures, clipped from them and taken off them, pixel by pixel.
//!
//! The exposures are those that `relrv measure` would measure; to see a night judged by itself, give its file alone. Each has a
//! line with its numbers of pixels by what became of them, and a table in the folder, to be plotted. Masked pixels have a flux
//! there too: the file's over the continuum of the next pixel that is good.
//!
//! Usage: `cargo run --example masks -- FOLDER FILE...`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use relrv::C_KM_S;
use relrv::lamost::raw::{RawSpectrum, StoredWave};
use relrv::lamost::{inflate::Inflater, mrs, stars::KnownStars};
use relrv::likelihood::{Cpu, RvFlags, flags};
use relrv::measure::{Air, MeasureConfig, Plan, RvRow, measure, stages::StageClocks};
use relrv::reference::Coadd;
use relrv::spectrum::{Normalized, Normalizer};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What becomes of a pixel.
const FATES: [&str; 6] = ["good", "no_data", "pixmask", "edge", "spike", "clipped"];

/// An exposure as it is before it is compared with others, with the water lines and without.
type Exposure = (RawSpectrum, Normalized, Normalized);

fn main() -> Outcome<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (folder, inputs): (_, Vec<PathBuf>) = (arguments.next(), arguments.collect());
    let Some(folder) = folder.filter(|_| !inputs.is_empty()) else {
        eprintln!("usage: masks FOLDER FILE...");
        std::process::exit(64);
    };
    std::fs::create_dir_all(&folder)?;
    let config = MeasureConfig::default();
    let measured = measure(&config, &inputs, &Cpu, &())?;
    measured.rejected.iter().for_each(|r| eprintln!("{r}"));
    let plan = Plan::new(&inputs, &KnownStars::default(), &StageClocks::default())?;
    let of_star = |a: &RvRow, b: &RvRow| (a.star, a.arm) == (b.star, b.arm);
    for rows in measured.rows.chunk_by(of_star) {
        let has_star = |unit: &usize| {
            let mut stars = plan.units[*unit].stars.iter();
            stars.any(|(number, _)| *number == rows[0].star)
        };
        let air = measured.air.iter().find(|(unit, _)| has_star(unit));
        let air = air.map(|(_, air)| air.clone()).unwrap_or_default();
        if let Err(error) = show(&folder, &config, rows, &air) {
            eprintln!("{}: {error}", rows[0].path.display());
        }
    }
    Ok(())
}

/// Shows the exposures of a star in one arm, of which these rows are.
fn show(folder: &Path, config: &MeasureConfig, rows: &[RvRow], air: &Air) -> Outcome<()> {
    let exposures: Vec<Exposure> = rows
        .iter()
        .map(|row| read(config, row, air))
        .collect::<Outcome<_>>()?;
    let dry = exposures.iter().map(|(_, _, dry)| dry.clone()).collect();
    let is_odd = |row: &RvRow| row.measurement.flags.intersects(RvFlags::NOT_AS_OTHERS);
    // An exposure with a wide defect is flagged but part of the coadd; one that is unlike all others is flagged and no part of it.
    let n_alike = rows.iter().filter(|row| !is_odd(row)).count();
    let place = |row: &RvRow| match is_odd(row) && n_alike == row.n_reference as usize {
        true => f64::NAN,
        false => row.measurement.rv_km_s,
    };
    let rv_km_s: Vec<f64> = rows.iter().map(place).collect();
    let best = rows.iter().position(|row| row.is_reference).unwrap_or(0);
    let coadd = Coadd::new(dry, best, config.knot_pixels, &rv_km_s).ok();
    let coadd = coadd.and_then(|mut coadd| coadd.settle().then_some(coadd));
    for (i, (row, exposure)) in rows.iter().zip(&exposures).enumerate() {
        let [table, counts] = table(config, exposure, i, coadd.as_ref());
        let file = row.path.file_name().unwrap_or_default().to_string_lossy();
        let stem = file.split(".fits").next().unwrap_or_default();
        let name = format!("{stem}-{}", exposure.0.hdu);
        std::fs::write(folder.join(format!("{name}.csv")), table)?;
        let m = &row.measurement;
        let named = flags::ALL.iter().filter(|(bit, ..)| m.flags.contains(*bit));
        let named: String = named.map(|(_, name, _)| format!(" {name}")).collect();
        println!("{name}: {:.2} km/s,{counts};{named}", m.rv_km_s);
    }
    Ok(())
}

/// The exposure that a row is of.
fn read(config: &MeasureConfig, row: &RvRow, air: &Air) -> Outcome<Exposure> {
    let file = mrs::read_file(&row.path, &mut Inflater::default()).map_err(|r| r.to_string())?;
    let mut spectra = file.spectra.into_iter();
    let is_it = |raw: &RawSpectrum| raw.arm == row.arm && raw.lmjm == row.lmjm;
    let raw = spectra.find(is_it).ok_or("the file has changed")?;
    let reach_km_s = config.grid.max_shift_km_s();
    let wet = Normalizer::default().normalize(&config.spectrum, &raw, reach_km_s);
    let wet = wet?;
    let mut dry = wet.clone();
    air.divide_out(&mut dry, raw.lmjm);
    Ok((raw, wet, dry))
}

/// Exposure `i` as a table, and how many of its pixels in the window are of each kind.
fn table(config: &MeasureConfig, of: &Exposure, i: usize, coadd: Option<&Coadd>) -> [String; 2] {
    let (raw, wet, dry) = of;
    let before = wet.ln_wave[0] - 8e-6;
    let first = match &raw.pixels.wave {
        StoredWave::Log10(l) => l.partition_point(|l| f64::from(*l) * 10f64.ln() < before),
        StoredWave::Linear(w) => w.partition_point(|w| w.ln() < before),
    };
    let edge = config.spectrum.mask.edge_pixels;
    let left = coadd.map_or(dry, |c| &c.exposures()[i]);
    let cleaned = coadd.map(|c| c.cleaned(i));
    let others = coadd.and_then(|c| c.references(&[i]).pop().flatten());
    let shift = coadd.map_or(0.0, |c| (c.rv_km_s()[i] / C_KM_S).ln_1p());
    let (low_aa, high_aa) = raw.arm.window_aa();
    let mut counts = [0; FATES.len()];
    let mut level = f64::NAN;
    let mut lines = Vec::new();
    // From the last pixel backwards, because a masked pixel takes the continuum of the next good one.
    for k in (0..wet.flux.len()).rev() {
        let (at, wave_aa) = (first + k, wet.ln_wave[k].exp());
        let (flux, ivar) = (
            f64::from(raw.pixels.flux[at]),
            f64::from(raw.pixels.ivar[at]),
        );
        let fate = match () {
            () if left.ivar[k] > 0.0 => 0,
            () if wet.ivar[k] > 0.0 => 5,
            () if !(flux.is_finite() && ivar.is_finite() && ivar > 0.0) => 1,
            () if raw.pixels.masked[at] => 2,
            () if at < edge || at + edge >= raw.pixels.flux.len() => 3,
            () => 4,
        };
        counts[fate] += usize::from((low_aa..=high_aa).contains(&wave_aa));
        let mut water = 1.0;
        if wet.flux[k] != 0.0 {
            level = flux / wet.flux[k];
            water = wet.flux[k] / dry.flux[k];
        }
        let (flux, sigma, fate) = (flux / level, ivar.powf(-0.5) / level, FATES[fate]);
        let foreign = cleaned.as_ref().map_or(0.0, |c| left.flux[k] - c.flux[k]);
        let at = wet.ln_wave[k] - shift;
        let others = others.as_ref().map_or(f64::NAN, |r| r.at(at).flux);
        let mut line = format!("{wave_aa:.3},{flux:.5},{sigma:.5},{fate},");
        let _ = writeln!(line, "{water:.5},{foreign:.5},{others:.5}");
        lines.push(line);
    }
    lines.push("wave_aa,flux,sigma,fate,water,foreign,others\n".into());
    let counts = FATES.iter().zip(counts).filter(|(_, n)| *n > 0);
    let counts: Vec<String> = counts.map(|(name, n)| format!(" {n} {name}")).collect();
    [lines.into_iter().rev().collect(), counts.join(",")]
}
