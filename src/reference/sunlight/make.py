"""Makes sun.txt, the spectrum of the Sun as the spectrographs see it.

    pip download musica==0.17.2 --no-deps && unzip musica-*.whl
    python make.py musica/configs/tuvx/data/profiles/solar/sao2010.solref.converted

Needs numpy. The input is the SAO2010 reference spectrum: the Sun's flux outside the atmosphere against vacuum wavelength in
nm, every 0.01 nm, at a resolution (FWHM) of 0.04 nm. The continuum is a polynomial through the highest points of stretches
of 10 A, fitted again without those that lie below it; the rest of the smearing to a FWHM of lambda / 7500 is a Gaussian.
"""

import pathlib
import sys

import numpy as np

C_KM_S = 299792.458
STEP_KM_S = 5.0
RESOLVING_POWER = 7500.0
FWHM_AA = 0.4
# First and last wavelength, A; degree of the continuum, lowest ratio to it of a point that counts, and where it is not
# looked for. The blue has few points without lines; the red has them everywhere but around H-alpha.
ARMS = {
    "blue": (4895.0, 5395.0, 2, 0.997, (0.0, 0.0)),
    "red": (6270.0, 6860.0, 4, 0.99, (6520.0, 6610.0)),
}

HEADER = """\
# The Sun's flux over its continuum at a resolving power of 7500, in units of 1e-4; no lines of the Earth's atmosphere.
# Source: the SAO2010 solar reference spectrum, K. Chance and R. L. Kurucz, J. Quant. Spectrosc. Radiat. Transfer 111,
# 1289 (2010), doi:10.1016/j.jqsrt.2010.01.036, in the copy that NCAR distributes with TUV-x in MUSICA 0.17.2 under the
# Apache License 2.0. Changed: divided by a continuum, smeared, sampled anew and rounded, by make.py beside this file.
# Of each arm: its name, the first wavelength (A, in vacuum), the step of ln(wavelength) in km/s over c = 299792.458 km/s,
# the number of values; then the values.
"""


def continuum(wave, flux, degree, lowest, out):
    """The polynomial through what is highest."""
    x, y = [], []
    for low in np.arange(wave[0], wave[-1], 10.0):
        here = np.flatnonzero((wave >= low) & (wave < low + 10.0))
        top = here[np.argmax(flux[here])]
        if not out[0] < wave[top] < out[1]:
            x.append(wave[top])
            y.append(flux[top])
    x, y = (np.array(x) - wave.mean()) / 100.0, np.array(y)
    keep = np.ones(len(x), bool)
    for _ in range(5):
        fit = np.polyfit(x[keep], y[keep], degree)
        ratio = y / np.polyval(fit, x)
        keep = (ratio > lowest) & (ratio < 1.01)
    return np.polyval(fit, (wave - wave.mean()) / 100.0)


def smear(wave, flux, at):
    """The mean of `flux` under the Gaussian that is still missing at one wavelength."""
    sigma = np.sqrt((at / RESOLVING_POWER) ** 2 - FWHM_AA**2) / np.sqrt(8.0 * np.log(2.0))
    near = slice(*np.searchsorted(wave, [at - 5.0 * sigma, at + 5.0 * sigma]))
    weight = np.exp(-0.5 * ((wave[near] - at) / sigma) ** 2)
    return weight @ flux[near] / weight.sum()


def main():
    wave, flux = np.loadtxt(sys.argv[1], usecols=(0, 1)).T
    wave = 10.0 * wave
    with open(pathlib.Path(__file__).with_name("sun.txt"), "w") as text:
        text.write(HEADER)
        for arm, (first, last, *level) in ARMS.items():
            some = (wave > first - 10.0) & (wave < last + 10.0)
            w, f = wave[some], flux[some]
            f = f / continuum(w, f, *level)
            count = int(C_KM_S * np.log(last / first) / STEP_KM_S) + 1
            grid = first * np.exp(STEP_KM_S / C_KM_S * np.arange(count))
            values = [f"{1e4 * smear(w, f, at):.0f}" for at in grid]
            text.write(f"{arm} {first} {STEP_KM_S} {count}\n")
            for i in range(0, count, 24):
                text.write(" ".join(values[i : i + 24]) + "\n")


main()
