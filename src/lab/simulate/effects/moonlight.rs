//! Moonlight in one fibre. It comes from the sky and not from the star, so the share that it has depends on how bright the star is.

use rand_distr::{Distribution, StandardNormal};

use super::conditions::Place;
use crate::lab::simulate::streams::{Purpose, stream};

/// Scatter of ln(moonlight over starlight) from fibre to fibre, and of one fibre from exposure to exposure: a fibre is never quite on its
/// star, and the model of the sky that is subtracted is not its own sky. Chosen by hand.
const OF_FIBRE: f64 = 0.2;
const OF_EXPOSURE: f64 = 0.1;

/// Share of the continuum that moonlight has at most: of a fainter star the sky subtraction leaves no more than that.
const MOST: f64 = 0.2;

/// Share of moonlight in the continuum of one spectrum.
///
/// `usual` is its share in a star of the plate's middle brightness, and `brightness` the star's light over that one's.
pub fn share(seed: u64, place: Place, usual: f64, brightness: f64) -> f64 {
    let fibre = (place.spid as usize) << 8 | place.fiberid as usize;
    let normal = |indices: [usize; 3]| -> f64 {
        StandardNormal.sample(&mut stream(seed, Purpose::Moonlight, indices))
    };
    let scatter = OF_FIBRE * normal([fibre, 0xFFFF, 0])
        + OF_EXPOSURE * normal([fibre, place.night, place.exposure]);
    let over_star = usual / (1.0 - usual) * scatter.exp() / brightness;
    (over_star / (1.0 + over_star)).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(fiberid: i32, exposure: usize) -> Place {
        Place {
            spid: 3,
            fiberid,
            night: 1,
            exposure,
            arm: 0,
        }
    }

    #[test]
    fn a_fibre_has_its_own_share_and_a_bright_star_less_of_it() {
        let logs = |places: &mut dyn Iterator<Item = Place>| -> Vec<f64> {
            places.map(|p| share(7, p, 0.05, 1.0).ln()).collect()
        };
        let spread = |v: &[f64]| {
            let mean = v.iter().sum::<f64>() / v.len() as f64;
            let square = v.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            (mean, (square / v.len() as f64).sqrt())
        };
        let (mean, scatter) = spread(&logs(&mut (1..=250).map(|f| at(f, 0))));
        assert!((mean.exp() / 0.05 - 1.0).abs() < 0.05, "{mean}");
        assert!((0.18..0.26).contains(&scatter), "{scatter}");
        let (_, scatter) = spread(&logs(&mut (0..250).map(|e| at(5, e))));
        assert!((0.08..0.12).contains(&scatter), "{scatter}");

        let of = |usual, brightness| share(7, at(5, 0), usual, brightness);
        let ratio = |m: f64| m / (1.0 - m);
        assert!((ratio(of(0.05, 1.0)) / ratio(of(0.05, 2.0)) - 2.0).abs() < 1e-9);
        assert_eq!(of(0.0, 1.0), 0.0);
        assert_eq!(of(0.05, 1e-3), MOST);
        assert_ne!(share(8, at(5, 0), 0.05, 1.0), of(0.05, 1.0));
    }
}
