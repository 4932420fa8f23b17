//! Reading Parquet files with top-level columns of primitive type.

use std::fs::File;
use std::path::Path;

use ::parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{ByteArray, DataType};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::schema::types::ColumnDescriptor;

use super::parquet::{META_KEY, TableMeta};
use super::quiet_panic;
use super::read::{ReadTable, Skipped};
use super::{Column, ColumnData, Table};
use crate::{Error, Result, regular};

/// Records asked for at a time, so that memory follows what the file holds, not what it promises.
const BATCH: usize = 1 << 16;

/// Values of a column with the nulls still marked.
enum Cells {
    Text(Vec<Option<String>>),
    I64(Vec<Option<i64>>),
    I32(Vec<Option<i32>>),
    F64(Vec<Option<f64>>),
    F32(Vec<Option<f32>>),
    Bool(Vec<Option<bool>>),
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<ReadTable> {
    // The parquet crate asserts on some damaged headers (negative offsets): that is the file's fault, not ours.
    quiet_panic::catch(|| read_unguarded(path)).unwrap_or_else(|| {
        Err(Error::format(
            path,
            "expected a Parquet file, found one so damaged that its reader gave up",
        ))
    })
}

fn read_unguarded(path: &Path) -> Result<ReadTable> {
    let file = regular::open(path).map_err(|e| Error::io(path, e))?;
    let broken = |e: ParquetError| Error::format(path, format!("expected a Parquet file: {e}"));
    let reader = SerializedFileReader::new(file).map_err(broken)?;
    let meta = reader.metadata().file_metadata();
    let described: Option<TableMeta> = meta
        .key_value_metadata()
        .and_then(|keys| keys.iter().find(|k| k.key == META_KEY))
        .and_then(|k| k.value.as_deref())
        .and_then(|json| serde_json::from_str(json).ok());
    let schema = meta.schema_descr_ptr();
    let mut out = ReadTable {
        table: Table::new(),
        skipped: Vec::new(),
    };
    for i in 0..schema.num_columns() {
        let descr = schema.column(i);
        let name = descr.path().string();
        let mut cells = match empty_cells(&descr) {
            Ok(cells) => cells,
            Err(reason) => {
                out.skipped.push(Skipped {
                    column: name,
                    reason,
                });
                continue;
            }
        };
        for group in 0..reader.num_row_groups() {
            read_group(&reader, group, i, &mut cells).map_err(|e| {
                Error::format(path, format!("column {name}, row group {group}: {e}"))
            })?;
        }
        let about = described
            .as_ref()
            .and_then(|d| d.datatype.iter().find(|c| c.name == name));
        let data = finish(cells, is_unsigned(&descr))
            .map_err(|message| Error::format(path, format!("column {name}, {message}")))?;
        out.table.columns.push(Column {
            unit: about.map_or_else(String::new, |c| c.unit.clone()),
            meaning: about.map_or_else(String::new, |c| c.description.clone()),
            name,
            data,
        });
    }
    Ok(out)
}

/// Where the values go, or why there is no place for them.
fn empty_cells(descr: &ColumnDescriptor) -> std::result::Result<Cells, String> {
    if descr.path().parts().len() > 1 || descr.max_rep_level() > 0 || descr.max_def_level() > 1 {
        return Err("expected one value per row, found a nested column".to_owned());
    }
    if matches!(descr.logical_type_ref(), Some(LogicalType::Decimal { .. }))
        || descr.converted_type() == ConvertedType::DECIMAL
    {
        return Err("expected a number, found decimals".to_owned());
    }
    match descr.physical_type() {
        Physical::BOOLEAN => Ok(Cells::Bool(Vec::new())),
        Physical::INT32 => Ok(Cells::I32(Vec::new())),
        Physical::INT64 => Ok(Cells::I64(Vec::new())),
        Physical::FLOAT => Ok(Cells::F32(Vec::new())),
        Physical::DOUBLE => Ok(Cells::F64(Vec::new())),
        Physical::BYTE_ARRAY => Ok(Cells::Text(Vec::new())),
        other => Err(format!(
            "expected numbers, truth values or text, found {other}"
        )),
    }
}

fn is_unsigned(descr: &ColumnDescriptor) -> bool {
    matches!(
        descr.logical_type_ref(),
        Some(LogicalType::Integer(int)) if !int.is_signed
    ) || matches!(
        descr.converted_type(),
        ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64
    )
}

fn read_group(
    reader: &SerializedFileReader<File>,
    group: usize,
    column: usize,
    cells: &mut Cells,
) -> std::result::Result<(), ParquetError> {
    let group = reader.get_row_group(group)?;
    match (group.get_column_reader(column)?, cells) {
        (ColumnReader::BoolColumnReader(r), Cells::Bool(out)) => take(r, out, Ok),
        (ColumnReader::Int32ColumnReader(r), Cells::I32(out)) => take(r, out, Ok),
        (ColumnReader::Int64ColumnReader(r), Cells::I64(out)) => take(r, out, Ok),
        (ColumnReader::FloatColumnReader(r), Cells::F32(out)) => take(r, out, Ok),
        (ColumnReader::DoubleColumnReader(r), Cells::F64(out)) => take(r, out, Ok),
        (ColumnReader::ByteArrayColumnReader(r), Cells::Text(out)) => {
            take(r, out, |bytes: ByteArray| {
                std::str::from_utf8(bytes.data())
                    .map(str::to_owned)
                    .map_err(|_| {
                        ParquetError::General("expected UTF-8 text, found other bytes".to_owned())
                    })
            })
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
    convert: impl Fn(T::T) -> std::result::Result<U, ParquetError>,
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
                out.push(Some(convert(value)?));
            }
        } else {
            for level in &levels {
                let value = if *level > 0 { values.next() } else { None };
                out.push(value.map(&convert).transpose()?);
            }
        }
        debug_assert!(n_values <= n_levels);
    }
}

/// Column data with nulls turned into NaN or the empty text; integers with nulls become floats.
fn finish(cells: Cells, unsigned: bool) -> std::result::Result<ColumnData, String> {
    let null_at = |row: usize| format!("row {}: expected a value, found a null", row + 1);
    Ok(match cells {
        Cells::Text(v) => ColumnData::Text(v.into_iter().map(Option::unwrap_or_default).collect()),
        Cells::F64(v) => ColumnData::F64(v.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect()),
        Cells::F32(v) => ColumnData::F32(v.into_iter().map(|x| x.unwrap_or(f32::NAN)).collect()),
        Cells::Bool(v) => ColumnData::Bool(
            v.into_iter()
                .enumerate()
                .map(|(row, x)| x.ok_or_else(|| null_at(row)))
                .collect::<std::result::Result<_, _>>()?,
        ),
        Cells::I32(v) if unsigned => ints(
            v.into_iter()
                .map(|x| x.map(|x| i64::from(x as u32)))
                .collect(),
        ),
        Cells::I32(v) => match v.iter().copied().collect::<Option<Vec<i32>>>() {
            Some(all) => ColumnData::I32(all),
            None => ints(v.into_iter().map(|x| x.map(i64::from)).collect()),
        },
        Cells::I64(v) => {
            if unsigned && let Some(row) = v.iter().position(|x| x.is_some_and(|x| x < 0)) {
                return Err(format!(
                    "row {}: expected an integer up to 2^63 - 1, found a larger one",
                    row + 1
                ));
            }
            ints(v)
        }
    })
}

fn ints(v: Vec<Option<i64>>) -> ColumnData {
    match v.iter().copied().collect::<Option<Vec<i64>>>() {
        Some(all) => ColumnData::I64(all),
        None => ColumnData::F64(
            v.into_iter()
                .map(|x| x.map_or(f64::NAN, |x| x as f64))
                .collect(),
        ),
    }
}
