//! Spectra from a caller's arrays: the same numbers as from the survey's files, and whatever arrays there are.

use ndarray::{Array1, ArrayView1};
use relrv::lab::simulate::{Config, KindShares, Layout};
use relrv::lamost::inflate::Inflater;
use relrv::lamost::mrs;
use relrv::lamost::raw::{RawSpectrum, StoredWave};
use relrv::likelihood::Cpu;
use relrv::measure::{MeasureConfig, RvRow, Telluric, measure};
use relrv::spectrum::continuum::ContinuumConfig;
use relrv::spectrum::mask::MaskConfig;
use relrv::{
    Arm, Device, Error, MeasureOptions, Measurer, NotMeasured, ReferenceKind, RvFlags, Spectrum,
    StarVelocities,
};

use crate::echelle::{Exposure, Worth, options, spectra, stars, worth};
use crate::support::*;

/// Files of a plate of single stars, whose wavelengths are no logarithms, and whose headers do not tell the frame: sunlight and the sky's
/// lines are then looked for by neither way.
fn plate() -> std::path::PathBuf {
    let plate = made_once(Config {
        out: "own-spectra".into(),
        seed: 3310,
        stars: 5,
        nights: 2,
        exposures: 2,
        snr: (20.0, 70.0),
        kinds: KindShares {
            pulsator: 0.0,
            sb1: 0.0,
            sb2: 0.0,
        },
        layout: Layout::Dr9,
        ..Config::default()
    });
    for path in files(&plate) {
        let mut bytes = gunzip(&path);
        let key = b"HELIO   =";
        let at = bytes.windows(key.len()).position(|w| w == key).unwrap();
        bytes[at..at + 5].copy_from_slice(b"FRAME");
        std::fs::write(&path, gzip(&bytes)).unwrap();
    }
    plate
}

/// The exposure of a row, as its file has it.
fn raw(row: &RvRow, inflater: &mut Inflater) -> RawSpectrum {
    let file = mrs::read_file(&row.path, inflater).unwrap();
    let is_it = |raw: &RawSpectrum| raw.arm == row.arm && raw.lmjm == row.lmjm;
    file.spectra.into_iter().find(is_it).unwrap()
}

/// The arrays of an exposure.
struct Arrays {
    wave_aa: Vec<f64>,
    flux: Array1<f64>,
    ivar: Array1<f64>,
    mask: Vec<bool>,
    snr: f64,
}

impl Arrays {
    fn of(raw: RawSpectrum) -> Self {
        let StoredWave::Linear(wave_aa) = raw.pixels.wave else {
            panic!("logarithms of wavelengths");
        };
        Arrays {
            wave_aa,
            flux: raw.pixels.flux.iter().map(|f| f64::from(*f)).collect(),
            ivar: raw.pixels.ivar.iter().map(|w| f64::from(*w)).collect(),
            mask: raw.pixels.masked,
            snr: raw.snr,
        }
    }

    fn spectrum(&self) -> Spectrum<'_> {
        let spectrum = Spectrum::new(&self.wave_aa, &self.flux, &self.ivar).unwrap();
        spectrum.with_mask(&self.mask).unwrap().with_snr(self.snr)
    }
}

/// Every bit of a star's velocities from arrays is that of its rows.
fn assert_same(found: &StarVelocities, rows: &[RvRow]) {
    assert_eq!(found.len(), rows.len());
    for (i, row) in rows.iter().enumerate() {
        let m = &row.measurement;
        let pairs = [
            (found.rv_km_s[i], m.rv_km_s),
            (found.rv_err_km_s[i], m.rv_err_km_s),
            (found.rv_err_own_km_s[i], m.rv_err_own_km_s),
            (found.chi2_red[i], m.chi2_red),
            (found.snr[i], row.snr),
        ];
        for (of_arrays, of_file) in pairs {
            assert_eq!(of_arrays.to_bits(), of_file.to_bits(), "{i} {row:?}");
        }
        assert_eq!(found.flags[i], m.flags, "{i} {row:?}");
        assert_eq!(found.reference == Some(i), row.is_reference);
        assert_eq!(found.n_reference as i32, row.n_reference);
        assert_eq!(found.not_measured[i], None);
    }
}

#[test]
fn arrays_give_the_velocities_of_their_files_bit_for_bit() {
    let plate = plate();
    let mut inflater = Inflater::default();
    let mut n_coadds = 0;
    for arm in Arm::ALL {
        for reference in [ReferenceKind::Best, ReferenceKind::Coadd] {
            let config = MeasureConfig {
                arms: vec![arm],
                telluric: Telluric::Off,
                reference,
                ..default_config()
            };
            let rows = measure(&config, &[&plate], &Cpu, &()).unwrap().rows;
            assert!(rows.len() >= 15, "{}", rows.len());
            let of_band = MeasureOptions::of_band(arm.band());
            let numbers = MeasureOptions::new(arm.window_aa(), 7.5, 6.0)
                .polynomial_wavelengths(true)
                .vstep_km_s(1.0);
            let measurers = [of_band, numbers].map(|options| {
                let options = options
                    .mask(MaskConfig::default())
                    .continuum(ContinuumConfig::default())
                    .reference(reference);
                Measurer::new(options, Device::Cpu).unwrap()
            });
            for rows in rows.chunk_by(|a, b| a.star == b.star) {
                let arrays: Vec<Arrays> = rows
                    .iter()
                    .map(|row| Arrays::of(raw(row, &mut inflater)))
                    .collect();
                let star: Vec<Spectrum<'_>> = arrays.iter().map(Arrays::spectrum).collect();
                for measurer in &measurers {
                    assert_same(&measurer.star(&star).unwrap(), rows);
                }
                n_coadds += usize::from(rows[0].n_reference > 1);
            }
        }
    }
    assert!(n_coadds >= 6, "{n_coadds} stars with a coadd");
}

fn measurer(reference: ReferenceKind) -> Measurer {
    Measurer::new(options().reference(reference), Device::Cpu).unwrap()
}

fn assert_worth(worth: &Worth) {
    println!("{worth:?}");
    assert!((0.9..1.1).contains(&worth.pull), "{worth:?}");
    assert!((0.9..1.1).contains(&worth.pull_own), "{worth:?}");
    assert!(worth.bias_sigma.abs() < 3.0, "{worth:?}");
    assert!(worth.slope_sigma.abs() < 3.0, "{worth:?}");
    // A star of a hundred lines at SNR 60: less than a fiftieth of a pixel.
    assert!(worth.err_own_km_s < 0.03, "{worth:?}");
    assert!((0.95..1.1).contains(&worth.chi2_red), "{worth:?}");
    // Of 960: now and then a star of few lines looks double.
    assert!(worth.n_flagged <= 24, "{worth:?}");
}

#[test]
fn another_instrument_is_measured_to_its_errors() {
    let stars = stars(120, 8, 7101);
    for reference in [ReferenceKind::Best, ReferenceKind::Coadd] {
        assert_worth(&worth(options().reference(reference), &stars));
    }
}

#[test]
fn many_stars_are_measured_as_one_is() {
    let stars = stars(3, 3, 7002);
    let arrays: Vec<Vec<Spectrum<'_>>> = stars.iter().map(|s| spectra(s)).collect();
    for reference in [ReferenceKind::Best, ReferenceKind::Coadd] {
        let measurer = measurer(reference);
        let together = measurer.stars(&arrays).unwrap();
        assert_eq!(together.len(), 3);
        for (star, together) in arrays.iter().zip(&together) {
            let alone = measurer.star(star).unwrap();
            assert!(alone.rv_km_s.iter().all(|rv| rv.is_finite()));
            assert_eq!(alone.rv_km_s, together.rv_km_s);
            assert_eq!(alone.rv_err_km_s, together.rv_err_km_s);
        }
    }
    let none: [Vec<Spectrum<'_>>; 0] = [];
    assert!(
        measurer(ReferenceKind::Best)
            .stars(&none)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn descending_pixels_and_other_units_change_nothing() {
    let star = &stars(1, 3, 7003)[0];
    let turned: Vec<[Array1<f64>; 3]> = star
        .iter()
        .map(|e| {
            let reversed = |v: &[f64], factor: f64| v.iter().rev().map(|x| factor * x).collect();
            // Powers of two, which round nothing.
            let unit = 2f64.powi(40);
            [
                reversed(&e.wave_aa, 1.0),
                reversed(&e.flux, unit),
                reversed(&e.ivar, unit.powi(-2)),
            ]
        })
        .collect();
    let turned: Vec<Spectrum<'_>> = turned
        .iter()
        .map(|[wave_aa, flux, ivar]| Spectrum::new(wave_aa, flux, ivar).unwrap())
        .collect();
    let measurer = measurer(ReferenceKind::Coadd);
    let (a, b) = (measurer.star(&spectra(star)), measurer.star(&turned));
    let (a, b) = (a.unwrap(), b.unwrap());
    for (a, b) in a.rv_km_s.iter().zip(&b.rv_km_s) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

#[test]
fn what_cannot_be_measured_is_told_and_spoils_nothing() {
    let star = &stars(1, 3, 7004)[0];
    let good = spectra(star);
    let n = star[0].wave_aa.len();
    let (nan, zeros) = (vec![f64::NAN; n], vec![0.0; n]);
    let elsewhere: Vec<f64> = star[0].wave_aa.iter().map(|w| w + 500.0).collect();
    let Exposure {
        wave_aa,
        flux,
        ivar,
        ..
    } = &star[0];
    let masked = vec![true; n];
    // Shorter than the others, but long enough.
    let short = ArrayView1::from(&star[1].wave_aa[..3700]);
    let all = [
        Spectrum::new(wave_aa, &nan, ivar).unwrap(),
        good[0].clone(),
        Spectrum::new(wave_aa, flux, &nan).unwrap(),
        Spectrum::new(wave_aa, flux, &zeros).unwrap(),
        Spectrum::new(&elsewhere, flux, ivar).unwrap(),
        Spectrum::new(short, &star[1].flux[..3700], &star[1].ivar[..3700]).unwrap(),
        Spectrum::new(wave_aa, flux, ivar)
            .unwrap()
            .with_mask(&masked)
            .unwrap(),
        Spectrum::new(&wave_aa[..1], &flux[..1], &ivar[..1]).unwrap(),
        Spectrum::new(&wave_aa[..50], &flux[..50], &ivar[..50]).unwrap(),
        good[2].clone(),
    ];
    for reference in [ReferenceKind::Best, ReferenceKind::Coadd] {
        let measurer = measurer(reference);
        let found = measurer.star(&all).unwrap();
        for (i, (rv, why)) in found.rv_km_s.iter().zip(&found.not_measured).enumerate() {
            let is_good = [1, 5, 9].contains(&i);
            assert_eq!(why.is_none(), is_good, "{i} {why:?}");
            assert_eq!(rv.is_finite(), is_good, "{i} {rv}");
            assert_eq!(found.flags[i].contains(RvFlags::NO_CURVATURE), !is_good);
            assert!(is_good || matches!(why, Some(NotMeasured::Unusable(_))));
            assert_eq!(measurer.curve(&all, i).is_ok(), is_good, "{i}");
        }
        // As if the others were not there.
        let alone = measurer
            .star(&[all[1].clone(), all[5].clone(), all[9].clone()])
            .unwrap();
        for (i, k) in [1, 5, 9].into_iter().enumerate() {
            assert_eq!(found.rv_km_s[k].to_bits(), alone.rv_km_s[i].to_bits());
        }
        assert!(matches!(
            measurer.curve(&all, 10),
            Err(Error::NothingUsable(_))
        ));
    }
}

#[test]
fn no_spectrum_one_and_none_that_is_good() {
    let star = &stars(1, 1, 7005)[0];
    let nan = vec![f64::NAN; star[0].flux.len()];
    let bad = Spectrum::new(&star[0].wave_aa, &nan, &nan).unwrap();
    for reference in [ReferenceKind::Best, ReferenceKind::Coadd] {
        let measurer = measurer(reference);
        let none = measurer.star(&[]).unwrap();
        assert!(none.is_empty() && none.rv_km_s.is_empty() && none.reference.is_none());
        let one = measurer.star(&spectra(star)).unwrap();
        assert!(one.rv_km_s[0].abs() < 0.01, "{one:?}");
        assert!(one.flags[0].contains(RvFlags::SINGLE_EXPOSURE));
        assert_eq!((one.reference, one.n_reference), (Some(0), 1));
        let worthless = measurer.star(&[bad.clone(), bad.clone()]).unwrap();
        assert!(worthless.rv_km_s.iter().all(|rv| rv.is_nan()));
        assert_eq!((worthless.reference, worthless.n_reference), (None, 0));
    }
}

#[test]
fn a_curve_has_its_maximum_at_the_velocity() {
    let star = &stars(1, 4, 7006)[0];
    let all = spectra(star);
    for reference in [ReferenceKind::Best, ReferenceKind::Coadd] {
        let measurer = measurer(reference);
        let found = measurer.star(&all).unwrap();
        for i in 0..all.len() {
            let curve = measurer.curve(&all, i).unwrap();
            assert_eq!(curve.rv_km_s.len(), curve.ln_l.len());
            let top =
                (0..curve.ln_l.len()).max_by(|a, b| curve.ln_l[*a].total_cmp(&curve.ln_l[*b]));
            let off_km_s = curve.rv_km_s[top.unwrap()] - found.rv_km_s[i];
            // Half a step of the grid, and a little.
            assert!(off_km_s.abs() < 0.1, "{reference:?} {i}: {off_km_s}");
        }
    }
}

#[test]
fn a_wrong_window_or_width_is_an_error_and_no_panic() {
    let refused = [
        MeasureOptions::new((6245.0, 6105.0), 1.9, 3.3),
        MeasureOptions::new((6105.0, 6245.0), 1.9, f64::NAN),
        MeasureOptions::new((6105.0, 6245.0), 1.9, 0.0),
        MeasureOptions::new((6105.0, 6245.0), -1.9, 3.3),
        options().vmax_km_s(1e9),
    ];
    for options in refused {
        let error = Measurer::new(options, Device::Cpu).err();
        assert!(matches!(error, Some(Error::Config(_))), "{error:?}");
    }
    // Not nonsense by itself, but not what the spectra are.
    let star = &stars(1, 3, 7007)[0];
    for (window_aa, lsf_pixels) in [
        ((5000.0, 5300.0), 3.3),
        ((3000.0, 9000.0), 3.3),
        ((6105.0, 6245.0), 40.0),
        ((6105.0, 6245.0), 2.0),
    ] {
        for reference in [ReferenceKind::Best, ReferenceKind::Coadd] {
            let options = MeasureOptions::new(window_aa, 1.9, lsf_pixels).reference(reference);
            let measurer = Measurer::new(options, Device::Cpu).unwrap();
            let found = measurer.star(&spectra(star)).unwrap();
            assert_eq!(found.len(), 3);
            let is_outside = window_aa.1 < 6000.0;
            assert!(
                found
                    .not_measured
                    .iter()
                    .all(|why| why.is_some() == is_outside)
            );
        }
    }
}
