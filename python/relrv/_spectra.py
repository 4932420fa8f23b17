"""Spectra: arrays of the caller's, objects of specutils, files of the survey."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.time import Time
from numpy.typing import NDArray

from . import _core
from ._errors import SpectrumError
from ._flags import Flags
from ._units import KM_S, bare, floats, truths, unit_of, value_in

#: What `_core` takes for a spectrum.
Raw = tuple[Any, NDArray[np.float64], NDArray[np.float64], "NDArray[np.bool_] | None", float, float]


@dataclasses.dataclass(eq=False)
class Spectrum:
    """One exposure of a star.

    Wherever spectra are taken a tuple ``(wave, flux, ivar)`` or ``(wave, flux, ivar, mask)`` will do as well, and so will a
    ``specutils.Spectrum1D``.

    Parameters
    ----------
    wave : array of float, shape (n,)
        Wavelengths in vacuum, Angstrom (or a length with its unit), in one frame for all spectra of a star; ascending or descending.
    flux : array of float, shape (n,)
        Flux in any unit, not divided by a continuum.
    ivar : array of float, shape (n,)
        Inverse variance of `flux`, in its unit to the -2. Pixels where it is not positive count for nothing, and so do those where it
        or the flux is not finite.
    mask : array of bool or int, shape (n,), optional
        True, or not 0, for pixels that are not to be used.
    snr : float, optional
        Signal-to-noise ratio per pixel; the median over the good pixels of the window unless it is given.
    helio_rv : float, optional
        Velocity (km/s) that was taken off the wavelengths to bring them into the Sun's frame; of use for spectra of the survey.
    loglam : array of float32, shape (n,), optional
        Decimal logarithms of the wavelengths as they are stored in files of Sloan and LAMOST. Where they are given they are measured
        with, and not `wave`: so that the rounding can be taken out with which they were stored.
    meta : dict
        Whatever is known of it besides; relrv does not look at it.

    Arrays of float64 are read where they lie and not copied; do not write into them while another thread measures them.

    Examples
    --------
    >>> import numpy as np
    >>> spectrum = Spectrum(np.linspace(6100, 6250, 4000), np.ones(4000), np.full(4000, 1e4))
    >>> len(spectrum)
    4000
    """

    wave: Any
    flux: Any
    ivar: Any
    mask: Any = None
    snr: float = float("nan")
    helio_rv: float = float("nan")
    loglam: NDArray[np.float32] | None = None
    meta: dict[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_loglam(cls, loglam: Any, flux: Any, ivar: Any, mask: Any = None, **more: Any) -> Spectrum:
        """A spectrum whose wavelengths are stored as float32 decimal logarithms (``LOGLAM``)."""
        loglam = np.asarray(loglam, dtype=np.float32)
        wave = 10.0 ** loglam.astype(np.float64)
        return cls(wave, flux, ivar, mask, loglam=loglam, **more)

    def __len__(self) -> int:
        return len(self.flux)

    def __repr__(self) -> str:
        first, last = float(np.min(bare(self.wave))), float(np.max(bare(self.wave)))
        return f"<Spectrum of {len(self)} pixels, {first:.1f} to {last:.1f} {unit_of(self.wave) or 'Angstrom'}>"


def raw(spectrum: Any, where: str) -> Raw:
    """What `_core` takes, of whatever is a spectrum; `where` names it in errors."""
    if hasattr(spectrum, "spectral_axis") and hasattr(spectrum, "uncertainty"):
        spectrum = of_specutils(spectrum, where)
    elif not isinstance(spectrum, Spectrum):
        if not isinstance(spectrum, tuple) or len(spectrum) not in (3, 4):
            raise SpectrumError(f"{where} is {type(spectrum).__name__}, expected a Spectrum or a tuple (wave, flux, ivar[, mask])")
        spectrum = Spectrum(*spectrum)
    wave: Any
    if spectrum.loglam is not None:
        wave = np.asarray(spectrum.loglam, dtype=np.float32)
        if wave.ndim != 1:
            raise SpectrumError(f"{where}: loglam has the shape {wave.shape}, expected one dimension")
    else:
        wave = floats(f"{where}: wave", in_angstrom(spectrum.wave, where), SpectrumError)
    flux = floats(f"{where}: flux", spectrum.flux, SpectrumError)
    ivar = floats(f"{where}: ivar", in_flux_unit(spectrum, where), SpectrumError)
    mask = None if spectrum.mask is None else truths(f"{where}: mask", spectrum.mask, SpectrumError)
    helio_rv = value_in("helio_rv", spectrum.helio_rv, KM_S)
    return wave, flux, ivar, mask, float(spectrum.snr), helio_rv


def in_angstrom(wave: Any, where: str) -> Any:
    """Wavelengths in Angstrom."""
    unit = unit_of(wave)
    if unit is None or unit == u.AA:
        return bare(wave)
    try:
        return u.Quantity(wave).to_value(u.AA)
    except u.UnitConversionError as error:
        raise SpectrumError(f"{where}: wave is in {unit}, expected a length such as Angstrom") from error


def in_flux_unit(spectrum: Spectrum, where: str) -> Any:
    """Inverse variances in the flux's unit to the -2."""
    flux, ivar = unit_of(spectrum.flux), unit_of(spectrum.ivar)
    if ivar is None:
        return spectrum.ivar
    expected = (flux or u.dimensionless_unscaled) ** -2
    if ivar == expected:
        return bare(spectrum.ivar)
    try:
        return u.Quantity(spectrum.ivar).to_value(expected)
    except u.UnitConversionError as error:
        raise SpectrumError(f"{where}: ivar is in {ivar}, expected {expected} with a flux in {flux or 'no unit'}") from error


def of_specutils(spectrum: Any, where: str) -> Spectrum:
    """A spectrum of one dimension of specutils."""
    from astropy.nddata import InverseVariance

    if spectrum.flux.ndim != 1:
        raise SpectrumError(f"{where}: flux has the shape {spectrum.flux.shape}, expected one dimension")
    if spectrum.uncertainty is None:
        raise SpectrumError(f"{where}: no uncertainty, which is needed for the inverse variance")
    ivar = spectrum.uncertainty.represent_as(InverseVariance)
    wave = spectrum.spectral_axis.to(u.AA, equivalencies=u.spectral())
    return Spectrum(wave.value, spectrum.flux.value, np.asarray(ivar.array), spectrum.mask)


def raw_star(star: Any, where: str) -> list[Raw]:
    """All spectra of one star."""
    return [raw(spectrum, f"{where}spectrum {i}") for i, spectrum in enumerate(star)]


def is_spectrum(one: Any) -> bool:
    """Whether this is one spectrum, and not a list of spectra."""
    return isinstance(one, (Spectrum, tuple)) or hasattr(one, "spectral_axis")


def stars_of(spectra: Any) -> tuple[list[Any], list[list[Raw]]]:
    """Names and spectra of the stars: of one star's list, of a list of such lists, or of a mapping of names to them."""
    if isinstance(spectra, Mapping):
        names = list(spectra)
        return names, [raw_star(spectra[name], f"star {name}, ") for name in names]
    listed = list(spectra)
    if not listed or is_spectrum(listed[0]):
        return [0], [raw_star(listed, "")]
    return list(range(len(listed))), [raw_star(star, f"star {i}, ") for i, star in enumerate(listed)]


class Spectra(list[Spectrum]):
    """The spectra of one file, with what its header says in `meta` and what of it cannot be used in `rejected`."""

    meta: dict[str, Any]
    rejected: list[str]

    def of_arm(self, arm: str) -> list[Spectrum]:
        """Those of one arm, ``"red"`` or ``"blue"``."""
        return [spectrum for spectrum in self if spectrum.meta["arm"] == arm]


def read(file: str | os.PathLike[str]) -> Spectra:
    """Read the single exposures of one of the survey's files.

    Parameters
    ----------
    file : path
        A file ``med-*.fits`` or ``med-*.fits.gz`` of LAMOST MRS, in either layout.

    Returns
    -------
    list of Spectrum
        In the file's order, both arms. ``meta`` of each has its arm (``"red"``, ``"blue"``), ``hdu``, ``lmjm`` (local Modified Julian
        Minute of its start), ``time`` (`astropy.time.Time` of mid-exposure, barycentric, TDB), ``hjd``, and ``flags`` that its
        velocities will have. The list has ``meta`` (``obsid``, ``planid``, ``spid``, ``fiberid``, ``ra``, ``dec`` in degrees) and
        ``rejected`` (what of the file cannot be used, and why).

    Raises
    ------
    FormatError
        It cannot be read, or is no such file.

    Examples
    --------
    >>> spectra = read(sample)
    >>> spectra[0]
    <Spectrum of 4136 pixels, ... Angstrom>
    """
    found = _core.read(Path(file))
    spectra = Spectra(spectrum_of(one) for one in found.pop("spectra"))
    spectra.rejected = found.pop("rejected")
    spectra.meta = found
    return spectra


def spectrum_of(found: dict[str, Any]) -> Spectrum:
    """The spectrum of what `_core` has read."""
    meta = {name: found[name] for name in ("arm", "hdu", "lmjm", "hjd")}
    meta["time"] = Time(found["bjd_tdb"], format="jd", scale="tdb")
    meta["flags"] = Flags(found["flags"])
    return Spectrum(
        found["wave"],
        found["flux"],
        found["ivar"],
        found["mask"],
        snr=found["snr"],
        helio_rv=found["helio_rv"],
        loglam=found["loglam"],
        meta=meta,
    )


def numbers(stars: list[list[Raw]]) -> Iterator[tuple[int, int]]:
    """The star and the spectrum that each row of a result is of."""
    for star, spectra in enumerate(stars):
        for i in range(len(spectra)):
            yield star, i
