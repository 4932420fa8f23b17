//! Tables as the library reads them.

use std::path::PathBuf;

use numpy::IntoPyArray;
use pyo3::prelude::*;
use relrv::{Column, ColumnData, Table};

use super::raise::raise;

/// Name, unit, meaning, values, and marks of missing values (None where there is none). Text is a list, all else an array.
type ColumnOut<'py> = (
    String,
    String,
    String,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
);

/// Reads a table (FITS, CSV, Parquet, by its ending) column by column.
#[pyfunction]
pub fn read_table(py: Python<'_>, path: PathBuf) -> PyResult<Vec<ColumnOut<'_>>> {
    let table = py.detach(|| Table::read(&path));
    let table = table.map_err(|error| raise(py, &error))?;
    let columns = table.columns.into_iter();
    columns.map(|column| column_out(py, column)).collect()
}

fn column_out(py: Python<'_>, column: Column) -> PyResult<ColumnOut<'_>> {
    let values = match column.data {
        ColumnData::Text(v) => v.into_pyobject(py)?,
        ColumnData::I64(v) => v.into_pyarray(py).into_any(),
        ColumnData::I32(v) => v.into_pyarray(py).into_any(),
        ColumnData::F64(v) => v.into_pyarray(py).into_any(),
        ColumnData::F32(v) => v.into_pyarray(py).into_any(),
        ColumnData::Bool(v) => v.into_pyarray(py).into_any(),
    };
    let nulls = column.nulls.map(|marks| marks.into_pyarray(py).into_any());
    Ok((column.name, column.unit, column.meaning, values, nulls))
}
