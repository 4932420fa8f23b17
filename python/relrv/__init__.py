"""Relative radial velocities from repeated stellar spectra, and the zero points of the exposures that they come from.

===================================================== =====================================
what is at hand                                       what gives the result
===================================================== =====================================
files of LAMOST's medium-resolution survey            `run`, `open`
spectra of any instrument, as arrays                  `measure`, `curve`, `prepare`
velocities from anywhere, as columns                  `calibrate`
nothing yet                                           `simulate`
===================================================== =====================================

Velocities are c z in km/s, positive where a spectrum is redshifted; wavelengths are in Angstrom, in vacuum. Numbers with a unit are
`astropy.units.Quantity` wherever they come out, and may be one wherever they go in.

Nothing is imported before it is used, so that the command line, which comes with the package, starts at once.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import plot
    from ._calibrate import Calibration, calibrate
    from ._core import __version__
    from ._errors import (
        ArraysError,
        CalibrationError,
        DeviceError,
        FileError,
        FormatError,
        GoneError,
        NoRunError,
        NothingUsableError,
        OccupiedError,
        OptionError,
        RelrvError,
        SpectrumError,
        StoppedError,
        TableError,
    )
    from ._flags import CalibrationFlags, Flags, PixelFlags
    from ._measure import Prepared, curve, measure, prepare
    from ._run import Report, Run, Star, open, run
    from ._simulate import Device, Simulation, devices, simulate
    from ._spectra import Spectrum, read
    from ._table import Table

_HOMES = {
    "_calibrate": ("Calibration", "calibrate"),
    "_core": ("__version__",),
    "_errors": (
        "ArraysError",
        "CalibrationError",
        "DeviceError",
        "FileError",
        "FormatError",
        "GoneError",
        "NoRunError",
        "NothingUsableError",
        "OccupiedError",
        "OptionError",
        "RelrvError",
        "SpectrumError",
        "StoppedError",
        "TableError",
    ),
    "_flags": ("CalibrationFlags", "Flags", "PixelFlags"),
    "_measure": ("Prepared", "curve", "measure", "prepare"),
    "_run": ("Report", "Run", "Star", "open", "run"),
    "_simulate": ("Device", "Simulation", "devices", "simulate"),
    "_spectra": ("Spectrum", "read"),
    "_table": ("Table",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ArraysError",
    "Calibration",
    "CalibrationError",
    "CalibrationFlags",
    "Device",
    "DeviceError",
    "FileError",
    "Flags",
    "FormatError",
    "GoneError",
    "NoRunError",
    "NothingUsableError",
    "OccupiedError",
    "OptionError",
    "PixelFlags",
    "Prepared",
    "RelrvError",
    "Report",
    "Run",
    "Simulation",
    "Spectrum",
    "SpectrumError",
    "Star",
    "StoppedError",
    "Table",
    "TableError",
    "__version__",
    "calibrate",
    "curve",
    "devices",
    "measure",
    "open",
    "plot",
    "prepare",
    "read",
    "run",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name == "plot":
        return _import_module(".plot", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
