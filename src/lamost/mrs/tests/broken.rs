//! Files whose structure is broken: truncated, damaged, not FITS at all.

use super::sample::{Key, Layout, N_PIX, Sample, gzip};
use super::{NAME, parse_bytes, reasons};
use crate::lamost::inflate::Inflater;
use crate::lamost::mrs::{read_file, read_header};
use crate::lamost::raw::RejectReason;

const BLUE: &str = "B-84420148";

#[test]
fn a_truncated_file_gives_what_is_before_the_cut() {
    for layout in [Layout::Rows, Layout::Vectors] {
        let whole = Sample::new(layout, 2).bytes();
        let all = parse_bytes(&whole).unwrap();
        // The last HDU holds as many data bytes as a row or a vector of 4136 pixels, then padding.
        let data = N_PIX * if layout == Layout::Rows { 14 } else { 18 };
        let end = whole.len() - (data.div_ceil(2880) * 2880 - data);
        let file = parse_bytes(&whole[..end]).unwrap();
        assert_eq!(
            (file.spectra.len(), file.rejected.len()),
            (4, 0),
            "padding is not needed"
        );
        let file = parse_bytes(&whole[..end - 1]).unwrap();
        assert_eq!(file.spectra, all.spectra[..3]);
        assert_eq!(reasons(&file), [("R-84420171", RejectReason::NotFits)]);
        let detail = &file.rejected[0].detail;
        let expected = format!("expected {data} bytes of data, found {}", data - 1);
        assert!(detail.contains(&expected), "{detail}");
        // In the middle of the last header.
        let start = whole.len() - data.div_ceil(2880) * 2880 - 2880;
        let file = parse_bytes(&whole[..start + 100]).unwrap();
        assert_eq!(file.spectra, all.spectra[..3]);
        assert_eq!(reasons(&file), [("#6", RejectReason::NotFits)]);
    }
}

#[test]
fn damage_between_hdus_costs_only_its_neighbours() {
    let whole = Sample::new(Layout::Rows, 2).bytes();
    let mut starts: Vec<usize> = (0..whole.len())
        .step_by(2880)
        .filter(|&at| whole[at..].starts_with(b"XTENSION="))
        .collect();
    assert_eq!(starts.len(), 6);
    // Two bytes of padding end up in the header of the next HDU: its size is right, it is damaged.
    let mut damaged = whole.clone();
    damaged[starts[3]] = b'Y';
    let file = parse_bytes(&damaged).unwrap();
    assert_eq!(reasons(&file), [("#4", RejectReason::NotFits)]);
    assert_eq!(file.spectra.len(), 3);
    // An exposure that claims fewer rows than it has does not lead to the next header: not to be trusted.
    let mut shorter = whole.clone();
    let at = starts.remove(2);
    let card = (at..)
        .step_by(80)
        .find(|&at| whole[at..].starts_with(b"NAXIS2"))
        .unwrap();
    shorter[card + 10..card + 30].copy_from_slice(format!("{:>20}", 3000).as_bytes());
    let file = parse_bytes(&shorter).unwrap();
    assert_eq!(
        reasons(&file),
        [(BLUE, RejectReason::NotFits), ("#4", RejectReason::NotFits)]
    );
    assert_eq!(file.spectra.len(), 3);
}

#[test]
fn no_fits_file_at_all() {
    for bytes in [
        &b""[..],
        b"SIMPLE",
        b"hello, this is no FITS file",
        &[0; 5000],
    ] {
        assert_eq!(
            parse_bytes(bytes).unwrap_err().reason,
            RejectReason::NotFits
        );
    }
    let mut endless = b"SIMPLE  =                    T".to_vec();
    endless.resize(100_000, b' ');
    let rejection = parse_bytes(&endless).unwrap_err();
    assert_eq!(rejection.reason, RejectReason::NotFits);
    assert!(rejection.detail.contains("END"), "{}", rejection.detail);
}

#[test]
fn bad_files_name_the_same_reason_to_both_readers() {
    let folder = tempfile::tempdir().unwrap();
    let good = gzip(&Sample::new(Layout::Rows, 1).bytes());
    let path = folder.path().join(NAME);
    let mut inflater = Inflater::new();
    for (content, reason) in [
        (Vec::new(), RejectReason::NotFits),
        (b"no FITS".to_vec(), RejectReason::NotFits),
        (gzip(b"no FITS in here"), RejectReason::NotFits),
        (good[..3].to_vec(), RejectReason::BadGzip),
        (good[..500].to_vec(), RejectReason::BadGzip),
    ] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(read_file(&path, &mut inflater).unwrap_err().reason, reason);
        assert_eq!(
            read_header(&path, &mut inflater).unwrap_err().reason,
            reason
        );
    }
    // Past its header a truncated stream is only seen by the reader of the whole.
    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    assert!(read_header(&path, &mut inflater).is_ok());
    let rejection = read_file(&path, &mut inflater).unwrap_err();
    assert_eq!(rejection.reason, RejectReason::BadGzip);
    assert_eq!(
        (rejection.path.as_path(), rejection.hdu.as_str()),
        (path.as_path(), "")
    );
    for missing in [folder.path(), &folder.path().join("missing.fits")] {
        let rejection = read_file(missing, &mut inflater).unwrap_err();
        assert_eq!(rejection.reason, RejectReason::Unreadable);
        assert_eq!(rejection, read_header(missing, &mut inflater).unwrap_err());
    }
}

#[test]
fn a_header_of_any_length_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let mut inflater = Inflater::new();
    for n_more in [0, 60, 400, 2000] {
        let mut sample = Sample::new(Layout::Rows, 1);
        let position = sample
            .primary
            .iter()
            .position(|(name, _)| name == "RA")
            .unwrap();
        let more = (0..n_more).map(|i| (format!("M{i}"), Key::Int(i)));
        sample.primary.splice(position..position, more);
        std::fs::write(&path, gzip(&sample.bytes())).unwrap();
        let header = read_header(&path, &mut inflater).unwrap();
        assert_eq!(header.ra_deg, 292.058716);
        assert_eq!(header, read_file(&path, &mut inflater).unwrap().header);
    }
}
