//! What the stages after a file's reader need to know of an instrument. These are settings, so that the code holds no constants of one
//! survey.

/// What the flat field's ripple and changes of the line-spread function leave between two good exposures, in units of the
/// continuum: 0.8 % of ripple alone makes the reduced chi^2 of a spectrum of SNR 150 2.4.
pub const MODEL_SIGMA: f64 = 0.01;

/// A stretch of wavelengths that one instrument observes and that is measured by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// First and last wavelength (A, vacuum) whose pixels enter the likelihood.
    pub window_aa: (f64, f64),
    /// Width of a pixel, km/s, at most.
    pub pixel_km_s: f64,
    /// Full width at half maximum of the line-spread function, pixels.
    pub lsf_pixels: f64,
    /// The wavelengths are a polynomial of degree 7 in the pixel's number but for the rounding that they are stored with, which is
    /// taken out. Where this is not so they are used as they are.
    pub is_polynomial: bool,
    /// The night sky in this band; `None` where the tables of it are of no use, as they are of another resolution or other wavelengths.
    pub sky: Option<Sky>,
    /// How a second set of lines is looked for.
    pub second_lines: SecondLines,
}

/// A band for which there are tables of sunlight and of the night sky's lines. They are used for exposures that tell by what
/// velocity their wavelengths were moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sky {
    /// Full width at half maximum of the line-spread function, km/s.
    pub lsf_km_s: f64,
    /// Water lines of the Earth's atmosphere are in the band, and are divided out.
    pub has_water: bool,
}

/// How a second set of lines is looked for ([`crate::double_lined`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SecondLines {
    /// Width of the bins in which spectra are compared, km/s: a quarter of the line-spread function's.
    pub bin_km_s: f64,
    /// Differences of velocity between exposures that are looked at, km/s, at most.
    pub reach_km_s: f64,
    /// If the correlation of the reference with itself, moved, is above this, the reference has every line twice. The limit depends on
    /// which lines are in the window. `None` where it is not known: then this test is not made.
    pub own_correlation: Option<f64>,
    /// Whether changes of the width of broad lines are taken for a sign of two stars that move. The limits of that test are known only
    /// for lines that rotation has made much wider than a line-spread function of 40 km/s.
    pub has_widths: bool,
}

impl Band {
    /// First and last ln(wavelength / A) of the window.
    pub fn ln_window(&self) -> (f64, f64) {
        (self.window_aa.0.ln(), self.window_aa.1.ln())
    }
}
