//! Where the lines of each row's star lie, and how wide they are: zero points may depend on it.

use super::cells::{Found, numbers};
use crate::Result;
use crate::calibrate::terms::LineKind;
use crate::catalogue::star_lines;

/// Lines of each row's star in an arm, from the columns that relrv's own tables have for it: `line_place` and `line_width` with this `ending`
/// (`_r` and `_b` in a catalogue). None where the table has no such columns. They are noted.
///
/// # Errors
/// [`Error::Table`](crate::Error::Table) naming the row in which a number was expected.
pub(super) fn of_rows(
    table: &Found<'_>,
    ending: &str,
    notes: &mut Vec<String>,
) -> Result<Option<Vec<Option<LineKind>>>> {
    let column = |name: &str| table.get(&format!("{name}{ending}"));
    let (Some(place), Some(width)) = (column("line_place")?, column("line_width")?) else {
        return Ok(None);
    };
    notes.push(format!(
        "columns {} and {}: taken for where each star's lines lie and how wide they are (km/s)",
        place.name, width.name
    ));
    let (place, width) = (numbers(place)?, numbers(width)?);
    let lines = place.iter().zip(&width);
    Ok(Some(lines.map(|(p, w)| star_lines(*p, *w)).collect()))
}

#[cfg(test)]
mod tests {
    use super::super::input::{Input, observations};
    use crate::calibrate::terms::LineKind;
    use crate::table::Table;

    fn read(csv: &str) -> crate::Result<Input> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, csv).unwrap();
        observations(&Table::read(&path).unwrap())
    }

    #[test]
    fn lines_are_taken_from_tables_of_one_arm_or_two() {
        let long = "star,exposure,rv,rv_err,line_place,line_width\na,1,0,1,0.5,17\nb,1,0,1,-0.5,34\nc,1,0,1,,\n";
        let input = read(long).unwrap();
        let kind = |place, sharpness| LineKind { place, sharpness };
        // About the mean of the two that are known.
        let expected = [kind(0.5, 0.375), kind(-0.5, -0.375), LineKind::default()];
        assert_eq!(input.observations.arms[0].lines, expected);
        assert!(
            input
                .notes
                .iter()
                .any(|n| n.contains("line_place and line_width"))
        );
        let wide = "designation,lmjm,planid,spid,drv_r,drv_r_err,line_place_r,line_width_r\na,5,p,1,0,1,0.5,17\nb,5,p,1,0,1,-0.5,34\n";
        assert_eq!(
            read(wide).unwrap().observations.arms[0].lines,
            expected[..2]
        );
        let none = "star,exposure,rv,rv_err,line_place\na,1,0,1,0.5\n";
        assert!(read(none).unwrap().observations.arms[0].lines.is_empty());
        let words = read("star,exposure,rv,rv_err,line_place,line_width\na,1,0,1,left,17\n");
        assert!(words.unwrap_err().to_string().contains("line_place, row 1"));
    }

    #[test]
    fn each_arm_of_a_table_of_rows_has_its_own_mean() {
        let csv = "star,exposure,arm,rv,rv_err,line_place,line_width\na,1,red,0,1,0.5,17\nb,1,red,0,1,-0.5,34\na,1,blue,0,1,0.2,17\nb,1,blue,0,1,0.6,17\n";
        let arms = read(csv).unwrap().observations.arms;
        for arm in &arms {
            let sum: f64 = arm.lines.iter().map(|l| l.place).sum();
            assert!(arm.lines.len() == 2 && sum.abs() < 1e-12, "{arms:?}");
        }
    }
}
