//! The public face around measuring: the survey's files as arrays, what is compared of a spectrum, work that tells how far it is and can
//! be ended.

use std::sync::Mutex;

use relrv::likelihood::Cpu;
use relrv::measure::{MeasureConfig, measure};
use relrv::{
    Arm, Device, Error, MeasureOptions, Measurer, PixelFlags, Progress, ReferenceKind, RunOptions,
    Spectrum, SurveyFile, SurveySpectrum, Telluric, run,
};

use crate::echelle::{Exposure, options, spectra, stars};
use crate::support::*;

/// The plate that comes with the source: headers that tell the frame, wavelengths as logarithms, a double-lined star.
#[test]
fn the_surveys_spectra_as_arrays_give_the_velocities_of_their_files_bit_for_bit() {
    let plate = root().join("data-samples/plate-small");
    for arm in Arm::ALL {
        let config = MeasureConfig {
            arms: vec![arm],
            telluric: Telluric::Off,
            reference: ReferenceKind::Coadd,
            ..default_config()
        };
        let rows = measure(&config, &[&plate], &Cpu, &()).unwrap().rows;
        assert_eq!(rows.len(), 48);
        let measurer = Measurer::new(MeasureOptions::of_arm(arm), Device::Cpu).unwrap();
        for rows in rows.chunk_by(|a, b| a.star == b.star) {
            let read: Vec<SurveySpectrum> = rows
                .iter()
                .map(|row| {
                    let file = SurveyFile::read(&row.path).unwrap();
                    let mut spectra = file.spectra.into_iter();
                    let is_it = |s: &SurveySpectrum| s.arm == arm && s.lmjm == row.lmjm;
                    spectra.find(is_it).unwrap()
                })
                .collect();
            let star: Vec<Spectrum<'_>> = read.iter().map(|s| s.spectrum().unwrap()).collect();
            let found = measurer.star(&star).unwrap();
            for (i, row) in rows.iter().enumerate() {
                let m = &row.measurement;
                let pairs = [
                    (found.rv_km_s[i], m.rv_km_s),
                    (found.rv_err_km_s[i], m.rv_err_km_s),
                    (found.rv_err_own_km_s[i], m.rv_err_own_km_s),
                    (found.chi2_red[i], m.chi2_red),
                    (found.snr[i], row.snr),
                    (read[i].hjd, row.hjd),
                    (read[i].bjd_tdb, row.bjd_tdb),
                ];
                for (of_arrays, of_file) in pairs {
                    assert_eq!(of_arrays.to_bits(), of_file.to_bits(), "{i} {row:?}");
                }
                assert_eq!(found.flags[i] | read[i].flags, m.flags, "{i} {row:?}");
            }
        }
    }
}

#[test]
fn a_file_that_is_none_is_told() {
    let dir = folder();
    let path = dir.path().join("no.fits");
    std::fs::write(&path, "nothing").unwrap();
    let told = SurveyFile::read(&path).err().unwrap().to_string();
    assert!(told.contains("no.fits: not_fits"), "{told}");
}

#[test]
fn what_is_compared_has_a_reason_for_each_pixel_that_does_not_count() {
    let mut star: Vec<Exposure> = stars(1, 5, 7004).remove(0);
    star[1].flux[2000] *= 40.0;
    star[1].ivar[1500] = 0.0;
    star[1].flux[1600] = f64::NAN;
    let measurer = Measurer::new(options(), Device::Cpu).unwrap();
    let found = measurer.star(&spectra(&star)).unwrap();
    assert!(found.n_reference > 1);
    let compared = measurer.compared(&spectra(&star)).unwrap();
    for (i, one) in compared.iter().enumerate() {
        let one = one.as_ref().unwrap();
        assert_eq!(one.rv_km_s.to_bits(), found.rv_km_s[i].to_bits());
        let (mut n, mut squares) = (0.0, 0.0);
        for k in (0..one.flux.len()).filter(|k| one.mask[*k].is_empty()) {
            let pull2 = (one.flux[k] - one.reference[k]).powi(2)
                / (1.0 / one.ivar[k] + one.reference_err[k].powi(2));
            (n, squares) = (n + 1.0, squares + pull2);
            assert!((one.wave_aa[k] - star[i].wave_aa[one.pixel[k]]).abs() < 1e-9);
        }
        // The reference at the spectrum's velocity lies on it: what is left is noise.
        assert!(
            n > 3000.0 && (0.9..1.1).contains(&(squares / n)),
            "{i}: {squares} of {n}"
        );
    }
    let spoiled = compared[1].as_ref().unwrap();
    let mask_of = |pixel| {
        let k = spoiled.pixel.iter().position(|p| *p == pixel).unwrap();
        (spoiled.mask[k], spoiled.ivar[k])
    };
    assert_eq!(mask_of(2000), (PixelFlags::SPIKE, 0.0));
    assert_eq!(mask_of(1500), (PixelFlags::NO_IVAR, 0.0));
    assert_eq!(mask_of(1600), (PixelFlags::NOT_FINITE, 0.0));
    assert!(spoiled.mask[0].contains(PixelFlags::OUTSIDE));

    // Descending arrays: the same pixels by their own numbers.
    star[1].wave_aa.reverse();
    star[1].flux.reverse();
    star[1].ivar.reverse();
    let turned = measurer
        .compared(&spectra(&star))
        .unwrap()
        .remove(1)
        .unwrap();
    assert_eq!(turned.pixel[0], 3999 - spoiled.pixel[0]);
    assert_eq!(turned.mask, spoiled.mask);
}

#[test]
fn what_only_one_exposure_shows_is_taken_out_and_told() {
    let mut star: Vec<Exposure> = stars(1, 6, 7005).remove(0);
    // As wide as a line, so that it is no spike.
    for k in 0..12 {
        let dip = 1.0 - 0.6 * (-0.5 * ((k as f64 - 5.5) / 2.5).powi(2)).exp();
        star[2].flux[2500 + k] *= dip;
    }
    let measurer = Measurer::new(options(), Device::Cpu).unwrap();
    let compared = measurer.compared(&spectra(&star)).unwrap();
    let n_alone = |i: usize| {
        let one = compared[i].as_ref().unwrap();
        let alone = |k: &usize| one.mask[*k].contains(PixelFlags::ALONE);
        let alone: Vec<usize> = (0..one.flux.len()).filter(alone).collect();
        assert!(alone.iter().all(|k| one.ivar[*k] == 0.0));
        alone
            .iter()
            .filter(|k| (2495..2517).contains(&one.pixel[**k]))
            .count()
    };
    assert!(n_alone(2) >= 5, "{}", n_alone(2));
    assert_eq!(n_alone(3), 0);
}

/// Notes what it is told, and ends the work where that was asked for.
#[derive(Default)]
struct Noted {
    told: Mutex<Vec<(usize, usize)>>,
    ends: bool,
}

impl Progress for Noted {
    fn files(&self, _: usize, _: usize) {}

    fn spectra(&self, done: usize, total: usize) {
        self.told.lock().unwrap().push((done, total));
    }

    fn cancelled(&self) -> bool {
        self.ends
    }
}

#[test]
fn many_stars_tell_how_far_they_are_and_can_be_ended() {
    let stars = stars(3, 2, 7006);
    let arrays: Vec<Vec<Spectrum<'_>>> = stars.iter().map(|s| spectra(s)).collect();
    let measurer = Measurer::new(options(), Device::Cpu).unwrap();
    let noted = Noted::default();
    assert_eq!(measurer.stars_telling(&arrays, &noted).unwrap().len(), 3);
    assert_eq!(*noted.told.lock().unwrap(), [(0, 6), (6, 6)]);
    let ends = Noted {
        ends: true,
        ..Noted::default()
    };
    let ended = measurer.stars_telling(&arrays, &ends).err();
    assert!(matches!(ended, Some(Error::Interrupted(_))), "{ended:?}");
}

#[test]
fn memory_out_of_range_is_refused_by_name() {
    let dir = folder();
    let options = RunOptions::new([small_plate()], dir.path().join("out"));
    let told = run(&options.memory_mib(1)).err().unwrap().to_string();
    assert_eq!(told, "memory is 1 MiB, expected 64 to 16777216");
}
