//! Names of columns: those that the user tells, and those that many tables use.

/// Columns that the user names, and the unit of velocities that have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Parts and the columns that play them.
    pub named: Vec<(&'static str, String)>,
    /// Unit of the velocities where the table tells none; where it tells another one, they are converted.
    pub unit: Option<String>,
}

/// Names, in small letters, under which tables of archives and journals have what is needed; the first that a table has is taken. Times
/// of the Sun or the barycentre are not among them: they differ between stars of one exposure.
const WELL_KNOWN: [(&str, &[&str]); 4] = [
    (
        "star",
        &[
            "source_id",
            "gaia_source_id",
            "designation",
            "star_id",
            "object",
            "target",
            "target_id",
            "targetid",
            "apogee_id",
            "tic",
            "kic",
            "name",
        ],
    ),
    (
        "exposure",
        &[
            "lmjm",
            "exposure_id",
            "exp_id",
            "expid",
            "visit",
            "visit_id",
            "epoch",
            "mjd",
            "jd",
        ],
    ),
    (
        "rv",
        &[
            "radial_velocity",
            "vrad",
            "v_rad",
            "vr",
            "vhelio",
            "rv_km_s",
            "rv_m_s",
        ],
    ),
    (
        "rv_err",
        &[
            "rv_error",
            "radial_velocity_error",
            "vrelerr",
            "rv_sigma",
            "sigma_rv",
        ],
    ),
];

/// Well-known names for this part.
pub(super) fn well_known(part: &str) -> &'static [&'static str] {
    let known = WELL_KNOWN.iter().find(|(known, _)| *known == part);
    known.map_or(&[], |(_, names)| names)
}

/// How names of errors are made of that of their value.
pub(super) fn errors_of(value: &str) -> [String; 8] {
    [
        format!("{value}_err"),
        format!("e_{value}"),
        format!("{value}_error"),
        format!("err_{value}"),
        format!("{value}err"),
        format!("e{value}"),
        format!("sigma_{value}"),
        format!("{value}_sigma"),
    ]
}

impl Roles {
    /// The column that the user names for this part.
    pub(super) fn of(&self, part: &str) -> Option<&str> {
        let named = self.named.iter().find(|(known, _)| *known == part);
        named.map(|(_, column)| column.as_str())
    }
}
