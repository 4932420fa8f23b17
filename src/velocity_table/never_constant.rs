//! Stars of a table of velocities that must not be constants, whatever their velocities say.

use super::input::Input;
use super::own_flags::own_flags;
use crate::likelihood::RvFlags;
use crate::table::Table;

/// For each star of `input`, by its number, whether a row of `table` says that it is no constant: column `never_constant` is true (or 1),
/// or a velocity is flagged `double_lined` in the table of `relrv measure` or the catalogue of `relrv run`. A column `flags` of a
/// table from elsewhere has other bits, and is not looked at.
pub fn never_constant(table: &Table, input: &Input) -> Vec<bool> {
    let star = &input.observations.star;
    let mut never = vec![false; input.stars.names.len()];
    let mut mark = |rows: &mut dyn Iterator<Item = bool>| {
        for (star, is_marked) in star.iter().zip(rows) {
            if is_marked && let Some(never) = never.get_mut(*star as usize) {
                *never = true;
            }
        }
    };
    if let Some(column) = table.column("never_constant") {
        let is_true = |text: String| matches!(text.trim(), "true" | "True" | "TRUE" | "T" | "1");
        mark(&mut (0..column.data.len()).map(|row| is_true(column.text_at(row))));
    }
    for name in ["flags", "flags_r", "flags_b"] {
        if let Some(bits) = own_flags(table, name) {
            let is_double = |b: &f64| *b as i64 & i64::from(RvFlags::DOUBLE_LINED.bits()) != 0;
            mark(&mut bits.iter().map(is_double));
        }
    }
    never
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::velocity_table::input::observations;

    fn of(csv: &str) -> Vec<bool> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, csv).unwrap();
        let table = Table::read(&path).unwrap();
        never_constant(&table, &observations(&table).unwrap())
    }

    #[test]
    fn one_row_speaks_for_the_star() {
        let measured = "star,exposure,rv,rv_err,second_peak,flags\n\
                        a,1,0,1,0.1,0\nb,1,0,1,0.1,4100\na,2,0,1,0.1,4\nb,2,0,1,0.1,0\nc,1,0,1,0.1,8191\n";
        assert_eq!(of(measured), [false, true, true]);
        // Bit 12 of somebody else's flags.
        assert_eq!(of(&measured.replace("second_peak", "other")), [false; 3]);
        let said =
            "star,exposure,rv,rv_err,never_constant\na,1,0,1,false\nb,1,0,1,false\nb,2,0,1,true\n";
        assert_eq!(of(said), [false, true]);
        assert_eq!(
            of(&said.replace("true", "1").replace("false", "0")),
            [false, true]
        );
        assert_eq!(of("star,exposure,rv,rv_err\na,1,0,1\n"), [false]);
        let wide = "designation,lmjm,planid,spid,drv_r,drv_r_err,flags_r,drv_b,drv_b_err,flags_b\n\
                    1,5,p,1,0,1,0,0,1,0\n2,5,p,1,0,1,0,0,1,4096\n3,5,p,1,0,1,4096,0,1,0\n";
        assert_eq!(of(wide), [false, true, true]);
    }
}
