//! A column while it is filled, row by row.

use super::ColumnData;

/// Values so far, and the rows without one.
pub(super) struct Cells {
    pub(super) data: ColumnData,
    null_rows: Vec<usize>,
}

impl Cells {
    /// Nothing yet; `data` tells the type.
    pub(super) fn new(data: ColumnData) -> Self {
        Cells {
            data,
            null_rows: Vec::new(),
        }
    }

    /// A row without a value.
    pub(super) fn push_null(&mut self) {
        match &mut self.data {
            ColumnData::F64(v) => return v.push(f64::NAN),
            ColumnData::F32(v) => return v.push(f32::NAN),
            _ => self.null_rows.push(self.data.len()),
        }
        match &mut self.data {
            ColumnData::Text(v) => v.push(String::new()),
            ColumnData::I64(v) => v.push(0),
            ColumnData::I32(v) => v.push(0),
            ColumnData::Bool(v) => v.push(false),
            ColumnData::F64(_) | ColumnData::F32(_) => {}
        }
    }

    /// Turns the values so far into text, because a value comes that the column's type cannot hold.
    pub(super) fn turn_to_text(&mut self) {
        let mut nulls = self.null_rows.iter().peekable();
        let texts = (0..self.data.len())
            .map(|row| {
                if nulls.next_if(|&&null| null == row).is_some() {
                    String::new()
                } else {
                    self.data.text_at(row)
                }
            })
            .collect();
        self.data = ColumnData::Text(texts);
    }

    /// The values, and the null marks if there is a null.
    pub(super) fn finish(self) -> (ColumnData, Option<Vec<bool>>) {
        if self.null_rows.is_empty() {
            return (self.data, None);
        }
        let mut nulls = vec![false; self.data.len()];
        for row in self.null_rows {
            nulls[row] = true;
        }
        (self.data, Some(nulls))
    }
}
