"""What a program with types looks like: mypy checks it as it stands."""

from pathlib import Path

import numpy as np

import relrv


def velocities(folder: Path, out: Path) -> list[float]:
    """Measure a folder of the survey's files, and give the corrected velocities of its first star."""
    run: relrv.Run = relrv.run(folder, out, device="cpu", threads=1)
    star: relrv.Star = run.star(str(run.stars["designation"][0]))
    curve: relrv.Table = star.curve("blue")
    return [float(value) for value in curve["rv"].value]


def own(seed: int) -> relrv.Table:
    """Measure two made-up spectra."""
    wave = np.linspace(6100.0, 6250.0, 4000)
    noise = np.random.default_rng(seed).normal(0.0, 0.01, (2, 4000))
    line = 1.0 - 0.5 * np.exp(-(((wave - 6175.0) / 0.1) ** 2))
    spectra = [relrv.Spectrum(wave, line + part, np.full(4000, 1e4)) for part in noise]
    table: relrv.Table = relrv.measure(spectra, window=(6110.0, 6240.0), pixel=1.9, lsf_pixels=3.8, vmax=100.0)
    assert relrv.Flags.EDGE in relrv.Flags.NO_VELOCITY
    return table


if __name__ == "__main__":
    print(own(1))
