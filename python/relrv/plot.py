"""A few plots. Each draws into the axes that it is given, or into new ones, and gives them back; it needs matplotlib.

Examples
--------
>>> import relrv
>>> axes = relrv.plot.curve(found.star(str(found.stars["designation"][0])))
>>> axes.get_ylabel()
'rv [km / s]'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._flags import PixelFlags

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._measure import Prepared
    from ._run import Star
    from ._table import Table


def _new(axes: Axes | None, **more: Any) -> Any:
    if axes is not None:
        return axes
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("relrv.plot needs matplotlib: pip install relrv[plot]") from error
    return pyplot.subplots(layout="constrained", **more)[1]


def curve(star: Star | Table, axes: Axes | None = None, *, period: Any = None, arm: str | None = None) -> Any:
    """Draw a star's velocities in time, or folded by a period.

    Parameters
    ----------
    star : Star or Table
        A star of a run, or a table with ``time``, ``rv`` and ``rv_err``.
    axes : matplotlib Axes, optional
        Where to draw.
    period : float or Quantity, optional
        Period, days: then they are drawn against the phase, from the first of them.
    arm : {"red", "blue"}, optional
        The arm of a star of a run.

    Returns
    -------
    matplotlib Axes
    """
    table: Any = star.curve(arm) if hasattr(star, "curve") else star
    axes = _new(axes, figsize=(6, 3.5))
    days = table["time"].jd
    if period is None:
        x = days - 2400000
        axes.set_xlabel("BJD (TDB) - 2400000")
    else:
        x = (days - days[0]) / float(getattr(period, "value", period)) % 1.0
        axes.set_xlabel("phase")
    axes.errorbar(x, table["rv"].value, table["rv_err"].value, fmt="o", markersize=4, capsize=2)
    axes.locator_params(axis="x", nbins=6)
    axes.set_ylabel(f"rv [{table['rv'].unit}]")
    if hasattr(star, "name"):
        axes.set_title(star.name)
    return axes


def spectrum(prepared: Prepared, axes: Any = None, *, window: tuple[float, float] | None = None) -> Any:
    """Draw a spectrum against its reference, what is masked of it and why, and what is left, in units of the errors.

    Parameters
    ----------
    prepared : Prepared
        One of what `prepare` gives.
    axes : pair of matplotlib Axes, optional
        Where to draw: above the spectrum, below the residuals.
    window : (float, float), optional
        Wavelengths to draw, Angstrom.

    Returns
    -------
    pair of matplotlib Axes
    """
    above, below = _new(axes, nrows=2, sharex=True, figsize=(9, 5), height_ratios=(3, 1))
    wave = prepared.wave.value
    shown = np.ones(len(wave), dtype=bool) if window is None else (wave >= window[0]) & (wave <= window[1])
    shown &= prepared.mask & PixelFlags.OUTSIDE.value == 0
    counts = prepared.counts & shown
    flux = np.where(counts, prepared.flux, np.nan)
    above.plot(wave[shown], flux[shown], color="0.6", linewidth=0.8, label="spectrum")
    above.plot(wave[shown], prepared.reference[shown], color="tab:red", linewidth=0.9, label="reference")
    for number, flag in enumerate(PixelFlags):
        masked = shown & (prepared.mask & flag.value != 0)
        if np.any(masked):
            height = np.full(np.sum(masked), 1.0 + 0.03 * (number + 1))
            label = f"{(flag.name or '').lower()}: {np.sum(masked)} pixels"
            above.plot(wave[masked], height, "|", markersize=5, label=label)
    above.set_ylabel("flux over continuum")
    above.legend(fontsize="small", ncols=2, loc="lower left")
    above.set_title(f"rv {prepared.rv:.3f}")
    below.plot(wave[shown], np.where(counts, prepared.pull, np.nan)[shown], ".", markersize=2, color="0.4")
    below.axhline(0.0, color="tab:red", linewidth=0.8)
    below.set_ylabel("residual / error")
    below.set_xlabel("wavelength [Angstrom]")
    return above, below


def ln_l(table: Table, axes: Axes | None = None) -> Any:
    """Draw ln L over the velocities, less its maximum.

    Parameters
    ----------
    table : Table
        What `relrv.curve` gives.
    axes : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes
    """
    axes = _new(axes, figsize=(6, 3.5))
    rv, values = table["rv"], np.asarray(table["ln_l"])
    best = int(np.argmax(values))
    axes.plot(rv.value, values - values[best], linewidth=0.9)
    axes.axvline(rv.value[best], color="tab:red", linewidth=0.8, linestyle="--")
    axes.set_xlabel(f"rv [{rv.unit}]")
    axes.set_ylabel("ln L less its maximum")
    return axes


def zero_points(table: Table, axes: Axes | None = None) -> Any:
    """Draw the zero points of exposures with their errors, one colour for each arm.

    Parameters
    ----------
    table : Table
        `Run.zeropoints` or `Calibration.zeropoints`.
    axes : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes
    """
    axes = _new(axes, figsize=(6, 3.5))
    zp, zp_err = table["zp"], table["zp_err"]
    arms = np.asarray(table["arm"]) if "arm" in table.colnames else np.full(len(table), "")
    for arm in np.unique(arms):
        rows = arms == arm
        colour = f"tab:{arm}" if arm in ("red", "blue") else None
        x = np.arange(np.sum(rows))
        marker = {"red": "s", "blue": "o"}.get(str(arm), "o")
        told: dict[str, Any] = {"fmt": marker, "fillstyle": "none", "color": colour, "capsize": 2, "label": str(arm) or None}
        axes.errorbar(x, np.asarray(zp[rows]), np.asarray(zp_err[rows]), **told)
    if len(np.unique(arms)) > 1:
        axes.legend()
    axes.set_xlabel("exposure, in order")
    axes.set_ylabel(f"zero point [{zp.unit}]" if zp.unit else "zero point")
    return axes
