//! FITS files that cfitsio writes and few others do, and check sums by its hand.

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr;

use fitsio::sys;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use relrv::fits::reader::{Part, split};
use relrv::lamost::mrs;
use relrv::lamost::raw::{RawSpectrum, RejectReason, StoredWave};
use relrv::table::{ColumnData, Table};

const N_PIX: usize = 1000;
const ASCII: c_int = 1;
const BINARY: c_int = 2;

/// Values of a column, by cfitsio's numbers of their types.
enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
    Text(Vec<String>),
}

struct Written {
    name: &'static str,
    form: &'static str,
    values: Values,
    /// Further keys of the column, written before its values.
    keys: Vec<(&'static str, f64)>,
}

fn column(name: &'static str, form: &'static str, values: Values) -> Written {
    Written {
        name,
        form,
        values,
        keys: Vec::new(),
    }
}

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// A file being written by cfitsio. All calls are on one thread and on values that live until they return.
struct File {
    file: *mut sys::fitsfile,
    status: c_int,
}

impl File {
    fn create(path: &Path) -> Self {
        let mut new = File {
            file: ptr::null_mut(),
            status: 0,
        };
        let name = c(path.to_str().unwrap());
        unsafe {
            sys::ffdkinit(&mut new.file, name.as_ptr(), &mut new.status);
            sys::ffcrim(new.file, 8, 0, ptr::null_mut(), &mut new.status);
        }
        new.checked();
        new
    }

    fn checked(&self) {
        assert_eq!(self.status, 0, "status of cfitsio");
    }

    fn real(&mut self, key: &str, value: f64) {
        let key = c(key);
        unsafe {
            sys::ffpkyd(
                self.file,
                key.as_ptr(),
                value,
                15,
                ptr::null(),
                &mut self.status,
            )
        };
        self.checked();
    }

    fn string(&mut self, key: &str, value: &str) {
        let (key, value) = (c(key), c(value));
        unsafe {
            sys::ffpkys(
                self.file,
                key.as_ptr(),
                value.as_ptr(),
                ptr::null(),
                &mut self.status,
            )
        };
        self.checked();
    }

    /// A table with its values, which cfitsio scales by the keys of their columns.
    fn table(&mut self, kind: c_int, name: &str, columns: &mut [Written]) {
        let words = |of: fn(&Written) -> &'static str| -> Vec<CString> {
            columns.iter().map(|column| c(of(column))).collect()
        };
        let pointers = |words: &[CString]| -> Vec<*mut c_char> {
            words.iter().map(|w| w.as_ptr().cast_mut()).collect()
        };
        let (names, forms) = (words(|w| w.name), words(|w| w.form));
        let (mut names_c, mut forms_c) = (pointers(&names), pointers(&forms));
        let name = c(name);
        unsafe {
            sys::ffcrtb(
                self.file,
                kind,
                0,
                columns.len() as c_int,
                names_c.as_mut_ptr(),
                forms_c.as_mut_ptr(),
                ptr::null_mut(),
                name.as_ptr(),
                &mut self.status,
            )
        };
        self.checked();
        for (i, column) in columns.iter().enumerate() {
            for (key, value) in &column.keys {
                self.real(&format!("{key}{}", i + 1), *value);
            }
        }
        unsafe { sys::ffrdef(self.file, &mut self.status) };
        for (i, column) in columns.iter_mut().enumerate() {
            let mut texts = Vec::new();
            let (kind, n, values): (c_int, usize, *mut c_void) = match &mut column.values {
                Values::F32(v) => (42, v.len(), v.as_mut_ptr().cast()),
                Values::F64(v) => (82, v.len(), v.as_mut_ptr().cast()),
                Values::I64(v) => (81, v.len(), v.as_mut_ptr().cast()),
                Values::Text(v) => {
                    let words: Vec<CString> = v.iter().map(|text| c(text)).collect();
                    let mut array = pointers(&words);
                    let array_at = array.as_mut_ptr().cast();
                    texts.push((words, array));
                    (16, v.len(), array_at)
                }
            };
            let number = i as c_int + 1;
            unsafe {
                sys::ffpcl(
                    self.file,
                    kind,
                    number,
                    1,
                    1,
                    n as i64,
                    values,
                    &mut self.status,
                )
            };
            self.checked();
        }
    }

    fn close(mut self) {
        unsafe { sys::ffclos(self.file, &mut self.status) };
        self.checked();
    }
}

/// Writes the check sums of an HDU.
fn add_sums(path: &Path, hdu: c_int) {
    let (mut file, mut status) = (ptr::null_mut(), 0);
    let name = c(path.to_str().unwrap());
    unsafe {
        sys::ffdkopn(&mut file, name.as_ptr(), 1, &mut status);
        sys::ffmahd(file, hdu, ptr::null_mut(), &mut status);
        sys::ffpcks(file, &mut status);
        sys::ffclos(file, &mut status);
    }
    assert_eq!(status, 0);
}

/// What cfitsio says of the check sums of an HDU: of the data and of the whole, 1 where they are right.
fn sums(path: &Path, hdu: c_int) -> (c_int, c_int) {
    let (mut file, mut status, mut data, mut whole) = (ptr::null_mut(), 0, 0, 0);
    let name = c(path.to_str().unwrap());
    unsafe {
        sys::ffdkopn(&mut file, name.as_ptr(), 0, &mut status);
        sys::ffmahd(file, hdu, ptr::null_mut(), &mut status);
        sys::ffvcks(file, &mut data, &mut whole, &mut status);
        sys::ffclos(file, &mut status);
    }
    assert_eq!(status, 0);
    (data, whole)
}

/// Flux, ivar and wavelengths of an exposure of the blue arm.
fn pixels() -> (Vec<f32>, Vec<f32>, Vec<f64>, Vec<i64>) {
    let x = |i: usize| i as f64 / N_PIX as f64;
    (
        (0..N_PIX)
            .map(|i| (900.0 + (37.0 * x(i)).sin() * 100.0) as f32)
            .collect(),
        (0..N_PIX).map(|i| (0.01 + 0.003 * x(i)) as f32).collect(),
        (0..N_PIX)
            .map(|i| 4900.0 + 450.0 * x(i) + 1.0 / 3.0)
            .collect(),
        (0..N_PIX).map(|i| i64::from(i % 100 == 7)).collect(),
    )
}

/// A file with one exposure, in a table of these formats.
fn exposure(kind: c_int, forms: [&'static str; 4], flux_keys: &[(&'static str, f64)]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exposure.fits");
    let mut file = File::create(&path);
    file.real("RA", 292.058716);
    file.real("DEC", 43.925304);
    let (flux, ivar, wave, mask) = pixels();
    // The order of the columns is not the survey's.
    let mut columns = [
        column("WAVELENGTH", forms[0], Values::F64(wave)),
        column("PIXMASK", forms[1], Values::I64(mask)),
        column("IVAR", forms[2], Values::F32(ivar)),
        column("FLUX", forms[3], Values::F32(flux)),
    ];
    columns[3].keys = flux_keys.to_vec();
    file.table(kind, "B-84420148", &mut columns);
    file.string("LMJM", "84420148");
    file.real("SNR", 12.5);
    file.close();
    std::fs::read(path).unwrap()
}

fn spectrum(bytes: &[u8]) -> RawSpectrum {
    let mut file = mrs::parse(Path::new("med-58625-P_sp12-076.fits"), bytes).unwrap();
    assert_eq!(file.rejected, []);
    assert_eq!(file.spectra.len(), 1);
    file.spectra.remove(0)
}

fn assert_same(found: &RawSpectrum, expected: &RawSpectrum) {
    assert_eq!(found.pixels.flux, expected.pixels.flux);
    assert_eq!(found.pixels.ivar, expected.pixels.ivar);
    assert_eq!(found.pixels.masked, expected.pixels.masked);
    assert_eq!(
        (found.lmjm, found.snr, &found.hdu),
        (expected.lmjm, expected.snr, &expected.hdu)
    );
    match (&found.pixels.wave, &expected.pixels.wave) {
        (StoredWave::Linear(a), StoredWave::Linear(b)) => assert_eq!(a, b),
        other => panic!("{other:?}"),
    }
}

fn plain_exposure() -> RawSpectrum {
    spectrum(&exposure(BINARY, ["1D", "1I", "1E", "1E"], &[]))
}

#[test]
fn exposures_in_ascii_are_those_of_binary_tables() {
    let bytes = exposure(ASCII, ["D25.17", "I4", "E16.9", "E16.9"], &[]);
    let (found, expected) = (spectrum(&bytes), plain_exposure());
    assert_same(&found, &expected);
}

#[test]
fn exposures_in_lists_of_any_length_are_those_of_vectors() {
    for forms in [
        ["1PD", "1PI", "1PE", "1PE"],
        ["1QD", "1000B", "1QE", "1000E"],
    ] {
        assert_same(&spectrum(&exposure(BINARY, forms, &[])), &plain_exposure());
    }
}

#[test]
fn exposures_of_scaled_integers_have_their_values() {
    let step = 0.01;
    let keys = [("TSCAL", step), ("TZERO", 1000.0)];
    for form in ["1I", "1J"] {
        let found = spectrum(&exposure(BINARY, ["1D", "1B", "1E", form], &keys));
        let expected = plain_exposure();
        assert_eq!(found.pixels.ivar, expected.pixels.ivar);
        for (a, b) in found.pixels.flux.iter().zip(&expected.pixels.flux) {
            assert!((a - b).abs() <= 0.5 * step as f32 + 1e-4, "{a} {b}");
        }
    }
    // Scaled lists too.
    let lists = spectrum(&exposure(BINARY, ["1PD", "1PI", "1PE", "1PI"], &keys));
    let vectors = spectrum(&exposure(
        BINARY,
        ["1000D", "1000I", "1000E", "1000I"],
        &keys,
    ));
    assert_same(&lists, &vectors);
}

#[test]
fn other_layouts_that_are_cut_or_damaged_are_rejected_as_before() {
    let name = Path::new("med-58625-P_sp12-076.fits");
    let reject = |bytes: &[u8]| {
        let file = mrs::parse(name, bytes).unwrap();
        assert!(file.spectra.is_empty());
        (file.rejected[0].reason, file.rejected[0].detail.clone())
    };
    let ascii = exposure(ASCII, ["D25.17", "I4", "E16.9", "E16.9"], &[]);
    let (reason, detail) = reject(&ascii[..ascii.len() - 10_000]);
    assert_eq!(reason, RejectReason::NotFits);
    assert!(detail.contains("the file is cut"), "{detail}");
    // A cell that is no number: the table is not what it says.
    let mut odd = ascii.clone();
    let at = odd.len() - 40_000;
    odd[at..at + 80].fill(b'x');
    let (reason, detail) = reject(&odd);
    assert_eq!(reason, RejectReason::BadColumn);
    assert!(detail.contains("expected a BINTABLE"), "{detail}");
    // A list that ends behind the data.
    let mut lists = exposure(BINARY, ["1PD", "1PI", "1PE", "1PE"], &[]);
    let start = match &split(&lists).unwrap()[1] {
        Part::Hdu(hdu) => hdu.data.as_ptr() as usize - lists.as_ptr() as usize,
        gap => panic!("{gap:?}"),
    };
    lists[start..start + 4].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
    let (reason, detail) = reject(&lists);
    assert_eq!(reason, RejectReason::BadColumn);
    assert!(detail.contains("lists of any length"), "{detail}");
}

#[test]
fn other_layouts_in_damaged_files_end_as_a_spectrum_or_a_reason() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for whole in [
        exposure(ASCII, ["D25.17", "I4", "E16.9", "E16.9"], &[]),
        exposure(BINARY, ["1PD", "1QI", "1PE", "1PE"], &[]),
    ] {
        let mut n_read = 0;
        for _ in 0..500 {
            let mut bytes = whole.clone();
            for _ in 0..rng.random_range(1..4) {
                // Headers and descriptors are at the beginning.
                let at = rng.random_range(0..9000);
                bytes[at] = b"0123456789 '-.EPQJKDA(),/&TFN\0\xff\x80"[rng.random_range(0..32)];
            }
            if rng.random_bool(0.1) {
                bytes.truncate(rng.random_range(1..whole.len()));
            }
            if let Ok(file) = mrs::parse(Path::new("med-58625-P_sp12-076.fits"), &bytes) {
                assert!(!file.spectra.is_empty() || !file.rejected.is_empty());
                n_read += file.spectra.len();
            }
        }
        assert!(n_read > 50, "{n_read}");
    }
}

/// A table in ASCII, as archives give them.
fn ascii_table() -> (tempfile::TempDir, PathBuf, Vec<i64>, Vec<f64>) {
    let folder = tempfile::tempdir().unwrap();
    // No name may be more than a name: to cfitsio's own opening this is a row filter.
    let path = folder.path().join("t[1].fits");
    let ids: Vec<i64> = (0..200).map(|i| 4_315_949_800_534_220_000 + i).collect();
    let texts: Vec<String> = ids.iter().map(i64::to_string).collect();
    let rv: Vec<f64> = (0..200).map(|i| f64::from(i) / 7.0 - 10.0).collect();
    let mut file = File::create(&path);
    let mut columns = [
        // As text: cfitsio writes integers by way of floats, so that identities run together.
        column("star", "A19", Values::Text(texts)),
        column("rv", "F24.17", Values::F64(rv.clone())),
        column("n", "I6", Values::I64((0..200).collect())),
        column("note", "A6", Values::Text(vec!["a b".to_owned(); 200])),
    ];
    file.table(ASCII, "t", &mut columns);
    file.string("TUNIT2", "km/s");
    file.string("TNULL3", "7");
    file.close();
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(5).position(|w| w == b"'A19 ").unwrap();
    bytes[at + 1] = b'I';
    std::fs::write(&path, &bytes).unwrap();
    add_sums(&path, 2);
    (folder, path, ids, rv)
}

#[test]
fn ascii_tables_are_read_to_the_last_digit() {
    let (_folder, path, ids, rv) = ascii_table();
    let read = Table::read_noting(&path).unwrap();
    assert_eq!((&read.notes[..], &read.skipped[..]), (&[][..], &[][..]));
    let column = |name: &str| read.table.column(name).unwrap();
    assert_eq!(column("star").data, ColumnData::I64(ids));
    // As many digits as were written: more than the 17 that a float needs.
    assert_eq!(column("rv").data, ColumnData::F64(rv));
    assert_eq!(column("rv").unit, "km/s");
    assert!(column("n").is_null(7) && !column("n").is_null(8));
    assert_eq!(column("note").text_at(3), "a b");
}

#[test]
fn cfitsio_finds_the_check_sums_right() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.fits");
    for n in [0, 1, 7, 100_000] {
        let mut table = Table::new();
        table
            .push_f64("rv", "km/s", "velocity", (0..n).map(f64::from).collect())
            .push_bool("ok", "", "", (0..n).map(|i| i % 3 == 0).collect())
            .push_text("name", "", "", (0..n).map(|i| format!("n{i}")).collect());
        table.write(&path).unwrap();
        assert_eq!(
            (sums(&path, 1), sums(&path, 2)),
            ((1, 1), (1, 1)),
            "{n} rows"
        );
        assert_eq!(Table::read_noting(&path).unwrap().notes, [""; 0]);
    }
    // And it sees when a bit has changed, as relrv does.
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() - 5000;
    bytes[at] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(sums(&path, 2), (-1, -1));
    let notes = Table::read_noting(&path).unwrap().notes;
    assert!(notes[0].contains("HDU 1: DATASUM"), "{notes:?}");
}

#[test]
fn check_sums_of_cfitsio_are_checked() {
    let (_folder, path, ..) = ascii_table();
    assert_eq!(Table::read_noting(&path).unwrap().notes, [""; 0]);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|w| w == b"km/s").unwrap();
    bytes[at] = b'K';
    std::fs::write(&path, &bytes).unwrap();
    let notes = Table::read_noting(&path).unwrap().notes;
    assert!(notes[0].contains("HDU 1: CHECKSUM"), "{notes:?}");
}
