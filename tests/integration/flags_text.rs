//! Flags by name, beside their numbers.

use relrv::catalogue::flags::CatalogueFlags;
use relrv::likelihood::RvFlags;
use relrv::table::Table;

use crate::run_support::{run, table, texts, two_units};
use crate::support::*;

/// Numbers of a column of flags.
fn bits(table: &Table, name: &str) -> Vec<u32> {
    let column = table.column(name).unwrap().to_f64().unwrap();
    column.into_iter().map(|b| b as u32).collect()
}

#[test]
fn flags_are_named_on_request_and_not_else() {
    let dir = folder();
    // Stars that are left with one exposure are flagged.
    let (plain, named) = (dir.path().join("plain.fits"), dir.path().join("named.fits"));
    assert_eq!(
        run_measure(&[small_plate()], &plain, &["--snr-min", "50"]).0,
        0
    );
    let more = ["--snr-min", "50", "--flags-text"];
    assert_eq!(run_measure(&[small_plate()], &named, &more).0, 0);
    let (plain, mut named) = (Table::read(&plain).unwrap(), Table::read(&named).unwrap());
    let names = texts(&named, "flags_text");
    for (bits, name) in bits(&named, "flags").into_iter().zip(&names) {
        assert_eq!(RvFlags::from_bits_retain(bits).to_string(), *name);
    }
    assert!(names.iter().any(|name| !name.is_empty()), "{names:?}");
    // Nothing else differs, and the names stand behind the numbers.
    let place = named.columns.iter().position(|c| c.name == "flags_text");
    assert_eq!(named.columns[place.unwrap() - 1].name, "flags");
    named.columns.remove(place.unwrap());
    // As text: there is NaN among the numbers.
    assert_eq!(
        format!("{:?}", named.columns),
        format!("{:?}", plain.columns)
    );

    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &["--flags-text"]).0, 0);
    let catalogue = table(&out, "catalogue.fits");
    for x in ["r", "b"] {
        let names = texts(&catalogue, &format!("flags_{x}_text"));
        assert!(
            names.iter().any(|name| name.contains("reference")),
            "{names:?}"
        );
        for (bits, name) in bits(&catalogue, &format!("flags_{x}"))
            .into_iter()
            .zip(names)
        {
            assert_eq!(CatalogueFlags::from_bits_retain(bits).to_string(), name);
        }
    }
    // It is a setting of the products, for which nothing is measured again.
    let (status, said, _) = run(&[two_units()], &out, &[]);
    assert_eq!(status, 0);
    assert!(said.contains("flags-text was true and is false"), "{said}");
    let plain = table(&out, "catalogue.fits");
    assert!(plain.column("flags_r_text").is_none() && plain.column("flags_r").is_some());
}
