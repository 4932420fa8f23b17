"""Tables with units that others can read too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Column, MaskedColumn, QTable
from astropy.time import Time

from . import _core


class Table(QTable):
    """An `astropy.table.QTable` that anything can read that speaks Arrow.

    ``polars.DataFrame(table)`` and ``pyarrow.table(table)`` take it by Arrow's interface for streams (``__arrow_c_stream__``); numbers
    are not copied. ``table.to_pandas()`` is astropy's own.

    Arrow has no units: they are in the metadata of the fields, under ``unit``. Missing integers and truth values are nulls there, missing
    floats stay NaN. Times become Julian dates (float64, days) of their own scale.

    Examples
    --------
    >>> import astropy.units as u
    >>> table = Table({"rv": [1.0, 2.0] * u.km / u.s})
    >>> table["rv"].unit
    Unit("km / s")
    >>> hasattr(table, "__arrow_c_stream__")
    True
    """

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule of an ``ArrowArrayStream`` of one batch. Another schema than its own is not made (the protocol allows that)."""
        return _core.arrow_stream([_arrow_column(name, self[name]) for name in self.colnames])


def _arrow_column(name: str, column: Any) -> tuple[str, Any, Any, dict[str, str]]:
    told = {"unit": "" if column.info.unit is None else column.info.unit.to_string("vounit")}
    told["description"] = column.info.description or ""
    if isinstance(column, Time):
        told["unit"] = "d"
        column = column.jd
    values = column.value if isinstance(column, u.Quantity) else column
    mask = getattr(values, "mask", None)
    if mask is not None:
        mask = np.ascontiguousarray(mask, dtype=np.bool_)
        values = np.asarray(getattr(values, "unmasked", np.ma.getdata(values)))
    array = np.asarray(values)
    if array.dtype.kind not in "fiubUSO" or array.ndim != 1:
        raise TypeError(f"column {name}: values of type {array.dtype} and shape {array.shape} cannot be handed to Arrow")
    if array.dtype.kind in "fiub":
        native = array.dtype.newbyteorder("=")
        array = np.require(array, dtype=native, requirements=["C", "A"])
        return name, array, mask, told
    return name, [str(text) for text in array], mask, told


def read_product(path: Path) -> Table:
    """A table that the library wrote, by the library's own reader."""
    table = Table()
    for name, unit, meaning, values, nulls in _core.read_table(path):
        array = np.array(values, dtype=np.str_) if isinstance(values, list) else values
        table[name] = _column(array, unit, meaning, nulls)
    return table


def _column(array: Any, unit: str, meaning: str, nulls: Any = None) -> Any:
    """A column with its meaning: a quantity where it has a unit, a masked column where values are missing."""
    if unit:
        column = u.Quantity(array, u.Unit(unit, format="fits"), dtype=array.dtype, copy=False)
        column.info.description = meaning
        return column
    if nulls is not None:
        return MaskedColumn(array, mask=nulls, description=meaning, copy=False)
    return Column(array, description=meaning, copy=False)


def table_of(columns: Mapping[str, tuple[Any, Any, str]]) -> Table:
    """A table of columns, each with its unit (or None) and its meaning."""
    table = Table()
    for name, (values, unit, meaning) in columns.items():
        if unit is not None:
            values = u.Quantity(values, unit, copy=False)
            values.info.description = meaning
            table[name] = values
        elif isinstance(values, Time):
            table[name] = values
            table[name].info.description = meaning
        else:
            kind = MaskedColumn if isinstance(values, np.ma.MaskedArray) else Column
            table[name] = kind(values, description=meaning, copy=False)
    return table
