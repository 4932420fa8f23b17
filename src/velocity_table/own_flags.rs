//! Flags of relrv's own tables, and how these are told from others.

use crate::table::Table;

/// A column of relrv's own flags. A column of the same name in a table from elsewhere has other bits, so relrv's tables are told by a
/// second column that only they have.
pub(super) fn own_flags(table: &Table, name: &str) -> Option<Vec<f64>> {
    let beside = match name {
        "flags" => "second_peak",
        "flags_r" => "drv_r",
        _ => "drv_b",
    };
    table.column(beside)?;
    table.column(name)?.to_f64()
}
