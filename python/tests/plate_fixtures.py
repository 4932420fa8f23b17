"""What examples and tests share: the plate that comes with the source, measured once."""

from pathlib import Path

import matplotlib
import pytest

matplotlib.use("agg")

PLATE = Path(__file__).parents[2] / "data-samples" / "plate-small"
SAMPLE = PLATE / "med-58630-TD044947N371059K01_sp01-012.fits.gz"


@pytest.fixture(scope="session")
def plate() -> Path:
    """The plate that comes with the source."""
    return PLATE


@pytest.fixture(scope="session")
def sample() -> Path:
    """One of its files."""
    return SAMPLE


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the plate is measured."""
    return tmp_path_factory.mktemp("run") / "plate"


@pytest.fixture(scope="session")
def found(plate: Path, out: Path) -> object:
    """The plate, measured."""
    import relrv

    return relrv.run(plate, out, device="cpu")


@pytest.fixture(autouse=True)
def examples(doctest_namespace: dict[str, object], request: pytest.FixtureRequest) -> None:
    """Names that examples in docstrings use."""
    if isinstance(request.node, pytest.DoctestItem):
        import astropy.units as u

        doctest_namespace |= {"u": u}
        for name in ("plate", "sample", "out", "found"):
            doctest_namespace[name] = request.getfixturevalue(name)
