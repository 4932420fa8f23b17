//! Reading Parquet files with top-level columns of primitive type.

use std::fs::File;
use std::path::Path;

use ::parquet::basic::Type as Physical;
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{DataType, Int96};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};

use super::quiet_panic;
use super::types::{self, META_KEY, Reading};
use crate::table::outcome::{ReadTable, Skipped};
use crate::table::yaml_meta::{self, TableMeta};
use crate::table::{Column, ColumnData, Table, source};
use crate::{Error, Result};

/// Records asked for at a time, so that memory follows what the file holds, not what it promises.
const BATCH: usize = 1 << 16;

/// Values of a column as they are stored, with the nulls still marked.
enum Cells {
    Bytes(Vec<Option<Vec<u8>>>),
    I64(Vec<Option<i64>>),
    I32(Vec<Option<i32>>),
    I96(Vec<Option<Int96>>),
    F64(Vec<Option<f64>>),
    F32(Vec<Option<f32>>),
    Bool(Vec<Option<bool>>),
}

/// Reads the file.
pub(in crate::table) fn read(path: &Path) -> Result<ReadTable> {
    // The parquet crate asserts on some damaged headers (negative offsets): that is the file's fault, not ours.
    quiet_panic::catch(|| read_unguarded(path)).unwrap_or_else(|| {
        Err(Error::format(
            path,
            "expected a Parquet file, found one so damaged that its reader gave up",
        ))
    })
}

fn read_unguarded(path: &Path) -> Result<ReadTable> {
    let file = source::open_seekable(path)?;
    let broken =
        |e: ParquetError| Error::format(path, format!("expected a Parquet file: {}", told(&e)));
    let reader = SerializedFileReader::new(file).map_err(broken)?;
    let meta = reader.metadata().file_metadata();
    let described = meta
        .key_value_metadata()
        .and_then(|keys| keys.iter().find(|k| k.key == META_KEY))
        .and_then(|k| k.value.as_deref())
        .and_then(description)
        .unwrap_or_default();
    let schema = meta.schema_descr_ptr();
    let mut out = ReadTable::new(Table::new(), Vec::new());
    let mut last_root = None;
    for i in 0..schema.num_columns() {
        // A group is stored as several columns; it was left out, with a reason, at the first of them.
        let root = Some(schema.get_column_root_idx(i));
        if std::mem::replace(&mut last_root, root) == root {
            continue;
        }
        let name = schema.get_column_root(i).name().to_owned();
        match read_column(&reader, i, path)? {
            Ok((data, nulls)) => {
                let about = described.column(&name).cloned().unwrap_or_default();
                let column = Column {
                    name,
                    unit: about.unit,
                    meaning: about.description,
                    ucd: String::new(),
                    data,
                    nulls,
                    width: None,
                };
                let width = types::width(&schema.column(i));
                out.table.columns.push(column.with_width(width));
            }
            Err(reason) => out.skipped.push(Skipped {
                column: name,
                reason,
            }),
        }
    }
    described.apply_masks(&mut out.table);
    Ok(out)
}

/// All values of a column, or the reason why it is left out.
fn read_column(reader: &SerializedFileReader<File>, i: usize, path: &Path) -> Result<Finished> {
    let meta = reader.metadata().file_metadata();
    let descr = meta.schema_descr().column(i);
    let root = meta.schema_descr().get_column_root(i);
    let name = root.name();
    if !root.is_primitive() || descr.max_rep_level() > 0 {
        return Ok(Err(types::nested(root)));
    }
    let reading = match types::reading(&descr) {
        Ok(reading) => reading,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut cells = empty_cells(descr.physical_type());
    for group in 0..reader.num_row_groups() {
        read_group(reader, group, i, &mut cells).map_err(|e| {
            let message = format!("column {name}, row group {}: {}", group + 1, told(&e));
            Error::format(path, message)
        })?;
    }
    let finished = finish(cells, reading, name, path)?;
    if let Ok((data, _)) = &finished
        && i64::try_from(data.len()).ok() != Some(meta.num_rows())
    {
        let message = format!(
            "column {name}: expected {} rows like the file says, found {}",
            meta.num_rows(),
            data.len()
        );
        return Err(Error::format(path, message));
    }
    Ok(finished)
}

/// Units and meanings: JSON from relrv, YAML from astropy.
fn description(text: &str) -> Option<TableMeta> {
    yaml_meta::parse(text).ok()
}

/// The reader's words without those of its own language.
fn told(error: &ParquetError) -> String {
    match error {
        ParquetError::General(text) | ParquetError::NYI(text) | ParquetError::EOF(text) => {
            text.clone()
        }
        other => other.to_string(),
    }
}

/// Where the values go.
fn empty_cells(physical: Physical) -> Cells {
    match physical {
        Physical::BOOLEAN => Cells::Bool(Vec::new()),
        Physical::INT32 => Cells::I32(Vec::new()),
        Physical::INT64 => Cells::I64(Vec::new()),
        Physical::INT96 => Cells::I96(Vec::new()),
        Physical::FLOAT => Cells::F32(Vec::new()),
        Physical::DOUBLE => Cells::F64(Vec::new()),
        Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => Cells::Bytes(Vec::new()),
    }
}

fn read_group(
    reader: &SerializedFileReader<File>,
    group: usize,
    column: usize,
    cells: &mut Cells,
) -> std::result::Result<(), ParquetError> {
    let group = reader.get_row_group(group)?;
    match (group.get_column_reader(column)?, cells) {
        (ColumnReader::BoolColumnReader(r), Cells::Bool(out)) => take(r, out, |x| x),
        (ColumnReader::Int32ColumnReader(r), Cells::I32(out)) => take(r, out, |x| x),
        (ColumnReader::Int64ColumnReader(r), Cells::I64(out)) => take(r, out, |x| x),
        (ColumnReader::Int96ColumnReader(r), Cells::I96(out)) => take(r, out, |x| x),
        (ColumnReader::FloatColumnReader(r), Cells::F32(out)) => take(r, out, |x| x),
        (ColumnReader::DoubleColumnReader(r), Cells::F64(out)) => take(r, out, |x| x),
        (ColumnReader::ByteArrayColumnReader(r), Cells::Bytes(out)) => {
            take(r, out, |bytes| bytes.data().to_vec())
        }
        (ColumnReader::FixedLenByteArrayColumnReader(r), Cells::Bytes(out)) => {
            take(r, out, |bytes| bytes.data().to_vec())
        }
        _ => Err(ParquetError::General(
            "the column's type is not the schema's".to_owned(),
        )),
    }
}

/// Reads all values of a column chunk, nulls in their places.
fn take<T: DataType, U>(
    mut reader: ColumnReaderImpl<T>,
    out: &mut Vec<Option<U>>,
    convert: impl Fn(T::T) -> U,
) -> std::result::Result<(), ParquetError> {
    let mut levels = Vec::new();
    let mut values = Vec::new();
    loop {
        levels.clear();
        values.clear();
        let (n_records, n_values, n_levels) =
            reader.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        if n_records == 0 && n_levels == 0 {
            return Ok(());
        }
        let mut values = values.drain(..);
        if levels.is_empty() {
            for value in values {
                out.push(Some(convert(value)));
            }
        } else {
            for level in &levels {
                let value = if *level > 0 { values.next() } else { None };
                out.push(value.map(&convert));
            }
        }
        debug_assert!(n_values <= n_levels);
    }
}

/// A column's values and null marks, or the reason why it is left out.
type Finished = std::result::Result<(ColumnData, Option<Vec<bool>>), String>;

fn finish(cells: Cells, reading: Reading, name: &str, path: &Path) -> Result<Finished> {
    Ok(Ok(match (cells, reading) {
        (cells, Reading::Decimal(scale)) => {
            let Some(values) = whole_numbers(cells) else {
                return Ok(Err(
                    "found decimals of more than 38 digits; numbers would serve".to_owned(),
                ));
            };
            let nulls = marks(&values);
            (types::decimals(values, scale), nulls)
        }
        (Cells::I64(v), Reading::Timestamp(per_second, utc)) => {
            texts(v, |x| types::timestamp_text(x, per_second, utc))
        }
        (Cells::I32(v), Reading::Date) => texts(v, types::date_text),
        (Cells::I96(v), _) => texts(v, |x| types::old_timestamp_text(x.data())),
        (Cells::Bytes(v), Reading::Half) => floats(v.into_iter().map(|x| {
            let bits = x.as_deref().and_then(|x| x.first_chunk().copied());
            bits.map(|bits| half::f16::from_le_bytes(bits).to_f32())
        })),
        (Cells::Bytes(v), Reading::Uuid) => texts(v, |x| types::uuid_text(&x)),
        (Cells::Bytes(v), reading) => {
            let nulls = marks(&v);
            let text = |x: Option<Vec<u8>>| String::from_utf8(x.unwrap_or_default()).ok();
            match v.into_iter().map(text).collect() {
                Some(texts) => (ColumnData::Text(texts), nulls),
                None if reading == Reading::Bytes => {
                    return Ok(Err(
                        "found bytes that are no text; numbers or text would serve".to_owned(),
                    ));
                }
                None => {
                    let message = format!("column {name}: expected UTF-8 text, found other bytes");
                    return Err(Error::format(path, message));
                }
            }
        }
        (Cells::I32(v), Reading::Unsigned32) => plain(v, |x| i64::from(x as u32), ColumnData::I64),
        (Cells::I64(v), Reading::Unsigned64) if v.iter().flatten().any(|&x| x < 0) => {
            // Unsigned integers beyond 2^63 are kept as text, which is exact.
            texts(v, |x| (x as u64).to_string())
        }
        (Cells::I32(v), _) => plain(v, |x| x, ColumnData::I32),
        (Cells::I64(v), _) => plain(v, |x| x, ColumnData::I64),
        (Cells::Bool(v), _) => plain(v, |x| x, ColumnData::Bool),
        (Cells::F32(v), _) => floats(v.into_iter()),
        (Cells::F64(v), _) => (
            ColumnData::F64(v.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect()),
            None,
        ),
    }))
}

/// True where there is no value; None if there is one everywhere.
fn marks<T>(values: &[Option<T>]) -> Option<Vec<bool>> {
    let marks = || values.iter().map(Option::is_none).collect();
    values.iter().any(Option::is_none).then(marks)
}

fn plain<T, U: Default>(
    values: Vec<Option<T>>,
    convert: impl Fn(T) -> U,
    data: fn(Vec<U>) -> ColumnData,
) -> (ColumnData, Option<Vec<bool>>) {
    let nulls = marks(&values);
    let convert = |x: Option<T>| x.map_or_else(U::default, &convert);
    (data(values.into_iter().map(convert).collect()), nulls)
}

fn texts<T>(values: Vec<Option<T>>, text: impl Fn(T) -> String) -> (ColumnData, Option<Vec<bool>>) {
    plain(values, text, ColumnData::Text)
}

fn floats(values: impl Iterator<Item = Option<f32>>) -> (ColumnData, Option<Vec<bool>>) {
    let values = values.map(|x| x.unwrap_or(f32::NAN)).collect();
    (ColumnData::F32(values), None)
}

/// Integers of any storage; None if one has more than 128 bits.
fn whole_numbers(cells: Cells) -> Option<Vec<Option<i128>>> {
    match cells {
        Cells::I32(v) => Some(v.into_iter().map(|x| x.map(i128::from)).collect()),
        Cells::I64(v) => Some(v.into_iter().map(|x| x.map(i128::from)).collect()),
        Cells::Bytes(v) => v
            .into_iter()
            .map(|x| match x {
                Some(bytes) => types::big_endian(&bytes).map(Some),
                None => Some(None),
            })
            .collect(),
        _ => None,
    }
}
