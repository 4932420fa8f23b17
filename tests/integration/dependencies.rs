//! `docs/dependencies.md` names the crates of `Cargo.toml` with the versions of `Cargo.lock`.

use std::collections::BTreeMap;

use toml::Table;

const PAGE: &str = include_str!("../../docs/dependencies.md");

fn table(text: &str) -> Table {
    text.parse().unwrap()
}

#[test]
fn every_crate_is_reviewed_in_the_version_that_is_used() {
    let manifest = table(include_str!("../../Cargo.toml"));
    let python = table(include_str!("../../python/Cargo.toml"));
    let lock = table(include_str!("../../Cargo.lock"));
    let of_unix = &manifest["target"]["cfg(unix)"]["dependencies"];
    let named = [
        &manifest["dependencies"],
        &manifest["dev-dependencies"],
        of_unix,
        &python["dependencies"],
    ]
    .into_iter()
    .flat_map(|section| section.as_table().unwrap().keys())
    // The tests turn a feature of their own package on.
    .filter(|name| *name != "relrv");
    let packages = lock["package"].as_array().unwrap();
    // Where the lock file has several versions of a crate, ours is the one with its number.
    let own = |package: &str| {
        let mut found = packages.iter();
        let found = found.find(|p| p["name"].as_str() == Some(package));
        found.unwrap()["dependencies"].as_array().unwrap().iter()
    };
    let version_of = |name: &str| {
        let line = own("relrv")
            .chain(own("relrv-python"))
            .filter_map(|d| d.as_str())
            .find(|d| d.split(' ').next() == Some(name));
        let number = line.unwrap().split(' ').nth(1).map(str::to_owned);
        number.unwrap_or_else(|| {
            let package = packages.iter().find(|p| p["name"].as_str() == Some(name));
            package.unwrap()["version"].as_str().unwrap().to_owned()
        })
    };
    let used: BTreeMap<String, String> = named.map(|n| (n.clone(), version_of(n))).collect();
    let rows: BTreeMap<String, String> = PAGE
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 7, "{line}");
            assert!(
                cells.iter().skip(1).take(5).all(|cell| !cell.is_empty()),
                "{line}"
            );
            (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())
        })
        .collect();
    assert_eq!(
        rows, used,
        "docs/dependencies.md against Cargo.toml and Cargo.lock"
    );
    assert!(PAGE.contains("Reviewed on 20"));
}
