"""What the package is: names, flags, stub, command line, exceptions."""

import importlib.util
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import relrv
from relrv import CalibrationFlags, Flags, PixelFlags, _core, _errors

HERE = Path(__file__).parent
SOURCE = HERE.parent


def test_flags_are_those_of_the_library():
    spec = importlib.util.spec_from_file_location("tools_flags", SOURCE / "tools" / "flags.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert Path(relrv._flags.__file__).read_text(encoding="utf-8") == tool.text()
    flags = _core.flags()
    for kind, name in [(Flags, "velocity"), (CalibrationFlags, "calibration"), (PixelFlags, "pixel")]:
        listed = {flag.name.lower(): flag.value for flag in kind if flag.value.bit_count() == 1}
        assert listed == {name: value for value, name, _ in flags[name]}
    assert Flags.NO_VELOCITY == flags["no_velocity"]
    two = Flags(Flags.EDGE | Flags.CHI2_HIGH)
    assert two.meaning.splitlines()[1] == "CHI2_HIGH: reduced chi^2 above 2"
    assert pickle.loads(pickle.dumps(two)) == two


def test_every_name_is_there_and_only_these():
    for name in relrv.__all__:
        assert getattr(relrv, name) is not None
    assert dir(relrv) == sorted(relrv.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        relrv.nothing  # noqa: B018


def test_exceptions_are_one_family_and_pickle():
    kinds = [kind for kind in vars(_errors).values() if isinstance(kind, type)]
    assert len(kinds) == 14
    for kind in kinds:
        assert issubclass(kind, relrv.RelrvError)
        again = pickle.loads(pickle.dumps(kind("told")))
        assert type(again) is kind and str(again) == "told"
    assert issubclass(relrv.FileError, OSError) and issubclass(relrv.OptionError, ValueError)


def test_every_error_of_the_library_has_its_exception():
    errors = (SOURCE.parent / "src" / "error.rs").read_text(encoding="utf-8").partition("pub enum Error {")[2].partition("\n}")[0]
    kinds = re.findall(r"^    ([A-Z]\w+)[ ({,]", errors, re.MULTILINE)
    assert {"Io", "Incomplete", "GpuMemory"} < set(kinds)
    mapped = (SOURCE / "src" / "raise.rs").read_text(encoding="utf-8").partition("fn class_of")[2]
    assert [kind for kind in kinds if not re.search(rf"Error::{kind}\b", mapped)] == []
    for name in re.findall(r'"(\w+)"', mapped):
        assert issubclass(getattr(relrv, name), relrv.RelrvError)


def test_the_command_line_comes_with_it_and_starts_without_astropy():
    def call(*words):
        return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)

    assert call("-m", "relrv", "--version").stdout.startswith("relrv ")
    assert call("-m", "relrv", "nonsense").returncode == 64
    assert call("-m", "relrv", "run").stderr.startswith("error: ")
    loaded = call("-c", "import sys, relrv._cli; print('astropy' in sys.modules, 'numpy' in sys.modules)")
    assert loaded.stdout.split() == ["False", "False"]


def test_what_an_extra_brings_is_named_where_it_is_missing(monkeypatch, plate, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"relrv.plot needs matplotlib: pip install relrv\[plot\]"):
        relrv.plot.ln_l(relrv.Table({"rv": [0.0], "ln_l": [0.0]}))
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"progress=True needs tqdm: pip install relrv\[progress\]"):
        relrv.run(plate, tmp_path / "out", progress=True)


def test_devices_are_listed():
    devices = relrv.devices()
    assert devices[0].kind == "cpu" and devices[0].name.startswith("CPU")


def test_simulated_plates_have_their_truth(tmp_path):
    made = relrv.simulate(tmp_path / "plate", seed=3, stars=2, nights=1, exposures=2, snr=(30, 40))
    assert (made.n_files, made.n_spectra, made.n_stars) == (2, 8, 2)
    assert len(made.truth) == 8
    with pytest.raises(relrv.OptionError, match="stars"):
        relrv.simulate(tmp_path / "other", stars=0)
    with pytest.raises(relrv.OptionError, match="sky is blue"):
        relrv.simulate(tmp_path / "other", sky="blue")


def test_files_of_the_survey_are_read(sample, tmp_path):
    spectra = relrv.read(sample)
    assert [s.meta["arm"] for s in spectra] == ["blue", "blue", "red", "red"]
    assert spectra.meta["spid"] == 1 and spectra.meta["fiberid"] == 12 and not spectra.rejected
    assert spectra[0].meta["time"].scale == "tdb"
    (tmp_path / "no.fits").write_text("nothing")
    with pytest.raises(relrv.FormatError, match="no.fits: not_fits"):
        relrv.read(tmp_path / "no.fits")
    with pytest.raises(relrv.FormatError, match="missing.fits: unreadable"):
        relrv.read(tmp_path / "missing.fits")
