"""Zero points of anybody's velocities."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from . import _core
from ._errors import ArraysError, TableError
from ._table import Table, table_of
from ._units import floats, mask_of, truths, unit_of

log = logging.getLogger("relrv")

_NEEDED = ("star", "exposure", "rv", "rv_err")
_OPTIONAL = ("group", "arm", "position", "no_velocity", "never_constant")


def calibrating(
    method: str,
    scope: str,
    min_constants: int,
    p_min: float,
    fibre_order: str | int,
    tolerance: float,
    by_lines: str = "auto",
) -> dict[str, Any]:
    """The settings as `_core` takes them."""
    return {
        "method": method,
        "scope": scope,
        "min_constants": min_constants,
        "p_min": float(p_min),
        "fibre_order": str(fibre_order),
        "by_lines": by_lines,
        "tolerance": float(tolerance),
    }


@dataclasses.dataclass(eq=False)
class Calibration:
    """What a calibration found.

    Attributes
    ----------
    velocities : Table
        A row for each velocity, in the order in which they were given: ``star``, ``exposure``, ``rv`` and ``rv_err`` as given,
        ``rv_corr`` (less the zero point; NaN where there is none), ``rv_corr_err``, ``flags`` (sum of `CalibrationFlags`).
    zeropoints : Table
        A row for each exposure, group and arm: ``zp`` and ``zp_err``, ``slope`` and ``curve`` along the slit with errors,
        ``n_constants``, ``component`` (zero points of one component can be compared; masked where there is none).
    stars : Table
        A row for each star and arm: ``n_exp``, ``n_used``, ``scatter_before``, ``scatter_after``, ``chi2``, ``dof``, ``p_value``,
        ``p_quiet``, ``jitter``, ``constant`` and ``variable`` (masked where neither can be said; ``not_judged`` tells why).
    converged : bool
        Whether every arm was solved, and its iteration ended by itself.
    complaints, notes : list of str
        What is wrong, and what is to be known, in sentences.
    """

    velocities: Table
    zeropoints: Table
    stars: Table
    converged: bool
    complaints: list[str]
    notes: list[str]


def calibrate(
    star: Any,
    exposure: Any = None,
    rv: Any = None,
    rv_err: Any = None,
    *,
    group: Any = None,
    arm: Any = None,
    position: Any = None,
    no_velocity: Any = None,
    never_constant: Any = None,
    method: str = "joint",
    scope: str = "survey",
    min_constants: int = 3,
    p_min: float = 0.01,
    fibre_order: str | int = "auto",
    tolerance: float = 0.01,
    threads: int = 0,
) -> Calibration:
    """Find the zero point of every exposure from the stars that do not vary, and take it off the velocities.

    Columns may be arrays, lists, quantities, columns of astropy, series of pandas or polars, or arrays of pyarrow.

    Parameters
    ----------
    star : column, or a table
        Which star each velocity is of: names or numbers. Or a table (of astropy, pandas, polars or pyarrow) with the columns ``star``,
        ``exposure``, ``rv``, ``rv_err`` and, where it has them, ``group``, ``arm``, ``position``, ``no_velocity``, ``never_constant``.
    exposure : column
        Which exposure: names or numbers.
    rv, rv_err : column of float
        Velocity and its 1-sigma error without what it shares with the star's other velocities, in one unit, whichever. Masked ones and
        those that are not finite are flagged and not used.
    group : column, optional
        Plate, spectrograph and the like: an exposure has a zero point in each group.
    arm : column, optional
        Arm: each has zero points of its own. That of the smallest median error chooses the constant stars for all.
    position : column of float, optional
        Place of the fibre along the slit, in any unit: zero points may change along it.
    no_velocity : column of bool, optional
        True for velocities that say nothing about their star; they are corrected and not used.
    never_constant : column of bool, optional
        True for stars that are never taken for constant (one such row is enough).
    method, scope, min_constants, p_min, fibre_order, tolerance
        As for `run`; `tolerance` in the unit of the velocities.
    threads : int
        Threads, 0 for one per core.

    Returns
    -------
    Calibration
        Its velocities have the unit of `rv`.

    Raises
    ------
    ArraysError
        Columns that do not fit each other.
    TableError
        A column that is needed is not there.
    NothingUsableError
        No velocity can be used.

    Examples
    --------
    20 stars in 8 exposures, of which one is off by 2:

    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> star, exposure = (part.ravel() for part in np.mgrid[0:20, 0:8])
    >>> rv = 3.0 * star + np.where(exposure == 3, 2.0, 0.0) + rng.normal(0, 0.3, star.size)
    >>> found = calibrate(star, exposure, rv, np.full(star.size, 0.3))
    >>> zp = found.zeropoints["zp"]
    >>> bool(abs(zp[3] - np.mean(np.delete(zp, 3)) - 2.0) < 0.3)
    True
    """
    if exposure is None:
        given = _of_table(star)
    else:
        given = {"star": star, "exposure": exposure, "rv": rv, "rv_err": rv_err, "group": group, "arm": arm}
        given |= {"position": position, "no_velocity": no_velocity, "never_constant": never_constant}
    for name in _NEEDED:
        if given.get(name) is None:
            raise ArraysError(f"expected star, exposure, rv and rv_err, or a table: {name} is missing")
    columns = _Columns(given)
    options = calibrating(method, scope, min_constants, p_min, fibre_order, tolerance)
    found = _core.calibrate(columns.numbers(), options, threads)
    for line in found["complaints"]:
        log.warning("%s", line)
    return columns.named(found)


def _of_table(table: Any) -> dict[str, Any]:
    """The columns of a table, by name."""
    names = getattr(table, "colnames", None) or getattr(table, "column_names", None)
    if names is None:
        names = getattr(table, "columns", None)
    if names is None and hasattr(table, "__arrow_c_stream__"):
        import pyarrow

        table = pyarrow.table(table)
        names = table.column_names
    if names is None:
        raise ArraysError(f"expected columns or a table, found {type(table).__name__}")
    there = {str(name) for name in names}
    for name in _NEEDED:
        if name not in there:
            raise TableError(f"the table has no column {name}; it has {', '.join(sorted(there))}")
    return {name: table[name] for name in (*_NEEDED, *_OPTIONAL) if name in there}


class _Columns:
    """The columns that were given, with names in place of numbers and back."""

    def __init__(self, given: dict[str, Any]) -> None:
        units = {name: unit_of(given[name]) for name in ("rv", "rv_err")}
        self.unit = units["rv"]
        rv_err = given["rv_err"]
        if units["rv_err"] is not None and self.unit is not None and units["rv_err"] != self.unit:
            try:
                rv_err = u.Quantity(rv_err).to(self.unit)
            except u.UnitConversionError as error:
                raise ArraysError(f"rv is in {self.unit} and rv_err in {units['rv_err']}") from error
        self.rv, self.rv_err = floats("rv", given["rv"]), floats("rv_err", rv_err)
        self.names: dict[str, NDArray[Any]] = {}
        self.codes: dict[str, NDArray[np.uint32]] = {}
        for name in ("star", "exposure", "group", "arm"):
            if given.get(name) is not None:
                self.names[name], self.codes[name] = _numbered(name, given[name])
        if "arm" in self.codes:
            self._smallest_error_first()
        self.position = None if given.get("position") is None else floats("position", given["position"])
        self.no_velocity = None if given.get("no_velocity") is None else truths("no_velocity", given["no_velocity"])
        self.never = np.zeros(len(self.names["star"]), dtype=bool)
        if given.get("never_constant") is not None:
            rows = truths("never_constant", given["never_constant"])
            if rows.shape != self.codes["star"].shape:
                raise ArraysError(f"never_constant has {len(rows)} rows, expected {len(self.codes['star'])}")
            self.never[self.codes["star"][rows]] = True

    def _smallest_error_first(self) -> None:
        names, codes = self.names["arm"], self.codes["arm"]
        if codes.shape != self.rv_err.shape:
            raise ArraysError(f"arm has {len(codes)} rows, expected {len(self.rv_err)}")
        medians = [np.median(self.rv_err[(codes == i) & np.isfinite(self.rv_err)]) for i in range(len(names))]
        order = np.argsort(medians, kind="stable")
        place = np.empty(len(order), dtype=np.uint32)
        place[order] = np.arange(len(order), dtype=np.uint32)
        self.names["arm"], self.codes["arm"] = names[order], place[codes]

    def numbers(self) -> dict[str, Any]:
        """What `_core` takes."""
        optional = {name: self.codes.get(name) for name in ("group", "arm")}
        return {
            "star": self.codes["star"],
            "exposure": self.codes["exposure"],
            "rv": self.rv,
            "rv_err": self.rv_err,
            "position": self.position,
            "no_velocity": self.no_velocity,
            "never_constant": self.never.tolist(),
            **optional,
        }

    def named(self, found: dict[str, Any]) -> Calibration:
        """What was found, with the names that were given."""
        unit = self.unit
        velocities = {name: (self.names[name][codes], None, name) for name, codes in self.codes.items()}
        velocities |= {
            "rv": (self.rv, unit, "velocity as given"),
            "rv_err": (self.rv_err, unit, "its 1-sigma error as given"),
            "rv_corr": (found["rv"], unit, "velocity less the zero point of its exposure"),
            "rv_corr_err": (found["rv_err"], unit, "1-sigma error of rv_corr"),
            "flags": (found["flags"], None, "sum of relrv.CalibrationFlags"),
        }
        points, stars = found["zeropoints"], found["stars"]
        component = np.ma.MaskedArray(points.pop("component"))
        component[np.asarray(component) < 0] = np.ma.masked
        points["component"] = component
        not_judged = np.array(stars.pop("not_judged"), dtype=np.str_)
        for name in ("constant", "variable"):
            stars[name] = np.ma.MaskedArray(stars[name], mask=not_judged != "")
        stars["not_judged"] = not_judged
        return Calibration(
            velocities=table_of(velocities),
            zeropoints=self._rows(points, {"zp", "zp_err", "slope", "slope_err", "curve", "curve_err"}),
            stars=self._rows(stars, {"scatter_before", "scatter_after", "jitter"}),
            converged=found["converged"],
            complaints=found["complaints"],
            notes=found["notes"],
        )

    def _rows(self, columns: dict[str, Any], with_unit: set[str]) -> Table:
        out: dict[str, tuple[Any, Any, str]] = {}
        for name, values in columns.items():
            if name in ("group", "arm") and name not in self.names:
                continue
            if name in self.names:
                values = self.names[name][values]
            out[name] = (values, self.unit if name in with_unit else None, name.replace("_", " "))
        return table_of(out)


def _numbered(name: str, values: Any) -> tuple[NDArray[Any], NDArray[np.uint32]]:
    """Distinct names, and the number of each row's."""
    mask = mask_of(values)
    if mask is not None:
        raise ArraysError(f"{name} is missing in row {int(np.argmax(mask))}")
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    array = np.asarray(values)
    if array.ndim != 1:
        raise ArraysError(f"{name} has the shape {array.shape}, expected one dimension")
    if array.dtype.kind == "O":
        missing = [i for i, one in enumerate(array) if one is None or one != one]
        if missing:
            raise ArraysError(f"{name} is missing in row {missing[0]}")
        array = array.astype(np.str_)
    if array.dtype.kind not in "iuSUTb":
        raise ArraysError(f"{name} has the type {array.dtype}, expected names or whole numbers")
    names, codes = np.unique(array, return_inverse=True)
    return names, codes.astype(np.uint32)
