//! Velocities of stars from spectra of any instrument: the same steps as for the survey's files, with the caller's arrays in their
//! place.

use ndarray::Array1;
use rayon::prelude::*;

use super::coadd::against_coadds;
use super::comparison::{Comparison, ReferenceKind};
use super::curve::{self, Curve};
use super::first_pass::{self, FirstPass, first_pass};
use super::job::{Latched, Progress};
use super::options::{Device, MeasureOptions};
use super::prepared::{Prepared, prepare_star};
use super::spectra::Spectrum;
use super::stages::StageClocks;
use crate::double_lined::coarse::CoarseExposure;
use crate::likelihood::{Backend, Likelihood, RvFlags};
use crate::spectrum::{Band, Exposure, Normalized, Normalizer, SpectrumConfig, Unusable};
use crate::{Error, Result};

/// Pixels that go to a graphics processor together, about: enough to fill it, and few enough to fit in memory. Chosen by hand.
const PIXELS_PER_GPU_BATCH: usize = 1 << 23;

/// Pixels that are measured together on the processor, about: enough that no thread waits for long at the end of a batch, and few enough
/// that a caller who wants to end the work waits for a second at most. Chosen by hand.
const PIXELS_PER_BATCH: usize = 1 << 20;

/// Why a spectrum has no velocity.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotMeasured {
    /// It cannot be used.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// None of the star's spectra can be a reference.
    #[error("no spectrum of the star can be a reference")]
    NoReference,
}

/// What was measured of one star. All arrays have the length and order of the star's spectra.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StarVelocities {
    /// Velocity c z against the star's reference, km/s; NaN for a spectrum that cannot be measured.
    pub rv_km_s: Array1<f64>,
    /// 1-sigma error of the difference, km/s.
    pub rv_err_km_s: Array1<f64>,
    /// 1-sigma error without the part that all velocities of the star share (the noise of its reference), km/s: the error to use where
    /// velocities of one star are compared with each other.
    pub rv_err_own_km_s: Array1<f64>,
    /// Reduced chi^2 of the spectrum against the reference; near 1 where it is a shifted copy of it. NaN where nothing was measured.
    pub chi2_red: Array1<f64>,
    /// What to know before a velocity is used. A velocity with any of the flags [`RvFlags::NO_VELOCITY`] says nothing about the star
    /// and should be left out.
    pub flags: Array1<RvFlags>,
    /// Signal-to-noise ratio per pixel: as it was given, or else the median over the good pixels of the window.
    pub snr: Array1<f64>,
    /// The spectrum that sets the zero, the best of the star. `None` where nothing was measured.
    pub reference: Option<usize>,
    /// Spectra that the reference is made of: 1 unless it is a coadd, 0 where nothing was measured.
    pub n_reference: usize,
    /// Why spectra have no velocity; `None` for those that were measured.
    pub not_measured: Vec<Option<NotMeasured>>,
}

impl StarVelocities {
    /// Number of spectra.
    pub fn len(&self) -> usize {
        self.not_measured.len()
    }

    /// Whether the star has no spectra.
    pub fn is_empty(&self) -> bool {
        self.not_measured.is_empty()
    }

    /// The result for a star of which nothing was measured yet.
    fn none(star: &Ready) -> Self {
        let n = star.not_measured.len();
        let nan = || Array1::from_elem(n, f64::NAN);
        StarVelocities {
            rv_km_s: nan(),
            rv_err_km_s: nan(),
            rv_err_own_km_s: nan(),
            chi2_red: nan(),
            flags: Array1::from_elem(n, RvFlags::FEW_PIXELS | RvFlags::NO_CURVATURE),
            snr: Array1::from(star.snr.clone()),
            reference: None,
            n_reference: 0,
            not_measured: star.not_measured.clone(),
        }
    }

    fn fill(&mut self, used: &[usize], measured: &FirstPass) {
        for (&i, m) in used.iter().zip(&measured.measurements) {
            self.rv_km_s[i] = m.rv_km_s;
            self.rv_err_km_s[i] = m.rv_err_km_s;
            self.rv_err_own_km_s[i] = m.rv_err_own_km_s;
            self.chi2_red[i] = m.chi2_red;
            self.flags[i] = m.flags;
        }
        self.reference = used.get(measured.best).copied();
        self.n_reference = usize::try_from(measured.n_reference).unwrap_or(0);
    }
}

/// A star's spectra, as far as they can be used.
struct Ready {
    snr: Vec<f64>,
    not_measured: Vec<Option<NotMeasured>>,
    /// Which of the spectra were normalised.
    used: Vec<usize>,
    normalized: Vec<Normalized>,
}

/// Vectors of one thread.
#[derive(Default)]
pub(super) struct Workspace {
    pub(super) normalizer: Normalizer,
    coarse: CoarseExposure,
}

/// Measures the velocities of stars from repeated spectra of each, against each other.
///
/// It holds the checked options and the open device, and can measure any number of stars, also from several threads.
///
/// ```
/// use relrv::{Device, MeasureOptions, Measurer, Spectrum};
///
/// # fn main() -> relrv::Result<()> {
/// // Two exposures of a star with three lines, the second at +12 km/s.
/// let wave_aa: Vec<f64> = (0..4000).map(|i| 6100.0 + 0.0375 * f64::from(i)).collect();
/// let flux = |rv_km_s: f64| -> Vec<f64> {
///     let line = |w: f64, at: f64| (-0.5 * ((w / (1.0 + rv_km_s / relrv::C_KM_S) - at) / 0.06).powi(2)).exp();
///     let star = |w: &f64| 1.0 - 0.5 * (line(*w, 6140.0) + line(*w, 6175.0) + line(*w, 6210.0));
///     wave_aa.iter().map(star).collect()
/// };
/// let (first, second, ivar) = (flux(0.0), flux(12.0), vec![1e4; 4000]);
///
/// let options = MeasureOptions::new((6110.0, 6240.0), 1.9, 3.8).vmax_km_s(100.0);
/// let measurer = Measurer::new(options, Device::Cpu)?;
/// let star = [
///     Spectrum::new(&wave_aa, &first, &ivar)?,
///     Spectrum::new(&wave_aa, &second, &ivar)?,
/// ];
/// let velocities = measurer.star(&star)?;
/// let difference = velocities.rv_km_s[1] - velocities.rv_km_s[0];
/// assert!((difference - 12.0).abs() < 0.05);
/// # Ok(())
/// # }
/// ```
pub struct Measurer {
    pub(super) band: Band,
    /// Its number among the instrument's bands: the first one decides whether the widths of lines are looked at.
    band_number: usize,
    pub(super) comparison: Comparison,
    pub(super) spectrum: SpectrumConfig,
    backend: Backend,
}

impl Measurer {
    /// Checks the options and opens the device.
    ///
    /// # Errors
    /// [`Error::Config`], which names the value that makes no sense; [`Error::NoGpu`] or [`Error::Gpu`] where a graphics processor was
    /// asked for and cannot be opened.
    pub fn new(options: MeasureOptions, device: Device) -> Result<Self> {
        let checked = options.checked()?;
        Ok(Measurer {
            band: checked.band,
            band_number: checked.band_number,
            comparison: checked.comparison,
            spectrum: checked.spectrum,
            // No warning is passed on if the CPU takes over from a GPU: the name of the back end tells it.
            backend: Backend::open(&device.config(), |_| ())?,
        })
    }

    /// What likelihoods are evaluated on.
    pub fn device_name(&self) -> String {
        self.backend.name()
    }

    /// Measures the spectra of one star against each other. The arrays of the result have the length and order of `spectra`; a spectrum
    /// that cannot be measured has NaN there, and its reason in [`StarVelocities::not_measured`].
    ///
    /// # Errors
    /// [`Error::Gpu`] or [`Error::GpuMemory`] where a graphics processor that was asked for fails.
    pub fn star(&self, spectra: &[Spectrum<'_>]) -> Result<StarVelocities> {
        let mut measured = self.stars(&[spectra])?;
        // One star in, one star out.
        measured
            .pop()
            .ok_or_else(|| Error::NothingUsable("no star".to_owned()))
    }

    /// Measures the spectra of many stars, each star's against each other; in parallel, and many stars in one call of the device. The
    /// results are those of [`Measurer::star`], in the same order.
    ///
    /// # Errors
    /// What the device says.
    pub fn stars<'a, S>(&self, stars: &[S]) -> Result<Vec<StarVelocities>>
    where
        S: AsRef<[Spectrum<'a>]> + Sync,
    {
        self.stars_telling(stars, &())
    }

    /// As [`Measurer::stars`], telling how many spectra were measured ([`Progress::spectra`]); it ends early where `progress` says so.
    ///
    /// # Errors
    /// What the device says; [`Error::Interrupted`] where it was to end.
    pub fn stars_telling<'a, S>(
        &self,
        stars: &[S],
        progress: &dyn Progress,
    ) -> Result<Vec<StarVelocities>>
    where
        S: AsRef<[Spectrum<'a>]> + Sync,
    {
        let n_spectra = |stars: &[S]| -> usize { stars.iter().map(|s| s.as_ref().len()).sum() };
        let progress = &Latched::new(progress);
        let (mut done, total) = (0, n_spectra(stars));
        let mut out = Vec::with_capacity(stars.len());
        let mut rest = stars;
        progress.spectra(done, total);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(n_in_batch(rest, self.pixels_per_batch()));
            out.extend(self.batch(now, progress)?);
            done += n_spectra(now);
            progress.spectra(done, total);
            rest = later;
        }
        Ok(out)
    }

    fn pixels_per_batch(&self) -> usize {
        match self.backend.is_gpu() {
            true => PIXELS_PER_GPU_BATCH,
            false => PIXELS_PER_BATCH,
        }
    }

    /// ln L of one of a star's spectra at every velocity of the grid, against the reference that [`Measurer::star`] compares it with.
    ///
    /// # Errors
    /// [`Error::NothingUsable`] where the spectrum cannot be measured or there is none of this number; what the device says.
    pub fn curve(&self, spectra: &[Spectrum<'_>], number: usize) -> Result<Curve> {
        let mut workspace = Workspace::default();
        let star = self.normalize(spectra, &mut workspace);
        let nothing = |why: String| Error::NothingUsable(format!("spectrum {number}: {why}"));
        let Some(place) = star.used.iter().position(|i| *i == number) else {
            return Err(nothing(match star.not_measured.get(number) {
                Some(Some(why)) => why.to_string(),
                _ => format!("the star has {}", spectra.len()),
            }));
        };
        let exposures = star.normalized.clone();
        match self.first_and_second_pass(star.normalized, &mut workspace)? {
            Some(measured) => curve::of(
                &self.comparison,
                &self.backend,
                &exposures,
                &measured,
                place,
            ),
            None => Err(nothing(NotMeasured::NoReference.to_string())),
        }
    }

    /// Measures the normalised exposures of one star; none where none of them can be a reference.
    pub(super) fn first_and_second_pass(
        &self,
        normalized: Vec<Normalized>,
        workspace: &mut Workspace,
    ) -> Result<Option<FirstPass>> {
        let prepared = self.prepare(normalized, workspace);
        let mut measured = self.measure(prepared.into_iter().map(|p| (0, p)).collect(), &())?;
        Ok(measured.pop())
    }

    /// Measures stars in one call of the device.
    fn batch<'a, S>(&self, stars: &[S], progress: &dyn Progress) -> Result<Vec<StarVelocities>>
    where
        S: AsRef<[Spectrum<'a>]> + Sync,
    {
        let interrupted = || Error::Interrupted("stopped; nothing is kept".to_owned());
        let ready = |workspace: &mut Workspace, star: &S| {
            if progress.cancelled() {
                return Err(interrupted());
            }
            let mut star = self.normalize(star.as_ref(), workspace);
            let normalized = std::mem::take(&mut star.normalized);
            let prepared = self.prepare(normalized, workspace);
            if prepared.is_none() {
                for i in star.used.drain(..) {
                    star.not_measured[i] = Some(NotMeasured::NoReference);
                }
            }
            Ok((star, prepared))
        };
        let ready = stars
            .par_iter()
            .map_init(Workspace::default, ready)
            .collect::<Result<Vec<(Ready, Option<Prepared>)>>>()?;
        if progress.cancelled() {
            return Err(interrupted());
        }
        let (mut out, mut used, mut prepared) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (star, of_star)) in ready.into_iter().enumerate() {
            out.push(StarVelocities::none(&star));
            used.push(star.used);
            prepared.extend(of_star.map(|p| (number as i64, p)));
        }
        let measured = self.measure(prepared, progress)?;
        if progress.cancelled() {
            return Err(interrupted());
        }
        for measured in measured {
            let number = measured.star as usize;
            out[number].fill(&used[number], &measured);
        }
        Ok(out)
    }

    /// Normalises what can be used of a star's spectra.
    fn normalize(&self, spectra: &[Spectrum<'_>], workspace: &mut Workspace) -> Ready {
        let vmax_km_s = self.comparison.grid.max_shift_km_s();
        let mut star = Ready {
            snr: Vec::with_capacity(spectra.len()),
            not_measured: Vec::with_capacity(spectra.len()),
            used: Vec::new(),
            normalized: Vec::new(),
        };
        for (i, spectrum) in spectra.iter().enumerate() {
            let exposure = Exposure {
                band: self.band,
                pixels: &spectrum.pixels(),
                snr: spectrum.snr(),
                helio_rv_km_s: spectrum.helio_rv_km_s(),
            };
            let normalizer = &mut workspace.normalizer;
            match normalizer.normalize(&self.spectrum, exposure, vmax_km_s) {
                Ok(mut normalized) => {
                    self.comparison.weigh_sky(&mut normalized);
                    star.snr.push(normalized.snr);
                    star.not_measured.push(None);
                    star.used.push(i);
                    star.normalized.push(normalized);
                }
                Err(why) => {
                    star.snr.push(spectrum.snr());
                    star.not_measured.push(Some(why.into()));
                }
            }
        }
        star
    }

    /// A star's exposures with their reference; none where there is none.
    fn prepare(&self, normalized: Vec<Normalized>, workspace: &mut Workspace) -> Option<Prepared> {
        if normalized.is_empty() {
            return None;
        }
        let bands = vec![(self.band_number, normalized)];
        prepare_star(&self.comparison, bands, &mut workspace.coarse)
            .into_iter()
            .flatten()
            .next()
    }

    /// Both passes.
    fn measure(
        &self,
        prepared: Vec<(i64, Prepared)>,
        progress: &dyn Progress,
    ) -> Result<Vec<FirstPass>> {
        if prepared.is_empty() {
            return Ok(Vec::new());
        }
        let clocks = StageClocks::default();
        let mut stars = first_pass(&self.comparison, prepared, &self.backend, &clocks)?;
        if self.comparison.reference == ReferenceKind::Coadd {
            against_coadds(&self.comparison, &mut stars, &clocks, &|| {
                progress.cancelled()
            });
        }
        first_pass::flag(&mut stars);
        Ok(stars)
    }
}

/// Stars whose pixels make a batch of at most so many pixels, one at least.
fn n_in_batch<'a, S: AsRef<[Spectrum<'a>]>>(stars: &[S], most_pixels: usize) -> usize {
    let mut n_pixels = 0;
    let fits = |star: &&S| {
        n_pixels += star.as_ref().iter().map(Spectrum::len).sum::<usize>();
        n_pixels <= most_pixels
    };
    stars.iter().take_while(fits).count().max(1)
}
