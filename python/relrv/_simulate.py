"""Simulated plates, and what can compute."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
from astropy.table import Table as AstropyTable

from . import _core
from ._table import Table


@dataclasses.dataclass(frozen=True)
class Device:
    """Something that likelihoods can be evaluated on.

    Attributes
    ----------
    name : str
        Its name.
    kind : str
        ``"cpu"``, or the kind of a graphics processor: ``"discrete"``, ``"integrated"``, ``"virtual"``, ``"other"``, ``"software"``.
    backend, driver : str
        Interface that it is reached by, and its driver; empty for the processor.
    max_buffer_bytes : int
        Largest buffer; 0 for the processor.
    verdict : str
        What relrv would do with it.
    """

    name: str
    kind: str
    backend: str
    driver: str
    max_buffer_bytes: int
    verdict: str


def devices() -> list[Device]:
    """List what likelihoods can be evaluated on: the processor, and every graphics processor that the system shows.

    Returns
    -------
    list of Device
        The processor first.

    Examples
    --------
    >>> devices()[0].kind
    'cpu'
    """
    return [Device(*told) for told in _core.devices()]


@dataclasses.dataclass(frozen=True)
class Simulation:
    """A simulated plate.

    Attributes
    ----------
    out : Path
        Its directory: give it to `run`.
    n_files, n_spectra, n_stars : int
        How many there are.
    """

    out: Path
    n_files: int
    n_spectra: int
    n_stars: int

    @property
    def truth(self) -> Table:
        """The truth, a row per star, exposure and arm; its columns are told in ``docs/columns.md``."""
        return Table(AstropyTable.read(self.out / "truth.csv", format="ascii.csv", fast_reader=True))


def simulate(
    out: str | os.PathLike[str],
    *,
    seed: int = 1,
    stars: int = 20,
    nights: int = 4,
    exposures: int = 3,
    spectrographs: int = 1,
    snr: tuple[float, float] = (20.0, 100.0),
    layout: str = "dr7",
    missing: float = 0.0,
    cosmics: float = 4.0,
    kinds: tuple[float, float, float] = (0.05, 0.12, 0.08),
    teff: tuple[float, float] | None = None,
    sky: str = "kind",
    threads: int = 0,
) -> Simulation:
    """Make a plate of spectra in the format of LAMOST MRS, with the truth beside them, as ``relrv simulate`` does.

    Parameters
    ----------
    out : path
        Directory for the files; made if missing, must be empty.
    seed : int
        The same seed gives the same bytes.
    stars, nights, exposures, spectrographs : int
        Stars in each spectrograph (1-250), nights, exposures in each night (1-25), spectrographs (1-16).
    snr : (float, float)
        Range of the signal-to-noise ratio per pixel.
    layout : {"dr7", "dr9"}
        Table layout of the files: until DR9 v0, or since DR9 v1.
    missing : float
        Share of the observations that are missing.
    cosmics : float
        Mean number of cosmic rays in a spectrum.
    kinds : (float, float, float)
        Shares of pulsating stars, single-lined and double-lined binaries; the rest is constant.
    teff : (float, float), optional
        Range of effective temperatures, K; all types if not given.
    sky : {"kind", "hard"}
        Without effects of sky, optics and detector, or with all that real spectra have been seen to have.
    threads : int
        Threads, 0 for one per core.

    Returns
    -------
    Simulation
        Where it is, and its truth.
    """
    pairs = {"snr": tuple(map(float, snr)), "kinds": tuple(map(float, kinds))}
    options = {
        "seed": seed,
        "stars": stars,
        "nights": nights,
        "exposures": exposures,
        "spectrographs": spectrographs,
        "layout": layout,
        "missing": float(missing),
        "cosmics": float(cosmics),
        "teff": None if teff is None else tuple(map(float, np.asarray(teff))),
        "sky": sky,
        **pairs,
    }
    n_files, n_spectra, n_stars, _ = _core.simulate(Path(out), options, threads)
    return Simulation(Path(out), n_files, n_spectra, n_stars)
