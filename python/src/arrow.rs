//! Tables for others, by Arrow's stream interface in a capsule: pyarrow, polars and whoever else speaks it read the columns where they
//! lie.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, UInt16Type,
    UInt32Type,
};
use arrow_array::{
    ArrayRef, BooleanArray, PrimitiveArray, RecordBatch, RecordBatchIterator, StringArray,
};
use arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field, Schema};
use numpy::{Element, PyArray1, PyArrayMethods, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};

/// A column: name, values (a contiguous array, or a list of text), marks of missing values or None, and what is told of it (unit,
/// description).
#[derive(FromPyObject)]
pub struct ColumnIn<'py>(
    String,
    Bound<'py, PyAny>,
    Option<PyReadonlyArray1<'py, bool>>,
    HashMap<String, String>,
);

/// A capsule of an `ArrowArrayStream` with one batch of these columns. Numbers are not copied; truth values and text are.
#[pyfunction]
pub fn arrow_stream<'py>(
    py: Python<'py>,
    columns: Vec<ColumnIn<'py>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for ColumnIn(name, values, missing, told) in columns {
        let nulls = missing.map(|marks| {
            let is_there: Vec<bool> = marks.as_array().iter().map(|m| !m).collect();
            NullBuffer::from(is_there)
        });
        let array = array(&name, &values, nulls)?;
        let field = Field::new(name, array.data_type().clone(), true);
        fields.push(field.with_metadata(told));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(told)?;
    let batches: [Result<RecordBatch, ArrowError>; 1] = [Ok(batch)];
    let reader = RecordBatchIterator::new(batches, schema);
    let stream = FFI_ArrowArrayStream::new(Box::new(reader));
    PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
}

fn told(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn array(name: &str, values: &Bound<'_, PyAny>, nulls: Option<NullBuffer>) -> PyResult<ArrayRef> {
    if let Ok(text) = values.cast::<PyList>() {
        let text: Vec<String> = text.extract()?;
        let array = StringArray::from_iter_values(text);
        let (offsets, values, _) = array.into_parts();
        let array = StringArray::try_new(offsets, values, nulls).map_err(told)?;
        return Ok(Arc::new(array));
    }
    if let Ok(truths) = values.extract::<PyReadonlyArray1<'_, bool>>() {
        let truths: Vec<bool> = truths.as_array().to_vec();
        return Ok(Arc::new(BooleanArray::new(truths.into(), nulls)));
    }
    let found = numbers::<f64, Float64Type>(values, &nulls)
        .or_else(|| numbers::<i64, Int64Type>(values, &nulls))
        .or_else(|| numbers::<i32, Int32Type>(values, &nulls))
        .or_else(|| numbers::<f32, Float32Type>(values, &nulls))
        .or_else(|| numbers::<u32, UInt32Type>(values, &nulls))
        .or_else(|| numbers::<i16, Int16Type>(values, &nulls))
        .or_else(|| numbers::<u16, UInt16Type>(values, &nulls));
    match found {
        Some(array) => array,
        None => {
            let dtype = values.getattr("dtype")?;
            let text = format!("column {name}: values of type {dtype} cannot be handed to Arrow");
            Err(PyTypeError::new_err(text))
        }
    }
}

/// The numbers of a contiguous array of this type, where they lie; None for an array of another type.
fn numbers<T, A>(
    values: &Bound<'_, PyAny>,
    nulls: &Option<NullBuffer>,
) -> Option<PyResult<ArrayRef>>
where
    T: Element + ArrowNativeType,
    A: ArrowPrimitiveType<Native = T>,
{
    let array = values.cast::<PyArray1<T>>().ok()?;
    if !array.is_c_contiguous() {
        let text = "expected a contiguous array";
        return Some(Err(PyValueError::new_err(text)));
    }
    let n = array.len();
    let Some(start) = NonNull::new(array.data().cast::<u8>()) else {
        let text = "expected an array with memory";
        return Some(Err(PyValueError::new_err(text)));
    };
    let owner = Arc::new(AssertUnwindSafe(array.clone().unbind()));
    // SAFETY: the array is contiguous, so its `n` elements lie behind `start`, aligned for `T`; `owner` keeps it, and with it that memory,
    // alive until the buffer is dropped, as numpy refuses to resize an array that others refer to. Like every view of a numpy array, the buffer
    // sees what Python writes into it later. `tests/test_tables.py` compares addresses and values, and drops the table first.
    let buffer = unsafe { Buffer::from_custom_allocation(start, n * size_of::<T>(), owner) };
    let numbers = PrimitiveArray::<A>::try_new(ScalarBuffer::new(buffer, 0, n), nulls.clone());
    Some(numbers.map(|a| Arc::new(a) as ArrayRef).map_err(told))
}
