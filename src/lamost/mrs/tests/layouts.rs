//! Sound files of both layouts, and every column against cfitsio.

use std::path::Path;

use fitsio::FitsFile;
use fitsio::hdu::HduInfo;

use super::sample::{Data, Key, Layout, N_PIX, Sample, exposure, gzip};
use super::{NAME, parse_sample};
use crate::Arm;
use crate::fits::reader::{Part, split};
use crate::fits::vectors::BinTable;
use crate::lamost::inflate::Inflater;
use crate::lamost::mrs::{read_file, read_header};
use crate::lamost::raw::StoredWave;

#[test]
fn both_layouts_give_the_same_spectra() {
    let rows = parse_sample(&Sample::new(Layout::Rows, 3));
    let vectors = parse_sample(&Sample::new(Layout::Vectors, 3));
    for file in [&rows, &vectors] {
        assert_eq!(file.rejected, []);
        assert_eq!(file.spectra.len(), 6);
        let header = &file.header;
        assert_eq!((header.obsid, header.lmjd), (744_812_076, 58625));
        assert_eq!((header.spid, header.fiberid), (12, 76));
        assert_eq!((header.ra_deg, header.dec_deg), (292.058716, 43.925304));
        assert_eq!(header.planid, "TD192102N424113K01");
        assert_eq!(header.names.desig, "LAMOST J192814.09+435531.0");
    }
    for (a, b) in rows.spectra.iter().zip(&vectors.spectra) {
        // EXPTIME of one is DATE-END - DATE-BEG of the other, which has the seconds too.
        assert_eq!((a.mid_s, a.time_uncertain, a.snr), (600.0, false, 12.88));
        assert_eq!((b.mid_s, b.time_uncertain, b.snr), (630.0, false, 12.88));
        assert_eq!((a.arm, a.lmjm, &a.hdu), (b.arm, b.lmjm, &b.hdu));
        assert_eq!(
            (&a.pixels.flux, &a.pixels.ivar, &a.pixels.masked),
            (&b.pixels.flux, &b.pixels.ivar, &b.pixels.masked)
        );
        let (StoredWave::Log10(x), StoredWave::Linear(y)) = (&a.pixels.wave, &b.pixels.wave) else {
            panic!("{:?} {:?}", a.hdu, b.hdu)
        };
        assert!(x.is_sorted() && y.is_sorted());
        let largest = x
            .iter()
            .zip(y)
            .map(|(&x, &y)| (f64::from(x) - y.log10()).abs());
        assert!(largest.fold(0.0, f64::max) < 1.3e-7);
    }
}

#[test]
fn the_red_arm_is_turned_round_with_all_its_columns() {
    let sample = Sample::new(Layout::Rows, 1);
    let stored = exposure(Layout::Rows, 'R', "R-84420148", 2);
    let file = parse_sample(&sample);
    let red = file.spectra.iter().find(|s| s.arm == Arm::Red).unwrap();
    let Data::F32(flux) = &stored.columns[0].1 else {
        panic!("flux is float32")
    };
    assert_eq!(red.pixels.flux[0], flux[N_PIX - 1]);
    assert_eq!(red.pixels.flux[N_PIX - 1], flux[0]);
    assert!(red.pixels.masked[N_PIX - 1 - 7] && !red.pixels.masked[7]);
}

#[test]
fn gzip_and_plain_files_are_told_apart_by_content() {
    let bytes = Sample::new(Layout::Rows, 1).bytes();
    let folder = tempfile::tempdir().unwrap();
    let mut inflater = Inflater::new();
    let mut spectra = Vec::new();
    for (name, content) in [(NAME, gzip(&bytes)), ("med-1-x_sp1-1.fits.gz", bytes)] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let file = read_file(&path, &mut inflater).unwrap();
        assert_eq!(read_header(&path, &mut inflater).unwrap(), file.header);
        assert_eq!(*file.header.path, path);
        spectra.push(file.spectra);
    }
    assert_eq!(spectra[0], spectra[1]);
}

/// A column of each type, with scales and nulls, in both layouts.
fn every_type(layout: Layout) -> Sample {
    let mut sample = Sample::new(layout, 1);
    let table = &mut sample.tables[2];
    let n = N_PIX as i64;
    let int = |i: i64, bits: u32| i.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) >> (64 - bits);
    let columns = [
        ("U8", Data::U8((0..n).map(|i| int(i, 8) as u8).collect())),
        (
            "I16",
            Data::I16((0..n).map(|i| int(i, 16) as i16).collect()),
        ),
        (
            "U16",
            Data::U16((0..n).map(|i| int(i, 16) as u16).collect()),
        ),
        (
            "I32",
            Data::I32((0..n).map(|i| int(i, 32) as i32).collect()),
        ),
        ("I64", Data::I64((0..n).map(|i| int(i, 64)).collect())),
        (
            "F32",
            Data::F32((0..n).map(|i| int(i, 32) as f32 * 1e-7).collect()),
        ),
        (
            "F64",
            Data::F64((0..n).map(|i| int(i, 64) as f64 * 1e-9).collect()),
        ),
        (
            "S16",
            Data::I16((0..n).map(|i| int(i, 16) as i16).collect()),
        ),
        (
            "S32",
            Data::F32((0..n).map(|i| int(i, 32) as f32).collect()),
        ),
    ];
    let first = table.columns.len() + 1;
    table.columns.extend(
        columns
            .into_iter()
            .map(|(name, data)| (name.to_owned(), data)),
    );
    for (at, scale, zero) in [(7, 0.01, -3.0), (8, 1e-3, 7.5)] {
        table
            .late_keys
            .push((format!("TSCAL{}", first + at), Key::Float(scale)));
        table
            .late_keys
            .push((format!("TZERO{}", first + at), Key::Float(zero)));
    }
    sample
}

#[test]
fn cfitsio_agrees_bit_for_bit_on_every_column() {
    for layout in [Layout::Rows, Layout::Vectors] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        every_type(layout).write(&path);
        assert_eq!(columns_compared(&path), 6 * 4 - 2 * 4 + 9, "{layout:?}");
    }
}

/// Compares every column of every table with cfitsio's; the number of columns.
fn columns_compared(path: &Path) -> usize {
    let bytes = std::fs::read(path).unwrap();
    let parts = split(&bytes).unwrap();
    let mut other = FitsFile::open(path).unwrap();
    let mut n = 0;
    for part in &parts[1..] {
        let Part::Hdu(ours) = part else {
            panic!("{part:?}")
        };
        let table = BinTable::parse(ours).unwrap();
        let theirs = other.hdu(ours.name().as_str()).unwrap();
        let HduInfo::TableInfo {
            column_descriptions,
            ..
        } = &theirs.info
        else {
            panic!("{} is a table", ours.name())
        };
        for description in column_descriptions {
            let name = description.name.as_str();
            let at = format!("{} {name}", ours.name());
            let column = table.column(&name.to_ascii_lowercase()).unwrap();
            assert_eq!(column.len(), N_PIX, "{at}");
            let f64s: Vec<f64> = theirs.read_col(&mut other, name).unwrap();
            let f32s: Vec<f32> = theirs.read_col(&mut other, name).unwrap();
            let ours = column.to_f64().unwrap();
            let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&ours), bits(&f64s), "{at}");
            let ours = column.to_f32().unwrap();
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&ours), bits(&f32s), "{at}");
            let set: Vec<bool> = f64s.iter().map(|&x| x != 0.0).collect();
            assert_eq!(column.to_set().unwrap(), set, "{at}");
            n += 1;
        }
    }
    n
}
