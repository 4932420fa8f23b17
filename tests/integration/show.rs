//! `relrv show`: one star of a finished run.

use crate::run_support::run;
use crate::support::*;

#[test]
fn a_star_of_a_run_is_told_with_what_its_flags_say() {
    let dir = folder();
    let out = dir.path().join("out");
    let (status, _, errors) = run(&[small_plate()], &out, &["--format", "csv"]);
    assert_eq!(status, 0, "{errors}");
    let out = out.to_str().unwrap();
    let show = |args: &[&str]| told(&relrv(&[&["show", out], args].concat()));
    let catalogue = std::fs::read_to_string(format!("{out}/catalogue.csv")).unwrap();
    let mut lines = csv::Reader::from_reader(catalogue.as_bytes());
    let header = lines.headers().unwrap().clone();
    let first = lines.records().next().unwrap().unwrap();
    let cell = |name: &str| first[header.iter().position(|h| h == name).unwrap()].to_owned();
    let name = cell("designation");

    let (status, by_name, errors) = show(&[&name]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(by_name.starts_with(&name), "{by_name}");
    assert!(
        by_name.contains("reference, ") && by_name.contains("are counted from this exposure"),
        "{by_name}"
    );
    let position = format!("{} {}", cell("ra"), cell("dec"));
    for which in [position, cell("obsid"), name[..name.len() - 2].to_owned()] {
        let (status, said, errors) = show(&[&which]);
        assert_eq!((status, errors.as_str()), (0, ""), "{which}");
        assert_eq!(said, by_name, "{which}");
    }
    // One exposure in one arm.
    let (_, said, _) = show(&[&name, "--exposure", &cell("lmjm"), "--arm", "red"]);
    assert!(
        said.contains(&cell("lmjm")) && !said.contains("blue"),
        "{said}"
    );

    let (status, said, errors) = show(&["J9999"]);
    assert_eq!((status, said.as_str()), (1, ""));
    assert!(errors.contains("no star \"J9999\""), "{errors}");
    let (status, _, errors) = show(&[&name, "--exposure", "1"]);
    assert!(
        status == 1 && errors.contains("no exposure of minute 1"),
        "{errors}"
    );
    let (status, _, errors) = told(&relrv(&["show", dir.path().to_str().unwrap(), &name]));
    assert!(
        status == 1 && errors.contains("no finished run"),
        "{errors}"
    );
}
