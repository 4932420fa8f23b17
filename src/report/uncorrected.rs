//! Stars without a corrected velocity: which of them are worth a look at what was measured.

use std::collections::{BTreeMap, HashSet};

use super::finished::Finished;
use crate::RvFlags;
use crate::catalogue::row::{ARMS, ArmVelocity};

/// Sums over the velocities of a star in an arm: how many, weights, weighted velocities and squares.
#[derive(Clone, Copy, Default)]
struct Sums {
    n: usize,
    weight: f64,
    rv: f64,
    square: f64,
}

impl Sums {
    fn add(&mut self, v: &ArmVelocity) {
        let weight = 1.0 / (v.rv_err_own_km_s * v.rv_err_own_km_s);
        if weight.is_finite() && weight > 0.0 {
            self.n += 1;
            self.weight += weight;
            self.rv += weight * v.rv_km_s;
            self.square += weight * v.rv_km_s * v.rv_km_s;
        }
    }

    /// Reduced chi^2 about the mean.
    fn scatter(&self) -> Option<f64> {
        let chi2 = self.square - self.rv * self.rv / self.weight;
        let reduced = chi2 / (self.n.checked_sub(1)? as f64);
        reduced.is_finite().then_some(reduced)
    }
}

/// The stars of which no velocity could be corrected, at most so many: those whose measured velocities scatter most, in units of their
/// errors; at the end those whose velocities all have a flag by which they say nothing. Whether that is the star's own or the drift of the exposures nothing tells here.
pub fn most_scattered(products: &Finished, most: usize) -> Vec<usize> {
    let c = &products.catalogue;
    let mut corrected = HashSet::new();
    // Of velocities that say something, and of the others.
    let mut sums: [BTreeMap<usize, [Sums; 2]>; 2] = Default::default();
    for (row, star) in c.star.iter().enumerate() {
        for (i, arm) in ARMS.into_iter().enumerate() {
            let v = c.arm(arm, row);
            let measured = RvFlags::from_bits_truncate(v.flags.bits());
            if v.rv_corr_km_s.is_finite() {
                corrected.insert(*star);
            }
            if v.rv_km_s.is_finite() {
                let of = &mut sums[usize::from(measured.intersects(RvFlags::NO_VELOCITY))];
                of.entry(*star).or_default()[i].add(v);
            }
        }
    }
    let largest = |arms: [Sums; 2]| arms.iter().filter_map(Sums::scatter).max_by(f64::total_cmp);
    let mut stars: Vec<usize> = Vec::new();
    for sums in sums {
        let found = sums
            .into_iter()
            .filter(|(star, _)| !corrected.contains(star) && !stars.contains(star));
        let mut found: Vec<(usize, f64)> = found
            .filter_map(|(star, arms)| Some((star, largest(arms)?)))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        stars.extend(found.into_iter().take(most).map(|(star, _)| star));
    }
    stars.truncate(most);
    stars
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::catalogue::flags::CatalogueFlags;
    use crate::catalogue::row::CatalogueRow;
    use crate::report::finished::Catalogue;
    use crate::report::plot::Shown;
    use crate::report::variables;

    /// Velocities of the red arm, less and more by this much in turns.
    fn run(stars: &[(&str, f64)]) -> Finished {
        let mut rows = Vec::new();
        for e in 0..6 {
            for (name, half) in stars {
                let mut row = CatalogueRow::default();
                row.exposure.designation = (*name).into();
                row.exposure.hjd = 2_458_000.5 + f64::from(e);
                // The quietest one moves fastest.
                let mean = 300.0 / (1.0 + half);
                row.arms[0].rv_km_s = mean + if e % 2 == 0 { *half } else { -half };
                row.arms[0].rv_err_own_km_s = 0.5;
                rows.push(row);
            }
        }
        Finished {
            catalogue: Catalogue::new(rows),
            stars: Vec::new(),
            zero_points: Vec::new(),
            constants: HashSet::new(),
            rejected: BTreeMap::new(),
            record: serde_json::Value::Null,
            n_absurd: 0,
        }
    }

    #[test]
    fn stars_whose_velocities_are_all_flagged_come_last() {
        let mut products = run(&[("double", 90.0), ("quiet", 0.1), ("some", 3.0)]);
        for row in products.catalogue.rows.iter_mut().step_by(3) {
            row.arms[0].flags = CatalogueFlags::from_bits_retain(RvFlags::DOUBLE_LINED.bits());
        }
        assert_eq!(most_scattered(&products, 9), [2, 1, 0]);
        assert_eq!(most_scattered(&products, 2), [2, 1]);
    }

    #[test]
    fn stars_that_cannot_be_corrected_are_drawn_as_measured_and_say_so() {
        let mut products = run(&[
            ("quiet", 0.1),
            ("large", 30.0),
            ("corrected", 90.0),
            ("some", 3.0),
        ]);
        products.catalogue.rows[2].arms[0].rv_corr_km_s = 1.0;
        assert_eq!(most_scattered(&products, 9), [1, 3, 0]);
        assert_eq!(most_scattered(&products, 2), [1, 3]);
        let Shown::Figure(figure) = variables::figure(&products).unwrap() else {
            panic!("no figure");
        };
        assert_eq!(figure.title, "Stars as measured, uncorrected");
        assert!(
            figure.caption.contains("of the 3 stars")
                && figure.caption.contains("drift of its exposure")
        );
        for says in [
            "large, uncorrected",
            "quiet, uncorrected",
            "RV and drift (km/s)",
        ] {
            assert!(figure.svg.contains(says), "{says}");
        }
        // Six velocities of each are drawn, and three stars are a row.
        assert_eq!(figure.svg.matches("<circle").count(), 18);
        assert!(figure.svg.contains("viewBox=\"0 0 1100 290\""));
        let places = figure.svg.split("<circle cx=\"").skip(1);
        let right = places.map(|rest| rest.split('"').next().unwrap().parse::<u32>().unwrap());
        assert!(
            right.max().unwrap() > 1000,
            "the last place of the row is empty"
        );
    }
}
