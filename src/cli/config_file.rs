//! Options from a file: `--config FILE.toml`, with the names of the options as keys.
//!
//! Options of the file that the command line does not set are added to it as if the user had typed them, so that they are read and
//! checked in the same way, with the same messages.

use std::ffi::OsString;
use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;
use toml::{Table, Value};

use crate::files::regular;
use crate::text::nearest::did_you_mean;
use crate::text::plain;
use crate::{Error, Result};

/// Options that a file must not name.
const NOT_IN_FILE: [&str; 3] = ["config", "help", "version"];

/// The command's options in the file that the command line does not set, as arguments.
///
/// # Errors
/// [`Error::Format`] naming the key that is no option, or whose value cannot be one.
pub fn arguments(
    path: &Path,
    command: &clap::Command,
    given: &ArgMatches,
) -> Result<Vec<OsString>> {
    let text = regular::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let table: Table = text
        .parse()
        .map_err(|e: toml::de::Error| Error::format(path, e.to_string()))?;
    let mut out = Vec::new();
    for (key, value) in &table {
        let option = command
            .get_arguments()
            .find(|a| a.get_long() == Some(key) && !NOT_IN_FILE.contains(&key.as_str()));
        let Some(option) = option else {
            return Err(Error::format(path, unknown(&plain::line(key), command)));
        };
        if given.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine) {
            continue;
        }
        let wrong = |expected: &str| {
            Error::format(
                path,
                format!("{key}: expected {expected}, found {}", value.type_str()),
            )
        };
        if !option.get_action().takes_values() {
            match value {
                Value::Boolean(true) => out.push(format!("--{key}").into()),
                Value::Boolean(false) => {}
                _ => return Err(wrong("true or false")),
            }
            continue;
        }
        let text = match value {
            Value::Array(values) => {
                let words: Option<Vec<String>> = values.iter().map(scalar).collect();
                words.map(|w| w.join(","))
            }
            value => scalar(value),
        };
        let text = text.ok_or_else(|| wrong("text, a number or a list of these"))?;
        // A value that the option does not take is repeated in the message, so it must hold nothing that a terminal would act on.
        if !plain::is_plain(&text) {
            return Err(Error::format(
                path,
                format!("{key}: expected text without controls, found {text:?}"),
            ));
        }
        out.push(format!("--{key}={text}").into());
    }
    Ok(out)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(n) => Some(n.to_string()),
        Value::Float(x) => Some(x.to_string()),
        _ => None,
    }
}

fn unknown(key: &str, command: &clap::Command) -> String {
    let names: Vec<&str> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set())
        .filter_map(clap::Arg::get_long)
        .filter(|name| !NOT_IN_FILE.contains(name))
        .collect();
    format!(
        "{key} is no option of relrv {}{}; known are {}",
        command.get_name(),
        did_you_mean(key, names.iter().copied()),
        names.join(", ")
    )
}
