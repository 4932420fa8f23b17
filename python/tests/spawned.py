"""Measures in processes that are spawned, as a user's program would: a test runs it."""

import multiprocessing

import numpy as np
from made_up import LSF_PIXELS, PIXEL_KM_S, WINDOW, Order

import relrv


def velocities(star: list) -> np.ndarray:
    """Velocities of one star, km/s."""
    table = relrv.measure(star, WINDOW, PIXEL_KM_S, LSF_PIXELS, vmax=100, threads=1)
    return np.asarray(table["rv"].value)


def main() -> None:
    """Measure two stars here and elsewhere, and compare."""
    stars, _ = Order(7).stars(2, 4)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.map(velocities, stars)
    same = all(np.array_equal(one, velocities(star)) for one, star in zip(found, stars, strict=True))
    print("the same" if same else "different")


if __name__ == "__main__":
    main()
