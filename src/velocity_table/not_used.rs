//! Velocities of a table that say nothing about their star.

use super::input::{Input, Shape};
use super::own_flags::own_flags;
use crate::calibrate::CalFlags;
use crate::likelihood::RvFlags;
use crate::table::Table;

/// Marks the observations whose flags are among [`RvFlags::NO_VELOCITY`] in the table of `relrv measure` or the catalogue of `relrv
/// run`: they are corrected, and not used.
pub fn mark_not_used(table: &Table, input: &mut Input) {
    let is_wide = input.shape == Shape::Wide;
    for arm in &mut input.observations.arms {
        let name = match (is_wide, arm.leads) {
            (false, _) => "flags",
            (true, true) => "flags_r",
            (true, false) => "flags_b",
        };
        let Some(bits) = own_flags(table, name) else {
            continue;
        };
        for (&row, of_calibration) in arm.row.iter().zip(&mut arm.flags) {
            let bits = bits.get(row as usize).copied().unwrap_or(0.0) as i64;
            if bits & i64::from(RvFlags::NO_VELOCITY.bits()) != 0 {
                *of_calibration |= CalFlags::NO_VELOCITY;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::velocity_table::input::observations;

    fn marked(csv: &str) -> Vec<bool> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, csv).unwrap();
        let table = Table::read(&path).unwrap();
        let mut input = observations(&table).unwrap();
        mark_not_used(&table, &mut input);
        let arms = &input.observations.arms;
        let flags = arms.iter().flat_map(|arm| &arm.flags);
        flags.map(|f| f.contains(CalFlags::NO_VELOCITY)).collect()
    }

    #[test]
    fn what_is_no_velocity_is_known_by_relrvs_own_flags() {
        // Nothing, edge, chi2_high, not_as_others.
        let measured = "star,exposure,rv,rv_err,second_peak,flags\n\
                        a,1,1,1,0,0\na,2,1,1,0,1\na,3,1,1,0,16\na,4,1,1,0,8192\n";
        assert_eq!(marked(measured), [false, true, false, true]);
        let elsewhere = measured.replace("second_peak", "colour");
        assert_eq!(marked(&elsewhere), [false; 4]);
        // Red first.
        let wide = "designation,lmjm,planid,spid,drv_r,drv_r_err,flags_r,drv_b,drv_b_err,flags_b\n\
                    a,1,p,1,1,1,4096,1,1,0\na,2,p,1,1,1,0,1,1,65536\n";
        assert_eq!(marked(wide), [true, false, false, true]);
    }
}
