//! The settings of a run, and which of them its products depend on.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::calibrate::arms::CalibrateOptions;
use crate::catalogue::settings::OF_CALIBRATING;
use crate::likelihood::{Likelihood, VelocityGrid};
use crate::measure::{MeasureConfig, ReferenceKind, Telluric};
use crate::spectrum::SpectrumConfig;
use crate::{Arm, Error, Result};

/// Format of the products.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum ProductFormat {
    /// FITS binary table.
    Fits,
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Machine-readable table of CDS and the AAS.
    Mrt,
}

impl ProductFormat {
    /// Every format.
    pub const ALL: [ProductFormat; 4] = [
        ProductFormat::Fits,
        ProductFormat::Csv,
        ProductFormat::Parquet,
        ProductFormat::Mrt,
    ];

    /// Ending of the files' names.
    pub fn ending(self) -> &'static str {
        match self {
            ProductFormat::Fits => "fits",
            ProductFormat::Csv => "csv",
            ProductFormat::Parquet => "parquet",
            ProductFormat::Mrt => "mrt",
        }
    }
}

/// Settings of a run.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// Files, directories, `@list`s.
    pub inputs: Vec<PathBuf>,
    /// Directory of the products.
    pub out: PathBuf,
    /// Measurement.
    pub measure: MeasureConfig,
    /// Zero points.
    pub calibrate: CalibrateOptions,
    /// Formats of the products.
    pub formats: Vec<ProductFormat>,
    /// Columns with the flags' names beside those with their numbers.
    pub flags_text: bool,
    /// Start anew whatever is in `out`.
    pub overwrite: bool,
    /// What the likelihood runs on, without what does not change its numbers (such as threads).
    pub backend: String,
}

/// Version of the measured rows. It goes up by one with every change of what a row holds or of how it is measured, so that units
/// (plates and spectrographs whose rows are kept on disk) of an older build are not mixed with new ones. 2: `double_lined`,
/// `n_reference`, errors by the response. 3: `double_lined` by the width of broad lines, clipping of coadds. 4: exposures that judge
/// each other, water lines, errors that hold what moves velocities. 5: `bjd_tdb`, frames and times of headers. 6: moonlight, best
/// exposures on trial, less weight under lines of the night sky. 7: moonlight that drifts. 8: `blended`. 9: no cosmic rays in the best exposure of
/// a star that changes. 10: velocities astray, what a ripple moves. 11: what stands still on the detector, moonlight of the red arm by the
/// blue one, `arms_disagree`.
const ROWS: u32 = 12;

/// Key under which the identity of a run holds the absolute paths of its inputs: the same relative path names another input in another
/// folder.
pub const PLACES: &str = "inputs-from-root";

/// Settings that the rows of units depend on. All others change what is made of the rows, and no spectrum is measured again for them.
const OF_ROWS: [&str; 11] = [
    "relrv",
    "rows",
    "backend",
    "arm",
    "reference",
    "telluric",
    "snr-min",
    "vmax",
    "vstep",
    "spectrum",
    "knot-pixels",
];

/// Those of the settings that are of the calibration.
pub fn of_calibration(settings: &Map<String, Value>) -> Map<String, Value> {
    // "calibration" has all of them.
    let names = OF_CALIBRATING.iter().chain(&["calibration"]);
    let some = names.filter_map(|name| Some(((*name).to_owned(), settings.get(*name)?.clone())));
    some.collect()
}

/// Those of the settings that the rows of units depend on.
pub fn of_rows(settings: &Map<String, Value>) -> Map<String, Value> {
    let is_of_rows = |(name, _): &(&String, &Value)| OF_ROWS.contains(&name.as_str());
    let some = settings.iter().filter(is_of_rows);
    some.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Path of an input from the root, whether it exists or not; of an `@list`, that of the list.
fn place(input: &Path) -> String {
    let (at, path) = match crate::lamost::inputs::list_name(input) {
        Some(list) => ("@", list),
        None => ("", input.to_owned()),
    };
    let place = std::path::absolute(&path).unwrap_or(path);
    format!("{at}{}", place.display())
}

/// A back end's name without its number of threads, which changes no result.
pub fn without_threads(name: &str) -> String {
    let Some((start, end)) = name.split_once(" thread") else {
        return name.to_owned();
    };
    let start = start.trim_end_matches(|c: char| c.is_ascii_digit());
    let start = start.trim_end_matches([',', ' ']);
    format!("{start}{}", end.trim_start_matches('s'))
}

impl RunConfig {
    /// Whether the run has a page: this build makes pages, and at least one format of its tables can be read back (MRT cannot).
    pub fn has_page(&self) -> bool {
        cfg!(feature = "report") && self.formats.iter().any(|f| *f != ProductFormat::Mrt)
    }

    /// Everything that the products depend on beside the files' content, by the names of the options.
    ///
    /// # Errors
    /// [`Error::Config`] for settings that JSON cannot hold.
    pub fn identity(&self) -> Result<Map<String, Value>> {
        let grid = &self.measure.grid;
        let inputs: Vec<String> = self
            .inputs
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        let places: Vec<String> = self.inputs.iter().map(|p| place(p)).collect();
        let mut formats = self.formats.clone();
        formats.sort();
        formats.dedup();
        let all = json!({
            "relrv": env!("CARGO_PKG_VERSION"),
            "rows": ROWS,
            "inputs": inputs,
            PLACES: places,
            "backend": self.backend,
            "arm": match &self.measure.arms[..] {
                [one] => one.name(),
                _ => "both",
            },
            "reference": self.measure.reference,
            "telluric": self.measure.telluric,
            "snr-min": self.measure.snr_min,
            "vmax": grid.max_shift_km_s(),
            "vstep": grid.step_km_s,
            "method": self.calibrate.method,
            "scope": self.calibrate.scope,
            "min-constants": self.calibrate.joint.min_constants,
            "p-min": self.calibrate.joint.p_min,
            "fibre-order": self.calibrate.joint.fibre_order,
            "by-lines": self.calibrate.joint.by_lines,
            "tolerance": self.calibrate.paper.tolerance,
            "format": formats,
            "flags-text": self.flags_text,
            "spectrum": self.measure.spectrum,
            "knot-pixels": self.measure.knot_pixels,
            "calibration": self.calibrate,
        });
        match all {
            // Through text, so that it is equal to what was read from a file.
            Value::Object(_) => serde_json::from_str(&all.to_string())
                .map_err(|e| Error::Config(format!("settings: {e}"))),
            _ => Err(Error::Config("settings that JSON cannot hold".to_owned())),
        }
    }
}

/// Settings as [`RunConfig::identity`] gives them.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    inputs: Vec<PathBuf>,
    backend: String,
    arm: String,
    reference: ReferenceKind,
    telluric: Telluric,
    snr_min: f64,
    vmax: f64,
    vstep: f64,
    format: Vec<ProductFormat>,
    flags_text: bool,
    spectrum: SpectrumConfig,
    knot_pixels: usize,
    calibration: CalibrateOptions,
}

impl RunConfig {
    /// The configuration of these settings, for a run in `out`.
    ///
    /// # Errors
    /// [`Error::Config`] for settings that are not those of this version.
    pub fn of_settings(settings: &Map<String, Value>, out: &Path) -> Result<Self> {
        let other = |what: String| Error::Config(format!("settings of another relrv: {what}"));
        let told: Settings = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|e| other(e.to_string()))?;
        let of_name = |arm: &Arm| told.arm == "both" || arm.name() == told.arm;
        let config = RunConfig {
            inputs: told.inputs,
            out: out.to_owned(),
            measure: MeasureConfig {
                arms: Arm::ALL.into_iter().filter(of_name).collect(),
                snr_min: told.snr_min,
                grid: VelocityGrid::new(told.vmax, told.vstep)?,
                spectrum: told.spectrum,
                knot_pixels: told.knot_pixels,
                reference: told.reference,
                telluric: told.telluric,
                ..MeasureConfig::default()
            },
            calibrate: told.calibration,
            formats: told.format,
            flags_text: told.flags_text,
            overwrite: false,
            backend: told.backend,
        };
        let mine = of_rows(&config.identity()?);
        match differences(&of_rows(settings), &mine) {
            none if none.is_empty() => Ok(config),
            some => Err(other(some.join("; "))),
        }
    }
}

impl RunConfig {
    /// Whether likelihoods are evaluated on the CPU.
    pub fn is_of_cpu(&self) -> bool {
        self.backend.starts_with("CPU")
    }

    /// Refuses a back end whose numbers may differ from those of the one that these settings are of.
    ///
    /// # Errors
    /// [`Error::Config`] naming both.
    pub fn refuse_other_backend(&self, backend: &dyn Likelihood) -> Result<()> {
        let name = without_threads(&backend.name());
        match name == self.backend {
            true => Ok(()),
            false => Err(Error::Config(format!(
                "the plan is for the back end {}, and this is {name}: choose with --backend and --adapter, or make the plan with those of \
                 the machines that measure",
                self.backend
            ))),
        }
    }
}

/// What differs between the settings of an older run and these, one line each.
pub fn differences(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let text = |value: Option<&Value>| match value {
        None => "not there".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => {
            let words = values.iter().map(|v| match v {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            words.collect::<Vec<_>>().join(",")
        }
        Some(value) => value.to_string(),
    };
    let changed = |name: &&String| old.get(*name) != new.get(*name);
    let mut names: Vec<&String> = names.into_iter().filter(changed).collect();
    if names.len() > 1 {
        // They repeat the options.
        let inputs = names.iter().any(|name| *name == "inputs");
        names.retain(|name| *name != "calibration" && !(inputs && *name == PLACES));
    }
    names
        .into_iter()
        .map(|name| {
            let (before, now) = (text(old.get(name)), text(new.get(name)));
            format!("{name} was {before} and is {now}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn differences_are_told_by_name_with_both_values() {
        let old = map(json!({"arm": "both", "vmax": 500.0, "format": ["fits"], "gone": 1}));
        let new = map(json!({"arm": "red", "vmax": 500.0, "format": ["fits", "csv"]}));
        let told = differences(&old, &new);
        let expected = [
            "arm was both and is red",
            "format was fits and is fits,csv",
            "gone was 1 and is not there",
        ];
        assert_eq!(told, expected);
        assert!(differences(&old, &old).is_empty());
    }

    #[test]
    fn settings_give_the_configuration_back() {
        let config = RunConfig {
            inputs: vec!["a".into()],
            out: "out".into(),
            measure: MeasureConfig {
                arms: vec![Arm::Red],
                snr_min: 7.5,
                grid: VelocityGrid::new(300.0, 0.5).unwrap(),
                telluric: Telluric::Off,
                ..MeasureConfig::default()
            },
            calibrate: CalibrateOptions::default(),
            formats: vec![ProductFormat::Csv],
            flags_text: true,
            overwrite: false,
            backend: "CPU".to_owned(),
        };
        let settings = config.identity().unwrap();
        let back = RunConfig::of_settings(&settings, Path::new("out")).unwrap();
        assert_eq!(format!("{back:?}"), format!("{config:?}"));
        let mut other = settings.clone();
        other.insert("rows".to_owned(), json!(ROWS - 1));
        let refused = RunConfig::of_settings(&other, Path::new("out")).unwrap_err();
        assert!(refused.to_string().contains("rows was"), "{refused}");
        other.remove("vmax");
        assert!(RunConfig::of_settings(&other, Path::new("out")).is_err());
        // What is made of the rows is no matter of theirs, and everything else is one.
        let rows = of_rows(&settings);
        let others = ["inputs", PLACES, "format", "flags-text", "calibration"];
        let others = others
            .into_iter()
            .chain(crate::catalogue::settings::OF_CALIBRATING);
        let others: Vec<&str> = others.collect();
        for name in settings.keys() {
            let is_other = others.contains(&name.as_str());
            assert_eq!(rows.contains_key(name), !is_other, "{name}");
        }
    }

    #[test]
    fn a_relative_input_has_its_place() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(
            place(Path::new("a/b")),
            here.join("a/b").display().to_string()
        );
        let list = format!("@{}", here.join("l.txt").display());
        assert_eq!(place(Path::new("@l.txt")), list);
        assert_eq!(place(Path::new("/a")), "/a");
    }

    #[test]
    fn threads_are_no_part_of_a_back_end() {
        assert_eq!(without_threads("CPU (AVX2, 16 threads)"), "CPU (AVX2)");
        assert_eq!(without_threads("CPU (AVX2, 1 thread)"), "CPU (AVX2)");
        assert_eq!(without_threads("NVIDIA H100"), "NVIDIA H100");
    }
}
