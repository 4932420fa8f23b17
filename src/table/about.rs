//! What a file says of its table beside the columns. FITS has a place for it; the other formats do not.

/// By whom a FITS table was made: program and version. No time, because the same table gives the same bytes.
pub const CREATOR: &str = concat!("relrv ", env!("CARGO_PKG_VERSION"));

/// What is known of a table.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// First and last date of what it is made of, as ISO 8601, in TDB at the barycentre.
    pub dates: Option<(String, String)>,
    /// How it was made, a line each.
    pub history: Vec<String>,
}
