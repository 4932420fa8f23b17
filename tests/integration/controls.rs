//! What a terminal would act on, in names and headers that others made, is never shown as it is.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use crate::fits_edit::{join, split};
use crate::run_support::*;
use crate::support::*;

/// Clears the screen, rings, and turns the direction of text.
const EVIL: &str = "\u{1b}[2J\u{7}\u{202e}";

/// Controls but line ends, and what turns the direction of text.
fn is_acted_on(c: char) -> bool {
    (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c)
}

fn is_shown(text: &str, of: &str) {
    let found = text.chars().position(is_acted_on);
    assert_eq!(found, None, "{of}: {text:?}");
}

/// Two good files with a plate of such a name, and files that have such names and headers and cannot be used.
fn evil_plate(dir: &Path) -> PathBuf {
    let plate = dir.join(format!("plate{EVIL}"));
    std::fs::create_dir(&plate).unwrap();
    for (i, file) in files(small_plate()).iter().enumerate() {
        let mut hdus = split(&gunzip(file));
        hdus[0].set("PLANID", "'\u{1b}[31mred\u{7}'");
        if i == 0 {
            // Found in a message, with the name of the HDU.
            let last = hdus.len() - 1;
            hdus[last].set("EXTNAME", "'X\u{1b}[31m\rB'");
        }
        std::fs::write(plate.join(name_of(file).replace(".gz", "")), join(&hdus)).unwrap();
    }
    let mut hdus = split(&gunzip(&files(small_plate())[1]));
    hdus[0].set("RA", "'\u{1b}]0;title\u{7}'");
    let name = format!("med-1-{EVIL}\nerror: forged\n.fits");
    std::fs::write(plate.join(name), join(&hdus)).unwrap();
    plate
}

#[test]
fn no_message_holds_what_a_terminal_acts_on() {
    let dir = folder();
    let plate = evil_plate(dir.path());
    let out = dir.path().join(format!("out{EVIL}"));
    let of_measure = out.join(format!("rv{EVIL}.csv"));
    for (i, more) in [&["--dry-run"][..], &["-v"], &["-v"], &["--vmax", "400"]]
        .into_iter()
        .enumerate()
    {
        let (status, said, errors) = run(&[&plate], &out, more);
        assert_eq!(status, if i == 3 { 1 } else { 2 }, "{errors:?}");
        is_shown(&said, "stdout of run");
        is_shown(&errors, "stderr of run");
        assert!(
            !errors.lines().any(|l| l.starts_with("error: forged")),
            "{errors}"
        );
        if i < 3 {
            assert!(errors.contains("\\u{1b}]0;title\\u{7}"), "{errors}");
            assert!(
                errors.contains("\\u{a}error: forged\\u{a}.fits"),
                "{errors}"
            );
        }
        if i == 0 {
            assert!(said.contains("\\u{1b}[31mred\\u{7}"), "{said}");
        }
    }
    let (status, said, errors) = run_measure(&[&plate], &of_measure, &["-v"]);
    assert_eq!(status, 2, "{errors:?}");
    is_shown(&said, "stdout of measure");
    is_shown(&errors, "stderr of measure");
    // The table has the names as they are.
    assert_eq!(rejections(&of_measure).len(), 2);

    let cal = dir.path().join("cal");
    let told_calibrate = told(&relrv(&[
        "calibrate".as_ref(),
        of_measure.as_os_str(),
        "--out".as_ref(),
        cal.as_os_str(),
    ]));
    is_shown(&told_calibrate.1, "calibrate");
    // Pages, figures and what the page of all stars is made of.
    let report = out.join("report");
    for folder in [report.join("explore"), report] {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        for path in paths.filter(|path| path.is_file()) {
            is_shown(&std::fs::read_to_string(&path).unwrap(), &name_of(&path));
        }
    }
}

#[test]
fn what_is_given_on_the_command_line_is_repeated_without_controls() {
    for args in [
        &["\u{1b}[2J"][..],
        &["run", "x", "--out", "y", "--arm", "\u{1b}[31mgreen"],
        &["run", "x", "--out", "y", "--threads", "\u{202e}7\n"],
    ] {
        let (status, said, errors) = told(&relrv(args));
        assert_eq!((status, said.as_str()), (64, ""));
        is_shown(&errors, "usage");
        assert!(errors.starts_with("error: "), "{errors}");
    }
    let dir = folder();
    let file = dir.path().join("options.toml");
    for text in [
        "arm = \"\\u001b[31mgreen\"",
        "\"\\u001b[2Jarm\" = 1",
        "arm = \"\u{9b}\u{202e}",
    ] {
        std::fs::write(&file, text).unwrap();
        let config = file.to_str().unwrap();
        let (status, _, errors) = told(&relrv(&["run", "x", "--out", "y", "--config", config]));
        assert_eq!(status, 1, "{errors}");
        is_shown(&errors, "config");
    }
    let (status, _, errors) = told(&relrv(&["report", "no\u{1b}[2J\nsuch"]));
    assert_eq!(status, 1);
    is_shown(&errors, "report");
    assert!(errors.contains("no\\u{1b}[2J"), "{errors}");
}
