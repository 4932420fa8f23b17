//! A table of columns with units and meanings, written to and read from FITS, CSV and Parquet.

/// A column's values; text is UTF-8, missing floats are NaN.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnData {
    /// Text.
    Text(Vec<String>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 32-bit floats.
    F32(Vec<f32>),
    /// Truth values.
    Bool(Vec<bool>),
}

/// A named column with its unit (FITS standard, empty for none) and meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Unit in the FITS standard's spelling (`km/s`, `deg`, `d`), empty for none.
    pub unit: String,
    /// One line on what it is.
    pub meaning: String,
    /// Values.
    pub data: ColumnData,
}

/// Columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Columns in order.
    pub columns: Vec<Column>,
}
