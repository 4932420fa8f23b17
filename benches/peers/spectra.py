"""Exposures of a LAMOST MRS file, read with astropy in the steps of laspec's MrsSpec.from_hdu.

from_hdu itself cannot be called: it asks for DATE-BEG, which files before DR9 do not have, and for the site of Xinglong,
which astropy fetches from the network.
"""

import warnings
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.table import Table


class Exposure(NamedTuple):
    arm: str
    lmjm: int
    wave_aa: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    mask: np.ndarray


def read_file(path):
    """The single exposures of both arms, in ascending wavelength."""
    exposures = []
    with warnings.catch_warnings(), fits.open(path) as hdus:
        warnings.simplefilter("ignore")
        for hdu in hdus:
            arm = {"B-": "blue", "R-": "red"}.get(hdu.name[:2])
            if arm is None:
                continue
            table = Table(hdu.data)
            if "LOGLAM" in table.colnames:
                table.sort("LOGLAM")
                wave_aa = 10 ** np.array(table["LOGLAM"], float)
                flux, ivar, mask = (np.array(table[c]) for c in ("FLUX", "IVAR", "PIXMASK"))
            else:
                wave_aa = np.array(table["WAVELENGTH"][0], float)
                order = np.argsort(wave_aa)
                wave_aa = wave_aa[order]
                flux, ivar, mask = (np.array(table[c][0])[order] for c in ("FLUX", "IVAR", "PIXMASK"))
            exposures.append(Exposure(arm, int(hdu.header["LMJM"]), wave_aa, flux.astype(float), ivar.astype(float), mask))
    return exposures
