//! A star's velocities as programs that fit orbits read them: a file for each arm, because each arm counts from a reference of its own
//! and is an instrument with an offset of its own to such a program.

use std::fmt::Write as _;

use super::OneStar;
use super::write::safe;
use crate::catalogue::row::ArmVelocity;
use crate::{Arm, RvFlags};

/// Program that the file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrbitFormat {
    /// thejoker: a table in ECSV with units, whose times know their scale.
    TheJoker,
    /// Exo-Striker: BJD, velocity and error in m/s, without a header.
    ExoStriker,
}

impl OrbitFormat {
    fn ending(self) -> &'static str {
        match self {
            OrbitFormat::TheJoker => "ecsv",
            OrbitFormat::ExoStriker => "vels",
        }
    }
}

/// Why a row of the star is not in the file, in the order in which it is asked.
const WHY: [&str; 4] = [
    "not measured in this arm",
    "flagged as no velocity of the star",
    "without a zero point",
    "without an error or a time",
];

/// The velocities of a star in one arm.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The arm.
    pub arm: Arm,
    /// Name of the file.
    pub name: String,
    /// Content of the file.
    pub text: String,
    /// Velocities in it.
    pub n: usize,
    /// They are less the zero points; otherwise no exposure of the star has one, and they are as measured.
    pub is_corrected: bool,
    /// Rows of the star that are not in it, by the reason: those that there are.
    pub left_out: Vec<(usize, &'static str)>,
}

/// A velocity with its time, as days and km/s.
struct Point {
    bjd: f64,
    rv_km_s: f64,
    err_km_s: f64,
}

impl OneStar {
    /// The star's velocities, by arm, for a program that fits orbits. An arm may have none.
    pub fn exports(&self, format: OrbitFormat) -> Vec<Exported> {
        self.arms
            .iter()
            .map(|arm| self.export(*arm, format))
            .collect()
    }

    fn export(&self, arm: Arm, format: OrbitFormat) -> Exported {
        let catalogue = &self.products.catalogue;
        let velocity = |row: &usize| catalogue.arm(arm, *row);
        let is_good = |v: &ArmVelocity| v.rv_km_s.is_finite() && !is_flagged(v);
        // Velocities with and without their zero points do not belong into one curve.
        let is_corrected =
            (self.rows.iter().map(velocity)).any(|v| is_good(v) && v.rv_corr_km_s.is_finite());
        let mut n_left_out = [0; WHY.len()];
        let mut points = Vec::new();
        for row in &self.rows {
            let point = point(
                velocity(row),
                catalogue.exposure(*row).bjd_tdb,
                is_corrected,
            );
            match point {
                Ok(point) => points.push(point),
                Err(why) => n_left_out[why] += 1,
            }
        }
        points.sort_by(|a: &Point, b| a.bjd.total_cmp(&b.bjd));
        let text = match format {
            OrbitFormat::TheJoker => ecsv(self.designation(), arm, is_corrected, &points),
            OrbitFormat::ExoStriker => plain(&points),
        };
        let left_out = n_left_out.into_iter().zip(WHY).filter(|(n, _)| *n > 0);
        Exported {
            arm,
            name: format!(
                "{}-{}.{}",
                safe(self.designation()),
                arm.name(),
                format.ending()
            ),
            text,
            n: points.len(),
            is_corrected,
            left_out: left_out.collect(),
        }
    }
}

fn is_flagged(v: &ArmVelocity) -> bool {
    RvFlags::from_bits_truncate(v.flags.bits()).intersects(RvFlags::NO_VELOCITY)
}

/// The point of a row, or why there is none: a number into [`WHY`].
fn point(v: &ArmVelocity, bjd: f64, is_corrected: bool) -> Result<Point, usize> {
    let (rv_km_s, err_km_s) = match is_corrected {
        true => (v.rv_corr_km_s, v.rv_corr_err_km_s),
        false => (v.rv_km_s, v.rv_err_own_km_s),
    };
    let is_error = err_km_s.is_finite() && err_km_s > 0.0;
    match () {
        () if !v.is_measured() || !v.rv_km_s.is_finite() => Err(0),
        () if is_flagged(v) => Err(1),
        () if !rv_km_s.is_finite() => Err(2),
        () if !is_error || !bjd.is_finite() => Err(3),
        () => Ok(Point {
            bjd,
            rv_km_s,
            err_km_s,
        }),
    }
}

/// A line a velocity: BJD, velocity and error in m/s. No header, as Exo-Striker knows none.
fn plain(points: &[Point]) -> String {
    let mut text = String::new();
    for p in points {
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "{:.8} {:.3} {:.3}",
            p.bjd,
            1000.0 * p.rv_km_s,
            1000.0 * p.err_km_s
        );
    }
    text
}

/// A table as astropy writes it, whose column `bjd` is one of times. thejoker looks for the names `bjd`, `rv` and `rv_err`, and takes a
/// `bjd` of bare numbers for TCB, which is some 20 s off; of times it knows the scale.
fn ecsv(star: &str, arm: Arm, is_corrected: bool, points: &[Point]) -> String {
    let is_fine = |c: char| c.is_ascii_graphic() || c == ' ';
    let star: String = star
        .chars()
        .map(|c| if is_fine(c) { c } else { '?' })
        .collect();
    // A single quote within single quotes is written twice in YAML.
    let star = star.replace('\'', "''");
    let what = match is_corrected {
        true => "less the zero point of its exposure",
        false => "as measured, as no exposure of the star has a zero point",
    };
    let mut text = format!(
        "# %ECSV 1.0\n\
         # ---\n\
         # delimiter: ','\n\
         # datatype:\n\
         # - {{name: bjd, datatype: float64, description: 'barycentric Julian date (TDB) of mid-exposure'}}\n\
         # - {{name: rv, unit: km / s, datatype: float64, description: 'velocity {what}; it counts from a reference of the star in this arm'}}\n\
         # - {{name: rv_err, unit: km / s, datatype: float64, description: '1-sigma error of rv for curves'}}\n\
         # meta: !!omap\n\
         # - {{star: '{star}'}}\n\
         # - {{arm: {}}}\n\
         # - {{program: 'relrv {}'}}\n\
         # - __serialized_columns__:\n\
         #     bjd:\n\
         #       __class__: astropy.time.core.Time\n\
         #       format: jd\n\
         #       in_subfmt: '*'\n\
         #       out_subfmt: '*'\n\
         #       precision: 3\n\
         #       scale: tdb\n\
         #       value: !astropy.table.SerializedColumn {{name: bjd}}\n\
         # schema: astropy-2.0\n\
         bjd,rv,rv_err\n",
        arm.name(),
        env!("CARGO_PKG_VERSION"),
    );
    for p in points {
        let _ = writeln!(text, "{:?},{:?},{:?}", p.bjd, p.rv_km_s, p.err_km_s);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::flags::CatalogueFlags;

    fn velocity() -> ArmVelocity {
        ArmVelocity {
            rv_km_s: 5.0,
            rv_err_own_km_s: 0.3,
            rv_corr_km_s: 4.0,
            rv_corr_err_km_s: 0.5,
            flags: CatalogueFlags::REFERENCE,
            ..ArmVelocity::default()
        }
    }

    /// Number of the reason for which a velocity is left out.
    fn why(change: fn(&mut ArmVelocity), bjd: f64) -> Option<usize> {
        let mut v = velocity();
        change(&mut v);
        point(&v, bjd, true).err()
    }

    #[test]
    fn a_velocity_is_left_out_for_the_first_of_the_reasons() {
        assert_eq!(why(|_| {}, 2.4e6), None);
        assert_eq!(why(|v| *v = ArmVelocity::default(), 2.4e6), Some(0));
        let double = |v: &mut ArmVelocity| v.flags |= RvFlags::DOUBLE_LINED.into();
        assert_eq!(why(double, f64::NAN), Some(1));
        assert_eq!(why(|v| v.rv_corr_km_s = f64::NAN, 2.4e6), Some(2));
        assert_eq!(why(|_| {}, f64::NAN), Some(3));
        assert_eq!(why(|v| v.rv_corr_err_km_s = 0.0, 2.4e6), Some(3));
        // As measured no zero point is needed, and the error is that of the velocity by itself.
        let mut v = velocity();
        v.rv_corr_km_s = f64::NAN;
        let p = point(&v, 2.4e6, false).ok().unwrap();
        assert_eq!((p.rv_km_s, p.err_km_s), (5.0, 0.3));
    }

    #[test]
    fn a_name_that_is_yaml_stays_a_name() {
        let evil = "J1'}\n# - {rv: 0}\u{2028}x";
        let text = ecsv(evil, Arm::Red, true, &[]);
        let line = "# - {star: 'J1''}?# - {rv: 0}?x'}";
        assert!(text.lines().any(|l| l == line), "{text}");
    }
}
