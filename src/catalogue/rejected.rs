//! The table of inputs that were not used.

use std::borrow::Cow;

use crate::lamost::raw::Rejection;
use crate::table::{Cell, Field, Table};

/// Nothing is read back from this table.
fn unread(_: &mut Rejection, _: &std::sync::Arc<str>) -> Result<(), &'static str> {
    Ok(())
}

/// One row per rejection.
pub static REJECTED: [Field<Rejection>; 4] = [
    Field::new(
        "file",
        "",
        "input",
        Cell::Text(
            |r: &Rejection| Cow::Owned(r.path.display().to_string()),
            unread,
        ),
    )
    .ucd("meta.id;meta.file"),
    Field::new(
        "hdu",
        "",
        "HDU, empty for the whole file",
        Cell::Text(|r: &Rejection| Cow::Borrowed(&r.hdu), unread),
    )
    .page("HDU (`B-84427278`; `#3` if it has no name), empty if the whole file is meant")
    .ucd("meta.id")
    .may_be_empty(),
    Field::new(
        "reason",
        "",
        "why it was not used",
        Cell::Text(|r: &Rejection| Cow::Borrowed(r.reason.name()), unread),
    )
    .page("one of the words below")
    .ucd("meta.code"),
    Field::new(
        "detail",
        "",
        "what was expected and found",
        Cell::Text(|r: &Rejection| Cow::Borrowed(&r.detail), unread),
    )
    .page("what was expected and what was found")
    .ucd("meta.note"),
];

/// The rejections as a table.
pub fn to_table(rejected: &[Rejection]) -> Table {
    let mut table = Table::new();
    table.push_fields(&REJECTED, rejected.iter());
    table
}
