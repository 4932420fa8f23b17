//! What the tables' layout and the loops over it share: how many velocities are done side by side, and a row of them.

/// Velocities of one tile of the search: eight AVX registers of float32.
pub const SEARCH_LANES: usize = 64;

/// Velocities that share one value of the reference's variance.
pub const BLOCK_LANES: usize = 8;

/// The `L` entries from `start`; zeros where the table does not reach (it always does: see
/// [`ReferenceTable::new`](super::reference_table::ReferenceTable::new)).
#[inline(always)]
pub fn row<const L: usize>(table: &[f32], start: usize) -> &[f32; L] {
    table
        .get(start..)
        .and_then(|tail| tail.first_chunk())
        .unwrap_or(&[0.0; L])
}
