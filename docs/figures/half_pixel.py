"""The picture of README.md: the half-pixel pull, and its absence.

    python docs/figures/half_pixel.py target/release/relrv    # measures and draws
    python docs/figures/half_pixel.py                         # draws half_pixel.csv again

Needs numpy, scipy, astropy and matplotlib. Takes a nearly noise-free spectrum of a simulated dwarf from
`relrv simulate` (a build with the feature lab), shifts it by known velocities, adds noise, writes the exposures in the survey's format, and
measures them twice: with `relrv measure`, and with Eq. 3 of Xiong et al. (2021) word for word, where the observed
spectrum is moved and interpolated onto the pixels of the reference. Writes half_pixel.csv and half_pixel.png beside
itself.
"""

import csv
import pathlib
import subprocess
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from astropy.io import fits
from astropy.table import Table
from scipy.interpolate import CubicSpline, make_smoothing_spline

C_KM_S = 299792.458
WINDOW_AA = (6400.0, 6700.0)
SNR, SNR_REFERENCE = 50.0, 60.0
N_STARS, N_EXPOSURES = 25, 20
SPREAD_KM_S = 8.0
HERE = pathlib.Path(__file__).resolve().parent


def run(program, *args):
    subprocess.run([program, *map(str, args)], check=True, stdout=subprocess.DEVNULL)


def clean_spectrum(program, folder):
    """File, wavelengths (ascending), flux and noise at SNR 1 of the simulated constant star nearest to 5800 K."""
    run(program, "simulate", "--out", folder, "--seed", 2, "--stars", 30, "--nights", 1,
        "--exposures", 1, "--snr", "10000,10000", "--cosmics", 0)
    with open(folder / "truth.csv") as f:
        rows = [r for r in csv.DictReader(f) if r["kind"] == "constant" and r["arm"] == "red"]
    row = min(rows, key=lambda r: abs(float(r["teff"]) - 5800))
    path = folder / row["file"]
    with fits.open(path) as hdus:
        name = next(h.name for h in hdus if h.name.startswith("R-"))
        data = hdus[name].data
        loglam = np.array(data["LOGLAM"], float)
        flux, ivar = np.array(data["FLUX"], float), np.array(data["IVAR"], float)
    order = np.argsort(loglam)
    loglam, flux, ivar = loglam[order], flux[order], ivar[order]
    # The float32 rounding goes, as it does in relrv.
    x = np.linspace(-1, 1, len(loglam))
    ln_wave = np.log(10) * np.polynomial.Polynomial.fit(x, loglam, 7)(x)
    good = (ivar > 0) & (np.abs(x) < 0.98)
    flux = CubicSpline(ln_wave[good], flux[good])(np.clip(ln_wave, *ln_wave[good][[0, -1]]))
    sigma = np.interp(ln_wave, ln_wave[good], ivar[good] ** -0.5) * 10000
    return path, row, ln_wave, flux, sigma


def exposures(rng, ln_wave, flux, sigma):
    """Velocity, SNR, flux and noise of a star's exposures; the first one is its reference."""
    star = CubicSpline(ln_wave, flux)
    for i in range(N_EXPOSURES + 1):
        rv = 0.0 if i == 0 else rng.uniform(-SPREAD_KM_S, SPREAD_KM_S)
        snr = SNR_REFERENCE if i == 0 else SNR
        moved = star(np.clip(ln_wave - np.log1p(rv / C_KM_S), ln_wave[0], ln_wave[-1]))
        yield rv, snr, moved + sigma / snr * rng.standard_normal(len(flux)), sigma / snr


def write(path, like, ln_wave, star, number):
    """A file with these exposures, at a place on the sky of its own. The red arm is stored descending."""
    with fits.open(like) as hdus:
        primary = hdus[0].copy()
    primary.header["RA"], primary.header["DEC"] = 10.0 + number, 30.0
    out = fits.HDUList([primary])
    for i, (_, snr, flux, sigma) in enumerate(star):
        columns = [
            fits.Column("FLUX", "E", array=flux[::-1]),
            fits.Column("IVAR", "E", array=sigma[::-1] ** -2),
            fits.Column("LOGLAM", "E", array=ln_wave[::-1] / np.log(10)),
            fits.Column("PIXMASK", "I", array=np.zeros(len(flux))),
        ]
        hdu = fits.BinTableHDU.from_columns(columns, name=f"R-{84420000 + 23 * i}")
        hdu.header["LMJM"], hdu.header["EXPTIME"], hdu.header["SNR"] = 84420000 + 23 * i, 1200, snr
        out.append(hdu)
    out.writeto(path)


def word_for_word(ln_wave, level, star, grid_km_s):
    """Velocities by Eq. 3 as it stands: f_t(lambda, v) is interpolated onto the pixels of f_ref."""
    wave = np.exp(ln_wave)
    window = (wave >= WINDOW_AA[0]) & (wave <= WINDOW_AA[1])
    _, _, reference, sigma_reference = star[0]
    reference, sigma_reference = (reference / level)[window], (sigma_reference / level)[window]
    for _, _, flux, sigma in star[1:]:
        ln_l = []
        for v in grid_km_s:
            at_rest = ln_wave - np.log1p(v / C_KM_S)
            f = np.interp(ln_wave[window], at_rest, flux / level)
            s = np.interp(ln_wave[window], at_rest, sigma / level) ** 2 + sigma_reference**2
            ln_l.append(np.sum(-((f - reference) ** 2) / (2 * s) - 0.5 * np.log(s)))
        yield grid_km_s[np.argmax(ln_l)]


def measure_all(program):
    """Writes half_pixel.csv."""
    rng = np.random.default_rng(1)
    grid_km_s = np.arange(-15, 15.01, 0.05)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        path, truth, ln_wave, flux, sigma = clean_spectrum(program, folder / "clean")
        wave = np.exp(ln_wave)
        # One continuum for all, from the clean spectrum: the fault shown is not the continuum's.
        level = make_smoothing_spline(wave, flux, lam=1e6)(wave)
        middle = np.searchsorted(wave, np.mean(WINDOW_AA))
        pixel_km_s = C_KM_S * (ln_wave[middle + 1] - ln_wave[middle])
        print(f"{truth['kind']} star of {truth['teff']} K, pixel {pixel_km_s:.2f} km/s")
        (folder / "in").mkdir()
        stars = [list(exposures(rng, ln_wave, flux, sigma)) for _ in range(N_STARS)]
        for k, star in enumerate(stars):
            write(folder / "in" / f"med-58625-HALFPIXEL_sp01-{k + 1:03}.fits", path, ln_wave, star, k)
        run(program, "measure", folder / "in", "--arm", "red", "--out", folder / "rv.fits")
        table = Table.read(folder / "rv.fits")
        for k, star in enumerate(stars):
            # Stars are numbered by right ascension, as they were written.
            of_star = table[table["star"] == k + 1]
            of_star.sort("lmjm")
            assert of_star["is_reference"][0] and len(of_star) == len(star)
            literal = word_for_word(ln_wave, level, star, grid_km_s)
            for (rv, *_), ours, theirs in zip(star[1:], of_star[1:], literal):
                rows.append((rv / pixel_km_s, rv, ours["rv"], ours["rv_err"], theirs))
    np.savetxt(HERE / "half_pixel.csv", rows, fmt="%.4f", delimiter=",", comments="",
               header="shift_pixels,rv_true_km_s,rv_relrv_km_s,rv_err_relrv_km_s,rv_eq3_km_s")


def draw():
    phase, rv, ours, err, eq3 = np.loadtxt(HERE / "half_pixel.csv", delimiter=",", skiprows=1).T
    rms = lambda x: np.sqrt(np.mean(x**2))
    print(f"rms error: Eq. 3 {rms(eq3 - rv):.3f}, relrv {rms(ours - rv):.3f}, quoted {rms(err):.3f} km/s; "
          f"relrv error / quoted {rms((ours - rv) / err):.2f}")
    for name, d in (("Eq. 3", eq3 - rv), ("relrv", ours - rv)):
        bins = np.floor(10 * (phase % 1)).astype(int)
        print(name, "mean by tenth of a pixel:", *(f"{d[bins == b].mean():+.2f}" for b in range(10)))

    plt.rcParams["font.size"] = 10
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.5), layout="constrained")
    points = dict(ls="", marker="o", ms=3.2, mew=0, alpha=0.75)
    for axes, zero in ((left, 0), (right, rv)):
        axes.plot(phase, eq3 - zero, color="#c2570c", label="Eq. 3 word for word", **points)
        axes.plot(phase, ours - zero, color="#0b5cad", label="relrv", **points)
        axes.set_xlabel("true shift against the reference (pixels)")
        axes.set_xlim(-1.3, 1.3)
        axes.set_xticks(np.arange(-1, 1.1, 0.5))
        axes.grid(axis="x", color="0.88", lw=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    left.plot(phase[[phase.argmin(), phase.argmax()]], [rv.min(), rv.max()], color="0.5", lw=0.8, zorder=0)
    left.set_ylabel("measured velocity (km/s)")
    right.axhline(0, color="0.5", lw=0.8, zorder=0)
    right.set_ylabel("measured \N{MINUS SIGN} true (km/s)")
    left.legend(frameon=False, loc="upper left", handletextpad=0.1, markerscale=1.6)
    figure.savefig(HERE / "half_pixel.png", dpi=150)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure_all(sys.argv[1])
    draw()
