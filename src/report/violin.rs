//! The outline of a distribution.

use crate::numbers::statistics::{median, quantile};

/// Values farther from the median than so many robust standard deviations are no part of the outline: one velocity of a damaged exposure
/// would widen it, and it would say nothing of the others.
const FAR_SIGMA: f64 = 5.0;

/// Half the width between the quartiles of a normal distribution, in standard deviations.
const QUARTILE_SIGMA: f64 = 0.6745;

/// Points of one side of an outline.
const STEPS: usize = 60;

/// A distribution to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Violin {
    /// Values and the density there, over its largest; ends beyond the last values, so that nothing of it is cut.
    profile: Vec<(f64, f64)>,
    /// Values too far to be part of it.
    pub far: Vec<f64>,
}

impl Violin {
    /// The density of `values` (a Gaussian kernel of Silverman's width). None if there are none.
    pub fn of(values: &[f64]) -> Option<Violin> {
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let mut sorted: Vec<f64> = finite().collect();
        if sorted.is_empty() {
            return None;
        }
        let middle = median(&mut sorted);
        let (low, high) = (quantile(&mut sorted, 0.25), quantile(&mut sorted, 0.75));
        let sigma = 0.5 * (high - low) / QUARTILE_SIGMA;
        let is_near = |v: &f64| (v - middle).abs() <= FAR_SIGMA * sigma.max(1e-3);
        let (near, far): (Vec<f64>, Vec<f64>) = finite().partition(is_near);
        Some(Violin {
            profile: profile(&near, sigma),
            far,
        })
    }

    /// First and last value of the outline.
    pub fn ends(&self) -> (f64, f64) {
        let end = |p: Option<&(f64, f64)>| p.map_or(0.0, |p| p.0);
        (end(self.profile.first()), end(self.profile.last()))
    }

    /// The outline round `x`, as wide as `half_width` to each side where it is widest.
    pub fn outline(&self, x: f64, half_width: f64) -> Vec<(f64, f64)> {
        let side = |sign: f64| {
            let point = move |(y, density): &(f64, f64)| (x + sign * half_width * density, *y);
            self.profile.iter().map(point)
        };
        side(1.0).chain(side(-1.0).rev()).collect()
    }
}

fn profile(values: &[f64], sigma: f64) -> Vec<(f64, f64)> {
    let ends = values.iter().fold((f64::MAX, f64::MIN), |(low, high), v| {
        (low.min(*v), high.max(*v))
    });
    let width = (1.06 * sigma * (values.len().max(1) as f64).powf(-0.2)).max(1e-3);
    // Three widths beyond the last value the density is nothing.
    let (low, high) = (ends.0 - 3.0 * width, ends.1 + 3.0 * width);
    let at = |i: usize| low + (high - low) * i as f64 / STEPS as f64;
    let density = |y: f64| -> f64 {
        let of = |v: &f64| (-0.5 * ((y - v) / width).powi(2)).exp();
        values.iter().map(of).sum()
    };
    let all: Vec<(f64, f64)> = (0..=STEPS).map(|i| (at(i), density(at(i)))).collect();
    let top = all.iter().map(|p| p.1).fold(f64::MIN_POSITIVE, f64::max);
    all.into_iter().map(|(y, d)| (y, d / top)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_holds_all_but_what_is_far() {
        let mut values: Vec<f64> = (0..101).map(|i| 0.02 * f64::from(i) - 1.0).collect();
        values.push(40.0);
        values.push(f64::NAN);
        let violin = Violin::of(&values).unwrap();
        assert_eq!(violin.far, [40.0]);
        let (low, high) = violin.ends();
        assert!((-3.0..-1.5).contains(&low) && (1.5..3.0).contains(&high));
        let outline = violin.outline(2.0, 0.4);
        assert_eq!(outline.len(), 2 * (STEPS + 1));
        let widest = outline
            .iter()
            .map(|p| (p.0 - 2.0).abs())
            .fold(0.0, f64::max);
        assert!((widest - 0.4).abs() < 1e-12);
        // It closes: at both ends there is next to nothing.
        for end in [&outline[0], &outline[STEPS], &outline[STEPS + 1]] {
            assert!((end.0 - 2.0).abs() < 0.01, "{end:?}");
        }
        assert_eq!(outline[0].1, low);
        assert_eq!(outline[STEPS].1, high);
    }

    #[test]
    fn values_that_are_all_alike_have_an_outline() {
        let violin = Violin::of(&[3.0; 8]).unwrap();
        assert!(violin.far.is_empty());
        let (low, high) = violin.ends();
        assert!(low < 3.0 && 3.0 < high && high - low < 0.1);
        assert!(Violin::of(&[f64::NAN]).is_none());
    }
}
