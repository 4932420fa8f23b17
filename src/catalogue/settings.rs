//! Which settings stand in the headers of products and on the pages: those that say how the numbers were found. Inputs, back end and
//! formats are not among them; they differ between machines that give the same products.

use serde_json::{Map, Value};

/// Settings of the measurement, by the names of their options.
pub const OF_MEASURING: [&str; 6] = ["arm", "reference", "telluric", "snr-min", "vmax", "vstep"];

/// Settings of the zero points, by the names of their options.
pub const OF_CALIBRATING: [&str; 7] = [
    "method",
    "scope",
    "min-constants",
    "p-min",
    "fibre-order",
    "by-lines",
    "tolerance",
];

/// Each of these settings that is there, with its value as it is read.
pub fn told(settings: &Map<String, Value>, names: &[&str]) -> Vec<(String, String)> {
    let there = |name: &&str| match settings.get(*name)? {
        Value::Null => None,
        value => Some(((*name).to_owned(), text(value))),
    };
    names.iter().filter_map(there).collect()
}

/// A value as it is read.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
