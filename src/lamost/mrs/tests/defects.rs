//! Every way an exposure or a header can be bad that we know of: the right reason, and the rest is used.

use super::sample::{Data, Key, Layout, N_PIX, Sample, Table, exposure};
use super::{parse_bytes, parse_sample, reasons};
use crate::Arm;
use crate::lamost::raw::{MrsFile, RejectReason, StoredWave};

const BLUE: &str = "B-84420148";

/// Parses a file of both layouts whose first blue exposure was changed.
fn with_blue(change: impl Fn(&mut Table)) -> [MrsFile; 2] {
    [Layout::Rows, Layout::Vectors].map(|layout| {
        let mut sample = Sample::new(layout, 2);
        change(sample.table_mut(BLUE));
        parse_sample(&sample)
    })
}

/// The change costs this exposure and no other.
fn rejects_blue(reason: RejectReason, says: &str, change: impl Fn(&mut Table)) {
    for file in with_blue(change) {
        assert_eq!(reasons(&file), [(BLUE, reason)]);
        let detail = &file.rejected[0].detail;
        assert!(detail.contains(says), "{detail}");
        assert_eq!(file.spectra.len(), 3);
    }
}

/// The file is used in full; its first exposure.
fn accepts_blue(change: impl Fn(&mut Table)) -> [crate::lamost::raw::RawSpectrum; 2] {
    with_blue(change).map(|file| {
        assert_eq!(reasons(&file), []);
        assert_eq!(file.spectra.len(), 4);
        file.spectra[0].clone()
    })
}

fn wave_name(table: &Table) -> String {
    table.columns[2].0.clone()
}

/// Changes the wavelengths, in whichever unit.
fn map_wave(table: &mut Table, f: impl Fn(usize, f64) -> f64) {
    let name = wave_name(table);
    match table.column_mut(&name) {
        Data::F32(x) => {
            for (i, x) in x.iter_mut().enumerate() {
                *x = f(i, 10f64.powf(f64::from(*x))).log10() as f32;
            }
        }
        Data::F64(x) => {
            for (i, x) in x.iter_mut().enumerate() {
                *x = f(i, *x);
            }
        }
        _ => panic!("wavelengths are floats"),
    }
}

#[test]
fn missing_columns() {
    for name in ["FLUX", "IVAR"] {
        rejects_blue(RejectReason::BadColumn, name, |t| {
            t.columns.retain(|(n, _)| n != name);
        });
    }
    rejects_blue(RejectReason::BadColumn, "LOGLAM or WAVELENGTH", |t| {
        t.columns.remove(2);
    });
    let spectra = accepts_blue(|t| t.columns.retain(|(n, _)| n != "PIXMASK"));
    assert!(
        spectra
            .iter()
            .all(|s| s.pixels.masked == vec![false; N_PIX])
    );
}

#[test]
fn columns_of_other_types_and_cases() {
    let spectra = accepts_blue(|t| {
        *t.column_mut("FLUX") = Data::F64(vec![2.5; N_PIX]);
        *t.column_mut("IVAR") = Data::I32(vec![3; N_PIX]);
        *t.column_mut("PIXMASK") = Data::U16((0..N_PIX as u16).map(|i| i % 2).collect());
        for (name, _) in &mut t.columns {
            *name = name.to_ascii_lowercase();
        }
    });
    for s in spectra {
        assert_eq!((s.pixels.flux[9], s.pixels.ivar[9]), (2.5, 3.0));
        assert_eq!((s.pixels.masked[8], s.pixels.masked[9]), (false, true));
    }
    let [log10, _] = accepts_blue(|t| {
        if let Data::F32(x) = t.column_mut(&wave_name(t)).clone() {
            t.columns[2].1 = Data::F64(x.iter().map(|&x| f64::from(x)).collect());
        }
    });
    assert!(matches!(log10.pixels.wave, StoredWave::Linear(x) if (4897.0..4899.0).contains(&x[0])));
}

#[test]
fn text_columns() {
    for name in ["FLUX", "IVAR", "PIXMASK"] {
        rejects_blue(
            RejectReason::BadColumn,
            "expected numbers, found Text",
            |t| {
                *t.column_mut(name) = Data::Text(vec!["1.5".to_owned(); N_PIX]);
            },
        );
    }
}

#[test]
fn wrong_lengths() {
    let mut sample = Sample::new(Layout::Vectors, 2);
    *sample.table_mut(BLUE).column_mut("IVAR") = Data::F32(vec![1.0; N_PIX - 1]);
    let file = parse_sample(&sample);
    assert_eq!(reasons(&file), [(BLUE, RejectReason::BadColumn)]);
    assert_eq!(
        file.rejected[0].detail,
        "column IVAR: expected 4136 pixels as in FLUX, found 4135"
    );
    rejects_blue(
        RejectReason::BadColumn,
        "at least 500 pixels, found 499",
        |t| {
            for (_, data) in &mut t.columns {
                match data {
                    Data::F32(x) => x.truncate(499),
                    Data::F64(x) => x.truncate(499),
                    Data::I16(x) => x.truncate(499),
                    _ => panic!("no other type here"),
                }
            }
        },
    );
}

#[test]
fn no_usable_pixel() {
    rejects_blue(RejectReason::NoGoodPixels, "0 have finite flux", |t| {
        *t.column_mut("FLUX") = Data::F32(vec![f32::NAN; N_PIX]);
    });
    for value in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        rejects_blue(RejectReason::NoGoodPixels, "0 have finite flux", |t| {
            *t.column_mut("IVAR") = Data::F32(vec![value; N_PIX]);
        });
    }
    rejects_blue(RejectReason::NoGoodPixels, "4136 have finite flux", |t| {
        *t.column_mut("PIXMASK") = Data::I16(vec![1; N_PIX]);
    });
}

#[test]
fn bad_pixels_lose_their_weight() {
    let spectra = accepts_blue(|t| {
        if let Data::F32(flux) = t.column_mut("FLUX") {
            (flux[10], flux[11]) = (f32::NAN, f32::NEG_INFINITY);
            flux[12] = -5.0;
        }
        if let Data::F32(ivar) = t.column_mut("IVAR") {
            (ivar[13], ivar[14], ivar[15]) = (f32::NAN, -1.0, f32::INFINITY);
        }
    });
    for s in spectra {
        assert_eq!(s.pixels.flux.len(), N_PIX);
        for i in [10, 11, 13, 15] {
            assert_eq!(
                (s.pixels.flux[i], s.pixels.ivar[i]),
                (0.0, 0.0),
                "pixel {i}"
            );
        }
        assert!(s.pixels.flux[12] == -5.0 && s.pixels.ivar[12] > 0.0);
        assert!(s.pixels.flux[14] > 0.0 && s.pixels.ivar[14] == 0.0);
    }
}

#[test]
fn wavelengths() {
    rejects_blue(RejectReason::BadWavelength, "pixel 100 of 4136", |t| {
        map_wave(t, |i, x| if i == 100 { f64::NAN } else { x });
    });
    rejects_blue(RejectReason::BadWavelength, "pixel 0 of 4136", |t| {
        map_wave(t, |i, x| if i == 0 { f64::INFINITY } else { x });
    });
    rejects_blue(RejectReason::BadWavelength, "pixel 2000 of 4136", |t| {
        map_wave(t, |i, x| if i == 2000 { x - 10.0 } else { x });
    });
    rejects_blue(RejectReason::BadWavelength, "pixel 1 of 4136", |t| {
        map_wave(t, |_, _| 5000.0);
    });
    rejects_blue(RejectReason::BadWavelength, "of the blue arm", |t| {
        map_wave(t, |_, x| x + 1400.0);
    });
    // Wavelengths in nanometres instead of Angstrom.
    rejects_blue(RejectReason::BadWavelength, "4700 to 5600 A", |t| {
        map_wave(t, |_, x| x / 10.0);
    });
    // A blue arm that is stored from red to blue is turned round as well.
    let [log10, linear] = accepts_blue(|t| match t.column_mut(&wave_name(t)) {
        Data::F32(x) => x.reverse(),
        Data::F64(x) => x.reverse(),
        _ => panic!("wavelengths are floats"),
    });
    assert!(matches!(log10.pixels.wave, StoredWave::Log10(x) if x.is_sorted()));
    assert!(matches!(linear.pixels.wave, StoredWave::Linear(x) if x.is_sorted()));
    assert!(linear.pixels.masked[N_PIX - 1 - 7]);
}

#[test]
fn exposure_keys() {
    for snr in [Key::Text("bad".to_owned()), Key::Text("nan".to_owned())] {
        for s in accepts_blue(|t| t.set("SNR", snr.clone())) {
            assert!(s.snr.is_nan());
        }
    }
    for s in accepts_blue(|t| t.keys.retain(|(n, _)| n != "SNR")) {
        assert!(s.snr.is_nan());
    }
    let without_times = |t: &mut Table| {
        t.keys
            .retain(|(n, _)| n != "EXPTIME" && !n.starts_with("DATE"));
    };
    for s in accepts_blue(without_times) {
        assert!(s.mid_s.is_nan() && s.time_uncertain);
    }
    for exptime in [Key::Float(-1.0), Key::Float(1e9), Key::Text("x".to_owned())] {
        for s in accepts_blue(|t| {
            without_times(t);
            t.set("EXPTIME", exptime.clone());
        }) {
            assert!(s.mid_s.is_nan() && s.time_uncertain);
        }
    }
    let lmjm = |key: Key| accepts_blue(|t| t.set("LMJM", key.clone())).map(|s| s.lmjm);
    assert_eq!(lmjm(Key::Int(84_420_148)), [84_420_148; 2]);
    assert_eq!(lmjm(Key::Text("nonsense".to_owned())), [84_420_148; 2]);
    assert_eq!(lmjm(Key::Int(-5)), [84_420_148; 2]);
    // The name wins where the key is of another day, which LMJD = 58625 tells.
    assert_eq!(lmjm(Key::Int(94_420_148)), [84_420_148; 2]);
    rejects_blue(RejectReason::MissingKey, "contradicts", |t| {
        t.set("LMJM", Key::Int(84_420_149));
    });
}

#[test]
fn names_of_hdus() {
    let mut sample = Sample::new(Layout::Rows, 1);
    sample.tables[2].name = "b-84420148".to_owned();
    sample.tables[3].name = "X-84420148".to_owned();
    let file = parse_sample(&sample);
    assert_eq!(reasons(&file), [("X-84420148", RejectReason::MissingKey)]);
    assert_eq!(
        (file.spectra[0].arm, file.spectra[0].lmjm),
        (Arm::Blue, 84_420_148)
    );

    sample.tables[2].name = "B-x".to_owned();
    assert_eq!(parse_sample(&sample).spectra[0].lmjm, 84_420_148);
    sample.tables[2].keys.clear();
    let file = parse_sample(&sample);
    assert_eq!(reasons(&file)[0], ("B-x", RejectReason::MissingKey));
}

#[test]
fn defects_of_releases_are_no_errors() {
    let mut sample = Sample::new(Layout::Rows, 2);
    sample.primary.retain(|(name, _)| name != "EXTNAME");
    sample
        .primary
        .push(("EXTNAME".to_owned(), Key::Text("PRIMARY".to_owned())));
    sample.primary.push(("NEXP_B".to_owned(), Key::Int(0)));
    sample
        .tables
        .retain(|t| !t.name.starts_with("COADD") && !t.name.starts_with("R-"));
    let file = parse_sample(&sample);
    assert_eq!(file.rejected, []);
    assert_eq!(file.spectra.len(), 2);

    sample.tables.clear();
    let file = parse_sample(&sample);
    assert_eq!(reasons(&file), [("", RejectReason::NoExposures)]);
}

#[test]
fn keys_of_the_primary_header() {
    let parse_with = |name: &str, value: Option<Key>| {
        let mut sample = Sample::new(Layout::Rows, 1);
        sample.primary.retain(|(n, _)| n != name);
        sample
            .primary
            .extend(value.map(|value| (name.to_owned(), value)));
        parse_bytes(&sample.bytes())
    };
    for name in ["RA", "DEC"] {
        let bad = [
            None,
            Some(Key::Float(-91.0)),
            Some(Key::Float(361.0)),
            Some(Key::Text("19:28:14".to_owned())),
        ];
        for value in bad {
            let rejection = parse_with(name, value).unwrap_err();
            assert_eq!(rejection.reason, RejectReason::MissingKey);
            assert!(rejection.detail.contains(name), "{}", rejection.detail);
        }
    }
    assert_eq!(
        parse_with("RA", Some(Key::Float(360.0)))
            .unwrap()
            .header
            .ra_deg,
        0.0
    );
    assert_eq!(
        parse_with("RA", Some(Key::Text("12.5".to_owned())))
            .unwrap()
            .header
            .ra_deg,
        12.5
    );
    assert_eq!(parse_with("OBSID", None).unwrap().header.obsid, 0);
    assert_eq!(parse_with("DESIG", None).unwrap().header.names.desig, "");
    // The file's name knows these.
    assert_eq!(parse_with("SPID", None).unwrap().header.spid, 12);
    assert_eq!(parse_with("FIBERID", None).unwrap().header.fiberid, 76);
    assert_eq!(parse_with("LMJD", None).unwrap().header.lmjd, 58625);
    assert_eq!(
        parse_with("PLANID", None).unwrap().header.planid,
        "TD192102N424113K01"
    );
}

/// Which copy is used is decided where the pixels of the window are known.
#[test]
fn the_same_exposure_twice_is_read_twice() {
    let mut sample = Sample::new(Layout::Rows, 2);
    let mut again = exposure(Layout::Rows, 'B', BLUE, 99);
    again.name = "B-again".to_owned();
    sample.tables.push(again);
    let file = parse_sample(&sample);
    assert_eq!(reasons(&file), []);
    let minutes: Vec<i64> = file.spectra.iter().map(|s| s.lmjm).collect();
    assert_eq!(
        (minutes.len(), minutes[0], minutes[4]),
        (5, 84_420_148, 84_420_148)
    );
}

#[test]
fn a_spectrum_of_low_resolution_is_called_so() {
    let mut sample = Sample::new(Layout::Vectors, 0);
    let told = |sample: &Sample, name: &str| {
        let file = super::parse(std::path::Path::new(name), &sample.bytes()).unwrap();
        assert_eq!(file.rejected[0].reason, RejectReason::NoExposures);
        file.rejected[0].detail.clone()
    };
    assert!(!told(&sample, super::NAME).contains("low resolution"));
    let detail = told(&sample, "spec-55859-F5902_sp01-001.fits");
    assert!(
        detail.contains("found none in 3 HDUs") && detail.contains("low resolution"),
        "{detail}"
    );
    // Under another name, by what its header calls it; one HDU is no "HDUs".
    let name = Key::Text("spec-55859-F5902_sp01-001.fits".to_owned());
    sample.primary.push(("FILENAME".to_owned(), name));
    sample.tables.clear();
    let detail = told(&sample, "star.fits");
    assert!(
        detail.contains("found none in 1 HDU:") && detail.contains("low resolution"),
        "{detail}"
    );
}
