//! The help: `-h` lists the common options, the output first; `--help` has all of them in groups; both end with examples.

use crate::support::*;

fn help(args: &[&str]) -> String {
    let (status, said, errors) = told(&relrv(args));
    assert_eq!((status, errors.as_str()), (0, ""), "{args:?}");
    said
}

/// Options in the order in which they are listed.
fn options(help: &str) -> Vec<&str> {
    let is_option = |line: &&str| line.trim_start().starts_with('-');
    help.lines()
        .filter(is_option)
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")))
        .collect()
}

#[test]
fn the_common_options_come_first_and_the_others_in_groups() {
    let short = help(&["run", "-h"]);
    assert_eq!(
        options(&short)[..5],
        ["--out", "--arm", "--snr-min", "--format", "--overwrite"]
    );
    let long = help(&["run", "--help"]);
    for option in [
        "--vstep",
        "--telluric",
        "--gpu-memory",
        "--tolerance",
        "--memory",
        "--config",
    ] {
        assert!(!short.contains(option), "{option}: {short}");
        assert!(options(&long).contains(&option), "{option}: {long}");
    }
    for (group, option) in [
        ("\nOptions:\n", "--out"),
        ("\nMeasuring:\n", "--vmax"),
        ("\nMachine:\n", "--backend"),
        ("\nZero points:\n", "--min-constants"),
    ] {
        let (_, after) = long
            .split_once(group)
            .unwrap_or_else(|| panic!("{group}: {long}"));
        let of_group = after
            .split("\n\n")
            .take_while(|text| text.starts_with([' ', '-']));
        let of_group: String = of_group.collect();
        assert!(of_group.contains(option), "{group}: {of_group}");
    }
    let long = help(&["calibrate", "--help"]);
    assert!(long.contains("\nColumns of the table:\n"), "{long}");
}

#[test]
fn helps_end_with_examples_that_the_program_takes() {
    for command in [&[][..], &["run"], &["measure"], &["calibrate"]] {
        for word in ["-h", "--help"] {
            let text = help(&[command, &[word]].concat());
            let (_, examples) = text
                .split_once("Examples:\n")
                .or(text.split_once("First steps:\n"))
                .unwrap_or_else(|| panic!("{command:?}: {text}"));
            let commands = examples
                .lines()
                .filter_map(|line| line.strip_prefix("  relrv "));
            let mut n = 0;
            for example in commands {
                // What is wrong with the words is found before anything is done.
                let words = [&example.split(' ').collect::<Vec<_>>()[..], &["--nonsense"]].concat();
                let (status, _, errors) = told(&relrv(&words));
                assert_eq!(status, 64, "{example}: {errors}");
                assert!(errors.contains("'--nonsense'"), "{example}: {errors}");
                n += 1;
            }
            assert!(n >= 2, "{command:?}: {text}");
            assert!(examples.lines().all(|line| line.len() < 80), "{text}");
        }
    }
}
