//! A whole simulated plate against its truth: velocities, errors, outliers, signs, zero points.
//!
//! `RELRV_PLATE=stars,nights,exposures` makes it larger than the tests need.

use std::collections::BTreeMap;

use relrv::lab::simulate::{Config, TruthRow};
use relrv::likelihood::flags;
use relrv::measure::RvRow;

use crate::support::*;

/// A spectrum that is not its star's reference, with what it should show.
struct Sample {
    row: RvRow,
    truth: TruthRow,
    expected_km_s: f64,
}

impl Sample {
    fn error_km_s(&self) -> f64 {
        self.row.measurement.rv_km_s - self.expected_km_s
    }

    fn pull(&self) -> f64 {
        self.error_km_s() / self.row.measurement.rv_err_km_s
    }

    fn is_flagged(&self) -> bool {
        !self.row.measurement.flags.is_empty()
    }

    fn is_outlier(&self) -> bool {
        self.pull().is_nan() || self.pull().abs() > 5.0
    }

    fn spectral_class(&self) -> &'static str {
        match self.truth.teff {
            t if t < 3900.0 => "M",
            t if t < 5300.0 => "K",
            t if t < 6000.0 => "G",
            t if t < 7300.0 => "F",
            t if t < 10_000.0 => "A",
            _ => "OB",
        }
    }
}

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0), |(sum, n), v| (sum + v * v, n + 1));
    (sum / f64::from(n)).sqrt()
}

/// Half the range that holds 68.3 % of the values about their middle: the standard deviation without the tails.
fn width(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted[(share * (sorted.len() - 1) as f64).round() as usize];
    0.5 * (at(0.8413) - at(0.1587))
}

/// Differences from the star's mean in units of the error that is the exposure's own.
fn own_pulls(samples: &[&Sample]) -> Vec<f64> {
    let mut by_star: BTreeMap<_, Vec<&Sample>> = BTreeMap::new();
    for s in samples {
        by_star.entry((s.row.star, s.row.arm)).or_default().push(s);
    }
    let mut pulls = Vec::new();
    for star in by_star.values().filter(|star| star.len() > 1) {
        let weight = |s: &Sample| s.row.measurement.rv_err_own_km_s.powi(-2);
        let total: f64 = star.iter().map(|s| weight(s)).sum();
        let mean = star.iter().map(|s| weight(s) * s.error_km_s()).sum::<f64>() / total;
        pulls.extend(
            star.iter()
                .map(|s| (s.error_km_s() - mean) / (1.0 / weight(s) - 1.0 / total).sqrt()),
        );
    }
    pulls
}

fn tell(name: &str, samples: &[&Sample]) {
    if samples.is_empty() {
        return;
    }
    let pulls: Vec<f64> = samples.iter().map(|s| s.pull()).collect();
    let clean = samples.iter().filter(|s| !s.is_flagged()).count();
    println!(
        "{name:<18} {:>5} spectra, {clean:>5} without flags; median error {:>6.3} km/s, pull {:.2} (rms {:.2}), own {:.2}; beyond 5 sigma {:>3}, {:>3} without flags",
        samples.len(),
        median(
            &samples
                .iter()
                .map(|s| s.row.measurement.rv_err_km_s)
                .collect::<Vec<_>>()
        ),
        width(&pulls),
        rms(pulls.iter().copied()),
        width(&own_pulls(samples)),
        samples.iter().filter(|s| s.is_outlier()).count(),
        samples
            .iter()
            .filter(|s| s.is_outlier() && !s.is_flagged())
            .count(),
    );
}

#[test]
fn a_plate_with_cosmic_rays_against_its_truth() {
    let size = std::env::var("RELRV_PLATE").unwrap_or("30,3,2".to_owned());
    let size: Vec<usize> = size.split(',').map(|n| n.parse().unwrap()).collect();
    let plate = made_once(Config {
        out: "plate".into(),
        seed: 77,
        stars: size[0],
        nights: size[1],
        exposures: size[2],
        snr: (10.0, 100.0),
        ..Config::default()
    });
    let truth = truth(&plate);
    let measured = measure_paths(&[&plate]);
    assert_eq!(measured.rejected, []);
    assert_eq!(measured.rows.len(), truth.len());

    let truth_of = |row: &RvRow| &truth[&(name_of(&row.path), row.arm.name().to_owned(), row.lmjm)];
    let references: BTreeMap<_, _> = measured
        .rows
        .iter()
        .filter(|row| row.is_reference)
        .map(|row| ((row.star, row.arm), truth_of(row)))
        .collect();
    let samples: Vec<Sample> = measured
        .rows
        .iter()
        .filter(|row| !row.is_reference)
        .map(|row| Sample {
            expected_km_s: expected_rv_km_s(truth_of(row), references[&(row.star, row.arm)]),
            truth: truth_of(row).clone(),
            row: row.clone(),
        })
        .collect();

    let of =
        |keep: &dyn Fn(&Sample) -> bool| samples.iter().filter(|s| keep(s)).collect::<Vec<_>>();
    for kind in ["constant", "sb1", "pulsator", "sb2"] {
        for arm in relrv::Arm::ALL {
            tell(
                &format!("{kind} {arm}"),
                &of(&|s| s.truth.kind == kind && s.row.arm == arm),
            );
        }
    }
    let single = of(&|s| s.truth.kind == "constant" || s.truth.kind == "sb1");
    for class in ["M", "K", "G", "F", "A", "OB"] {
        for arm in relrv::Arm::ALL {
            let of_class = single
                .iter()
                .copied()
                .filter(|s| s.spectral_class() == class && s.row.arm == arm);
            tell(
                &format!("single {class} {arm}"),
                &of_class.collect::<Vec<_>>(),
            );
        }
    }
    for (bit, name, _) in flags::ALL {
        let n = |keep: &[&Sample]| {
            keep.iter()
                .filter(|s| s.row.measurement.flags.intersects(bit))
                .count()
        };
        println!(
            "flag {name}: {} of {} single stars",
            n(&single),
            single.len()
        );
    }
    let clean: Vec<&Sample> = single.iter().copied().filter(|s| !s.is_flagged()).collect();
    tell("single, no flags", &clean);
    for s in single.iter().filter(|s| s.is_outlier()) {
        println!(
            "outlier: star {} {} {} SNR {:.0} {:.0} K v sin i {:.0}: {:.2} +- {:.2} km/s, expected {:.2}, flags {}",
            s.row.star,
            s.row.arm,
            s.row.lmjm,
            s.row.snr,
            s.truth.teff,
            s.truth.vsini,
            s.row.measurement.rv_km_s,
            s.row.measurement.rv_err_km_s,
            s.expected_km_s,
            s.row.measurement.flags,
        );
    }

    // Flags are for the few.
    assert!(
        clean.len() as f64 > 0.8 * single.len() as f64,
        "{} of {}",
        clean.len(),
        single.len()
    );
    let outliers = clean.iter().filter(|s| s.is_outlier()).count();
    assert!(
        (outliers as f64) < 0.005 * clean.len() as f64,
        "{outliers} of {}",
        clean.len()
    );
    let own = width(&own_pulls(&clean));
    assert!((0.85..1.15).contains(&own), "pull width {own}");

    // The sign: whoever recedes is measured so.
    let moving: Vec<_> = single
        .iter()
        .filter(|s| s.expected_km_s.abs() > 15.0 && !s.is_flagged())
        .collect();
    assert!(moving.len() > 5, "{} moving", moving.len());
    for s in moving {
        assert!((s.row.measurement.rv_km_s / s.expected_km_s - 1.0).abs() < 0.5);
    }
    let all: Vec<_> = measured
        .rows
        .iter()
        .map(|row| (row, truth_of(row)))
        .collect();
    zero_points_show(&all);
}

/// The median difference of the constant stars between two exposures is that of the zero points.
fn zero_points_show(rows: &[(&RvRow, &TruthRow)]) {
    let mut by_exposure: BTreeMap<_, BTreeMap<i64, (f64, f64)>> = BTreeMap::new();
    for (row, truth) in rows {
        if truth.kind == "constant" && row.measurement.flags.is_empty() {
            let of_star = (row.measurement.rv_km_s, truth.zp_true);
            by_exposure
                .entry((row.arm, row.lmjm))
                .or_default()
                .insert(row.star, of_star);
        }
    }
    let (mut worst, mut widest) = (0f64, 0f64);
    for ((arm, minute), one) in &by_exposure {
        for (_, other) in by_exposure.range((*arm, minute + 1)..=(*arm, i64::MAX)) {
            let both = one
                .iter()
                .filter_map(|(star, a)| Some((a, other.get(star)?)));
            let (rv, zp): (Vec<f64>, Vec<f64>) = both.map(|(a, b)| (a.0 - b.0, a.1 - b.1)).unzip();
            assert!(rv.len() >= 10, "{} stars", rv.len());
            worst = worst.max((median(&rv) - zp[0]).abs());
            widest = widest.max(zp[0].abs());
        }
    }
    println!(
        "zero points: differences up to {widest:.2} km/s, the median star is off by at most {worst:.2} km/s"
    );
    assert!(widest > 1.0 && worst < 0.5, "{widest} {worst}");
}
