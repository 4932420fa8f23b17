//! The text about a star.

use std::fmt::Write;

use super::advice;
use crate::Arm;
use crate::catalogue::flags::{self, CatalogueFlags};
use crate::catalogue::row::ArmVelocity;
use crate::catalogue::star::StarRow;
use crate::report::finished::Finished;
use crate::text::count::count;
use crate::text::plain;

/// False-alarm probabilities above this say that there is no period.
pub const NO_PERIOD_FAP: f64 = 0.01;

/// What is known of a star, its velocities in `rows` in some arms, and what their flags say.
pub fn of(products: &Finished, star: usize, rows: &[usize], arms: &[Arm]) -> String {
    let mut out = String::new();
    let name = &products.catalogue.stars[star];
    let of_star = of_star(products, name, arms);
    // Writing to a String cannot fail.
    let _ = about(&mut out, products, rows, name, &of_star);
    let _ = velocities(&mut out, products, rows, arms);
    let _ = meanings(&mut out, products, rows, arms);
    out
}

/// What `stars` has of a star in some arms.
pub fn of_star<'a>(products: &'a Finished, name: &str, arms: &[Arm]) -> Vec<&'a StarRow> {
    let rows = products.stars.iter();
    rows.filter(|row| *row.designation == *name && arms.contains(&row.arm))
        .collect()
}

/// What catalogues call a star: which, and its name there.
pub fn names(row: &StarRow) -> Vec<(&'static str, &str)> {
    let names = &row.names;
    let all = [
        ("LAMOST", &names.desig),
        ("target", &names.objname),
        ("UQID", &names.uqid),
        ("Gaia", &names.gaia_source_id),
    ];
    let all = all.map(|(what, name)| (what, name.trim())).into_iter();
    all.filter(|(_, name)| !name.is_empty()).collect()
}

fn about(
    out: &mut String,
    products: &Finished,
    rows: &[usize],
    name: &str,
    of_star: &[&StarRow],
) -> std::fmt::Result {
    write!(out, "{}", plain::line(name))?;
    if let Some(row) = rows.first() {
        let e = products.catalogue.exposure(*row);
        write!(out, "   ra {:.5} dec {:+.5} deg", e.ra_deg, e.dec_deg)?;
    }
    writeln!(out)?;
    for (what, name) in of_star.first().map_or_else(Vec::new, |row| names(row)) {
        writeln!(out, "  {what:<7} {}", plain::line(name))?;
    }
    for row in of_star {
        writeln!(out, "  {:<7} {}", row.arm.name(), verdict(row))?;
    }
    if let Some(row) = of_star.first() {
        writeln!(out, "  {:<7} {}", "period", period(row))?;
    }
    if of_star.iter().any(|row| row.is_double_lined) {
        writeln!(out, "  double-lined in at least one exposure")?;
    }
    writeln!(out)
}

/// What the calibration says of a star in an arm.
pub fn verdict(row: &StarRow) -> String {
    let found = &row.found;
    let velocities = count(found.n_exp as usize, "usable velocity");
    let scatter = match found.scatter_after.is_finite() {
        true => format!(
            "scatter {:.2} km/s as measured, {:.2} corrected",
            found.scatter_before, found.scatter_after
        ),
        false if found.scatter_before.is_finite() => {
            format!("scatter {:.2} km/s as measured", found.scatter_before)
        }
        false => "no scatter".to_owned(),
    };
    let p = format!(
        "p {:.1e} of {:.1} degrees of freedom",
        found.p_value, found.dof
    );
    let verdict = match (found.is_constant, found.is_variable, found.unjudged) {
        (_, _, Some(why)) => format!("not judged: {}", why.reason()),
        (Some(true), ..) => format!("constant ({p})"),
        (_, Some(true), _) => format!("variable ({p})"),
        _ => format!("neither certainly constant nor certainly variable ({p})"),
    };
    format!(
        "{velocities}, {} with a zero point; {scatter}; {verdict}",
        found.n_used
    )
}

/// What is known of a star's period.
pub fn period(row: &StarRow) -> String {
    let p = &row.period;
    if !p.period_d.is_finite() {
        return "not looked for: that takes 12 different times, and p below 0.01 in an arm"
            .to_owned();
    }
    let chance = format!("false-alarm probability {:.1e}", p.false_alarm);
    match p.false_alarm > NO_PERIOD_FAP {
        true => format!("none that stands out (best {:.5} d, {chance})", p.period_d),
        false => format!(
            "{:.5} d, half range {:.2} km/s, {chance}",
            p.period_d, p.amplitude_km_s
        ),
    }
}

/// A line for each exposure. A velocity without a zero point is told as it was measured, with a star behind it.
fn velocities(
    out: &mut String,
    products: &Finished,
    rows: &[usize],
    arms: &[Arm],
) -> std::fmt::Result {
    let plate = |row: &usize| plain::line(&products.catalogue.exposure(*row).planid).into_owned();
    let widest = rows.iter().map(|row| plate(row).chars().count()).max();
    let width = widest.unwrap_or_default().max("plate".len());
    let mut line = format!(
        "{:<13} {:<9} {:<6} {:<width$}",
        "BJD (TDB)", "LMJM", "fibre", "plate"
    );
    for arm in arms {
        write!(line, " {:>20}", format!("{}, km/s", arm.name()))?;
    }
    writeln!(out, "{line}   flags")?;
    let mut is_uncorrected = false;
    for row in rows {
        let e = products.catalogue.exposure(*row);
        let fibre = format!("{}-{}", e.spid, e.fiberid);
        let mut line = format!(
            "{:<13.5} {:<9} {fibre:<6} {:<width$}",
            e.bjd_tdb,
            e.lmjm,
            plate(row)
        );
        let mut told = Vec::new();
        for &arm in arms {
            let velocity = products.catalogue.arm(arm, *row);
            let (text, is_raw) = one(velocity);
            is_uncorrected |= is_raw;
            write!(line, " {text:>20}")?;
            if !velocity.flags.is_empty() {
                told.push(format!("{}: {}", arm.name(), velocity.flags));
            }
        }
        writeln!(
            out,
            "{}",
            format!("{line}   {}", told.join(", ")).trim_end()
        )?;
    }
    if is_uncorrected {
        writeln!(out, "* as measured: the exposure has no zero point")?;
    }
    if arms.len() > 1 {
        writeln!(out, "Each arm counts from a reference of its own.")?;
    }
    Ok(())
}

/// A velocity, and whether it is not corrected.
fn one(velocity: &ArmVelocity) -> (String, bool) {
    match (
        velocity.rv_corr_km_s.is_finite(),
        velocity.rv_km_s.is_finite(),
    ) {
        (true, _) => {
            let (rv, err) = (velocity.rv_corr_km_s, velocity.rv_corr_err_km_s);
            (format!("{rv:.3} +- {err:.3} "), false)
        }
        (_, true) => {
            let (rv, err) = (velocity.rv_km_s, velocity.rv_err_own_km_s);
            (format!("{rv:.3} +- {err:.3}*"), true)
        }
        _ => ("none ".to_owned(), false),
    }
}

/// The flags that these velocities have, with how many have each, what it says and what to do about it.
fn meanings(
    out: &mut String,
    products: &Finished,
    rows: &[usize],
    arms: &[Arm],
) -> std::fmt::Result {
    let of = |&row: &usize| {
        arms.iter()
            .map(move |arm| products.catalogue.arm(*arm, row).flags)
    };
    let all: Vec<CatalogueFlags> = rows.iter().flat_map(of).collect();
    for (bit, name, meaning) in flags::all() {
        let n = all.iter().filter(|f| f.bits() & bit != 0).count();
        if n > 0 {
            writeln!(out, "\n{name}, {}: {meaning}", count(n, "velocity"))?;
            writeln!(out, "    {}", advice::of(name))?;
        }
    }
    Ok(())
}
