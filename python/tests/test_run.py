"""The main job: the bytes of the command line, what is read back, resuming, Ctrl-C."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time

import relrv


def command_line(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "relrv", *map(str, words)], capture_output=True, text=True, check=False)


def tables(folder: Path) -> dict[str, bytes]:
    names = ("catalogue.fits", "stars.fits", "constants.fits", "zeropoints.fits", "components.fits", "rejected.csv")
    return {name: (folder / name).read_bytes() for name in names}


def test_the_bytes_are_those_of_the_command_line(plate, tmp_path):
    relrv.run(plate, tmp_path / "python", device="cpu")
    done = command_line("run", plate, "--out", tmp_path / "words", "--backend", "cpu")
    assert done.returncode == 0, done.stderr
    assert tables(tmp_path / "python") == tables(tmp_path / "words")
    # It is the same run: the other one goes on with it, and measures nothing again.
    found = relrv.run(plate, tmp_path / "words", device="cpu")
    assert all(unit["reused"] for unit in found.summary["units"])


def test_options_reach_the_run(plate, tmp_path):
    more = {"arm": "blue", "reference": "best", "snr_min": 30, "vmax": 300 * u.km / u.s, "vstep": 2, "telluric": "off"}
    more |= {"method": "paper", "min_constants": 4, "tolerance": 0.02, "p_min": 0.02, "format": ["csv", "parquet"]}
    found = relrv.run(plate, tmp_path / "out", flags_text=True, memory=512, threads=1, device="cpu", **more)
    config = found.summary["config"]
    expected = {"arm": "blue", "reference": "best", "snr-min": 30.0, "vmax": 300.0, "vstep": 2.0, "telluric": "off"}
    expected |= {"method": "paper", "min-constants": 4, "tolerance": 0.02, "p-min": 0.02, "flags-text": True}
    assert {name: config[name] for name in expected} == expected
    assert found.summary["threads"] == 1
    assert "catalogue.parquet" in found.summary["products"]
    # A run of one arm has no columns of the other.
    assert "drv_r" not in found.catalogue.colnames
    stars = [found.star(str(name)) for name in np.unique(found.stars["designation"])]
    assert all(star.arm == "blue" for star in stars) and any(len(star.curve(corrected=False)) > 0 for star in stars)
    star = stars[0]
    with pytest.raises(KeyError, match="no red arm"):
        star.curve("red")


def test_products_are_read_with_units_and_meanings(found):
    catalogue = found.catalogue
    assert len(catalogue) == 48
    assert catalogue["drv_b_corr"].unit == u.km / u.s
    assert catalogue["ra"].unit == u.deg
    assert catalogue["lmjm"].dtype == np.int64
    assert "right ascension" in catalogue["ra"].info.description
    assert set(np.unique(found.stars["arm"])) == {"red", "blue"}
    assert found.stars["constant"].dtype == np.bool_ or found.stars["constant"].dtype.kind in "iu"
    assert len(found.constants) == 10 and len(found.zeropoints) == 12
    assert len(found.rejected) == 0
    assert found.summary["counts"]["measured"] == 96


def test_a_star_has_its_curve(found):
    name = str(found.stars["designation"][0])
    star = found.star(name)
    assert star.name == name and len(star.exposures) == 6
    assert star.position.ra.deg == pytest.approx(float(star.exposures["ra"][0].value))
    curve = star.curve("blue")
    assert isinstance(curve["time"], Time) and curve["time"].scale == "tdb"
    assert curve["rv"].unit == u.km / u.s
    assert np.all(np.diff(curve["time"].jd) > 0)
    rows = found.catalogue[np.asarray(found.catalogue["designation"]) == name]
    by_time = rows[np.argsort(rows["bjd_tdb"].value)]
    everything = star.curve("blue", flagged=True, corrected=False)
    assert np.array_equal(everything["rv"].value, by_time["drv_b"].value)
    with pytest.raises(KeyError, match="no star"):
        found.star("nobody")
    with pytest.raises(KeyError, match="8 stars"):
        found.star("J")


def test_what_is_no_run_is_said(tmp_path):
    with pytest.raises(relrv.NoRunError, match="run.json"):
        relrv.open(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(relrv.NoRunError, match="no record"):
        relrv.open(tmp_path)


def test_errors_are_those_of_the_command_line(plate, tmp_path):
    for more, words in [
        ({"vmax": 5}, ["--vmax=5"]),
        ({"vmax": -1}, None),
        ({"p_min": 0.7}, None),
        ({"arm": "green"}, None),
        ({"format": "xls"}, None),
        ({"memory": 1}, None),
        ({"threads": 5000}, None),
    ]:
        with pytest.raises(relrv.OptionError) as told:
            relrv.run(plate, tmp_path / "out", **more)
        assert isinstance(told.value, ValueError)
        if words:
            line = command_line("run", plate, "--out", tmp_path / "out", *words)
            assert f"error: --{told.value}" in line.stderr
    with pytest.raises(relrv.OptionError, match="vmax is in s"):
        relrv.run(plate, tmp_path / "out", vmax=3 * u.s)
    relrv.run(plate, tmp_path / "out", arm="red", device="cpu")
    with pytest.raises(relrv.OccupiedError) as refused:
        relrv.run(plate, tmp_path / "out", arm="blue", device="cpu")
    line = command_line("run", plate, "--out", tmp_path / "out", "--arm", "blue", "--backend", "cpu")
    assert line.returncode == 1 and line.stderr.strip() == f"error: {refused.value}"
    with pytest.raises(relrv.NothingUsableError, match="nothing could be measured"):
        relrv.run(tmp_path / "missing", tmp_path / "none")


def test_progress_is_told_to_the_caller_and_can_end_it(plate, tmp_path):
    told = []
    relrv.run(plate, tmp_path / "out", device="cpu", progress=lambda done, total: told.append((done, total, threading.get_ident())))
    assert told and told[-1][1] == 24
    assert {thread for *_, thread in told} == {threading.get_ident()}

    def complain(done: int, total: int) -> None:
        raise ArithmeticError("mine")

    with pytest.raises(ArithmeticError, match="mine"):
        relrv.run(plate, tmp_path / "other", device="cpu", progress=complain)


def test_nothing_is_printed_and_logging_tells(plate, tmp_path, capfd, caplog):
    caplog.set_level("INFO", logger="relrv")
    relrv.run(plate, tmp_path / "out", device="cpu")
    assert capfd.readouterr() == ("", "")
    assert "96 spectra of 8 stars measured on CPU" in caplog.text


def test_a_bar_is_shown_when_asked_for(plate, tmp_path, capfd):
    pytest.importorskip("tqdm")
    relrv.run(plate, tmp_path / "out", device="cpu", progress=True)
    assert "files" in capfd.readouterr().err


def test_it_pickles_and_a_notebook_shows_it(found):
    again = pickle.loads(pickle.dumps(found))
    assert again.out == found.out and len(again.catalogue) == 48
    assert "8" in found._repr_html_() and "<table>" in found._repr_html_()
    assert found.report._repr_html_().startswith("<iframe srcdoc=")
    assert "<svg" in found.report.html()
    table = pickle.loads(pickle.dumps(found.catalogue))
    assert isinstance(table, relrv.Table) and table["drv_b"].unit == u.km / u.s


INTERRUPTED = """
import sys, relrv
from pathlib import Path
print("begun", flush=True)
def tell(done, total):
    print(done, total, flush=True)
relrv.run(sys.argv[1], sys.argv[2], device="cpu", threads=1, progress=tell)
"""


def cpu_seconds(pid: int) -> float:
    """Processor time of a living process, where the system tells it; else 0."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def interrupt(plate: Path, out: Path, after_files: int) -> tuple[float, float, int, str]:
    """Send SIGINT to a run of one thread once so many files are done: seconds until it ended, by the clock and of the processor (which are
    the same where there is no other work), its status, what it said."""
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(plate), str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if line.split()[0].isdigit() and int(line.split()[0]) >= after_files:
                break
        start, used = time.monotonic(), cpu_seconds(process.pid)
        os.kill(process.pid, signal.SIGINT)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        cpu = usage.ru_utime + usage.ru_stime - used
        return seconds, cpu, process.returncode, errors


def test_ctrl_c_ends_it_soon_and_it_goes_on(tmp_path):
    plate = relrv.simulate(tmp_path / "plate", seed=5, stars=30, nights=3, exposures=2, spectrographs=4)
    assert plate.n_files == 360
    seconds, cpu, status, errors = interrupt(plate.out, tmp_path / "out", 120)
    # The machine may have other work to do meanwhile.
    assert min(seconds, cpu) < 1.0, (seconds, cpu)
    assert "KeyboardInterrupt" in errors and status != 0, errors
    assert not (tmp_path / "out" / "run.json").exists()
    kept = list((tmp_path / "out" / ".relrv" / "units").glob("*.json"))
    assert kept
    found = relrv.run(plate.out, tmp_path / "out", device="cpu")
    assert sum(unit["reused"] for unit in found.summary["units"]) == len(kept)
    relrv.run(plate.out, tmp_path / "whole", device="cpu")
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")
