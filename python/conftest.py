"""Tests and the examples in docstrings share what `tests/plate_fixtures.py` makes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "tests"))
pytest_plugins = ["plate_fixtures"]
