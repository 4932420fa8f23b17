use super::*;
use crate::lab::simulate::noise::Defects;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const PLACE: Place = Place {
    spid: 3,
    fiberid: 250,
    night: 0,
    exposure: 1,
    arm: 1,
};

fn taken(sky: Sky, damage: Option<Damage>) -> Taken {
    let star = Template::sharp(&StellarParams::dwarf(5000.0), Arm::Red);
    let component = Component {
        template: &star,
        rv_km_s: 20.0,
        light: 1.0,
    };
    let asked = Asked {
        components: &[component],
        place: PLACE,
        zp_km_s: -1.0,
        snr: 100.0,
        brightness: 1.0,
        damage,
        weak_lined: false,
    };
    let mut options = SpectrumOptions {
        defects: Defects::NONE,
        ..SpectrumOptions::default()
    };
    options.shift.heliocentric_km_s = 12.0;
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    Above::new(9, sky).spectrum(&mut rng, Arm::Red, &asked, &options)
}

/// rms of the difference of two noise-free normalised spectra.
fn rms(a: &Taken, b: &Taken) -> f64 {
    let sum: f64 = a
        .simulated
        .norm_flux
        .iter()
        .zip(&b.simulated.norm_flux)
        .map(|(a, b)| (a - b).powi(2))
        .sum();
    (sum / N_PIXELS as f64).sqrt()
}

#[test]
fn every_effect_shows_and_is_told() {
    let plain = taken(Sky::KIND, None);
    let only = |change: fn(&mut Sky)| {
        let mut sky = Sky::KIND;
        change(&mut sky);
        taken(sky, None)
    };
    assert_eq!(
        (plain.zp_km_s, plain.row.water, plain.row.lsf_width),
        (-1.0, 0.0, 1.0)
    );
    assert_eq!(plain.row.helio_rv, -12.0);

    let water = only(|s| s.water = 1.0);
    assert!(water.row.water > 0.39 && (2e-4..8e-3).contains(&rms(&water, &plain)));
    let moon = only(|s| s.moon = 0.05);
    assert!(moon.row.moon >= 0.01 && (2e-4..8e-3).contains(&rms(&moon, &plain)));
    let width = only(|s| s.lsf_width = 0.1);
    let double = only(|s| s.lsf_width = 0.2);
    let change = width.row.lsf_width - 1.0;
    assert!(change != 0.0 && (double.row.lsf_width - 1.0 - 2.0 * change).abs() < 1e-4);
    let (one, two) = (rms(&width, &plain), rms(&double, &plain));
    assert!(
        one > 1e-3 * change.abs() && (1.7..2.3).contains(&(two / one)),
        "{change} {one} {two}"
    );
    let skew = only(|s| s.lsf_skew = 0.1);
    assert!(skew.row.lsf_skew != 0.0 && rms(&skew, &plain) > 1e-5);
    let stretch = only(|s| s.stretch_km_s = 0.4);
    assert!(stretch.row.stretch != 0.0 && rms(&stretch, &plain) > 1e-6);
    let fibre = only(|s| s.fibre_zp_km_s = 0.25);
    assert!(fibre.row.zp_fibre != 0.0 && fibre.row.zp_fibre.abs() <= 0.25);
    assert!((fibre.zp_km_s + 1.0 - fibre.row.zp_fibre).abs() < 1e-5);

    // What the detector does is in the flux alone.
    let ripple = only(|s| s.ripple = 0.008);
    assert_eq!(rms(&ripple, &plain), 0.0);
    let ratio = |t: &Taken| -> Vec<f64> {
        (0..N_PIXELS)
            .map(|i| {
                f64::from(t.simulated.raw.pixels.flux[i])
                    / f64::from(plain.simulated.raw.pixels.flux[i])
            })
            .collect()
    };
    let spread = {
        let r = ratio(&ripple);
        let mean = r.iter().sum::<f64>() / N_PIXELS as f64;
        (r.iter().map(|v| (v / mean - 1.0).powi(2)).sum::<f64>() / N_PIXELS as f64).sqrt()
    };
    assert!((0.0045..0.0070).contains(&spread), "{spread}");
    let sky = only(|s| s.sky_lines_sigma = 20.0);
    let at = sky
        .simulated
        .log10_wave
        .partition_point(|l| *l < (6500.525f64 * (1.0 + 11.0 / 299_792.458)).log10());
    let height = f64::from(sky.simulated.raw.pixels.flux[at] - plain.simulated.raw.pixels.flux[at]);
    let told = sky.row.sky_lines * plain.simulated.sigma[at];
    assert!((height / told - 1.0).abs() < 0.05, "{height} {told}");
}

#[test]
fn scattered_light_is_half_of_the_spectrum() {
    let plain = taken(Sky::KIND, None);
    let scattered = taken(Sky::KIND, Some(Damage::Scattered));
    assert_eq!(scattered.row.damage, "scattered");
    let sun = Template::new(
        &StellarParams {
            vsini_km_s: 2.0,
            ..StellarParams::dwarf(5777.0)
        },
        Arm::Red,
    );
    for i in (0..N_PIXELS).step_by(11) {
        // At rest for the observer: at the heliocentric correction and the zero point.
        let sunlight = sun.flux(10f64.powf(scattered.simulated.log10_wave[i]), 11.0);
        let expected = 0.5 * (plain.simulated.norm_flux[i] + sunlight);
        assert!((scattered.simulated.norm_flux[i] - expected).abs() < 1e-4);
    }
}

#[test]
fn a_wrong_fibre_has_the_other_stars_spectrum() {
    let params = StellarParams::dwarf(8000.0);
    let wrong = taken(
        Sky::KIND,
        Some(Damage::WrongFibre {
            params,
            rv_km_s: -50.0,
        }),
    );
    let other = Template::new(&params, Arm::Red);
    for i in (0..N_PIXELS).step_by(11) {
        let expected = other.flux(10f64.powf(wrong.simulated.log10_wave[i]), -51.0);
        assert!((wrong.simulated.norm_flux[i] - expected).abs() < 1e-4);
    }
}
