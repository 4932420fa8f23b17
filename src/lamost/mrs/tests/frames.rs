//! What a header says of frame and number of exposures, believed, mended or contradicted.

use super::sample::{Data, Key, Layout, N_PIX, Sample};
use super::{parse_sample, reasons};
use crate::C_KM_S;
use crate::lamost::raw::{MrsFile, RejectReason, StoredWave};

/// The Earth's velocity away from the star of the sample in its first exposure, km/s (HELIO_RV of the public file that the sample
/// imitates).
const HELIO_RV_KM_S: f64 = -11.94;

/// A sample with these keys in its primary header.
fn with_keys(layout: Layout, keys: &[(&str, Key)]) -> Sample {
    let mut sample = Sample::new(layout, 3);
    let keys = keys
        .iter()
        .map(|(name, key)| ((*name).to_owned(), key.clone()));
    sample.primary.splice(0..0, keys);
    sample
}

fn truth(value: bool) -> Key {
    Key::Text(if value { "T" } else { "F" }.to_owned())
}

fn frame(
    helio: Option<bool>,
    helio_rv: Option<f64>,
    vacuum: Option<bool>,
) -> Vec<(&'static str, Key)> {
    [
        helio.map(|x| ("HELIO", truth(x))),
        helio_rv.map(|x| ("HELIO_RV", Key::Float(x))),
        vacuum.map(|x| ("VACUUM", truth(x))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn wave_aa(file: &MrsFile, spectrum: usize) -> Vec<f64> {
    match &file.spectra[spectrum].pixels.wave {
        StoredWave::Log10(log10) => log10.iter().map(|x| 10f64.powf(f64::from(*x))).collect(),
        StoredWave::Linear(wave_aa) => wave_aa.clone(),
    }
}

/// Velocity by which wavelengths were moved: mean, and half the spread over the pixels.
fn moved_km_s(from_aa: &[f64], to_aa: &[f64]) -> (f64, f64) {
    let by = from_aa
        .iter()
        .zip(to_aa)
        .map(|(a, b)| C_KM_S * (b / a - 1.0));
    let (low, high) = by.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    ((low + high) / 2.0, (high - low) / 2.0)
}

#[test]
fn observed_wavelengths_are_moved_to_the_sun() {
    for layout in [Layout::Rows, Layout::Vectors] {
        let as_usual = parse_sample(&with_keys(
            layout,
            &frame(Some(true), Some(HELIO_RV_KM_S), Some(true)),
        ));
        let usual = &as_usual.spectra[0];
        assert_eq!(
            (usual.helio_rv_km_s, usual.frame_doubtful),
            (Some(HELIO_RV_KM_S), false)
        );
        // By HELIO_RV, and by the Earth's velocity where there is none, nothing or the opposite.
        for said in [Some(HELIO_RV_KM_S), None, Some(0.0), Some(-HELIO_RV_KM_S)] {
            let file = parse_sample(&with_keys(layout, &frame(Some(false), said, Some(true))));
            for i in 0..file.spectra.len() {
                let (by_km_s, spread) = moved_km_s(&wave_aa(&as_usual, i), &wave_aa(&file, i));
                assert!(
                    (by_km_s + HELIO_RV_KM_S).abs() < 0.25 && spread < 1e-6,
                    "{by_km_s}"
                );
                let spectrum = &file.spectra[i];
                let found = spectrum.helio_rv_km_s.unwrap();
                assert!((by_km_s + found).abs() < 1e-6, "{found}");
                let is_doubtful = said.is_some_and(|v| v != HELIO_RV_KM_S);
                assert_eq!(
                    (spectrum.frame_moved, spectrum.frame_doubtful),
                    (true, is_doubtful)
                );
            }
        }
        // A velocity that is not the Earth's is taken off as the header says, and flagged.
        let file = parse_sample(&with_keys(
            layout,
            &frame(Some(false), Some(25.0), Some(true)),
        ));
        let (by_km_s, _) = moved_km_s(&wave_aa(&as_usual, 0), &wave_aa(&file, 0));
        assert!((by_km_s + 25.0).abs() < 1e-6 && file.spectra[0].frame_doubtful);
    }
}

#[test]
fn a_velocity_that_the_earth_does_not_have_is_told() {
    for said in [HELIO_RV_KM_S - 2.5, HELIO_RV_KM_S + 2.5, 0.0, 25.0] {
        let file = parse_sample(&with_keys(
            Layout::Rows,
            &frame(Some(true), Some(said), Some(true)),
        ));
        assert!(
            file.spectra
                .iter()
                .all(|s| s.frame_doubtful && s.helio_rv_km_s.is_none())
        );
    }
    // Nothing said, nothing contradicted.
    for keys in [
        frame(Some(true), None, Some(true)),
        frame(None, Some(3.0), None),
    ] {
        let file = parse_sample(&with_keys(Layout::Rows, &keys));
        assert!(
            file.spectra
                .iter()
                .all(|s| !s.frame_doubtful && s.helio_rv_km_s.is_none())
        );
    }
}

#[test]
fn wavelengths_of_air_are_taken_to_vacuum() {
    let vacuum = parse_sample(&with_keys(
        Layout::Vectors,
        &frame(Some(true), Some(HELIO_RV_KM_S), Some(true)),
    ));
    let mut sample = with_keys(
        Layout::Vectors,
        &frame(Some(true), Some(HELIO_RV_KM_S), Some(false)),
    );
    for table in &mut sample.tables {
        let Data::F64(wave_aa) = table.column_mut("WAVELENGTH") else {
            panic!("the layout has float64")
        };
        // Refraction of standard air by Edlen 1953: an independent formula, which differs by less than 0.01 km/s.
        for w in wave_aa {
            let s2 = 1e8 / (*w * *w);
            let n = 1.0 + 6.4328e-5 + 2.949_81e-2 / (146.0 - s2) + 2.554_0e-4 / (41.0 - s2);
            *w /= n;
        }
    }
    let air = parse_sample(&sample);
    assert_eq!(air.spectra.len(), 6);
    for (i, spectrum) in air.spectra.iter().enumerate() {
        let (by_km_s, spread) = moved_km_s(&wave_aa(&vacuum, i), &wave_aa(&air, i));
        assert!(by_km_s.abs() < 0.01 && spread < 0.01, "{by_km_s} {spread}");
        assert_eq!(spectrum.helio_rv_km_s, Some(HELIO_RV_KM_S));
        assert_eq!(spectrum.pixels.flux.len(), N_PIX);
    }
}

#[test]
fn exposures_that_the_header_counts_are_missed() {
    let counted = |n_blue: i64, n_red: i64| {
        with_keys(
            Layout::Vectors,
            &[("NEXP_B", Key::Int(n_blue)), ("NEXP_R", Key::Int(n_red))],
        )
    };
    assert_eq!(reasons(&parse_sample(&counted(3, 3))), []);
    // More than counted, or no number, is a known defect of releases.
    assert_eq!(reasons(&parse_sample(&counted(0, 1))), []);
    assert_eq!(reasons(&parse_sample(&counted(-1, 2_000_000_000))), []);

    // The file ends after its fifth exposure.
    let mut cut = counted(3, 3);
    let list = Key::Text("84420148-84420171-84420194".to_owned());
    cut.table_mut("COADD_R").set("LMJMLIST", list);
    cut.tables.pop();
    let file = parse_sample(&cut);
    assert_eq!(
        reasons(&file),
        [("R-missing-1", RejectReason::MissingExposure)]
    );
    let detail = &file.rejected[0].detail;
    assert!(
        detail.contains("3 in NEXP_R") && detail.contains("84420194"),
        "{detail}"
    );
    assert_eq!(file.spectra.len(), 5);

    // An exposure that is there and cannot be used is not missing.
    let mut bad = counted(3, 3);
    bad.table_mut("B-84420148").name = "B-x".to_owned();
    bad.table_mut("B-x").keys.clear();
    assert_eq!(
        reasons(&parse_sample(&bad)),
        [("B-x", RejectReason::MissingKey)]
    );
    // Nor is one under a name that nobody knows.
    let mut renamed = counted(3, 3);
    renamed.table_mut("R-84420148").name = "X-84420148".to_owned();
    assert_eq!(
        reasons(&parse_sample(&renamed)),
        [("X-84420148", RejectReason::MissingKey)]
    );
    // None at all is a reason of its own.
    let mut none = counted(3, 3);
    none.tables.clear();
    assert_eq!(
        reasons(&parse_sample(&none)),
        [("", RejectReason::NoExposures)]
    );
}
