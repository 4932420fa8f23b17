//! Bad input is normal: each kind is named with file, HDU and reason, and everything else is measured with exactly the same numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use relrv::likelihood::RvFlags;
use relrv::table::Table;

use crate::fits_edit::{Column, Hdu, join, recount, split};
use crate::support::*;

/// HDU of the first blue exposure in the simulator's files: after the primary and two coadds.
const BLUE: usize = 3;

/// Column of the reference's mark and of the flags in a row.
const IS_REFERENCE: usize = 20;
const FLAGS: usize = 25;

/// With coadds a star's sound files would be measured against others if one is damaged.
const ALONE: &[&str] = &["--reference", "best"];

/// Rows of the sound plate.
fn sound() -> &'static BTreeMap<Key, Vec<String>> {
    static ROWS: OnceLock<BTreeMap<Key, Vec<String>>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let dir = folder();
        let out = dir.path().join("rv.csv");
        assert_eq!(run_measure(&[small_plate()], &out, ALONE).0, 0);
        rows(&out)
    })
}

/// A copy of the small plate with one file to spoil. No reference is in that file, so that nothing else may change.
struct Plate {
    dir: tempfile::TempDir,
    victim: PathBuf,
}

/// What the program made of a plate.
struct Outcome {
    status: i32,
    errors: String,
    rows: BTreeMap<Key, Vec<String>>,
    rejected: Vec<[String; 4]>,
}

impl Plate {
    fn new() -> Self {
        let dir = folder();
        std::fs::create_dir(dir.path().join("plate")).unwrap();
        copy_plate(small_plate(), &dir.path().join("plate"));
        let has_reference = |path: &PathBuf| {
            let name = name_of(path);
            sound()
                .iter()
                .any(|(key, cells)| key.0 == name && cells[IS_REFERENCE] == "true")
        };
        let mut files = files(&dir.path().join("plate"));
        files.retain(|path| !has_reference(path));
        let victim = files.into_iter().next().expect("a file without references");
        Plate { dir, victim }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("plate")
    }

    /// Takes the victim apart, changes it, writes it again.
    fn edit(&self, change: impl FnOnce(&mut Vec<Hdu>)) {
        let mut hdus = split(&gunzip(&self.victim));
        change(&mut hdus);
        std::fs::write(&self.victim, gzip(&join(&hdus))).unwrap();
    }

    fn measure(&self) -> Outcome {
        self.measure_inputs(&[&self.folder()])
    }

    fn measure_inputs(&self, inputs: &[&Path]) -> Outcome {
        let out = self.dir.path().join("rv.csv");
        let (status, _, errors) = run_measure(inputs, &out, ALONE);
        Outcome {
            status,
            errors,
            rows: rows(&out),
            rejected: rejections(&out),
        }
    }

    /// Sound rows but for those of the victim that `lost` names by arm and minute.
    fn rest(&self, lost: impl Fn(&str, i64) -> bool) -> BTreeMap<Key, Vec<String>> {
        let name = name_of(&self.victim);
        let mut rest = sound().clone();
        rest.retain(|key, _| key.0 != name || !lost(&key.1, key.2));
        rest
    }
}

impl Outcome {
    /// Nothing was wrong, and every number is as it was.
    fn is_sound(&self) {
        assert_eq!(
            (self.status, self.errors.as_str(), self.rejected.len()),
            (0, "", 0)
        );
        assert!(self.rows == *sound());
    }

    /// One rejection, told on stderr too; all else as it was.
    fn rejects(&self, [file, hdu, reason, says]: [&str; 4], rest: &BTreeMap<Key, Vec<String>>) {
        assert_eq!(self.status, 2, "{}", self.errors);
        assert_eq!(self.rejected.len(), 1, "{:?}", self.rejected);
        let found = &self.rejected[0];
        assert_eq!(
            [file, hdu, reason],
            [&found[0], &found[1], &found[2]],
            "{found:?}"
        );
        assert!(found[3].contains(says), "{found:?}");
        for word in [file, hdu, reason] {
            assert!(self.errors.contains(word), "{word}: {}", self.errors);
        }
        assert!(
            self.rows == *rest,
            "{} rows, expected {}",
            self.rows.len(),
            rest.len()
        );
    }
}

/// The whole file is lost.
fn rejects_file(reason: &str, says: &str, spoil: impl FnOnce(&Path)) {
    let plate = Plate::new();
    spoil(&plate.victim);
    let name = name_of(&plate.victim);
    plate
        .measure()
        .rejects([&name, "", reason, says], &plate.rest(|_, _| true));
}

/// One exposure is lost.
fn rejects_hdu(reason: &str, says: &str, spoil: impl FnOnce(&mut Hdu)) {
    let plate = Plate::new();
    let mut hdu = String::new();
    plate.edit(|hdus| {
        hdu = hdus[BLUE].name();
        spoil(&mut hdus[BLUE]);
    });
    let minute: i64 = hdu[2..].parse().unwrap();
    let rest = plate.rest(|arm, lmjm| arm == "blue" && lmjm == minute);
    assert_eq!(rest.len(), sound().len() - 1);
    plate
        .measure()
        .rejects([&name_of(&plate.victim), &hdu, reason, says], &rest);
}

/// Known defects that do no harm.
fn accepts(change: impl FnOnce(&mut Vec<Hdu>)) {
    let plate = Plate::new();
    plate.edit(change);
    plate.measure().is_sound();
}

#[test]
fn taking_a_file_apart_and_putting_it_together_changes_nothing() {
    accepts(|_| {});
    let bytes = gunzip(&files(small_plate())[0]);
    assert!(join(&split(&bytes)) == bytes);
}

#[test]
fn truncated_gzip() {
    rejects_file("bad_gzip", "truncated", |path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() * 6 / 10]).unwrap();
    });
    // Even if only the end is missing.
    rejects_file("bad_gzip", "gzip", |path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() - 5]).unwrap();
    });
}

#[test]
fn multi_member_gzip_is_read_whole() {
    let plate = Plate::new();
    let bytes = gunzip(&plate.victim);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    std::fs::write(&plate.victim, [gzip(first), gzip(second)].concat()).unwrap();
    plate.measure().is_sound();
}

#[test]
fn what_is_no_fits_file() {
    rejects_file("not_fits", "", |path| {
        std::fs::write(path, "a note about the weather").unwrap()
    });
    rejects_file("not_fits", "", |path| std::fs::write(path, "").unwrap());
    rejects_file("not_fits", "", |path| {
        std::fs::write(path, gzip(b"")).unwrap()
    });
    rejects_file("not_fits", "", |path| {
        std::fs::write(path, gzip(&[0xA5; 50_000])).unwrap()
    });
}

#[test]
fn a_file_without_exposures() {
    rejects_file("no_exposures", "B-<LMJM>", |path| {
        let hdus = split(&gunzip(path));
        std::fs::write(path, gzip(&join(&hdus[..BLUE]))).unwrap();
    });
}

#[test]
fn a_missing_arm_is_no_error_where_it_is_not_counted() {
    for is_counted in [false, true] {
        let plate = Plate::new();
        plate.edit(|hdus| {
            hdus.retain(|h| !h.name().starts_with("R-"));
            if !is_counted {
                recount(hdus);
            }
        });
        let outcome = plate.measure();
        assert_eq!(outcome.status, if is_counted { 2 } else { 0 });
        assert_eq!(outcome.errors.contains("missing_exposure"), is_counted);
        assert_eq!(outcome.errors.is_empty(), !is_counted);
        assert!(outcome.rows == plate.rest(|arm, _| arm == "red"));
    }
}

#[test]
fn defects_of_releases_do_no_harm() {
    accepts(|hdus| hdus.retain(|h| !h.name().starts_with("COADD")));
    accepts(|hdus| hdus.retain(|h| h.name() != "COADD_R"));
    accepts(|hdus| hdus[0].set("EXTNAME", "'PRIMARY '"));
    accepts(|hdus| hdus[0].remove("EXTNAME"));
    accepts(|hdus| hdus[0].set("NEXP", "0"));
}

#[test]
fn columns_of_another_type() {
    // Wider numbers hold the same values.
    accepts(|hdus| {
        hdus[BLUE].edit(|columns| {
            for column in columns.iter_mut().take(2) {
                let wide: Vec<f64> = column.to_floats().into_iter().map(f64::from).collect();
                *column = Column::doubles(&column.name, &wide);
            }
        });
    });
    rejects_hdu("bad_column", "FLUX", |hdu| {
        hdu.edit(|columns| {
            let texts = columns[0]
                .to_floats()
                .iter()
                .map(|x| format!("{x:8.1}"))
                .collect::<String>();
            columns[0].letter = 'A';
            columns[0].bytes = texts.into_bytes();
        });
    });
    rejects_hdu("bad_column", "IVAR", |hdu| {
        hdu.edit(|columns| columns[1].name = "ERROR".into())
    });
}

#[test]
fn wrong_lengths() {
    // Vectors of unequal length.
    rejects_hdu("bad_column", "4136", |hdu| {
        let mut columns = hdu.columns();
        columns[1].bytes.truncate(4 * 4000);
        hdu.set_columns(&columns, true);
    });
    // A piece of a spectrum.
    rejects_hdu("bad_column", "500", |hdu| {
        hdu.edit(|columns| {
            for column in columns {
                column.bytes.truncate(column.bytes.len() / 4136 * 100);
            }
        });
    });
    // A header that promises more rows than there are: it is not known where the next HDU begins.
    let plate = Plate::new();
    plate.edit(|hdus| hdus[BLUE].set("NAXIS2", "4800"));
    let outcome = plate.measure();
    assert_eq!(outcome.status, 2);
    let lost: Vec<&Key> = sound()
        .keys()
        .filter(|k| !outcome.rows.contains_key(*k))
        .collect();
    assert!(!lost.is_empty() && lost.iter().all(|k| k.0 == name_of(&plate.victim)));
    assert!(
        outcome
            .rows
            .iter()
            .all(|(key, cells)| sound()[key] == *cells)
    );
    assert!(
        outcome
            .rejected
            .iter()
            .all(|r| r[0] == name_of(&plate.victim) && r[2] == "not_fits")
    );
}

#[test]
fn no_usable_pixel() {
    rejects_hdu("no_good_pixels", "4136", |hdu| {
        hdu.edit_floats("FLUX", |flux| flux.fill(f32::NAN));
    });
    rejects_hdu("no_good_pixels", "4136", |hdu| {
        hdu.edit_floats("IVAR", |ivar| ivar.fill(0.0))
    });
    rejects_hdu("no_good_pixels", "", |hdu| {
        hdu.edit_floats("IVAR", |ivar| ivar.fill(f32::NAN))
    });
    rejects_hdu("no_good_pixels", "", |hdu| {
        hdu.edit_floats("FLUX", |flux| flux.fill(0.0))
    });
    rejects_hdu("no_good_pixels", "", |hdu| {
        hdu.edit_floats("FLUX", |flux| flux.fill(-100.0))
    });
}

#[test]
fn wavelengths() {
    // Either direction is in order.
    accepts(|hdus| hdus[BLUE].edit(|columns| columns.iter_mut().for_each(Column::reverse)));
    rejects_hdu("bad_wavelength", "rise or fall", |hdu| {
        hdu.edit_floats("LOGLAM", |wave| wave.swap(2000, 2001));
    });
    rejects_hdu("bad_wavelength", "finite", |hdu| {
        hdu.edit_floats("LOGLAM", |wave| wave[7] = f32::NAN);
    });
    // Those of the other arm, and Angstrom under the name of the logarithm.
    rejects_hdu("bad_wavelength", "blue arm", |hdu| {
        hdu.edit_floats("LOGLAM", |wave| wave.iter_mut().for_each(|w| *w += 0.11));
    });
    rejects_hdu("bad_wavelength", "", |hdu| {
        hdu.edit_floats("LOGLAM", |wave| {
            wave.iter_mut().for_each(|w| *w = 10f32.powf(*w))
        });
    });
}

#[test]
fn a_star_with_one_exposure_gets_a_flag() {
    let plate = Plate::new();
    plate.edit(|hdus| {
        hdus.remove(BLUE + 3);
        hdus.remove(BLUE + 1);
        recount(hdus);
    });
    // The same fibre's other files go.
    let victim = name_of(&plate.victim);
    let fibre = &victim[victim.len() - 15..];
    let is_star = |name: &str| name.ends_with(fibre);
    for file in files(&plate.folder()) {
        if is_star(&name_of(&file)) && file != plate.victim {
            std::fs::remove_file(file).unwrap();
        }
    }
    let outcome = plate.measure();
    assert_eq!((outcome.status, outcome.errors.as_str()), (0, ""));
    let mut n_single = 0;
    for (key, cells) in &outcome.rows {
        if !is_star(&key.0) {
            assert_eq!(cells, &sound()[key]);
            continue;
        }
        n_single += 1;
        let number = |i: usize| cells[i].parse::<f64>().unwrap();
        let flags = RvFlags::from_bits_retain(number(FLAGS) as u32);
        assert!(flags.contains(RvFlags::SINGLE_EXPOSURE));
        assert!(number(13).abs() < 0.2 * number(14), "{cells:?}");
        assert_eq!(cells[IS_REFERENCE], "true");
    }
    let others = sound().keys().filter(|key| !is_star(&key.0)).count();
    assert_eq!((n_single, outcome.rows.len()), (2, others + 2));
}

#[test]
fn the_same_exposures_under_another_name() {
    let plate = Plate::new();
    // Read after the original, for its name.
    let copy = plate.folder().join("med-99999-COPY_sp01-001.fits.gz");
    std::fs::copy(&plate.victim, &copy).unwrap();
    let outcome = plate.measure();
    assert_eq!(outcome.status, 2);
    assert!(outcome.rows == *sound());
    assert_eq!(outcome.rejected.len(), 4);
    let hdus: Vec<String> = split(&gunzip(&plate.victim))[BLUE..]
        .iter()
        .map(Hdu::name)
        .collect();
    for rejection in &outcome.rejected {
        assert_eq!(
            [&rejection[0], &rejection[2]],
            [&name_of(&copy), "duplicate"]
        );
        assert!(hdus.contains(&rejection[1]));
    }
    // The same file by two names is one file.
    #[cfg(unix)]
    {
        let plate = Plate::new();
        let link = plate.folder().join("med-99999-LINK_sp01-001.fits.gz");
        std::os::unix::fs::symlink(&plate.victim, link).unwrap();
        plate.measure().is_sound();
    }
}

#[test]
fn one_exposure_twice_in_a_file() {
    let plate = Plate::new();
    let mut name = String::new();
    plate.edit(|hdus| {
        name = hdus[BLUE].name();
        hdus.push(hdus[BLUE].clone());
    });
    let file = name_of(&plate.victim);
    plate
        .measure()
        .rejects([&file, &name, "duplicate", "already"], sound());
}

#[test]
fn what_is_no_file() {
    let plate = Plate::new();
    // A folder may have any name; it is searched.
    let odd = plate.folder().join("med-58630-X_sp01-001.fits");
    std::fs::create_dir(&odd).unwrap();
    std::fs::rename(&plate.victim, odd.join(name_of(&plate.victim))).unwrap();
    plate.measure().is_sound();
    std::fs::rename(odd.join(name_of(&plate.victim)), &plate.victim).unwrap();
    let outcome = plate.measure_inputs(&[&plate.folder(), &odd]);
    // It was searched as a part of the first input.
    outcome.is_sound();
    let other = plate.dir.path().join("med-other.fits");
    std::fs::create_dir(&other).unwrap();
    let outcome = plate.measure_inputs(&[&plate.folder(), &other]);
    outcome.rejects(["med-other.fits", "", "no_exposures", "directory"], sound());
}

#[cfg(unix)]
#[test]
fn a_dangling_link() {
    let plate = Plate::new();
    let name = "med-58630-X_sp01-002.fits.gz";
    std::os::unix::fs::symlink("/nowhere/at/all", plate.folder().join(name)).unwrap();
    plate
        .measure()
        .rejects([name, "", "unreadable", "No such file"], sound());
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let plate = Plate::new();
    std::fs::set_permissions(&plate.victim, std::fs::Permissions::from_mode(0o0)).unwrap();
    if std::fs::read(&plate.victim).is_ok() {
        eprintln!("skipped: permissions do not bind this user (root)");
        return;
    }
    let name = name_of(&plate.victim);
    plate.measure().rejects(
        [&name, "", "unreadable", "denied"],
        &plate.rest(|_, _| true),
    );
}

#[test]
fn a_list_with_missing_files() {
    let plate = Plate::new();
    let list = plate.dir.path().join("list.txt");
    let text = "# the plate\nplate\nplate/med-58630-GONE_sp01-003.fits.gz\n\n";
    std::fs::write(&list, text).unwrap();
    let input = PathBuf::from(format!("@{}", list.display()));
    let outcome = plate.measure_inputs(&[&input]);
    let file = "med-58630-GONE_sp01-003.fits.gz";
    outcome.rejects([file, "", "unreadable", "list.txt"], sound());
}

#[test]
fn keys_that_are_missing() {
    rejects_file("missing_key", "RA", |path| {
        let mut hdus = split(&gunzip(path));
        hdus[0].remove("RA");
        std::fs::write(path, gzip(&join(&hdus))).unwrap();
    });
    // The name of the HDU tells which exposure it is, unless the key says another one of the same night.
    accepts(|hdus| hdus[BLUE].remove("LMJM"));
    accepts(|hdus| hdus[BLUE].set("LMJM", "'84999999'"));
    rejects_hdu("missing_key", "LMJM", |hdu| {
        let minute: i64 = hdu.name()[2..].parse().unwrap();
        hdu.set("LMJM", &format!("'{}'", minute + 7));
    });
    // Without the key the signal-to-noise ratio is counted from the pixels.
    let plate = Plate::new();
    plate.edit(|hdus| hdus[BLUE].remove("SNR"));
    let outcome = plate.measure();
    assert_eq!((outcome.status, outcome.rows.len()), (0, sound().len()));
    for (key, cells) in &outcome.rows {
        let n_changed = cells
            .iter()
            .zip(&sound()[key])
            .filter(|(a, b)| a != b)
            .count();
        assert!(n_changed <= 1, "{cells:?}");
        let (snr, before): (f64, f64) = (
            cells[12].parse().unwrap(),
            sound()[key][12].parse().unwrap(),
        );
        assert!((snr / before - 1.0).abs() < 0.1, "{snr} {before}");
    }
}

#[test]
fn nothing_usable_at_all() {
    let dir = folder();
    std::fs::write(dir.path().join("med-1.fits"), "").unwrap();
    std::fs::write(dir.path().join("med-2.fits.gz"), gzip(b"SIMPLE  = F")).unwrap();
    let out = dir.path().join("rv.csv");
    let (status, said, errors) = run_measure(&[dir.path()], &out, &[]);
    assert_eq!((status, said.as_str(), out.exists()), (1, "", false));
    for word in [
        "med-1.fits: not_fits",
        "med-2.fits.gz: not_fits",
        "error: nothing could be measured",
    ] {
        assert!(errors.contains(word), "{errors}");
    }
}

/// The crate that reads Parquet panics on some damage: one line tells of it, and no backtrace.
#[test]
fn a_parquet_file_that_panics_its_reader_is_one_line() {
    let dir = folder();
    let path = dir.path().join("t.parquet");
    let mut table = Table::new();
    table.push_f64("rv", "km/s", "", vec![1.0; 4]);
    table.write(&path).unwrap();
    let sound = std::fs::read(&path).unwrap();
    let gave_up = |place: &usize| {
        let mut bytes = sound.clone();
        bytes[*place] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        Table::read(&path).is_err_and(|e| e.to_string().contains("its reader gave up"))
    };
    let place = (0..sound.len()).rev().find(gave_up);
    assert!(place.is_some(), "no flipped bit makes the reader panic");
    let out = dir.path().join("out");
    let args = [
        "calibrate".as_ref(),
        path.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
    ];
    let (status, said, errors) = told(&relrv(&args));
    assert_eq!((status, said.as_str()), (1, ""));
    assert!(
        errors.starts_with("error: ") && errors.lines().count() == 1,
        "{errors}"
    );
}
