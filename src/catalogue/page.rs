//! The tables of `docs/columns.md` that say what the columns of the products are, made from their declarations.

use super::{component, exposure, measured, rejected, row, star, star_period, zero_point};
use crate::table::Field;

fn rows<R>(fields: &[Field<R>]) -> impl Iterator<Item = String> + '_ {
    fields.iter().map(Field::page_row)
}

/// Headings of the page's sections, each with the rows of its table.
pub fn sections() -> [(&'static str, Vec<String>); 6] {
    let catalogue = rows(&exposure::PLACE)
        .chain(rows(&exposure::TIME))
        .chain(rows(&row::ARM))
        .chain(rows(&exposure::FILE));
    let stars = rows(&star::WHICH)
        .chain(rows(&star::ARM))
        .chain(rows(&star::FOUND))
        .chain(rows(&star::CONSTANT))
        .chain(rows(&star::VARIABLE))
        .chain(rows(&star::NOT_JUDGED))
        .chain(rows(&star_period::PERIOD))
        .chain(rows(&star::KNOWN));
    let zero_points = rows(&zero_point::WHICH).chain(rows(&zero_point::FOUND));
    let components = rows(&component::ARM)
        .chain(rows(&component::SIZE))
        .chain(rows(&component::GROUPS))
        .chain(rows(&component::WHEN))
        .chain(rows(&component::NEAREST))
        .chain(rows(&component::NEAREST_GROUPS))
        .chain(rows(&component::SHARED));
    let measured = rows(&measured::STAR)
        .chain(rows(&exposure::PLACE))
        .chain(rows(&measured::ARM))
        .chain(rows(&exposure::TIME))
        .chain(rows(&measured::MEASURED));
    [
        ("`catalogue`", catalogue.collect()),
        ("`stars` and `constants`", stars.collect()),
        ("`zeropoints`", zero_points.collect()),
        ("`components`", components.collect()),
        ("The table of `relrv measure`", measured.collect()),
        ("`rejected.csv`", rows(&rejected::REJECTED).collect()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/columns.md");
    const HEAD: &str = "| column | type | unit | meaning |\n|---|---|---|---|\n";

    /// The page with the rows of all sections as they are declared.
    fn page_as_declared(page: &str) -> String {
        let mut page = page.to_owned();
        for (heading, rows) in sections() {
            let section = page.find(&format!("\n## {heading}\n")).unwrap();
            let start = section + page[section..].find(HEAD).unwrap() + HEAD.len();
            let n = page[start..].find("\n\n").unwrap();
            page.replace_range(start..start + n, &rows.join("\n"));
        }
        page
    }

    #[test]
    fn the_page_says_what_is_declared() {
        let page = std::fs::read_to_string(PATH).unwrap();
        let declared = page_as_declared(&page);
        if std::env::var_os("RELRV_WRITE_PAGES").is_some() {
            std::fs::write(PATH, &declared).unwrap();
            return;
        }
        let written: Vec<&str> = page.lines().collect();
        for (line, declared) in declared.lines().enumerate() {
            assert_eq!(
                written.get(line),
                Some(&declared),
                "docs/columns.md, line {}; RELRV_WRITE_PAGES=1 cargo test writes it anew",
                line + 1
            );
        }
    }
}
