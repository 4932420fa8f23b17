//! Writing Parquet.

use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use ::parquet::column::writer::{ColumnWriter, ColumnWriterImpl};
use ::parquet::data_type::{ByteArray, DataType};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::Type;

use super::types::META_KEY;
use crate::table::pieces::{PIECE_ROWS, of_columns};
use crate::table::{Column, ColumnData, Pieces, Table, Width};
use crate::{Error, Result};

/// What `table_meta_yaml` says of one column, in astropy's words.
#[derive(serde::Serialize)]
struct ColumnMeta {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    unit: String,
    datatype: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
}

/// The value of `table_meta_yaml`.
#[derive(serde::Serialize)]
struct TableMeta {
    datatype: Vec<ColumnMeta>,
}

/// Writes the table; see [`Table::write`]. A row group has the rows of a piece.
pub(in crate::table) fn write(
    table: &dyn Pieces,
    path: &Path,
    out: &mut (dyn Write + Send),
) -> Result<()> {
    let longest = |column: &Column| match &column.data {
        ColumnData::Text(values) => Ok(values.iter().map(String::len).max()),
        _ => Ok(None),
    };
    let longest = of_columns(table, longest, |a, b| Ok(a.max(b)))?;
    let failed = |e| Error::io(path, system_error(e));
    let mut writer: Option<SerializedFileWriter<&mut (dyn Write + Send)>> = None;
    let mut out = Some(out);
    table.each(&mut |piece| {
        if let Some(out) = out.take() {
            writer = Some(begin(piece, &longest, out).map_err(failed)?);
        }
        match &mut writer {
            Some(writer) => write_rows(piece, writer).map_err(failed),
            None => Ok(()),
        }
    })?;
    match writer {
        Some(writer) => writer.close().map(drop).map_err(failed),
        None => Ok(()),
    }
}

/// The system's error if there is one inside: a full disk must be reported as such.
fn system_error(error: ParquetError) -> std::io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(io) => *io,
            Err(other) => std::io::Error::other(other),
        },
        other => std::io::Error::other(other),
    }
}

/// Begins a file whose tables have the columns of this one; `longest` are the lengths of their longest texts.
fn begin<'a>(
    table: &Table,
    longest: &[Option<usize>],
    out: &'a mut (dyn Write + Send),
) -> std::result::Result<SerializedFileWriter<&'a mut (dyn Write + Send)>, ParquetError> {
    let fields = table
        .columns
        .iter()
        .map(|c| field(c).map(Arc::new))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("schema")
        .with_fields(fields)
        .build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("relrv ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(metadata(table, longest)?))
        .build();
    SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))
}

fn write_rows(
    table: &Table,
    writer: &mut SerializedFileWriter<&mut (dyn Write + Send)>,
) -> std::result::Result<(), ParquetError> {
    let n_rows = table.n_rows();
    let mut start = 0;
    while start < n_rows {
        let end = (start + PIECE_ROWS).min(n_rows);
        let mut group = writer.next_row_group()?;
        for column in &table.columns {
            if let Some(mut cells) = group.next_column()? {
                write_cells(cells.untyped(), column, start..end)?;
                cells.close()?;
            }
        }
        group.close()?;
        start = end;
    }
    Ok(())
}

fn field(column: &Column) -> std::result::Result<Type, ParquetError> {
    let width = column.kept_width();
    let physical = match column.data {
        ColumnData::I64(_) if width == Some(Width::U32) => Physical::INT32,
        ColumnData::Text(_) => Physical::BYTE_ARRAY,
        ColumnData::I64(_) => Physical::INT64,
        ColumnData::I32(_) => Physical::INT32,
        ColumnData::Bool(_) => Physical::BOOLEAN,
        ColumnData::F64(_) => Physical::DOUBLE,
        ColumnData::F32(_) => Physical::FLOAT,
    };
    let repetition = if is_optional(column) {
        Repetition::OPTIONAL
    } else {
        Repetition::REQUIRED
    };
    let logical = match width.map(Width::bits) {
        Some((bits, is_signed)) => Some(LogicalType::integer(bits as i8, is_signed)),
        None => matches!(column.data, ColumnData::Text(_)).then_some(LogicalType::String),
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_repetition(repetition)
        .with_logical_type(logical)
        .build()
}

/// Floats may always be missing.
fn is_optional(column: &Column) -> bool {
    column.nulls.is_some() || matches!(column.data, ColumnData::F64(_) | ColumnData::F32(_))
}

fn write_cells(
    cells: &mut ColumnWriter<'_>,
    column: &Column,
    rows: Range<usize>,
) -> std::result::Result<(), ParquetError> {
    match (cells, &column.data) {
        (ColumnWriter::ByteArrayColumnWriter(w), ColumnData::Text(v)) => {
            write_some(w, column, rows, |i| ByteArray::from(v[i].as_str()))
        }
        (ColumnWriter::Int64ColumnWriter(w), ColumnData::I64(v)) => {
            write_some(w, column, rows, |i| v[i])
        }
        // Unsigned 32-bit integers are stored as signed ones with the same bits.
        (ColumnWriter::Int32ColumnWriter(w), ColumnData::I64(v)) => {
            write_some(w, column, rows, |i| v[i] as u32 as i32)
        }
        (ColumnWriter::Int32ColumnWriter(w), ColumnData::I32(v)) => {
            write_some(w, column, rows, |i| v[i])
        }
        (ColumnWriter::BoolColumnWriter(w), ColumnData::Bool(v)) => {
            write_some(w, column, rows, |i| v[i])
        }
        (ColumnWriter::DoubleColumnWriter(w), ColumnData::F64(v)) => {
            write_some(w, column, rows, |i| v[i])
        }
        (ColumnWriter::FloatColumnWriter(w), ColumnData::F32(v)) => {
            write_some(w, column, rows, |i| v[i])
        }
        _ => Err(ParquetError::General(
            "the writer's column type is not the table's".to_owned(),
        )),
    }
}

/// Writes the values of some rows, those without one as nulls.
fn write_some<T: DataType>(
    writer: &mut ColumnWriterImpl<'_, T>,
    column: &Column,
    rows: Range<usize>,
    value: impl Fn(usize) -> T::T,
) -> std::result::Result<(), ParquetError> {
    if !is_optional(column) {
        let values: Vec<T::T> = rows.map(value).collect();
        writer.write_batch(&values, None, None)?;
        return Ok(());
    }
    let levels: Vec<i16> = rows
        .clone()
        .map(|row| i16::from(!column.is_null(row)))
        .collect();
    let values: Vec<T::T> = rows
        .filter(|&row| !column.is_null(row))
        .map(value)
        .collect();
    writer.write_batch(&values, Some(&levels), None)?;
    Ok(())
}

fn metadata(
    table: &Table,
    longest: &[Option<usize>],
) -> std::result::Result<Vec<KeyValue>, ParquetError> {
    let meta = TableMeta {
        datatype: table
            .columns
            .iter()
            .map(|c| ColumnMeta {
                name: c.name.clone(),
                unit: c.unit.clone(),
                datatype: datatype(&c.data).0.to_owned(),
                description: c.meaning.clone(),
            })
            .collect(),
    };
    let json = serde_json::to_string(&meta).map_err(|e| ParquetError::General(e.to_string()))?;
    let mut keys = vec![
        KeyValue::new(META_KEY.to_owned(), json),
        KeyValue::new("IVOA.VOTable-Parquet.version".to_owned(), "1.0".to_owned()),
        KeyValue::new("IVOA.VOTable-Parquet.content".to_owned(), votable(table)),
    ];
    if let Some(json) = nullable(table)? {
        keys.push(KeyValue::new("pandas".to_owned(), json));
    }
    for (column, longest) in table.columns.iter().zip(longest) {
        if let ColumnData::Text(_) = &column.data {
            // astropy warns without it, and cannot read an empty table.
            let longest = longest.unwrap_or(0).max(1);
            keys.push(KeyValue::new(
                format!("table::len::{}", column.name),
                longest.to_string(),
            ));
        }
    }
    Ok(keys)
}

/// What tells pandas to take integers and truth values with nulls for its own types of these; without it they would
/// become floats and objects. None where there are none.
fn nullable(table: &Table) -> std::result::Result<Option<String>, ParquetError> {
    let mut columns = Vec::new();
    for column in table.columns.iter().filter(|c| c.nulls.is_some()) {
        let (bits, is_signed) = match (&column.data, column.kept_width()) {
            (ColumnData::I32(_) | ColumnData::I64(_), Some(width)) => width.bits(),
            (ColumnData::I32(_), None) => (32, true),
            (ColumnData::I64(_), None) => (64, true),
            (ColumnData::Bool(_), _) => (0, false),
            _ => continue,
        };
        let (ours, theirs) = match (bits, is_signed) {
            (0, _) => ("bool".to_owned(), "boolean".to_owned()),
            (bits, true) => (format!("int{bits}"), format!("Int{bits}")),
            (bits, false) => (format!("uint{bits}"), format!("UInt{bits}")),
        };
        columns.push(serde_json::json!({
            "name": column.name, "field_name": column.name,
            "pandas_type": ours, "numpy_type": theirs, "metadata": null,
        }));
    }
    if columns.is_empty() {
        return Ok(None);
    }
    let meta = serde_json::json!({
        "index_columns": [], "column_indexes": [], "columns": columns,
        "creator": {"library": "relrv", "version": env!("CARGO_PKG_VERSION")}, "pandas_version": "2.0.0",
    });
    serde_json::to_string(&meta)
        .map(Some)
        .map_err(|e| ParquetError::General(e.to_string()))
}

/// A VOTable without rows that tells names, types, units and meanings (IVOA note VOParquet 1.0).
fn votable(table: &Table) -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<VOTABLE version=\"1.4\" \
         xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n<RESOURCE>\n<TABLE>\n",
    );
    for column in &table.columns {
        xml.push_str(&format!(
            "<FIELD name=\"{}\" {}",
            escape(&column.name),
            datatype(&column.data).1
        ));
        if let ColumnData::Text(values) = &column.data {
            // A fixed width, not *: astropy cannot join the columns otherwise.
            let longest = values.iter().map(|t| t.chars().count()).max().unwrap_or(0);
            xml.push_str(&format!(" arraysize=\"{}\"", longest.max(1)));
        }
        if !column.unit.is_empty() {
            xml.push_str(&format!(" unit=\"{}\"", escape(&column.unit)));
        }
        if !column.ucd.is_empty() {
            xml.push_str(&format!(" ucd=\"{}\"", escape(&column.ucd)));
        }
        xml.push_str(&format!(
            "><DESCRIPTION>{}</DESCRIPTION></FIELD>\n",
            escape(&column.meaning)
        ));
    }
    xml.push_str("</TABLE>\n</RESOURCE>\n</VOTABLE>\n");
    xml
}

/// The type in astropy's and in VOTable's words.
fn datatype(data: &ColumnData) -> (&'static str, &'static str) {
    match data {
        ColumnData::Text(_) => ("string", "datatype=\"unicodeChar\""),
        ColumnData::I64(_) => ("int64", "datatype=\"long\""),
        ColumnData::I32(_) => ("int32", "datatype=\"int\""),
        ColumnData::F64(_) => ("float64", "datatype=\"double\""),
        ColumnData::F32(_) => ("float32", "datatype=\"float\""),
        ColumnData::Bool(_) => ("bool", "datatype=\"boolean\""),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
