"""The peers' measurements: each takes a normalised reference and exposures and gives their velocities, km/s.

A velocity is c z against the reference, > 0 = redshifted. All use the spectra that laspec has cleaned of cosmic rays and
normalised, so that they differ in the measurement alone.
"""

import contextlib
import io
import warnings

import astropy
import numpy as np
import scipy
import specutils
from astropy import units as u

with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
    warnings.simplefilter("ignore")
    from importlib.metadata import version

    from laspec.ccf import RVM
    from laspec.mrs import MrsSpec
    from specutils.analysis import template_correlate
    from specutils.manipulation import LinearInterpolatedResampler

C_KM_S = 299792.458
WINDOW_AA = {"blue": (5000.0, 5300.0), "red": (6400.0, 6700.0)}
LARGEST_KM_S = 500.0

Spectrum = specutils.Spectrum if hasattr(specutils, "Spectrum") else specutils.Spectrum1D


def versions():
    names = ("laspec", "specutils", "numpy", "scipy", "astropy")
    return [f"{name} {version(name)}" for name in names]


def normalise(exposure):
    """laspec's cleaning and continuum, with the paper's three iterations: a MrsSpec."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        spectrum = MrsSpec(exposure.wave_aa, exposure.flux, exposure.ivar, exposure.mask)
        return spectrum.reduce(npix_cushion=25, cr=True, norm_type="spline", niter=3)


def in_window(spectrum, arm, margin_km_s=0.0):
    """Which pixels lie in the window, widened by a velocity on both sides."""
    low, high = WINDOW_AA[arm]
    z = margin_km_s / C_KM_S
    return (spectrum.wave >= low * (1 - z)) & (spectrum.wave <= high * (1 + z))


def n_window(spectrum, arm):
    return int(in_window(spectrum, arm).sum())


def vertex(x, y):
    """Abscissa of the parabola through the highest point and its neighbours, or the point itself at an end."""
    i = int(np.argmax(y))
    if i in (0, len(y) - 1):
        return x[i]
    a, b, c = y[i - 1:i + 2]
    bend = a - 2 * b + c
    return x[i] + 0.5 * (a - c) / bend * (x[i + 1] - x[i]) if bend < 0 else x[i]


def laspec_loop(reference, exposures, arm, grid_km_s, cache=None):
    """laspec's RVM with the reference as its one model: CCF on the grid, then a minimiser from the best one."""
    model = in_window(reference, arm, 2 * LARGEST_KM_S)
    step = grid_km_s[1] - grid_km_s[0]
    grid = (grid_km_s[0], grid_km_s[-1], step)
    with contextlib.redirect_stdout(io.StringIO()):
        machine = RVM(np.array([[0.0]]), reference.wave[model], reference.flux_norm[model])
        if cache:
            machine.make_cache(cache_name=cache, wave_range=WINDOW_AA[arm], rv_grid=grid)
    rv = []
    for exposure in exposures:
        pixels = in_window(exposure, arm)
        result = machine.measure(exposure.wave[pixels], exposure.flux_norm[pixels], rv_grid=grid, cache_name=cache)
        rv.append(result["rv_opt"])
    return rv


def laspec_cached(reference, exposures, arm, grid_km_s):
    """The same with RVM's cache, made once per reference: the shifted models are kept."""
    return laspec_loop(reference, exposures, arm, grid_km_s, cache="W")


def specutils_fft(reference, exposures, arm, grid_km_s):
    """specutils' template_correlate by FFT on steps of the grid in ln(wavelength), and a parabola through its top."""
    low, high = WINDOW_AA[arm]
    step = np.log10(1 + (grid_km_s[1] - grid_km_s[0]) / C_KM_S)
    resample = dict(wblue=low, wred=high, delta_log_wavelength=step, resampler=LinearInterpolatedResampler())

    def spectrum(s):
        # Lines on a level of 0: what is not there does not correlate.
        pixels = in_window(s, arm, 2 * LARGEST_KM_S)
        return Spectrum(flux=(1 - s.flux_norm[pixels]) * u.one, spectral_axis=s.wave[pixels] * u.AA)

    template = spectrum(reference)
    rv = []
    for exposure in exposures:
        ccf, lag = template_correlate(spectrum(exposure), template, resample=resample, method="fft")
        lag_km_s = lag.to_value("km/s")
        tried = np.abs(lag_km_s) <= LARGEST_KM_S
        rv.append(vertex(lag_km_s[tried], ccf.value[tried]))
    return rv


def numpy_eq3(reference, exposures, arm, grid_km_s):
    """Eq. 3 of Xiong et al. (2021) word for word: the exposure is shifted and interpolated onto the reference's pixels."""
    pixels = in_window(reference, arm)
    wave = reference.wave[pixels]
    flux, variance = reference.flux_norm[pixels], reference.flux_norm_err[pixels] ** 2
    rv = []
    for exposure in exposures:
        ln_l = np.empty(len(grid_km_s))
        for i, v in enumerate(grid_km_s):
            at_rest = exposure.wave / (1 + v / C_KM_S)
            shifted = np.interp(wave, at_rest, exposure.flux_norm)
            s = np.interp(wave, at_rest, exposure.flux_norm_err) ** 2 + variance
            ln_l[i] = -0.5 * np.nansum((shifted - flux) ** 2 / s + np.log(s))
        rv.append(vertex(grid_km_s, ln_l))
    return rv


METHODS = {
    "laspec CCF": laspec_loop,
    "laspec CCF, cached": laspec_cached,
    "specutils CCF, FFT": specutils_fft,
    "numpy Eq. 3": numpy_eq3,
}
