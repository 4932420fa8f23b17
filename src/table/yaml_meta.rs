//! Names, types, units and meanings of columns as astropy writes them: YAML in the comments of an ECSV file and under a
//! key of a Parquet file. JSON, which relrv writes there, is YAML too.

use saphyr_parser::{Event, Parser};

use super::{ColumnData, Table, Width};

/// Deeper nesting than this has nothing to do with columns.
const MAX_DEPTH: usize = 64;

/// What the header says of one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ColumnMeta {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) datatype: String,
    pub(super) subtype: String,
    pub(super) description: String,
}

/// What the header says of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TableMeta {
    /// Character between cells, of an ECSV file.
    pub(super) delimiter: Option<String>,
    pub(super) columns: Vec<ColumnMeta>,
}

impl TableMeta {
    /// What the header says of the column of this name.
    pub(super) fn column(&self, name: &str) -> Option<&ColumnMeta> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// astropy writes the mask of a column `x` as a column `x.mask` of truth values, and whatever is below it: the rows
    /// that it masks have no value, and the column goes.
    pub(super) fn apply_masks(&self, table: &mut Table) {
        let masks: Vec<String> = (self.columns.iter())
            .filter_map(|c| c.name.strip_suffix(".mask"))
            .map(str::to_owned)
            .collect();
        for name in masks {
            let place = |name: &str| table.columns.iter().position(|c| c.name == name);
            let (Some(column), Some(mask)) = (place(&name), place(&format!("{name}.mask"))) else {
                continue;
            };
            let (ColumnData::Bool(marks), None) =
                (&table.columns[mask].data, &table.columns[mask].nulls)
            else {
                continue;
            };
            let marks = marks.clone();
            if marks.len() == table.columns[column].data.len() {
                table.columns[column].mask(&marks);
                table.columns.remove(mask);
            }
        }
    }
}

impl ColumnMeta {
    /// Bits of the integers, where they are others than a table's own.
    pub(super) fn width(&self) -> Option<Width> {
        let (bits, is_signed) = match self.datatype.strip_prefix('u') {
            Some(rest) => (rest.strip_prefix("int")?, false),
            None => (self.datatype.strip_prefix("int")?, true),
        };
        Width::of(bits.parse().ok()?, is_signed)
    }
}

/// Reads the keys `delimiter` and `datatype` of the mapping at the top; the rest is let by.
///
/// # Errors
/// Where the text is no YAML.
pub(super) fn parse(text: &str) -> Result<TableMeta, String> {
    // The YAML parser is a young crate: if it should panic, that is reported as a file that cannot be read.
    std::panic::catch_unwind(|| parse_unguarded(text))
        .unwrap_or_else(|_| Err("a description of the columns that cannot be read".to_owned()))
}

/// Where in the nesting an event stands: what holds it, and the key it belongs to.
struct Level {
    is_mapping: bool,
    /// In a mapping, the key whose value is due.
    key: Option<String>,
}

fn parse_unguarded(text: &str) -> Result<TableMeta, String> {
    let mut meta = TableMeta::default();
    let mut levels: Vec<Level> = Vec::new();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, _) =
            event.map_err(|e| format!("expected a description of the columns in YAML: {e}"))?;
        match event {
            Event::Scalar(value, ..) => {
                let Some(level) = levels.last_mut().filter(|level| level.is_mapping) else {
                    continue;
                };
                match level.key.take() {
                    None => level.key = Some(value.into_owned()),
                    Some(key) => take(&mut meta, &levels, &key, value.into_owned()),
                }
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let is_mapping = matches!(event, Event::MappingStart(..));
                if levels.len() >= MAX_DEPTH {
                    return Err("a description of the columns that is nested too deeply".to_owned());
                }
                levels.push(Level {
                    is_mapping,
                    key: None,
                });
                if is_mapping && is_of_column(&levels) {
                    meta.columns.push(ColumnMeta::default());
                }
            }
            Event::MappingEnd | Event::SequenceEnd => {
                levels.pop();
                // The list or mapping that ends here was the value of a key, or a key itself; the latter is none of those looked for.
                if let Some(level) = levels.last_mut().filter(|level| level.is_mapping)
                    && level.key.take().is_none()
                {
                    level.key = Some(String::new());
                }
            }
            Event::Alias(_) => {
                if let Some(level) = levels.last_mut().filter(|level| level.is_mapping)
                    && level.key.take().is_none()
                {
                    level.key = Some(String::new());
                }
            }
            _ => {}
        }
    }
    Ok(meta)
}

/// Whether the innermost level is an entry of the list `datatype`.
fn is_of_column(levels: &[Level]) -> bool {
    matches!(levels, [top, list, _] if top.key.as_deref() == Some("datatype") && !list.is_mapping)
}

fn take(meta: &mut TableMeta, levels: &[Level], key: &str, value: String) {
    if levels.len() == 1 && key == "delimiter" {
        meta.delimiter = Some(value);
    } else if is_of_column(levels)
        && let Some(column) = meta.columns.last_mut()
    {
        match key {
            "name" => column.name = value,
            "unit" => column.unit = value,
            "datatype" => column.datatype = value,
            "subtype" => column.subtype = value,
            "description" => column.description = value,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_astropy_writes_is_understood() {
        let text = "delimiter: ','\ndatatype:\n- {name: star, datatype: int64}\n\
                    - {name: rv, unit: km / s, datatype: float64, description: 'a, b: c',\n   meta: {x: [1, {name: no}]}}\n\
                    - name: v\n  datatype: string\n  subtype: 'float64[2]'\n\
                    meta: !!omap\n- __serialized_columns__: {a: {__class__: x, unit: !astropy.units.Unit {unit: m}}}\n\
                    schema: astropy-2.0\n";
        let meta = parse(text).unwrap();
        assert_eq!(meta.delimiter.as_deref(), Some(","));
        let told: Vec<_> = meta
            .columns
            .iter()
            .map(|c| {
                (
                    &*c.name,
                    &*c.unit,
                    &*c.datatype,
                    &*c.subtype,
                    &*c.description,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("star", "", "int64", "", ""),
                ("rv", "km / s", "float64", "", "a, b: c"),
                ("v", "", "string", "float64[2]", ""),
            ]
        );
    }

    #[test]
    fn broken_yaml_is_an_error() {
        for text in ["{a: [", "a: b: c: d", &"[".repeat(100_000), "- {name: 'x"] {
            assert!(parse(text).is_err(), "{:.40}", text);
        }
        assert_eq!(parse("just text").unwrap(), TableMeta::default());
    }
}
