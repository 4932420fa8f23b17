//! The settings of a run, and which of them its products depend on.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::calibrate::arms::CalibrateOptions;
use crate::measure::MeasureConfig;
use crate::{Error, Result};

/// Format of the products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
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
/// each other, water lines, errors that hold what moves velocities. 5: `bjd_tdb`, frames and times of headers.
const ROWS: u32 = 5;

/// Key under which the identity of a run holds the absolute paths of its inputs: the same relative path names another input in another
/// folder.
pub const PLACES: &str = "inputs-from-root";

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
    let Some(end) = name.find(" threads") else {
        return name.to_owned();
    };
    let start = name[..end].trim_end_matches(|c: char| c.is_ascii_digit());
    let start = start.trim_end_matches([',', ' ']);
    format!("{start}{}", &name[end + " threads".len()..])
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
        assert_eq!(without_threads("NVIDIA H100"), "NVIDIA H100");
    }
}
