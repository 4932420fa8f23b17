"""Numbers with a unit, or without one and then in ours."""

from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from ._errors import ArraysError, OptionError

KM_S = u.km / u.s


def value_in(name: str, value: Any, unit: u.UnitBase) -> float:
    """A number in `unit`; without a unit it is taken to be in it."""
    if isinstance(value, u.Quantity):
        try:
            value = value.to_value(unit)
        except u.UnitConversionError as error:
            raise OptionError(f"{name} is in {value.unit}, expected {unit}") from error
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise OptionError(f"{name} is {value!r}, expected a number in {unit}") from error


def unit_of(values: Any) -> u.UnitBase | None:
    """The unit of a quantity or of a table's column; None where it has none."""
    unit = getattr(values, "unit", None)
    return unit if isinstance(unit, u.UnitBase) else None


def bare(values: Any) -> Any:
    """The values without their unit, as they lie in memory."""
    return values.value if isinstance(values, u.Quantity) else values


def mask_of(values: Any) -> NDArray[np.bool_] | None:
    """Marks of missing values, where the values have some; what is a method of that name is none."""
    mask = getattr(values, "mask", None)
    return mask if isinstance(mask, np.ndarray) and bool(np.any(mask)) else None


def floats(name: str, values: Any, error: type[ArraysError] = ArraysError) -> NDArray[np.float64]:
    """One-dimensional float64, without a copy where it is that already; NaN where values are masked."""
    values = bare(values)
    mask = mask_of(values)
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    array = np.asarray(getattr(values, "unmasked", np.ma.getdata(values)))
    if array.dtype.kind not in "fiu":
        raise error(f"{name} has the type {array.dtype}, expected real numbers")
    if array.ndim != 1:
        raise error(f"{name} has the shape {array.shape}, expected one dimension")
    if mask is None:
        return np.asarray(array, dtype=np.float64)
    return np.where(mask, np.nan, array.astype(np.float64))


def truths(name: str, values: Any, error: type[ArraysError] = ArraysError) -> NDArray[np.bool_]:
    """One-dimensional truth values, without a copy where it is that already; from integers, whether they are not 0."""
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    array = np.asarray(values)
    if array.dtype.kind not in "biu":
        raise error(f"{name} has the type {array.dtype}, expected truth values or integers")
    if array.ndim != 1:
        raise error(f"{name} has the shape {array.shape}, expected one dimension")
    return array if array.dtype == np.bool_ else array != 0
