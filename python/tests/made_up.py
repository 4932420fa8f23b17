"""A made-up echelle order: 4000 pixels at a resolving power of 50,000, stars with lines at random places."""

import numpy as np

C_KM_S = 299792.458
WINDOW = (6105.0, 6245.0)
PIXEL_KM_S = 1.9
LSF_PIXELS = 3.3
RESOLUTION = 50_000


class Order:
    """Spectra of one order, from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def star(self) -> np.ndarray:
        """Lines of a star: centre (A), depth and standard deviation (A) as the spectrograph shows them."""
        centre = self.rng.uniform(6090, 6260, 110)
        own = centre * self.rng.uniform(2, 5) / C_KM_S
        seen = np.hypot(own, centre / RESOLUTION / 2.354820045)
        return np.array([centre, 0.8 * self.rng.random(110) ** 2 * own / seen, seen])

    def exposure(self, star: np.ndarray, rv_km_s: float, snr: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Wavelengths (A), flux and inverse variance: with a blaze, photon noise, and pixels that lie elsewhere each time."""
        x = np.linspace(-1, 1, 4000)
        frame = 1 + self.rng.uniform(-30, 30) / C_KM_S
        wave = frame * (6175 + 75 * x - 1.2 * x**2 + 0.003 * np.sin(40 * x))
        rest = wave[:, None] / (1 + rv_km_s / C_KM_S)
        centre, depth, sigma = star
        expected = np.maximum(1 - np.sum(depth * np.exp(-0.5 * ((rest - centre) / sigma) ** 2), axis=1), 0.02)
        expected *= 1 - 0.6 * x**2
        noise = np.sqrt(expected) / snr
        flux = expected + noise * self.rng.standard_normal(4000)
        return wave, 3e-15 * flux, (3e-15 * noise) ** -2

    def stars(self, n_stars: int, n_exposures: int) -> tuple[list[list[tuple]], np.ndarray]:
        """The spectra of stars, and their true velocities (km/s)."""
        true = self.rng.uniform(-30, 30, (n_stars, n_exposures))
        spectra = []
        for velocities in true:
            lines = self.star()
            spectra.append([self.exposure(lines, rv, self.rng.uniform(30, 100)) for rv in velocities])
        return spectra, true
