"""The main job on the survey's files, and what it leaves in its directory."""

from __future__ import annotations

import functools
import json
import logging
import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.time import Time

from . import _core
from ._calibrate import calibrating
from ._errors import NoRunError, NothingUsableError, TableError
from ._flags import Flags
from ._progress import Progress, telling
from ._table import Table, read_product, table_of
from ._units import KM_S, value_in

log = logging.getLogger("relrv")

Paths = str | os.PathLike[str]

#: Formats that can be read back, in the order of preference: Parquet keeps every type.
_READABLE = ("parquet", "fits", "csv")

_ARMS = {"red": "r", "blue": "b"}


def run(
    inputs: Paths | Iterable[Paths],
    out: Paths,
    *,
    arm: str = "both",
    reference: str = "coadd",
    snr_min: float = 5.0,
    vmax: float | u.Quantity = 500.0,
    vstep: float | u.Quantity = 1.0,
    telluric: str = "auto",
    method: str = "joint",
    scope: str = "survey",
    min_constants: int = 3,
    p_min: float = 0.01,
    fibre_order: str | int = "auto",
    by_lines: str = "auto",
    tolerance: float = 0.01,
    format: str | Sequence[str] = "fits",
    flags_text: bool = False,
    overwrite: bool = False,
    memory: int = 2048,
    device: str = "auto",
    threads: int = 0,
    progress: Progress = False,
) -> Run:
    """Measure every exposure of the survey's files, find the zero points, and write the products, as ``relrv run`` does.

    What an earlier call or command with the same options measured in this directory is used again.

    Parameters
    ----------
    inputs : path or list of paths
        Files ``med-*.fits`` or ``med-*.fits.gz``, directories that are searched for them, or ``@list.txt`` with a path a line.
    out : path
        Directory for the products; made if missing.
    arm : {"both", "red", "blue"}
        Arm to measure.
    reference : {"coadd", "best"}
        What exposures are compared with: the coadd of the star's others that agree, or the best of them.
    snr_min : float
        Exposures with a lower signal-to-noise ratio per pixel are left out.
    vmax, vstep : float
        Largest velocity that is looked for and step of the grid, km/s.
    telluric : {"auto", "off"}
        Whether lines of water in the Earth's atmosphere are divided out (red arm).
    method : {"joint", "paper"}
        How zero points are found.
    scope : {"survey", "spectrograph"}
        Whether everything that common stars link is solved at once, or each spectrograph alone.
    min_constants : int
        Stars that an exposure needs for a zero point.
    p_min : float
        Stars whose chi^2 is less probable than this are not constant.
    fibre_order : {"auto", 0, 1, 2}
        Highest power of the fibre's place along the slit in a zero point.
    by_lines : {"auto", "off"}
        Whether a zero point may depend on where the lines of a star lie and how wide they are.
    tolerance : float
        With ``method="paper"``: largest mean of an exposure's constants at the end, km/s.
    format : str or list of str
        Formats of the tables: ``"fits"``, ``"csv"``, ``"parquet"``, ``"mrt"``.
    flags_text : bool
        Whether the tables name the flags in columns of text too.
    overwrite : bool
        Start anew even if the directory holds another run.
    memory : int
        Memory for the spectra that are worked on at one time, MiB; changes no number.
    device : str
        ``"auto"`` for a graphics processor where there is one, else the processor; ``"cpu"``; ``"gpu"``; or part of the name of one.
    threads : int
        Threads, 0 for one per core.
    progress : bool or callable
        True for a bar (needs tqdm), or a function that is called with the numbers of files done and of all.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    OptionError, OccupiedError, GoneError, FileError, DeviceError
        As the command line says it.
    NothingUsableError
        Nothing could be measured.
    KeyboardInterrupt
        Ctrl-C, within a second. What was measured is kept, and the same call goes on from there.

    Examples
    --------
    >>> found = run(plate, out)
    >>> found
    <Run of 8 stars, 48 exposures in ...>
    >>> found.catalogue["drv_b_corr"].unit
    Unit("km / s")
    """
    paths = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    options = {
        "arm": arm,
        "reference": reference,
        "snr_min": float(snr_min),
        "vmax": value_in("vmax", vmax, KM_S),
        "vstep": value_in("vstep", vstep, KM_S),
        "telluric": telluric,
        "formats": [format] if isinstance(format, str) else list(format),
        "flags_text": flags_text,
        "overwrite": overwrite,
        "memory": memory,
        "device": device,
        "calibrate": calibrating(method, scope, min_constants, p_min, fibre_order, tolerance, by_lines),
    }
    with telling(progress, "files") as tell:
        try:
            done = _core.run([Path(path) for path in paths], Path(out), options, threads, tell)
        except KeyboardInterrupt:
            log.warning("stopped; what was measured is kept in %s, and the same call goes on from there", Path(out) / ".relrv")
            raise
    for line in done["warnings"] + done["complaints"]:
        log.warning("%s", line)
    if done["rejected"]:
        log.info("%d inputs were not used; rejected.csv lists them", len(done["rejected"]))
    if done["n_measured"] == 0:
        raise NothingUsableError(
            f"nothing could be measured: {done['n_files']} files, {done['n_spectra']} spectra in, none usable; "
            f"reasons in {Path(out) / 'rejected.csv'}"
        )
    log.info("%d spectra of %d stars measured on %s", done["n_measured"], done["n_stars"], done["device"])
    return open(out)


def open(out: Paths) -> Run:
    """Open the directory of a finished run.

    Parameters
    ----------
    out : path
        The directory, of `run` or of ``relrv run``.

    Returns
    -------
    Run
        Its products are read when they are asked for.

    Raises
    ------
    NoRunError
        The directory holds no finished run.
    """
    return Run(Path(out))


class Run:
    """A finished run. Products are read once, when they are asked for; `open` makes one."""

    def __init__(self, out: Path) -> None:
        self.out = Path(out)
        #: What ``run.json`` holds: version, settings, counts, times, units, calibration.
        self.summary: dict[str, Any] = _summary(self.out)

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return open, (self.out,)

    def __repr__(self) -> str:
        counts = self.summary["counts"]
        return f"<Run of {counts['stars']} stars, {counts['exposures']} exposures in {self.out}>"

    def _repr_html_(self) -> str:
        counts = self.summary["counts"]
        rows = {
            "directory": str(self.out),
            "files": counts["files"],
            "spectra": f"{counts['spectra']}, {counts['measured']} of them measured",
            "stars": counts["stars"],
            "exposures of stars": counts["exposures"],
            "seconds": f"{self.summary['seconds']:.2f}",
            "on": self.summary["backend"],
        }
        cells = "".join(f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>" for name, value in rows.items())
        return f"<table>{cells}</table>"

    def _product(self, name: str) -> Table:
        there = [f"{name}.{ending}" for ending in _READABLE if f"{name}.{ending}" in self.summary["products"]]
        if not there:
            products = ", ".join(self.summary["products"])
            raise TableError(f"{self.out}: no table {name} that can be read back among its products ({products})")
        return read_product(self.out / there[0])

    @functools.cached_property
    def catalogue(self) -> Table:
        """A row per star and exposure, both arms side by side."""
        return self._product("catalogue")

    @functools.cached_property
    def stars(self) -> Table:
        """A row per star and arm: scatter before and after, chi^2, whether it is constant or varies."""
        return self._product("stars")

    @functools.cached_property
    def constants(self) -> Table:
        """The stars that were taken for constant."""
        return self._product("constants")

    @functools.cached_property
    def zeropoints(self) -> Table:
        """A row per plate, spectrograph, exposure and arm: zero point, slope along the slit, errors."""
        return self._product("zeropoints")

    @functools.cached_property
    def components(self) -> Table:
        """Which exposures common stars put on one scale."""
        return self._product("components")

    @functools.cached_property
    def rejected(self) -> Table:
        """Every input that was not measured: file, HDU, reason, detail."""
        return read_product(self.out / "rejected.csv")

    @property
    def report(self) -> Report:
        """The run on one page, with its figures; a notebook shows it."""
        return Report(self.out / "report" / "index.html")

    def star(self, name: str) -> Star:
        """All that the run has of one star.

        Parameters
        ----------
        name : str
            Its designation, or any part of one that no other star's has.

        Raises
        ------
        KeyError
            There is no such star, or several.
        """
        names = np.unique(np.asarray(self.catalogue["designation"]))
        found = [str(one) for one in names if name == one] or [str(one) for one in names if name in one]
        if len(found) != 1:
            told = "no star" if not found else f"{len(found)} stars"
            raise KeyError(f"{told} with {name!r} in the name, of {len(names)} stars in {self.out}")
        return Star(self, found[0])


class Star:
    """One star of a run."""

    def __init__(self, of: Run, name: str) -> None:
        #: Designation.
        self.name = name
        #: Rows of the catalogue, by time.
        self.exposures: Table = of.catalogue[np.asarray(of.catalogue["designation"]) == name]
        #: Rows of the table of stars: one per arm.
        self.found: Table = of.stars[np.asarray(of.stars["designation"]) == name]
        self.exposures.sort("lmjm")

    @property
    def position(self) -> SkyCoord:
        """Where it is (J2000)."""
        return SkyCoord(self.exposures["ra"][0], self.exposures["dec"][0])

    @property
    def arm(self) -> str:
        """The arm in which its velocities have the smaller median error."""

        def error(arm: str) -> float:
            # A run of one arm has no columns of the other.
            if f"drv_{_ARMS[arm]}" not in self.exposures.colnames:
                return np.inf
            errors = self.exposures[f"drv_{_ARMS[arm]}_err_own"].value
            return float(np.nanmedian(errors)) if np.any(np.isfinite(errors)) else np.inf

        return min(_ARMS, key=error)

    def curve(self, arm: str | None = None, *, corrected: bool = True, flagged: bool = False) -> Table:
        """Its velocities in time.

        Parameters
        ----------
        arm : {"red", "blue"}, optional
            The arm; `Star.arm` unless it is given. Red and blue have different zeros.
        corrected : bool
            Whether the zero points of the exposures are taken off.
        flagged : bool
            Whether velocities are given that say nothing about the star (`Flags.NO_VELOCITY`).

        Returns
        -------
        Table
            ``time`` (`astropy.time.Time` of mid-exposure, barycentric, TDB), ``rv`` and ``rv_err`` (km/s; the error for curves),
            ``flags``, ``lmjm``. Exposures without a velocity are left out.

        Examples
        --------
        A period, in three lines:

        >>> from astropy.timeseries import LombScargle
        >>> curve = found.star(str(found.stars["designation"][0])).curve("blue")
        >>> frequency, power = LombScargle(curve["time"], curve["rv"], curve["rv_err"]).autopower(maximum_frequency=2 / u.d)
        >>> frequency.unit
        Unit("1 / d")
        """
        letter = _ARMS[arm or self.arm]
        rows = self.exposures
        if f"drv_{letter}" not in rows.colnames:
            raise KeyError(f"the run of {self.name} has no {arm} arm")
        rv = rows[f"drv_{letter}_corr" if corrected else f"drv_{letter}"]
        rv_err = rows[f"drv_{letter}_corr_err" if corrected else f"drv_{letter}_err_own"]
        flags = np.asarray(rows[f"flags_{letter}"])
        good = np.isfinite(rv.value)
        if not flagged:
            good &= flags & Flags.NO_VELOCITY.value == 0
        time = Time(rows["bjd_tdb"].value[good], format="jd", scale="tdb")
        return table_of(
            {
                "time": (time, None, "mid-exposure, barycentric, TDB"),
                "rv": (rv.value[good], KM_S, "velocity c z"),
                "rv_err": (rv_err.value[good], KM_S, "1-sigma error within the star's series"),
                "flags": (flags[good], None, "sum of relrv.Flags"),
                "lmjm": (np.asarray(rows["lmjm"].value)[good], None, "local Modified Julian Minute of the exposure's start"),
            }
        )

    def __repr__(self) -> str:
        return f"<Star {self.name}, {len(self.exposures)} exposures>"


class Report:
    """The page of a run: shown where a notebook shows HTML."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def html(self) -> str:
        """The page itself.

        Raises
        ------
        NoRunError
            The run has no page.
        """
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise NoRunError(f"{self.path}: the run has no page (tables in mrt alone make none)") from error

    def _repr_html_(self) -> str:
        page = escape(self.html(), quote=True)
        return f'<iframe srcdoc="{page}" style="width: 100%; height: 40em; border: 1px solid #ccc"></iframe>'

    def __repr__(self) -> str:
        return f"<Report {self.path}>"


def _summary(out: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((out / "run.json").read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise NoRunError(f"{out / 'run.json'}: not there, so {out} holds no finished run") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise NoRunError(f"{out / 'run.json'}: {error}; it is no record of a run") from error
