"""Velocities from arrays: those of the command line to the last bit, another instrument, whatever arrays there are."""

import subprocess
import sys
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import InverseVariance, StdDevUncertainty

import relrv
from made_up import C_KM_S, LSF_PIXELS, PIXEL_KM_S, WINDOW, Order
from relrv import Flags, PixelFlags
from test_run import command_line

INSTRUMENT = {"window": WINDOW, "pixel": PIXEL_KM_S, "lsf_pixels": LSF_PIXELS, "vmax": 100}


@pytest.fixture(scope="module")
def order():
    """Four stars of six exposures."""
    return Order(7).stars(4, 6)


def by_astropy(path, arm):
    """The spectra of one arm of a file in the older layout, read by astropy alone."""
    spectra = []
    with fits.open(path) as hdus:
        helio_rv = hdus[0].header["HELIO_RV"]
        for hdu in hdus[1:]:
            if hdu.name.startswith(arm[0].upper() + "-"):
                data = hdu.data
                spectrum = relrv.Spectrum.from_loglam(
                    data["LOGLAM"], data["FLUX"], data["IVAR"], data["PIXMASK"], snr=hdu.header["SNR"], helio_rv=helio_rv
                )
                spectrum.meta["lmjm"] = int(hdu.name.split("-")[1])
                spectra.append(spectrum)
    return spectra


@pytest.mark.parametrize("arm", ["blue", "red"])
@pytest.mark.parametrize("reader", ["astropy", "relrv"])
def test_arrays_give_the_velocities_of_the_command_line_to_the_last_bit(plate, tmp_path, arm, reader):
    out = tmp_path / "rv.fits"
    done = command_line("measure", plate, "--out", out, "--arm", arm, "--telluric", "off", "--backend", "cpu")
    assert done.returncode == 0, done.stderr
    rows = relrv.Table.read(out)
    files = sorted(plate.glob("*.fits.gz"))
    n = 0
    for fibre in sorted({path.name.split("-")[-1] for path in files}):
        spectra = []
        for path in files:
            if path.name.endswith(fibre):
                spectra += by_astropy(path, arm) if reader == "astropy" else relrv.read(path).of_arm(arm)
        spectra.sort(key=lambda s: s.meta["lmjm"])
        table = relrv.measure(spectra, arm=arm)
        of_star = rows[np.asarray(rows["fiberid"]) == int(fibre.split(".")[0])]
        for ours, theirs in [("rv", "rv"), ("rv_err", "rv_err"), ("rv_err_own", "rv_err_own"), ("chi2_red", "chi2_red")]:
            mine, cli = np.asarray(table[ours]), np.asarray(of_star[theirs], dtype=float)
            assert mine.tobytes() == cli.astype(mine.dtype.newbyteorder("=")).tobytes(), (fibre, ours)
        assert np.array_equal(table["flags"], of_star["flags"])
        n += len(table)
    assert n == len(rows) == 48


def pulls(table, true, n_exposures):
    """Velocities less the truth in units of their errors: against the reference, and about each star's mean."""
    against, own = [], []
    for k, star in enumerate(true):
        rows = table[k * n_exposures : (k + 1) * n_exposures]
        best = int(np.argmax(rows["is_reference"]))
        z = 1 + star / C_KM_S
        off = rows["rv"].value - C_KM_S * (z / z[best] - 1)
        keep = np.arange(n_exposures) != best
        against += list((off / rows["rv_err"].value)[keep])
        weight = rows["rv_err_own"].value ** -2.0
        mean = np.sum(weight * off) / np.sum(weight)
        # The mean is of these velocities: without this factor their scatter about it would be too small.
        own += list((off - mean) / rows["rv_err_own"].value * np.sqrt(n_exposures / (n_exposures - 1)))
    return np.array(against), np.array(own)


def test_errors_of_another_instrument_are_honest():
    spectra, true = Order(20).stars(40, 8)
    table = relrv.measure(spectra, **INSTRUMENT)
    against, own = pulls(table, true, 8)
    assert 0.9 < np.sqrt(np.mean(against**2)) < 1.1
    assert 0.9 < np.sqrt(np.mean(own**2)) < 1.1
    assert np.nanmedian(table["rv_err_own"]) < 0.03 * u.km / u.s
    assert np.sum(np.asarray(table["flags"]) & Flags.NO_VELOCITY != 0) < 10


def test_however_stars_are_given(order):
    spectra, _ = order
    many = relrv.measure(spectra, **INSTRUMENT)
    assert list(many["star"]) == [k for k in range(4) for _ in range(6)]
    one = relrv.measure(spectra[2], **INSTRUMENT)
    named = relrv.measure({"a": spectra[0], "b": spectra[2]}, **INSTRUMENT)
    assert set(one["star"]) == {0} and list(named["star"]) == ["a"] * 6 + ["b"] * 6
    for name in ("rv", "rv_err", "flags", "chi2_red"):
        assert np.array_equal(one[name], many[name][12:18])
        assert np.array_equal(named[name][6:], many[name][12:18])
    assert len(relrv.measure([], **INSTRUMENT)) == 0
    threads = relrv.measure(spectra, **INSTRUMENT, threads=1)
    assert np.array_equal(threads["rv"], many["rv"])


def test_units_types_order_and_masks_of_arrays(order):
    star = order[0][0]
    expected = relrv.measure(star, **INSTRUMENT)
    flux_unit = u.erg / u.s / u.cm**2 / u.AA

    def same(change, exact=True):
        found = relrv.measure([change(*spectrum) for spectrum in star], **INSTRUMENT)["rv"]
        if exact:
            assert np.array_equal(found, expected["rv"])
        else:
            assert np.allclose(found.value, expected["rv"].value, atol=1e-3)

    same(lambda w, f, i: (w * u.AA, f * flux_unit, i * flux_unit**-2))
    same(lambda w, f, i: ((w * u.AA).to(u.nm), f, i), exact=False)
    same(lambda w, f, i: (w, f * flux_unit, (i * flux_unit**-2).to(u.Unit("W / (m2 AA)") ** -2)), exact=False)
    same(lambda w, f, i: (w[::-1], f[::-1], i[::-1]))
    same(lambda w, f, i: (w.astype(">f8"), f.astype(">f8"), i.astype(">f8")))
    same(lambda w, f, i: (np.stack([w, w], axis=1)[:, 0], list(f), i))
    same(lambda w, f, i: (w, f, i, np.zeros(4000, dtype=np.int16)))
    spoiled = [(w, np.where(np.arange(4000) == 2000, 1e6, f), i, np.arange(4000) == 2000) for w, f, i in star]
    masked = [(w, np.ma.MaskedArray(np.where(m, 1e6, f), mask=m), i) for w, f, i, m in spoiled]
    assert np.array_equal(relrv.measure(spoiled, **INSTRUMENT)["rv"], relrv.measure(masked, **INSTRUMENT)["rv"])


def test_what_is_no_spectrum_is_told_by_star_and_array(order):
    wave, flux, ivar = order[0][0][0]
    bad_wave = wave.copy()
    bad_wave[7] = np.nan
    turned = wave.copy()
    turned[9] = turned[8]
    for spectrum, told in [
        ((bad_wave, flux, ivar), "star 1, spectrum 1: wave_aa is NaN at pixel 7"),
        ((turned, flux, ivar), "at pixel 9"),
        ((wave, flux[:5], ivar), "flux has 5 pixels, and wave_aa 4000"),
        ((wave, flux, ivar[:5]), "ivar has 5 pixels"),
        ((wave, flux, ivar, np.zeros(3, bool)), "mask has 3 pixels"),
        ((wave, flux.reshape(2, 2000), ivar), r"flux has the shape \(2, 2000\)"),
        ((wave, flux.astype(complex), ivar), "flux has the type complex128"),
        ((wave, ["a"] * 4000, ivar), "flux has the type <U1"),
        ((wave * u.s, flux, ivar), "wave is in s, expected a length"),
        ((wave, flux * u.Jy, ivar * u.Jy), "ivar is in Jy, expected 1 / Jy2"),
        ((wave, flux, ivar, wave), "mask has the type float64"),
        ((wave, flux), "expected a Spectrum or a tuple"),
        (wave, "is ndarray, expected a Spectrum or a tuple"),
    ]:
        with pytest.raises(relrv.SpectrumError, match=told):
            relrv.measure([order[0][0], [order[0][1][0], spectrum]], **INSTRUMENT)
    for more, told in [
        ({"window": (6245, 6105)}, "window_aa is 6245 to 6105"),
        ({"window": 5}, "window is 5, expected two wavelengths"),
        ({"pixel": None}, "expected window, pixel and lsf_pixels"),
        ({"arm": "red"}, "expected either arm"),
        ({"reference": "mean"}, "reference is mean"),
        ({"knot_pixels": 99}, "knot_pixels is 99"),
        ({"vmax": "fast"}, "vmax is 'fast'"),
    ]:
        with pytest.raises(relrv.OptionError, match=told):
            relrv.measure(order[0], **(INSTRUMENT | more))
    with pytest.raises(relrv.DeviceError):
        relrv.measure(order[0], **INSTRUMENT, device="no such card")


def test_what_cannot_be_measured_has_its_reason(order, caplog):
    star = [*order[0][0][:3], (order[0][0][0][0], np.full(4000, np.nan), np.ones(4000))]
    table = relrv.measure(star, **INSTRUMENT)
    assert np.isnan(table["rv"][3]) and table["not_measured"][3] == "no good pixels to fit a continuum to"
    assert list(table["not_measured"][:3]) == [""] * 3
    assert "1 of 4 spectra could not be measured" in caplog.text
    prepared = relrv.prepare(star, **INSTRUMENT)
    assert prepared[3].not_measured == table["not_measured"][3] and len(prepared[3].wave) == 0


def test_spectra_of_specutils(order):
    specutils = pytest.importorskip("specutils")
    kind = getattr(specutils, "Spectrum", None) or specutils.Spectrum1D
    star = order[0][0]
    expected = relrv.measure(star, **INSTRUMENT)["rv"]
    flux_unit = u.Unit("erg / (s cm2 AA)")
    for uncertainty in (lambda i: InverseVariance(i), lambda i: StdDevUncertainty(i**-0.5)):
        spectra = [kind(spectral_axis=w * u.AA, flux=f * flux_unit, uncertainty=uncertainty(i)) for w, f, i in star]
        found = relrv.measure(spectra, **INSTRUMENT)["rv"]
        assert np.allclose(found.value, expected.value, atol=1e-4)


def test_the_curve_has_its_maximum_at_the_velocity(order):
    star = order[0][1]
    table = relrv.measure(star, **INSTRUMENT)
    for number in range(3):
        curve = relrv.curve(star, number, **INSTRUMENT)
        best = curve["rv"][np.argmax(curve["ln_l"])]
        assert abs(best - table["rv"][number]) < 0.3 * u.km / u.s
    with pytest.raises(relrv.NothingUsableError, match="spectrum 6: the star has 6"):
        relrv.curve(star, 6, **INSTRUMENT)
    with pytest.raises(relrv.OptionError, match="number is -1"):
        relrv.curve(star, -1, **INSTRUMENT)


def test_what_is_compared_is_shown_with_reasons(order):
    star = [tuple(a.copy() for a in spectrum) for spectrum in order[0][1]]
    wave, flux, ivar = star[2]
    flux[2000] *= 40  # a cosmic ray
    ivar[1500] = 0.0
    flux[1600] = np.nan
    mask = np.zeros(4000, dtype=bool)
    mask[1700:1710] = True
    star[2] = (wave[::-1], flux[::-1], ivar[::-1], mask[::-1])
    table = relrv.measure(star, **INSTRUMENT)
    prepared = relrv.prepare(star, **INSTRUMENT)
    one = prepared[2]
    given = {int(pixel): int(bits) for pixel, bits in zip(one.pixel, one.mask, strict=True)}
    assert given[3999 - 2000] & PixelFlags.SPIKE
    assert given[3999 - 1500] & PixelFlags.NO_IVAR
    assert given[3999 - 1600] & PixelFlags.NOT_FINITE
    assert given[3999 - 1705] & PixelFlags.GIVEN
    assert np.all(np.diff(one.wave.value) > 0)
    assert np.allclose(one.wave.value, star[2][0][one.pixel], rtol=1e-12)
    inside = (one.wave.value >= WINDOW[0]) & (one.wave.value <= WINDOW[1])
    assert np.array_equal(one.mask & PixelFlags.OUTSIDE != 0, ~inside)
    of_itself = PixelFlags.OUTSIDE | PixelFlags.NO_REFERENCE
    assert np.all(one.ivar[one.counts] > 0) and np.all(one.ivar[one.mask & ~np.uint16(of_itself) != 0] == 0)
    assert one.reasons()["GIVEN"] == 10
    for number, each in enumerate(prepared):
        assert each.rv == table["rv"][number]
        # The reference lies on the spectrum: what is left is noise.
        assert 0.9 < np.nanstd(each.pull) < 1.1, number


def test_big_arrays_are_not_copied(order):
    pytest.importorskip("resource")
    script = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np, relrv
from made_up import Order, WINDOW
spectra, _ = Order(3).stars(1, 4)
arrays = [np.stack([np.stack([s[k] for s in spectra[0]])] * 400) for k in range(3)]
stars = [[tuple(arrays[k][i, j] for k in range(3)) for j in range(4)] for i in range(400)]
relrv.measure(stars[:8], WINDOW, 1.9, 3.3, vmax=100, threads=1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
relrv.measure(stars, WINDOW, 1.9, 3.3, vmax=100, threads=1)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, sum(a.nbytes for a in arrays))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent)], capture_output=True, text=True, check=True
    )
    more, size = map(int, done.stdout.split())
    assert size > 150e6 and more < 0.75 * size, (more, size)


def test_it_works_in_processes_that_are_spawned():
    script = Path(__file__).with_name("spawned.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "the same"), done.stderr


def test_other_threads_go_on_meanwhile(order):
    import threading
    import time

    n, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            n[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        start = time.monotonic()
        relrv.measure(order[0] * 40, **INSTRUMENT)
        seconds = time.monotonic() - start
    finally:
        stop.set()
        thread.join()
    assert n[0] > 50 * seconds, (n[0], seconds)
