//! The table of inputs that were not used.

use crate::lamost::raw::Rejection;
use crate::table::Table;

/// One row per rejection: file, HDU, reason, detail.
pub fn to_table(rejected: &[Rejection]) -> Table {
    let column = |value: fn(&Rejection) -> String| rejected.iter().map(value).collect();
    let mut table = Table::new();
    table
        .push_text(
            "file",
            "",
            "input",
            column(|r| r.path.display().to_string()),
        )
        .push_text(
            "hdu",
            "",
            "HDU, empty for the whole file",
            column(|r| r.hdu.clone()),
        )
        .push_text(
            "reason",
            "",
            "why it was not used",
            column(|r| r.reason.name().to_owned()),
        )
        .push_text(
            "detail",
            "",
            "what was expected and found",
            column(|r| r.detail.clone()),
        );
    table
}
