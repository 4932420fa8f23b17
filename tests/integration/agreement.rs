//! Exposures of a star that judge each other: of two that disagree, neither is trusted; a single one is measured as without coadds.

use std::collections::BTreeMap;
use std::path::Path;

use relrv::Arm;
use relrv::lab::simulate::{Config, KindShares};
use relrv::lamost::inflate::Inflater;
use relrv::lamost::mrs;
use relrv::lamost::raw::RawSpectrum;
use relrv::likelihood::{Batch, Cpu, Likelihood, Measurement, RvFlags};
use relrv::measure::FirstPass;
use relrv::measure::coadd::against_coadds;
use relrv::measure::stages::StageClocks;
use relrv::measure::{MeasureConfig, ReferenceKind, measure};
use relrv::reference::Reference;
use relrv::spectrum::{Normalized, Normalizer};

use crate::support::*;

/// Exposures judge each other.
pub fn config() -> MeasureConfig {
    MeasureConfig {
        reference: ReferenceKind::Coadd,
        ..default_config()
    }
}

/// Stars that do not change.
pub const CONSTANT: KindShares = KindShares {
    pulsator: 0.0,
    sb1: 0.0,
    sb2: 0.0,
};

/// One spectrum of a star, before and after its continuum is taken off.
#[derive(Clone, Debug)]
pub struct Spectrum {
    pub raw: RawSpectrum,
    pub helio_rv_km_s: Option<f64>,
    pub normalized: Normalized,
}

impl Spectrum {
    pub fn new(raw: RawSpectrum, helio_rv_km_s: Option<f64>, normalizer: &mut Normalizer) -> Self {
        let config = default_config();
        let vmax_km_s = config.grid.max_shift_km_s();
        let normalized = normalizer.normalize(&config.spectrum, &raw, vmax_km_s);
        let mut normalized = normalized.unwrap();
        normalized.helio_rv_km_s = helio_rv_km_s;
        Spectrum {
            raw,
            helio_rv_km_s,
            normalized,
        }
    }
}

/// A star's spectra by arm, each arm's in the order of time.
pub type Star = [Vec<Spectrum>; 2];

/// The stars of a plate, by fibre.
pub fn read_stars(plate: &Path) -> Vec<Star> {
    let (mut inflater, mut normalizer) = (Inflater::default(), Normalizer::default());
    let mut stars: BTreeMap<i32, Star> = BTreeMap::new();
    for path in files(plate) {
        let file = mrs::read_file(&path, &mut inflater).unwrap();
        let star = stars.entry(file.header.fiberid).or_default();
        for raw in file.spectra {
            let spectrum = {
                let helio_rv_km_s = raw.helio_rv_km_s;
                Spectrum::new(raw, helio_rv_km_s, &mut normalizer)
            };
            star[spectrum.raw.arm as usize].push(spectrum);
        }
    }
    let mut stars: Vec<Star> = stars.into_values().collect();
    for arm in stars.iter_mut().flatten() {
        arm.sort_by_key(|s| s.raw.lmjm);
    }
    stars
}

/// The exposure of highest signal-to-noise ratio.
pub fn best(arm: &[Spectrum]) -> usize {
    let snr = |i: &usize| arm[*i].normalized.snr;
    let all = 0..arm.len();
    all.max_by(|a, b| snr(a).total_cmp(&snr(b)).then(b.cmp(a)))
        .unwrap()
}

/// A star's exposures in one arm against the best of them.
pub fn first_pass(arm: &[Spectrum], config: &MeasureConfig) -> FirstPass {
    let best = best(arm);
    let band = arm[best].raw.arm as usize;
    let exposures: Vec<Normalized> = arm.iter().map(|s| s.normalized.clone()).collect();
    let reference = Reference::new(&exposures[best], config.knot_pixels).unwrap();
    let batch = Batch::of_one(reference, &exposures, &config.grid);
    FirstPass::new(1, band, exposures, best, Cpu.measure(&batch).unwrap())
}

/// Measures a star whose first pass this is.
pub fn finish(first: [FirstPass; 2], config: &MeasureConfig) -> [FirstPass; 2] {
    let mut arms = first;
    if config.reference == ReferenceKind::Coadd {
        against_coadds(
            &config.comparison(),
            &mut arms,
            &StageClocks::default(),
            &|| false,
        );
    }
    for arm in &mut arms {
        for (m, double) in arm.measurements.iter_mut().zip(&arm.double_lined) {
            if *double {
                m.flags |= RvFlags::DOUBLE_LINED;
            }
        }
    }
    arms
}

/// By how much each velocity has moved, in its own errors; the star's zero may move.
pub fn moved_sigma(now: &[Measurement], clean: &[Measurement]) -> Vec<f64> {
    let differences: Vec<f64> = now
        .iter()
        .zip(clean)
        .map(|(n, c)| n.rv_km_s - c.rv_km_s)
        .collect();
    let zero = median(&differences);
    let pairs = differences.iter().zip(clean);
    pairs.map(|(d, c)| (d - zero) / c.rv_err_own_km_s).collect()
}

/// If the two exposures of a star disagree, nothing tells which of them is the wrong one, so both are flagged; two that agree are not.
/// A single exposure is measured as without coadds.
#[test]
fn two_that_disagree_are_both_flagged() {
    let stars = |seed, teff_k| {
        let plate = made_once(Config {
            out: format!("agreement-two-{seed}").into(),
            seed,
            stars: 4,
            nights: 1,
            exposures: 2,
            snr: (30.0, 60.0),
            kinds: CONSTANT,
            teff_k: Some(teff_k),
            coadds: false,
            ..Config::default()
        });
        read_stars(&plate)
    };
    let (cool, warm) = (stars(7321, (3900.0, 4600.0)), stars(7322, (6000.0, 7000.0)));
    let config = config();
    let measured = |arms: [Vec<Spectrum>; 2]| {
        let first = [0, 1].map(|a| first_pass(&arms[a], &config));
        (first.clone(), finish(first, &config))
    };
    for (number, (cool, warm)) in cool.iter().zip(&warm).enumerate() {
        for arm in [0, 1] {
            for order in [[0, 1], [1, 0]] {
                let pair = [cool[arm][0].clone(), warm[arm][1].clone()];
                let mut mixed = cool.clone();
                mixed[arm] = order.map(|i| pair[i].clone()).to_vec();
                let (_, found) = measured(mixed);
                let bits = found[arm].measurements.iter().map(|m| m.flags);
                let bits: Vec<RvFlags> = bits.collect();
                println!("pair {number} {}: flags {bits:?}", Arm::ALL[arm]);
                assert!(
                    bits.iter().all(|b| !b.is_empty()),
                    "{number} {arm} {order:?}"
                );
            }
        }
        for star in [cool, warm] {
            let (_, found) = measured(star.clone());
            for arm in &found {
                let bits: Vec<RvFlags> = arm.measurements.iter().map(|m| m.flags).collect();
                println!("two of star {number}: flags {bits:?}");
                let disagree = RvFlags::NOT_AS_OTHERS | RvFlags::CHI2_HIGH;
                assert_eq!(arm.n_reference, 2);
                assert!(bits.iter().all(|b| !b.intersects(disagree)), "{number}");
            }
            let (first, alone) = measured([0, 1].map(|a| vec![star[a][0].clone()]));
            for (first, alone) in first.iter().zip(&alone) {
                assert_eq!(alone.measurements, first.measurements);
                assert_eq!((alone.n_reference, alone.best), (1, 0));
            }
        }
    }
}

/// A plate of one exposure a star is measured as it is without coadds.
#[test]
fn one_exposure_alone_has_no_others() {
    let plate = made_once(Config {
        out: "agreement-one".into(),
        seed: 7331,
        stars: 4,
        nights: 1,
        exposures: 1,
        kinds: CONSTANT,
        coadds: false,
        ..Config::default()
    });
    let of = |config: &MeasureConfig| measure(config, &[&plate], &Cpu, &()).unwrap().rows;
    let (with, without) = (of(&config()), of(&default_config()));
    assert_eq!(with.len(), 8);
    for (a, b) in with.iter().zip(&without) {
        assert_eq!(a.measurement, b.measurement);
        assert!(a.measurement.flags.contains(RvFlags::SINGLE_EXPOSURE));
        assert!(!a.measurement.flags.contains(RvFlags::NOT_AS_OTHERS));
        assert_eq!((a.is_reference, a.n_reference), (true, 1));
    }
}
