//! A plate: its nights and exposures, its spectrographs with their zero points, its stars.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::config::{Config, KindShares};
use super::motion::Motion;
use super::orbit::{Orbit, Pulsation};
use super::params::{StellarParams, typical_vsini_km_s};
use super::sky::{designation, plate_name};
use super::streams::{Purpose, stream};
use super::types::{teff_between, weak_lined};
use crate::Arm;

/// Local Modified Julian Day of the first night.
const FIRST_LMJD: i64 = 58_625;
/// Time from one exposure's start to the next, min: 20 min and the read-out.
const CADENCE_MIN: i64 = 23;
/// Exposure time, s.
pub const EXPTIME_S: i64 = 1200;
/// Local time minus UTC, s.
pub const LOCAL_MINUS_UTC_S: i64 = 8 * 3600;

fn normal<R: Rng>(rng: &mut R) -> f64 {
    StandardNormal.sample(rng)
}

/// One exposure of the whole plate.
#[derive(Clone, Copy, Debug)]
pub struct Exposure {
    /// Local Modified Julian Minute of the start, truncated.
    pub lmjm: i64,
    /// Seconds of the start after that minute.
    pub second: i64,
    /// Factor on every star's signal-to-noise ratio: clouds and seeing.
    pub throughput: f64,
}

impl Exposure {
    /// Start in local time, seconds of Modified Julian Date.
    pub fn start_local_s(&self) -> i64 {
        self.lmjm * 60 + self.second
    }

    /// Middle of the exposure, UTC, as a Modified Julian Date.
    pub fn mid_mjd_utc(&self) -> f64 {
        (self.start_local_s() - LOCAL_MINUS_UTC_S + EXPTIME_S / 2) as f64 / 86_400.0
    }
}

/// One night.
#[derive(Clone, Debug)]
pub struct Night {
    /// Local Modified Julian Day.
    pub lmjd: i64,
    /// Exposures in order of time.
    pub exposures: Vec<Exposure>,
}

/// One spectrograph.
#[derive(Clone, Debug)]
pub struct Spectrograph {
    /// Number, 1-16.
    pub spid: i32,
    /// Centre of its patch of sky, degrees.
    pub ra_deg: f64,
    /// Centre of its patch of sky, degrees.
    pub dec_deg: f64,
    /// Shift of the spectra along the detector, pixels: `[night]`.
    pub pixels: Vec<f64>,
    /// Zero points, km/s: `[night][exposure][arm]`, arms in the order of [`Arm::ALL`].
    pub zero_points_km_s: Vec<Vec<[f64; 2]>>,
}

/// One star.
#[derive(Clone, Debug)]
pub struct Star {
    /// Index of its spectrograph in [`Plate::spectrographs`].
    pub spectrograph: usize,
    /// Fibre, 1-250.
    pub fiberid: i32,
    /// Right ascension, degrees (J2000).
    pub ra_deg: f64,
    /// Declination, degrees (J2000).
    pub dec_deg: f64,
    /// Designation, `J192814.09+435530.7`.
    pub designation: String,
    /// Name in an input catalogue.
    pub object_name: String,
    /// The star, or the primary.
    pub params: StellarParams,
    /// Velocity of its centre of mass, km/s.
    pub system_rv_km_s: f64,
    /// Motion about it.
    pub motion: Motion,
    /// Signal-to-noise ratio in the red arm at throughput 1.
    pub snr: f64,
    /// Shift of its fibre along the detector, pixels.
    pub pixels: f64,
    /// It was chosen to have hardly a line in the windows.
    pub weak_lined: bool,
}

impl Star {
    /// Velocities of primary and secondary at a UTC Modified Julian Date, km/s.
    pub fn rv_km_s(&self, mjd_utc: f64) -> (f64, Option<f64>) {
        let v = self.system_rv_km_s;
        match &self.motion {
            Motion::Constant => (v, None),
            Motion::Pulsator(p) => (v + p.rv_km_s(mjd_utc), None),
            Motion::Sb1(orbit) => (v + orbit.rv_km_s(mjd_utc), None),
            Motion::Sb2 {
                primary, secondary, ..
            } => (
                v + primary.rv_km_s(mjd_utc),
                Some(v + secondary.rv_km_s(mjd_utc)),
            ),
        }
    }

    /// The star (the primary) as it is at a UTC Modified Julian Date.
    pub fn params_at(&self, mjd_utc: f64) -> StellarParams {
        match &self.motion {
            Motion::Pulsator(p) => StellarParams {
                teff_k: self.params.teff_k + p.teff_change_k(mjd_utc),
                ..self.params
            },
            _ => self.params,
        }
    }

    /// Signal-to-noise ratio of the blue arm over that of the red: cool stars are faint there.
    pub fn blue_snr_factor(&self) -> f64 {
        (0.55 + 0.4 * (self.params.teff_k / 3500.0).ln()).clamp(0.4, 1.0)
    }
}

/// A plate.
#[derive(Clone, Debug)]
pub struct Plate {
    /// Name.
    pub planid: String,
    /// Centre, degrees.
    pub ra_deg: f64,
    /// Centre, degrees.
    pub dec_deg: f64,
    /// Nights in order.
    pub nights: Vec<Night>,
    /// Spectrographs in order.
    pub spectrographs: Vec<Spectrograph>,
    /// Stars, spectrograph after spectrograph.
    pub stars: Vec<Star>,
}

impl Plate {
    /// Draws the plate that `config` (checked) describes.
    pub fn new(config: &Config) -> Plate {
        let rng = &mut stream(config.seed, Purpose::Plate, [0; 3]);
        let ra_deg = rng.random_range(0.0..360.0);
        let dec_deg: f64 = rng.random_range(5.0..50.0);
        let nights = nights(rng, config);
        let mut spids: Vec<i32> = (1..=16).collect();
        spids.shuffle(rng);
        spids.truncate(config.spectrographs);
        spids.sort_unstable();
        let spectrographs: Vec<Spectrograph> = spids
            .iter()
            .map(|spid| spectrograph(config, *spid, (ra_deg, dec_deg)))
            .collect();
        let stars = spectrographs
            .iter()
            .enumerate()
            .flat_map(|(index, spectrograph)| stars(config, index, spectrograph))
            .collect();
        Plate {
            planid: plate_name(ra_deg, dec_deg),
            ra_deg,
            dec_deg,
            nights,
            spectrographs,
            stars,
        }
    }
}

fn nights<R: Rng>(rng: &mut R, config: &Config) -> Vec<Night> {
    let mut lmjd = FIRST_LMJD;
    (0..config.nights)
        .map(|_| {
            lmjd += rng.random_range(1..=5);
            // After local midnight, so that one day holds the night.
            let mut minute = rng.random_range(5..90);
            let night_throughput = (0.1 * normal(rng)).exp();
            let exposures = (0..config.exposures)
                .map(|_| {
                    let exposure = Exposure {
                        lmjm: lmjd * 1440 + minute,
                        second: rng.random_range(0..60),
                        throughput: night_throughput * (0.08 * normal(rng)).exp(),
                    };
                    // Now and then a lamp exposure comes between.
                    minute += CADENCE_MIN * if rng.random_range(0..5) == 0 { 2 } else { 1 };
                    exposure
                })
                .collect();
            Night { lmjd, exposures }
        })
        .collect()
}

fn spectrograph(config: &Config, spid: i32, centre: (f64, f64)) -> Spectrograph {
    let rng = &mut stream(config.seed, Purpose::Spectrograph, [spid as usize, 0, 0]);
    // Four by four patches, a degree apart.
    let (row, column) = ((spid - 1) / 4, (spid - 1) % 4);
    let dec_deg = centre.1 + f64::from(row) - 1.5;
    let ra_deg = centre.0 + (f64::from(column) - 1.5) / dec_deg.to_radians().cos();
    let z = &config.zero_points;
    let mut draw = |scale: f64| {
        Arm::ALL.map(|arm| {
            let factor = if arm == Arm::Blue { z.blue_factor } else { 1.0 };
            factor * scale * normal(rng)
        })
    };
    let own = draw(z.spectrograph_km_s);
    let zero_points_km_s = (0..config.nights)
        .map(|_| {
            let night = draw(z.night_km_s);
            (0..config.exposures)
                .map(|_| {
                    let exposure = draw(z.exposure_km_s);
                    [0, 1].map(|a| own[a] + night[a] + exposure[a])
                })
                .collect()
        })
        .collect();
    Spectrograph {
        spid,
        ra_deg: ra_deg.rem_euclid(360.0),
        dec_deg,
        pixels: (0..config.nights).map(|_| 1.5 * normal(rng)).collect(),
        zero_points_km_s,
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Constant,
    Pulsator,
    Sb1,
    Sb2,
}

/// Kinds of `n` stars in their shares, the variables rounded up from eight stars on, so that a small plate has some.
fn kinds(shares: &KindShares, n: usize) -> Vec<Kind> {
    let mut out = Vec::with_capacity(n);
    for (kind, share) in [
        (Kind::Pulsator, shares.pulsator),
        (Kind::Sb1, shares.sb1),
        (Kind::Sb2, shares.sb2),
    ] {
        let exact = share * n as f64;
        let count = if n < 8 {
            exact.round()
        } else {
            (exact - 1e-9).ceil()
        };
        out.resize((out.len() + count as usize).min(n), kind);
    }
    out.resize(n, Kind::Constant);
    out
}

/// The stars of one spectrograph. Temperatures and kinds are spread evenly over their shares, so that a plate of ten
/// stars has some of each.
fn stars(config: &Config, index: usize, spectrograph: &Spectrograph) -> Vec<Star> {
    let n = config.stars;
    let spid = spectrograph.spid as usize;
    let rng = &mut stream(config.seed, Purpose::Star, [spid, 0xFFFF, 0]);
    let mut fibres: Vec<i32> = (1..=250).collect();
    fibres.shuffle(rng);
    let mut kinds = kinds(&config.kinds, n);
    kinds.shuffle(rng);
    let positions = positions(rng, n, spectrograph);
    (0..n)
        .map(|i| {
            let rng = &mut stream(config.seed, Purpose::Star, [spid, i, 0]);
            let share = (i as f64 + rng.random::<f64>()) / n as f64;
            let teff_k = teff_between(config.teff_k, share);
            let (mut params, motion) = nature(rng, kinds[i], teff_k);
            let weak = weak_lined(config, spid, i, &motion);
            params = weak.unwrap_or(params);
            let (low, high) = config.snr;
            let (ra_deg, dec_deg) = positions[i];
            Star {
                spectrograph: index,
                fiberid: fibres[i],
                ra_deg,
                dec_deg,
                designation: designation(ra_deg, dec_deg),
                object_name: format!(
                    "{}",
                    rng.random_range(1_000_000_000_000_000_000i64..3_000_000_000_000_000_000)
                ),
                params,
                system_rv_km_s: -10.0 + 30.0 * normal(rng),
                motion,
                snr: low * (high / low).powf(rng.random::<f64>()),
                pixels: 3.0 * normal(rng),
                weak_lined: weak.is_some(),
            }
        })
        .collect()
}

/// Positions in a spectrograph's patch, none within 30 arcsec of another (as fibres cannot be).
fn positions<R: Rng>(rng: &mut R, n: usize, spectrograph: &Spectrograph) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = Vec::with_capacity(n);
    let narrow = spectrograph.dec_deg.to_radians().cos();
    while out.len() < n {
        let dec = spectrograph.dec_deg + rng.random_range(-0.45..0.45);
        let ra = spectrograph.ra_deg + rng.random_range(-0.45..0.45) / narrow;
        let clear = out.iter().all(|(other_ra, other_dec)| {
            let x = (other_ra - ra) * narrow;
            x.hypot(other_dec - dec) > 30.0 / 3600.0
        });
        if clear {
            out.push((ra, dec));
        }
    }
    // Rounded as the header prints them, so that every file of a star says the same.
    let round = |v: f64| (v * 1e6).round() / 1e6;
    out.into_iter()
        .map(|(ra, dec)| (round(ra.rem_euclid(360.0)), round(dec)))
        .collect()
}

fn nature<R: Rng>(rng: &mut R, kind: Kind, teff_k: f64) -> (StellarParams, Motion) {
    let feh = (-0.15 + 0.25 * normal(rng)).clamp(-1.5, 0.4);
    let giant = (3800.0..5400.0).contains(&teff_k) && rng.random();
    let vsini = typical_vsini_km_s(teff_k) * (0.35 * normal(rng)).exp();
    let mut params = StellarParams {
        teff_k,
        logg: if giant { 2.6 } else { 4.4 },
        feh,
        vsini_km_s: vsini.clamp(1.0, 250.0),
    };
    let mut orbit = |amplitude: (f64, f64), period: (f64, f64)| {
        let period_d = period.0 * (period.1 / period.0).powf(rng.random::<f64>());
        Orbit {
            period_d,
            semi_amplitude_km_s: rng.random_range(amplitude.0..amplitude.1),
            // Short orbits are round.
            eccentricity: if period_d < 3.0 {
                0.0
            } else {
                rng.random_range(0.0..0.5)
            },
            omega_rad: rng.random_range(0.0..std::f64::consts::TAU),
            periastron_d: period_d * rng.random::<f64>(),
        }
    };
    let motion = match kind {
        Kind::Constant => Motion::Constant,
        Kind::Sb1 => Motion::Sb1(orbit((4.0, 40.0), (0.7, 20.0))),
        Kind::Sb2 => {
            let primary = orbit((25.0, 90.0), (0.7, 10.0));
            let mass_ratio = rng.random_range(0.75..1.0f64);
            Motion::Sb2 {
                primary,
                secondary: primary.companion(mass_ratio),
                companion: StellarParams {
                    teff_k: teff_k * mass_ratio.powf(0.6),
                    ..params
                },
                flux_ratio: mass_ratio.powi(4),
            }
        }
        Kind::Pulsator => {
            // RR Lyrae stars and their like.
            params = StellarParams {
                teff_k: rng.random_range(6000.0..7200.0),
                logg: 2.9,
                feh: feh - 0.8,
                vsini_km_s: 10.0,
            };
            let period_d = rng.random_range(0.12..0.7);
            Motion::Pulsator(Pulsation {
                period_d,
                semi_amplitude_km_s: rng.random_range(4.0..30.0),
                teff_amplitude_k: rng.random_range(100.0..500.0),
                epoch_d: period_d * rng.random::<f64>(),
            })
        }
    };
    (params, motion)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate(stars: usize, seed: u64) -> Plate {
        Plate::new(&Config {
            stars,
            seed,
            spectrographs: 3,
            nights: 5,
            exposures: 25,
            ..Config::default()
        })
    }

    #[test]
    fn kinds_come_in_their_shares() {
        let plate = plate(200, 7);
        let count = |name| {
            plate
                .stars
                .iter()
                .filter(|s| s.motion.name() == name)
                .count()
        };
        assert_eq!(plate.stars.len(), 600);
        assert_eq!(
            (
                count("constant"),
                count("sb1"),
                count("sb2"),
                count("pulsator")
            ),
            (450, 72, 48, 30)
        );
        let hot = plate
            .stars
            .iter()
            .filter(|s| s.params.teff_k > 10_500.0)
            .count();
        assert!((35..55).contains(&hot), "{hot}");
    }

    #[test]
    fn every_exposure_starts_on_the_day_of_its_night() {
        for seed in 0..50 {
            for night in plate(1, seed).nights {
                let mut last = 0;
                for e in night.exposures {
                    assert_eq!(e.lmjm / 1440, night.lmjd);
                    assert!(e.lmjm >= last + CADENCE_MIN);
                    last = e.lmjm;
                }
            }
        }
    }

    #[test]
    fn stars_are_apart_and_have_their_own_fibres() {
        let plate = plate(250, 3);
        for (i, a) in plate.stars.iter().enumerate() {
            for b in &plate.stars[..i] {
                assert!(a.spectrograph != b.spectrograph || a.fiberid != b.fiberid);
                let separation = ((a.ra_deg - b.ra_deg) * a.dec_deg.to_radians().cos())
                    .hypot(a.dec_deg - b.dec_deg);
                assert!(separation > 20.0 / 3600.0);
            }
        }
    }

    #[test]
    fn zero_points_have_the_spread_asked_for() {
        let config = Config {
            stars: 1,
            nights: 365,
            exposures: 4,
            spectrographs: 4,
            ..Config::default()
        };
        let plate = Plate::new(&config);
        for arm in [0, 1] {
            let within: Vec<f64> = plate
                .spectrographs
                .iter()
                .flat_map(|s| s.zero_points_km_s.iter())
                .flat_map(|night| night.windows(2).map(|e| e[1][arm] - e[0][arm]))
                .collect();
            let rms = (within.iter().map(|d| d * d).sum::<f64>() / within.len() as f64).sqrt();
            let expected = [1.2, 1.0][arm] * 0.4 * 2f64.sqrt();
            assert!((rms / expected - 1.0).abs() < 0.05, "{arm} {rms}");
            let nights: Vec<f64> = plate
                .spectrographs
                .iter()
                .flat_map(|s| {
                    s.zero_points_km_s
                        .windows(2)
                        .map(|n| n[1][0][arm] - n[0][0][arm])
                })
                .collect();
            let rms = (nights.iter().map(|d| d * d).sum::<f64>() / nights.len() as f64).sqrt();
            let expected = [1.2, 1.0][arm] * (1.5f64.powi(2) + 0.4f64.powi(2)).sqrt() * 2f64.sqrt();
            assert!((rms / expected - 1.0).abs() < 0.08, "{arm} {rms}");
        }
    }
}
