"""Velocities of stars from spectra of any instrument."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from . import _core
from ._errors import OptionError
from ._flags import PixelFlags
from ._progress import Progress, telling
from ._spectra import numbers, raw_star, stars_of
from ._table import Table, table_of
from ._units import KM_S, value_in

log = logging.getLogger("relrv")

_PARAMETERS = """window : (float, float), optional
        Wavelengths (Angstrom) between which spectra are compared. They should reach beyond it by the largest velocity.
    pixel : float, optional
        Width of a pixel, km/s; the widest, where they differ.
    lsf_pixels : float, optional
        Full width at half maximum of the line-spread function, pixels.
    arm : {"red", "blue"}, optional
        An arm of LAMOST's medium-resolution spectrographs, in place of the three numbers above: measured as the command line does it,
        but for the lines of water (red arm), which need the other stars of an exposure.
    vmax : float, optional
        Largest difference of velocity that is looked for, km/s; 500.
    vstep : float, optional
        Step of the velocities at which the likelihood is evaluated, km/s, 0.1 to 5; a fortieth of the line-spread function's width.
        Velocities are found far more finely.
    reference : {"coadd", "best"}
        What an exposure is compared with: the coadd of the star's others that agree, or the best of them.
    knot_pixels : int, optional
        Distance of the knots of the reference's spline, pixels; half the line-spread function's width.
    polynomial_wavelengths : bool
        Whether wavelengths are a polynomial of degree 7 in the pixel's number but for their rounding, which is then taken out.
    edge_pixels : int, optional
        Pixels to drop at either end of a spectrum; none.
    clip_below_sigma : float, optional
        From how many standard deviations below the continuum on a pixel is left out of its fit; 2.
    device : str
        ``"cpu"``; ``"auto"`` for a graphics processor where there is one; ``"gpu"``; or part of the name of one (see `devices`)."""


def _options(
    window: Any,
    pixel: Any,
    lsf_pixels: float | None,
    arm: str | None,
    vmax: Any,
    vstep: Any,
    more: dict[str, Any],
) -> dict[str, Any]:
    if arm is not None and not (window is None and pixel is None and lsf_pixels is None):
        raise OptionError("expected either arm, or window, pixel and lsf_pixels")
    if arm is None and (window is None or pixel is None or lsf_pixels is None):
        raise OptionError("expected window, pixel and lsf_pixels, or arm")
    optional = {"vmax": vmax, "vstep": vstep, "pixel": pixel}
    speeds = {name: None if v is None else value_in(name, v, KM_S) for name, v in optional.items()}
    return {
        "arm": arm,
        "window": None if window is None else _window(window),
        "pixel_km_s": speeds["pixel"],
        "lsf_pixels": None if lsf_pixels is None else float(lsf_pixels),
        "vmax": speeds["vmax"],
        "vstep": speeds["vstep"],
        **more,
    }


def _window(window: Any) -> tuple[float, float]:
    try:
        low, high = window
    except (TypeError, ValueError) as error:
        raise OptionError(f"window is {window!r}, expected two wavelengths") from error
    return value_in("window", low, u.AA), value_in("window", high, u.AA)


def measure(
    spectra: Any,
    window: tuple[float, float] | None = None,
    pixel: float | u.Quantity | None = None,
    lsf_pixels: float | None = None,
    *,
    arm: str | None = None,
    vmax: float | u.Quantity | None = None,
    vstep: float | u.Quantity | None = None,
    reference: str = "coadd",
    knot_pixels: int | None = None,
    polynomial_wavelengths: bool = False,
    edge_pixels: int | None = None,
    clip_below_sigma: float | None = None,
    device: str = "cpu",
    threads: int = 0,
    progress: Progress = False,
) -> Table:
    """Measure the velocities of stars from repeated spectra of each, against each other.

    Parameters
    ----------
    spectra : list of spectra, list of such lists, or mapping of names to such lists
        The spectra of one star, or of each of many stars. A spectrum is a tuple ``(wave, flux, ivar)`` or ``(wave, flux, ivar, mask)``,
        a `Spectrum` or a ``specutils.Spectrum1D``.
    {parameters}
    threads : int
        Threads, 0 for one per core.
    progress : bool or callable
        True for a bar (needs tqdm), or a function that is called with the numbers of spectra measured and of all.

    Returns
    -------
    Table
        One row for each spectrum, in their order:

        - ``star``: the star's name in the mapping, or its number;
        - ``spectrum``: number of the spectrum among the star's;
        - ``rv`` (km/s): velocity c z against the star's reference; NaN where it cannot be measured;
        - ``rv_err`` (km/s): its 1-sigma error as the difference of two spectra;
        - ``rv_err_own`` (km/s): the same without the part that all velocities of the star share, for curves of one star;
        - ``chi2_red``: reduced chi^2 at the maximum of the likelihood;
        - ``snr``: signal-to-noise ratio per pixel;
        - ``flags``: sum of `Flags`;
        - ``is_reference``: it sets the star's zero;
        - ``n_reference``: spectra that the star's reference is made of;
        - ``not_measured``: why it has no velocity, empty where it has one.

    Raises
    ------
    SpectrumError
        Arrays that are no spectrum: the text names star, spectrum and array.
    OptionError
        An option that makes no sense.
    DeviceError
        A graphics processor was asked for, and there is none or it failed.
    KeyboardInterrupt
        Ctrl-C; nothing is kept.

    Examples
    --------
    >>> import numpy as np
    >>> wave = np.linspace(6100, 6250, 4000)
    >>> def exposure(rv):
    ...     rest = wave / (1 + rv / 299792.458)
    ...     return wave, 1 - sum(0.5 * np.exp(-(((rest - at) / 0.085) ** 2)) for at in (6140, 6175, 6210)), np.full(4000, 1e4)
    >>> table = measure([exposure(0.0), exposure(12.0)], (6110, 6240), 1.9, 3.8, vmax=100)
    >>> bool(abs(table["rv"][1] - table["rv"][0] - 12 * u.km / u.s) < 0.05 * u.km / u.s)
    True
    """
    more = _more(reference, knot_pixels, polynomial_wavelengths, edge_pixels, clip_below_sigma, device)
    options = _options(window, pixel, lsf_pixels, arm, vmax, vstep, more)
    names, stars = stars_of(spectra)
    with telling(progress, "spectra") as tell:
        found = _core.measure(stars, options, threads, tell)
    rows = np.array(list(numbers(stars)), dtype=np.int64).reshape(-1, 2)
    n_bad = sum(1 for why in found["not_measured"] if why)
    log.info("%d spectra of %d stars measured on %s", len(rows) - n_bad, len(stars), found["device"])
    if n_bad:
        log.warning("%d of %d spectra could not be measured: the column not_measured tells why", n_bad, len(rows))
    return table_of(
        {
            "star": (np.array(names)[rows[:, 0]], None, "star"),
            "spectrum": (rows[:, 1], None, "number of the spectrum among the star's"),
            "rv": (found["rv"], KM_S, "velocity c z against the star's reference"),
            "rv_err": (found["rv_err"], KM_S, "1-sigma error of rv as a difference"),
            "rv_err_own": (found["rv_err_own"], KM_S, "1-sigma error of rv within the star's series"),
            "chi2_red": (found["chi2_red"], None, "reduced chi^2 at the maximum of the likelihood"),
            "snr": (found["snr"], None, "signal-to-noise ratio per pixel"),
            "flags": (found["flags"], None, "sum of relrv.Flags"),
            "is_reference": (found["is_reference"], None, "sets the star's zero"),
            "n_reference": (found["n_reference"], None, "spectra that the star's reference is made of"),
            "not_measured": (np.array(found["not_measured"], dtype=np.str_), None, "why there is no velocity"),
        }
    )


def _more(
    reference: str,
    knot_pixels: int | None,
    polynomial_wavelengths: bool,
    edge_pixels: int | None,
    clip_below_sigma: float | None,
    device: str,
) -> dict[str, Any]:
    return {
        "reference": reference,
        "knot_pixels": knot_pixels,
        "polynomial_wavelengths": polynomial_wavelengths,
        "edge_pixels": edge_pixels,
        "clip_below_sigma": clip_below_sigma,
        "device": device,
    }


def curve(
    star: Sequence[Any],
    number: int,
    window: tuple[float, float] | None = None,
    pixel: float | u.Quantity | None = None,
    lsf_pixels: float | None = None,
    *,
    arm: str | None = None,
    vmax: float | u.Quantity | None = None,
    vstep: float | u.Quantity | None = None,
    reference: str = "coadd",
    knot_pixels: int | None = None,
    polynomial_wavelengths: bool = False,
    edge_pixels: int | None = None,
    clip_below_sigma: float | None = None,
    device: str = "cpu",
    threads: int = 0,
) -> Table:
    """Evaluate ln L of one of a star's spectra at every velocity of the grid, against what `measure` compares it with.

    Parameters
    ----------
    star : list of spectra
        The star's spectra, as `measure` takes them.
    number : int
        Which of them, from 0.
    {parameters}
    threads : int
        Threads, 0 for one per core.

    Returns
    -------
    Table
        ``rv`` (km/s, on the scale of the star's velocities) and ``ln_l`` (natural logarithm of the likelihood).

    Raises
    ------
    NothingUsableError
        The spectrum cannot be measured, or there is none of this number.
    """
    more = _more(reference, knot_pixels, polynomial_wavelengths, edge_pixels, clip_below_sigma, device)
    options = _options(window, pixel, lsf_pixels, arm, vmax, vstep, more)
    if number < 0:
        raise OptionError(f"number is {number}, expected 0 or more")
    rv, ln_l = _core.curve(raw_star(star, ""), number, options, threads)
    return table_of(
        {
            "rv": (rv, KM_S, "velocity c z"),
            "ln_l": (ln_l, None, "ln L, the natural logarithm of the likelihood"),
        }
    )


@dataclasses.dataclass(eq=False)
class Prepared:
    """What is compared of a spectrum: a value for each pixel of the window and of a margin on either side, in ascending wavelength.

    Attributes
    ----------
    pixel : array of int
        Number of each pixel in the arrays that were given.
    wave : Quantity, Angstrom
        Wavelengths.
    flux : array
        Flux over continuum; 0 where it does not count.
    ivar : array
        Its inverse variance; 0 where it does not count.
    continuum : array
        Continuum, in the unit of the flux that was given.
    mask : array of uint16
        Why a pixel does not count: sum of `PixelFlags`, 0 for one that does.
    reference : array
        The reference at the spectrum's velocity, over its continuum; NaN where it does not reach.
    reference_err : array
        Its 1-sigma error.
    rv : Quantity, km/s
        The velocity, as `measure` gives it.
    not_measured : str
        Why the spectrum cannot be measured: then all arrays are empty. Empty where it can.
    """

    pixel: NDArray[np.int64]
    wave: u.Quantity
    flux: NDArray[np.float64]
    ivar: NDArray[np.float64]
    continuum: NDArray[np.float64]
    mask: NDArray[np.uint16]
    reference: NDArray[np.float64]
    reference_err: NDArray[np.float64]
    rv: u.Quantity
    not_measured: str = ""

    @property
    def counts(self) -> NDArray[np.bool_]:
        """True for pixels that count."""
        return np.asarray(self.mask == 0)

    @property
    def pull(self) -> NDArray[np.float64]:
        """Flux less reference, in units of both their errors; NaN for pixels that do not count."""
        with np.errstate(divide="ignore", invalid="ignore"):
            pull = (self.flux - self.reference) / np.sqrt(1.0 / self.ivar + self.reference_err**2)
        return np.where(self.counts, pull, np.nan)

    def reasons(self) -> dict[str, int]:
        """How many pixels each reason keeps out."""
        return {flag.name or "": int(np.sum(self.mask & flag.value != 0)) for flag in PixelFlags}


def prepare(
    star: Sequence[Any],
    window: tuple[float, float] | None = None,
    pixel: float | u.Quantity | None = None,
    lsf_pixels: float | None = None,
    *,
    arm: str | None = None,
    vmax: float | u.Quantity | None = None,
    vstep: float | u.Quantity | None = None,
    reference: str = "coadd",
    knot_pixels: int | None = None,
    polynomial_wavelengths: bool = False,
    edge_pixels: int | None = None,
    clip_below_sigma: float | None = None,
    device: str = "cpu",
    threads: int = 0,
) -> list[Prepared]:
    """Show what is compared of each of a star's spectra: the pixels and the reference that stand behind the velocities of `measure`.

    Parameters
    ----------
    star : list of spectra
        The star's spectra, as `measure` takes them.
    {parameters}
    threads : int
        Threads, 0 for one per core.

    Returns
    -------
    list of Prepared
        One for each spectrum, in their order.
    """
    more = _more(reference, knot_pixels, polynomial_wavelengths, edge_pixels, clip_below_sigma, device)
    options = _options(window, pixel, lsf_pixels, arm, vmax, vstep, more)
    return [_prepared(found) for found in _core.compared(raw_star(star, ""), options, threads)]


def _prepared(found: dict[str, Any] | str) -> Prepared:
    if isinstance(found, str):
        none = np.empty(0)
        integers = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint16)
        return Prepared(integers[0], none * u.AA, none, none, none, integers[1], none, none, np.nan * KM_S, found)
    found["wave"] = u.Quantity(found["wave"], u.AA, copy=False)
    found["rv"] = found["rv"] * KM_S
    return Prepared(**found)


for _function in (measure, curve, prepare):
    _function.__doc__ = (_function.__doc__ or "").replace("{parameters}", _PARAMETERS)
