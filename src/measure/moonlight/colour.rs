//! Moonlight in the red arm, as the blue arm tells it.
//!
//! In the red arm the Sun has few lines beside H-alpha, and what the flat field and the water lines do there looks like moonlight: alone,
//! that arm finds levels that are wrong by some 0.01, and by as much in all exposures of a night. The same moonlight is in the blue arm,
//! where it shows best. Between the two there is its colour, which is the same in all exposures of a unit.

use super::levels::Levels;

/// Share of moonlight in the red arm over that in the blue arm, in stars of usual brightness, and its error before anything is known: the
/// Sun's light scattered by air is bluer than most stars. Chosen by hand.
const COLOUR: f64 = 0.65;
const COLOUR_ERR: f64 = 0.2;

/// By how much a level is wrong that the red arm finds alone. Seen on simulated plates (`--sky hard`, seeds 3161, 3162).
const ALONE: f64 = 0.01;

/// Makes the levels what `other_arm` tells of them, level and error of each exposure, where it does. Their own say what the colour is, by how
/// they change; by what all of them share they say little.
pub fn follow(sky: &mut Levels, other_arm: &[Option<(f64, f64)>]) {
    let told = |e: usize| other_arm.get(e).copied().flatten();
    let both: Vec<(f64, f64)> = (0..sky.level.len())
        .filter_map(|e| Some((told(e)?.0, sky.level[e])))
        .collect();
    let (colour, colour_err) = colour(&both);
    for e in 0..sky.level.len() {
        let Some((other, other_err)) = told(e) else {
            continue;
        };
        let expected = colour * other;
        let variance = (colour * other_err).powi(2) + (colour_err * other).powi(2);
        let own = variance / (variance + ALONE * ALONE);
        sky.level[e] = expected + own * (sky.level[e] - expected);
        sky.level_err[e] = (variance * (1.0 - own)).sqrt();
    }
}

/// Colour of the moonlight and its error, from levels in the other arm and in this one.
fn colour(both: &[(f64, f64)]) -> (f64, f64) {
    let n = both.len() as f64;
    let mean = |value: fn(&(f64, f64)) -> f64| both.iter().map(value).sum::<f64>() / n;
    let (mean_other, mean_here) = (mean(|b| b.0), mean(|b| b.1));
    let mut information = COLOUR_ERR.powi(-2);
    let mut product = COLOUR * information;
    for (other, here) in both {
        let change = (other - mean_other) / (ALONE * ALONE);
        information += change * (other - mean_other);
        product += change * (here - mean_here);
    }
    (product / information, information.powf(-0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sky(level: &[f64]) -> Levels {
        Levels {
            level: level.to_vec(),
            level_err: vec![0.003; level.len()],
            common_err: 0.01,
            mismatch: 0.0,
            of_fibre: 0.2,
            of_exposure: 0.1,
            drift_km_s: vec![0.0; level.len()],
            n_stars: vec![50; level.len()],
        }
    }

    #[test]
    fn levels_follow_the_other_arm_whatever_a_night_is_off() {
        let other = [0.03, 0.033, 0.10, 0.105, 0.06, 0.02];
        let told: Vec<_> = other.iter().map(|l| Some((*l, 0.003))).collect();
        // A colour of 0.9, all too low by 0.01, and two of a night too high by 0.01.
        let off = [-0.01, -0.01, 0.0, 0.0, -0.01, -0.01];
        let found: Vec<f64> = other.iter().zip(off).map(|(l, o)| 0.9 * l + o).collect();
        let mut sky = sky(&found);
        follow(&mut sky, &told);
        for ((level, err), other) in sky.level.iter().zip(&sky.level_err).zip(other) {
            let off = level - 0.9 * other;
            assert!(
                off.abs() < 2.0 * err && *err < 0.01,
                "{level} {other} {err}"
            );
        }
        // What changes tells the colour: more than the 0.65 of before.
        assert!(sky.level[2] > 0.8 * 0.10, "{}", sky.level[2]);
    }

    #[test]
    fn what_the_other_arm_does_not_tell_stays() {
        let mut some = sky(&[0.02, 0.05]);
        follow(&mut some, &[None, Some((0.06, 0.0))]);
        assert_eq!((some.level[0], some.level_err[0]), (0.02, 0.003));
        // Nothing that changes: the colour is as it was taken to be, and its error is the level's.
        let told = 0.65 * 0.06;
        assert!(
            (some.level[1] - told).abs() < 0.8 * (0.05 - told),
            "{}",
            some.level[1]
        );
        assert!(some.level[1] > 0.9 * told, "{}", some.level[1]);
        assert!(
            (0.006..0.012).contains(&some.level_err[1]),
            "{}",
            some.level_err[1]
        );
        let mut none = sky(&[0.02, 0.05]);
        follow(&mut none, &[]);
        assert_eq!(none.level, [0.02, 0.05]);
    }
}
