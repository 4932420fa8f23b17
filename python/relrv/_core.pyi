from pathlib import Path
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "__version__",
    "arrow_stream",
    "calibrate",
    "cli",
    "compared",
    "curve",
    "devices",
    "flags",
    "measure",
    "read",
    "read_table",
    "run",
    "simulate",
]

__version__: str

_Tell = Callable[[int, int], object] | None

def arrow_stream(columns: list[tuple[str, Any, NDArray[np.bool_] | None, dict[str, str]]]) -> object: ...
def calibrate(columns: dict[str, Any], options: dict[str, Any], threads: int) -> dict[str, Any]: ...
def cli(words: list[str]) -> int: ...
def compared(star: list[Any], options: dict[str, Any], threads: int) -> list[dict[str, Any] | str]: ...
def curve(
    star: list[Any], number: int, options: dict[str, Any], threads: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def devices() -> list[tuple[str, str, str, str, int, str]]: ...
def flags() -> dict[str, Any]: ...
def measure(stars: list[list[Any]], options: dict[str, Any], threads: int, tell: _Tell) -> dict[str, Any]: ...
def read(path: Path) -> dict[str, Any]: ...
def read_table(path: Path) -> list[tuple[str, str, str, Any, NDArray[np.bool_] | None]]: ...
def run(inputs: list[Path], out: Path, options: dict[str, Any], threads: int, tell: _Tell) -> dict[str, Any]: ...
def simulate(out: Path, options: dict[str, Any], threads: int) -> tuple[int, int, int, Path]: ...
