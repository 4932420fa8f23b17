//! Where the stars are.

use std::collections::HashSet;

use plotters::prelude::*;

use super::finished::Finished;
use super::plot::*;
use super::tick::tick;
use crate::Arm;

const TITLE: &str = "Sky";

pub fn figure(products: &Finished) -> Drawn<Shown> {
    let kinds = kinds(products);
    if kinds.iter().all(Vec::is_empty) {
        return Ok(Shown::Nothing(TITLE, "no star has a position"));
    }
    let svg = svg((1100, 640), |root| map(root, kinds))?;
    Ok(Shown::Figure(Figure {
        name: "sky",
        title: TITLE,
        caption: "Stars with a velocity: constant in an arm at least (green circles), variable (purple triangles), neither (grey). \
            East is left."
            .to_owned(),
        svg,
    }))
}

/// Places of the stars, right ascension and declination in degrees.
type Places = Vec<(f64, f64)>;

/// The constant stars, the variable ones, the others.
fn kinds(products: &Finished) -> [Places; 3] {
    let c = &products.catalogue;
    let variable: HashSet<&str> = products
        .stars
        .iter()
        .filter(|s| s.found.is_variable == Some(true))
        .map(|s| &*s.designation)
        .collect();
    let mut seen = vec![false; c.stars.len()];
    let mut kinds: [Places; 3] = Default::default();
    for row in 0..c.len() {
        let star = c.star[row];
        let place = (c.exposure(row).ra_deg, c.exposure(row).dec_deg);
        if std::mem::replace(&mut seen[star], true) || !place.0.is_finite() || !place.1.is_finite()
        {
            continue;
        }
        let constant = Arm::ALL
            .iter()
            .any(|arm| products.constants.contains(&(star, *arm)));
        let kind = match (variable.contains(&*c.stars[star]), constant) {
            (true, _) => 1,
            (false, true) => 0,
            (false, false) => 2,
        };
        kinds[kind].push(place);
    }
    join_at_0_h(&mut kinds);
    kinds
}

fn map(area: &Panel, kinds: [Places; 3]) -> Drawn {
    let fold = |value: fn(&(f64, f64)) -> f64| {
        let all = kinds.iter().flatten().map(value);
        all.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)))
    };
    let (mut ra, mut dec) = (fold(|p| p.0), fold(|p| p.1));
    let (width, height) = area.dim_in_pixel();
    // The axes are scaled so that one degree of the sky is as long to the east as to the north.
    let cos = (0.5 * (dec.0 + dec.1)).to_radians().cos().max(0.05);
    let per_pixel = ((ra.1 - ra.0) * cos / f64::from(width - 110))
        .max((dec.1 - dec.0) / f64::from(height - 80))
        .max(1e-5)
        * 1.1;
    let widen = |(low, high): (f64, f64), size: f64| {
        let middle = 0.5 * (low + high);
        (middle - 0.5 * size, middle + 0.5 * size)
    };
    ra = widen(ra, per_pixel * f64::from(width - 110) / cos);
    dec = widen(dec, per_pixel * f64::from(height - 80));
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(axis(-ra.1..-ra.0), axis(dec.0..dec.1))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_label_formatter(&|x| tick(&(-x).rem_euclid(360.0)))
        .y_label_formatter(&tick)
        .label_style(LABEL)
        .x_desc("right ascension (deg)")
        .y_desc("declination (deg)")
        .draw()?;
    let named = |what: &str, stars: &Places| format!("{what}, {}", stars.len());
    let [constant, variable, others] = kinds;
    let circles = [
        ("neither", others, BEFORE),
        ("constant", constant, CONSTANT),
    ];
    for (what, stars, colour) in circles
        .into_iter()
        .filter(|(_, stars, _)| !stars.is_empty())
    {
        let name = named(what, &stars);
        let circle = move |(x, y): (f64, f64)| Circle::new((-x, y), 3, colour.filled());
        chart
            .draw_series(thin(stars).into_iter().map(circle))?
            .label(name)
            .legend(move |place| Circle::new(place, 3, colour.filled()));
    }
    if !variable.is_empty() {
        let name = named("variable", &variable);
        let triangle = |(x, y): (f64, f64)| TriangleMarker::new((-x, y), 5, VARIABLE.filled());
        chart
            .draw_series(thin(variable).into_iter().map(triangle))?
            .label(name)
            .legend(|place| TriangleMarker::new(place, 5, VARIABLE.filled()));
    }
    legend(&mut chart)
}

/// A field across 0 h lies at both ends of right ascension: its upper part goes below 0.
fn join_at_0_h(kinds: &mut [Vec<(f64, f64)>]) {
    let all = || kinds.iter().flatten().map(|p| p.0);
    let is_near_0 = |ra: f64| !(90.0..=270.0).contains(&ra);
    if all().all(is_near_0) && all().any(|ra| ra < 90.0) && all().any(|ra| ra > 270.0) {
        for place in kinds.iter_mut().flatten().filter(|p| p.0 > 180.0) {
            place.0 -= 360.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_across_0_h_stays_together() {
        let mut kinds = [vec![(359.5, 1.0)], vec![(0.5, 2.0)]];
        join_at_0_h(&mut kinds);
        assert_eq!(kinds, [vec![(-0.5, 1.0)], vec![(0.5, 2.0)]]);
        // The whole sky, and a field elsewhere, stay as they are.
        for mut kinds in [
            [vec![(359.5, 1.0), (120.0, 0.0)], vec![(0.5, 2.0)]],
            [vec![(359.5, 1.0)], vec![(300.0, 2.0)]],
        ] {
            let before = kinds.clone();
            join_at_0_h(&mut kinds);
            assert_eq!(kinds, before);
        }
    }
}
