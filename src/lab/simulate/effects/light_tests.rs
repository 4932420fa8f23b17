use super::*;
use crate::lab::simulate::grid::{GridShift, log10_wave};
use crate::lab::simulate::lines::air_to_vacuum_aa;
use crate::lab::simulate::params::StellarParams;

fn still() -> View {
    View {
        heliocentric_km_s: 0.0,
        zp_km_s: 0.0,
        stretch_km_s: 0.0,
        lsf: Lsf::NOMINAL,
    }
}

fn ln_wave(arm: Arm, heliocentric_km_s: f64) -> Vec<f64> {
    let shift = GridShift {
        pixels: 0.3,
        heliocentric_km_s,
    };
    log10_wave(arm, &shift)
        .iter()
        .map(|l| l * std::f64::consts::LN_10)
        .collect()
}

/// Mean of |a - b| and the largest of it.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

#[test]
fn without_effects_a_star_is_what_the_smeared_template_gives() {
    for arm in Arm::ALL {
        let params = StellarParams::dwarf(5200.0);
        let (sharp, smeared) = (Template::sharp(&params, arm), Template::new(&params, arm));
        let star = Component {
            template: &sharp,
            rv_km_s: 37.3,
            light: 1.0,
        };
        let light = Light {
            components: &[star],
            sun: &sharp,
            sun_share: 0.0,
            water: 0.0,
        };
        let view = View {
            heliocentric_km_s: -21.0,
            zp_km_s: 1.7,
            ..still()
        };
        let ln = ln_wave(arm, -21.0);
        let spread = view.spread(arm, &light, &ln);
        let mut expected = Vec::new();
        smeared.fill(&ln, 39.0, &mut expected);
        assert!(
            difference(&spread, &expected) < 2e-5,
            "{}",
            difference(&spread, &expected)
        );
    }
}

/// Deepest point of what is missing from a flat spectrum around `vacuum_aa`, as a velocity from it and a depth.
fn water_line(view: &View, water: f64, vacuum_aa: f64) -> (f64, f64) {
    let flat = Template::from_fn(Arm::Red, |_| 1.0);
    let star = Component {
        template: &flat,
        rv_km_s: 55.0,
        light: 1.0,
    };
    let light = Light {
        components: &[star],
        sun: &flat,
        sun_share: 0.0,
        water,
    };
    let ln: Vec<f64> = (0..800)
        .map(|i| (vacuum_aa * (1.0 + f64::from(i - 400) * 0.25 / C_KM_S)).ln())
        .collect();
    let flux = view.spread(Arm::Red, &light, &ln);
    let deepest = (0..ln.len())
        .min_by(|a, b| flux[*a].total_cmp(&flux[*b]))
        .unwrap();
    ((ln[deepest] - vacuum_aa.ln()) * C_KM_S, 1.0 - flux[deepest])
}

#[test]
fn water_rests_in_the_observers_frame_and_moves_with_the_heliocentric_correction() {
    // A line without strong neighbours.
    let vacuum_aa = air_to_vacuum_aa(6532.359);
    for (heliocentric_km_s, zp_km_s) in [(0.0, 0.0), (25.0, 0.0), (-25.0, 0.0), (10.0, 4.0)] {
        let view = View {
            heliocentric_km_s,
            zp_km_s,
            ..still()
        };
        let (velocity, depth) = water_line(&view, 1.0, vacuum_aa);
        // lambda_file = lambda_observed (1 - HELIO_RV/c), and HELIO_RV is the velocity away.
        assert!(
            (velocity - heliocentric_km_s - zp_km_s).abs() < 1.0,
            "{velocity}"
        );
        assert!((0.016..0.025).contains(&depth), "{depth}");
    }
    let (_, strong) = water_line(&still(), 2.0, vacuum_aa);
    let (_, weak) = water_line(&still(), 0.4, vacuum_aa);
    assert!((3.5..5.0).contains(&(strong / weak)), "{strong} {weak}");
}

#[test]
fn water_lines_are_as_deep_as_those_of_real_spectra() {
    for (air_aa, low, high) in [(6543.907, 0.02, 0.04), (6612.540, 0.003, 0.01)] {
        let (_, depth) = water_line(&still(), 1.0, air_to_vacuum_aa(air_aa));
        assert!((low..high).contains(&depth), "{air_aa} {depth}");
    }
}

#[test]
fn moonlight_is_the_sun_at_rest_in_the_observers_frame() {
    let flat = Template::from_fn(Arm::Blue, |_| 1.0);
    let params = StellarParams::dwarf(5777.0);
    let (sun, smeared) = (
        Template::sharp(&params, Arm::Blue),
        Template::new(&params, Arm::Blue),
    );
    let star = Component {
        template: &flat,
        rv_km_s: 80.0,
        light: 1.0,
    };
    let light = Light {
        components: &[star],
        sun: &sun,
        sun_share: 0.06,
        water: 0.0,
    };
    let view = View {
        heliocentric_km_s: 18.0,
        ..still()
    };
    let ln = ln_wave(Arm::Blue, 18.0);
    let spread = view.spread(Arm::Blue, &light, &ln);
    let mut expected = Vec::new();
    // At rest for the observer is 18 km/s in a heliocentric file.
    smeared.fill(&ln, 18.0, &mut expected);
    expected.iter_mut().for_each(|f| *f = 0.94 + 0.06 * *f);
    assert!(difference(&spread, &expected) < 1e-5);
}

#[test]
fn stretch_moves_the_ends_of_the_window_apart() {
    let view = View {
        zp_km_s: 2.0,
        stretch_km_s: 0.4,
        ..still()
    };
    for arm in Arm::ALL {
        let (from, to) = arm.window_aa();
        for (wave, zp) in [(from, 1.6), (0.5 * (from + to), 2.0), (to, 2.4)] {
            assert!((view.zp_at_km_s(arm, wave) - zp).abs() < 1e-9);
            // A positive error is a line found too far to the red.
            let observed = view.ln_observed(arm, &[wave.ln()])[0];
            assert!(((wave.ln() - observed) * C_KM_S - zp).abs() < 1e-4);
        }
    }
}

#[test]
fn lines_are_as_wide_and_as_skew_as_the_line_spread_function() {
    let width = |lsf: Lsf| {
        let centre = 6500.0f64;
        // A comb's tooth: one narrow line of depth 1 - exp(-x^2/2) with sigma of 4 km/s.
        let line = Template::from_fn(Arm::Red, |w| {
            1.0 - 0.5 * (-0.5 * ((w / centre).ln() * C_KM_S / 4.0).powi(2)).exp()
        });
        let star = Component {
            template: &line,
            rv_km_s: 0.0,
            light: 1.0,
        };
        let light = Light {
            components: &[star],
            sun: &line,
            sun_share: 0.0,
            water: 0.0,
        };
        let velocities: Vec<f64> = (-400..=400).map(|i| 0.25 * f64::from(i)).collect();
        let ln: Vec<f64> = velocities
            .iter()
            .map(|v| centre.ln() + v / C_KM_S)
            .collect();
        let depth: Vec<f64> = View { lsf, ..still() }
            .spread(Arm::Red, &light, &ln)
            .iter()
            .map(|f| 1.0 - f)
            .collect();
        let sum: f64 = depth.iter().sum();
        let mean = depth
            .iter()
            .zip(&velocities)
            .map(|(d, v)| d * v)
            .sum::<f64>()
            / sum;
        let moment = |power: i32| {
            depth
                .iter()
                .zip(&velocities)
                .map(|(d, v)| d * (v - mean).powi(power))
                .sum::<f64>()
                / sum
        };
        let variance = moment(2);
        (
            mean,
            (variance - 16.0).sqrt(),
            moment(3) / (variance - 16.0).powf(1.5),
        )
    };
    let (mean, sigma, skew) = width(Lsf::NOMINAL);
    assert!(
        mean.abs() < 0.01 && (sigma - 16.975).abs() < 0.02 && skew.abs() < 1e-3,
        "{sigma}"
    );
    let (mean, sigma, skew) = width(Lsf {
        width: 1.05,
        skew: 0.2,
    });
    // Redwards: a tail to the red has its mean there.
    assert!((mean - 0.25 * 0.2 * sigma).abs() < 0.05, "{mean}");
    assert!((sigma - 17.824).abs() < 0.06, "{sigma}");
    assert!((skew - 0.2).abs() < 0.02, "{skew}");
}
