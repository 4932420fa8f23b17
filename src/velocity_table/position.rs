//! Where along its spectrograph's slit each row's fibre lies.

use super::cells::{Found, numbers};
use super::own_flags::own_flags;
use crate::Result;
use crate::calibrate::columns::places;
use crate::catalogue::slit_place;

/// Column that tells the place in any table.
const POSITION: &str = "position";

/// Place of each row's fibre along the slit, from -1 to 1, NaN where a row has none; empty where the table tells no places. Which column
/// they are from is noted.
///
/// Fibres are numbered along the slit in relrv's own tables, and a column `fiberid` is taken for the place there alone: in a table from
/// elsewhere the number of a fibre may say nothing of where it is.
///
/// # Errors
/// [`Error::Table`](crate::Error::Table) naming the row in which a number was expected.
pub(super) fn of_rows(table: &Found<'_>, notes: &mut Vec<String>) -> Result<Vec<f64>> {
    if let Some(column) = table.part(POSITION)? {
        let places = places(numbers(column)?.into_iter());
        notes.push(match places.is_empty() {
            true => format!(
                "column {}: tells no two places along the slit, and is not used",
                column.name
            ),
            false => format!(
                "column {}: taken for the place of each row's fibre along the slit",
                column.name
            ),
        });
        return Ok(places);
    }
    let is_own = ["flags", "flags_r", "flags_b"]
        .iter()
        .any(|name| own_flags(table.table, name).is_some());
    let fibre = table.get("fiberid")?.and_then(|column| column.to_f64());
    let Some(fibres) = fibre.filter(|_| is_own) else {
        return Ok(Vec::new());
    };
    notes.push("column fiberid: taken for the place of each row's fibre along the slit".to_owned());
    // NaN becomes fibre 0, which is none.
    Ok(fibres.iter().map(|f| slit_place(*f as i32)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::input::{Input, observations};
    use crate::table::Table;

    fn read(csv: &str) -> crate::Result<Input> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, csv).unwrap();
        observations(&Table::read(&path).unwrap())
    }

    fn places(csv: &str) -> (Vec<f64>, Vec<String>) {
        let input = read(csv).unwrap();
        (input.observations.place, input.notes)
    }

    #[test]
    fn a_position_goes_from_end_to_end_of_the_slit() {
        let (place, notes) = places(
            "star,exposure,rv,rv_err,position\na,1,0,1,10\nb,1,0,1,30\nc,1,0,1,\nd,1,0,1,15\n",
        );
        assert_eq!((place[0], place[1], place[3]), (-1.0, 1.0, -0.5));
        assert!(place[2].is_nan());
        assert!(
            notes[0].starts_with("column position: taken for"),
            "{notes:?}"
        );
        let (place, notes) = places("star,exposure,rv,rv_err,position\na,1,0,1,10\nb,1,0,1,10\n");
        assert!(place.is_empty() && notes[0].ends_with("is not used"));
        let words = read("star,exposure,rv,rv_err,position\na,1,0,1,left\n").unwrap_err();
        assert!(words.to_string().contains("position, row 1"), "{words}");
        // In the shape of a catalogue too.
        let (place, _) = places(
            "designation,lmjm,planid,spid,drv_r,drv_r_err,position\na,5,p,1,0,1,0\nb,5,p,1,0,1,8\n",
        );
        assert_eq!(place, [-1.0, 1.0]);
    }

    #[test]
    fn fibres_are_places_in_own_tables_alone() {
        let measured = "star,exposure,rv,rv_err,second_peak,flags,fiberid\n\
                        a,1,0,1,0,0,1\nb,1,0,1,0,0,250\nc,1,0,1,0,0,0\n";
        let (place, notes) = places(measured);
        assert_eq!(place[..2], [-1.0, 1.0]);
        assert!(place[2].is_nan() && notes[0].starts_with("column fiberid"));
        let (place, notes) = places(&measured.replace("second_peak", "colour"));
        assert!(place.is_empty() && notes.is_empty());
        let wide = "designation,lmjm,planid,spid,drv_r,drv_r_err,flags_r,fiberid\n\
                    a,5,p,1,0,1,0,250\nb,5,p,1,0,1,0,1\n";
        assert_eq!(places(wide).0, [1.0, -1.0]);
        // What the user says goes before what the fibre says.
        let both = measured.replace("fiberid\n", "fiberid,position\n");
        let both = both.replace(",1\n", ",1,9\n").replace(",250\n", ",250,7\n");
        let (place, _) = places(&both.replace(",0\n", ",0,8\n"));
        assert_eq!(place, [1.0, -1.0, 0.0]);
    }
}
