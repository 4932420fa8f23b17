//! How many stars vary and how many do not, each star counted once.

use std::collections::HashMap;

use crate::catalogue::star::StarRow;

/// Stars by what can be said of them. A star of several rows (arms, or plates and spectrographs that are calibrated alone) is variable if
/// one of them says so, else constant if one says so; so the first four add up to the stars with a usable velocity.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verdicts {
    /// Constant.
    pub constant: usize,
    /// Variable.
    pub variable: usize,
    /// Judged, and neither.
    pub neither: usize,
    /// Nothing can be said of them.
    pub not_judged: usize,
    /// Candidates for double-lined stars, which are among the others.
    pub double_lined: usize,
}

/// What is said of one star so far.
#[derive(Clone, Copy, Default)]
struct Said {
    constant: bool,
    variable: bool,
    judged: bool,
    double_lined: bool,
}

impl Verdicts {
    /// Counts the stars of these rows.
    pub fn of(rows: &[StarRow]) -> Self {
        let mut stars: HashMap<&str, Said> = HashMap::new();
        for row in rows {
            let said = stars.entry(&row.designation).or_default();
            said.constant |= row.found.is_constant == Some(true);
            said.variable |= row.found.is_variable == Some(true);
            said.judged |= row.found.is_variable.is_some();
            said.double_lined |= row.is_double_lined;
        }
        let mut counts = Verdicts::default();
        for said in stars.values() {
            let kind = match said {
                Said { variable: true, .. } => &mut counts.variable,
                Said { constant: true, .. } => &mut counts.constant,
                Said { judged: true, .. } => &mut counts.neither,
                _ => &mut counts.not_judged,
            };
            *kind += 1;
            counts.double_lined += usize::from(said.double_lined);
        }
        counts
    }

    /// All stars that were counted.
    pub fn n_stars(&self) -> usize {
        self.constant + self.variable + self.neither + self.not_judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arm;
    use crate::calibrate::results::Star;

    fn row(name: &str, arm: Arm, constant: Option<bool>, variable: Option<bool>) -> StarRow {
        StarRow {
            designation: name.into(),
            arm,
            found: Star {
                is_constant: constant,
                is_variable: variable,
                ..StarRow::default().found
            },
            ..StarRow::default()
        }
    }

    #[test]
    fn a_star_counts_once_and_variable_goes_before_constant() {
        let (yes, no) = (Some(true), Some(false));
        let mut rows = vec![
            row("constant", Arm::Red, yes, no),
            row("constant", Arm::Blue, no, no),
            row("variable", Arm::Red, yes, no),
            row("variable", Arm::Blue, no, yes),
            row("neither", Arm::Red, no, no),
            row("neither", Arm::Blue, None, None),
            row("unknown", Arm::Red, None, None),
            row("unknown", Arm::Blue, None, None),
        ];
        rows[3].is_double_lined = true;
        rows[6].is_double_lined = true;
        rows[7].is_double_lined = true;
        let counts = Verdicts::of(&rows);
        let expected = Verdicts {
            constant: 1,
            variable: 1,
            neither: 1,
            not_judged: 1,
            double_lined: 2,
        };
        assert_eq!((&counts, counts.n_stars()), (&expected, 4));
    }
}
