//! One exposure over its reference: flux, residuals, what does not count and why, water lines, and ln L.

use std::ops::Range;

use super::svg::{Drawing, Panel};
use crate::{Arm, ComparedSpectrum, Curve, PixelFlags};

/// Heights of the panels.
const FLUX: f64 = 320.0;
const RESIDUALS: f64 = 130.0;
const LN_L: f64 = 240.0;
/// Residuals farther out are drawn at the edge, sigma.
const MOST_SIGMA: f64 = 6.0;
/// The panel around the peak shows ln L down to so much below it.
const DEPTH: f64 = 12.0;
/// A stretch of pixels that do not count is drawn no narrower.
const LEAST_WIDTH: f64 = 2.4;
/// The axis of flux goes no lower.
const LEAST_FLUX: f64 = -0.3;
/// What the axis of flux leaves for the line of water above the spectrum.
const ABOVE: f64 = 0.12;

/// An exposure of the star in one arm, as it was measured again.
#[derive(Debug)]
pub struct Spectrum {
    /// Its arm.
    pub arm: Arm,
    /// Its file and the HDU in it, in words.
    pub place: String,
    /// Local Modified Julian Minute of its start.
    pub lmjm: i64,
    /// Spectrograph and fibre.
    pub fibre: (i32, i32),
    /// Velocity and error, km/s, before moonlight is taken off.
    pub rv_km_s: f64,
    /// Its error.
    pub rv_err_km_s: f64,
    /// Reduced chi^2.
    pub chi2_red: f64,
    /// Pixels that were compared.
    pub n_pix: usize,
    /// Exposures that the reference is made of.
    pub n_reference: i32,
    /// Its pixels.
    pub compared: ComparedSpectrum,
    /// Flux over continuum of all pixels, as stored.
    pub stored: Vec<f64>,
    /// What water left of the light, where it was divided out.
    pub water: Option<Vec<f64>>,
    /// How much water that was, mm on the line of sight.
    pub water_mm: Option<f64>,
    /// ln L at all velocities, and around the peak.
    pub curves: Option<[Curve; 2]>,
}

impl Spectrum {
    /// A word for names of files.
    fn word(&self) -> String {
        format!("{}-{}", self.lmjm, self.arm.name())
    }

    /// Pixels that are looked at: those of the window.
    fn window(&self) -> Range<f64> {
        let c = &self.compared;
        let inside = c.wave_aa.iter().zip(&c.mask);
        let inside = inside.filter(|(_, m)| !m.contains(PixelFlags::OUTSIDE));
        let ends = inside.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (w, _)| {
            (low.min(*w), high.max(*w))
        });
        ends.0..ends.1
    }

    /// Residuals over the errors of exposure and reference together; NaN for pixels that do not count.
    pub fn residuals_sigma(&self) -> Vec<f64> {
        let c = &self.compared;
        let one = |k: usize| {
            let variance = 1.0 / c.ivar[k] + c.reference_err[k] * c.reference_err[k];
            match c.mask[k].is_empty() && c.ivar[k] > 0.0 {
                true => (c.flux[k] - c.reference[k]) / variance.sqrt(),
                false => f64::NAN,
            }
        };
        (0..c.flux.len()).map(one).collect()
    }

    /// Stretches of pixels in the window that do not count for the same reason: the first reason, first and last pixel.
    fn stretches(&self) -> Vec<(&'static str, &'static str, usize, usize)> {
        let mut out: Vec<(&str, &str, usize, usize)> = Vec::new();
        for (k, mask) in self.compared.mask.iter().enumerate() {
            if mask.contains(PixelFlags::OUTSIDE) {
                continue;
            }
            let first = PixelFlags::ALL
                .iter()
                .find(|(flag, ..)| mask.contains(*flag));
            let Some((_, name, meaning)) = first else {
                continue;
            };
            match out.last_mut() {
                Some((last, _, _, end)) if last == name && *end + 1 == k => *end = k,
                _ => out.push((name, meaning, k, k)),
            }
        }
        out
    }

    /// How many pixels of the window do not count, by reason: name, meaning, number.
    pub fn reasons(&self) -> Vec<(&'static str, &'static str, usize)> {
        let stretches = self.stretches();
        let of = |(_, name, meaning): (PixelFlags, &'static str, &'static str)| {
            let mine = stretches.iter().filter(|s| s.0 == name);
            (name, meaning, mine.map(|s| s.3 - s.2 + 1).sum())
        };
        let all = PixelFlags::ALL.map(of).into_iter();
        all.filter(|(_, _, n)| *n > 0).collect()
    }

    /// Flux, reference, residuals.
    pub fn figure(&self) -> Drawing {
        let c = &self.compared;
        let title = format!("Spectrum {} over its reference", self.word());
        let mut drawing = Drawing::new(
            format!("spectrum-{}", self.word()),
            title,
            FLUX + RESIDUALS + 130.0,
        );
        let x = self.window();
        let margin = 0.01 * (x.end - x.start);
        let x = x.start - margin..x.end + margin;
        let panel = Panel::new(x.clone(), self.flux_range(), 44.0, FLUX);
        self.legend(&mut drawing, 24.0);
        drawing.axes(&panel, None, "", "flux / continuum");
        self.bands(&mut drawing, &panel);
        if let Some(water) = &self.water {
            let line = c
                .wave_aa
                .iter()
                .zip(water)
                .map(|(w, left)| (*w, *left + ABOVE));
            drawing.curve("water", &panel, line);
        }
        let divided = |k: usize| match &self.water {
            Some(water) => self.stored[k] / water[k],
            None => self.stored[k],
        };
        // What a pixel without a variance holds is mostly a 0 that nothing was measured at.
        let shown = |k: usize| match c.mask[k].contains(PixelFlags::NO_IVAR) {
            true => f64::NAN,
            false => divided(k),
        };
        let pixels = (0..c.flux.len()).map(|k| (c.wave_aa[k], shown(k)));
        drawing.curve("seen", &panel, pixels);
        let reference = c.wave_aa.iter().zip(&c.reference);
        drawing.curve("reference", &panel, reference.map(|(w, r)| (*w, *r)));
        for (name, _, first, last) in self.stretches() {
            for k in first..=last {
                if divided(k).is_finite() {
                    drawing.circle(name, panel.place(c.wave_aa[k], divided(k)), 3.2);
                }
            }
        }
        let below = Panel::new(x, -MOST_SIGMA..MOST_SIGMA, 44.0 + FLUX + 16.0, RESIDUALS);
        drawing.axes(
            &below,
            None,
            "vacuum wavelength in the Sun's frame, A",
            "sigma",
        );
        for level in [-3.0, 0.0, 3.0] {
            let (_, y) = below.place(0.0, level);
            drawing.line("zero", (below.left(), y), (below.right(), y));
        }
        let residuals = self.residuals_sigma();
        drawing.curve(
            "seen",
            &below,
            c.wave_aa.iter().zip(residuals).map(|(w, r)| (*w, r)),
        );
        drawing
    }

    /// A range that shows the spectrum, and not every cosmic ray.
    fn flux_range(&self) -> Range<f64> {
        let c = &self.compared;
        let counts = |k: &usize| c.mask[*k].is_empty();
        let mut flux: Vec<f64> = (0..c.flux.len())
            .filter(counts)
            .map(|k| c.flux[k])
            .collect();
        flux.extend(c.reference.iter().filter(|r| r.is_finite()));
        flux.sort_by(f64::total_cmp);
        let at = |share: f64| flux.get((share * flux.len() as f64) as usize).copied();
        // Rays go up, and a line's core is wanted whole.
        let (low, high) = (at(0.0).unwrap_or(0.0), at(0.999).unwrap_or(1.0));
        let low = low.max(LEAST_FLUX);
        let high = match self.water {
            Some(_) => high.max(1.0 + ABOVE),
            None => high,
        };
        let margin = 0.06 * (high - low).max(0.1);
        low - margin..high + margin
    }

    /// Shades what does not count, and what is outside of the window.
    fn bands(&self, drawing: &mut Drawing, panel: &Panel) {
        let c = &self.compared;
        let edges = |k: usize| {
            let last = c.wave_aa.len() - 1;
            let (before, after) = (c.wave_aa[k.saturating_sub(1)], c.wave_aa[(k + 1).min(last)]);
            (0.5 * (before + c.wave_aa[k]), 0.5 * (c.wave_aa[k] + after))
        };
        for (name, meaning, first, last) in self.stretches() {
            let ((a, _), (b, _)) = (
                panel.place(edges(first).0, panel.y.start),
                panel.place(edges(last).1, panel.y.start),
            );
            let wider = 0.5 * (LEAST_WIDTH - (b - a)).max(0.0);
            let title = format!(
                "{name}: {meaning}; {:.2} to {:.2} A, {} pixels",
                c.wave_aa[first],
                c.wave_aa[last],
                last - first + 1
            );
            drawing.rect(
                &format!("band {name}"),
                (a - wider, panel.top),
                (b + wider, panel.bottom()),
                &title,
            );
        }
    }

    fn legend(&self, drawing: &mut Drawing, y: f64) {
        let mut x = 100.0;
        let mut entry = |drawing: &mut Drawing, class: &str, is_line: bool, text: &str| {
            match is_line {
                true => drawing.line(class, (x, y - 6.0), (x + 26.0, y - 6.0)),
                false => drawing.rect(class, (x + 4.0, y - 13.0), (x + 20.0, y + 1.0), ""),
            }
            drawing.text((x + 32.0, y), "start", "num", text);
            x += 52.0 + 8.6 * text.chars().count() as f64;
        };
        entry(
            drawing,
            "seen",
            true,
            &format!("exposure ({})", self.arm.name()),
        );
        entry(drawing, "reference", true, "reference");
        if self.water.is_some() {
            entry(
                drawing,
                "water",
                true,
                &format!("water, divided out (+{ABOVE})"),
            );
        }
        for (name, _, n) in self.reasons() {
            entry(drawing, name, false, &format!("{name} {n}"));
        }
    }

    /// ln L over the grid, and around the peak.
    pub fn likelihood(&self) -> Option<Drawing> {
        let [all, near] = self.curves.as_ref()?;
        let finite = |c: &Curve| {
            c.ln_l
                .iter()
                .copied()
                .filter(|l| l.is_finite())
                .fold(f64::NEG_INFINITY, f64::max)
        };
        let (top_all, top_near) = (finite(all), finite(near));
        if !(top_all.is_finite() && top_near.is_finite()) {
            return None;
        }
        let title = format!("Likelihood of {}", self.word());
        let mut drawing = Drawing::new(format!("likelihood-{}", self.word()), title, LN_L + 110.0);
        let ends = |c: &Curve| match (c.rv_km_s.first(), c.rv_km_s.last()) {
            (Some(a), Some(b)) => *a..*b,
            _ => 0.0..1.0,
        };
        let least = all
            .ln_l
            .iter()
            .copied()
            .filter(|l| l.is_finite())
            .fold(0.0_f64, |a, l| a.min(l - top_all));
        let left = Panel::new(ends(all), 1.06 * least..-0.06 * least, 44.0, LN_L).half(0);
        drawing.text(
            (left.left(), 24.0),
            "start",
            "head",
            "ln L less its maximum: the whole grid",
        );
        drawing.axes(&left, None, "velocity, km/s", "ln L - max");
        drawing.curve(
            "seen",
            &left,
            all.rv_km_s
                .iter()
                .zip(&all.ln_l)
                .map(|(v, l)| (*v, l - top_all)),
        );
        let (v, _) = left.place(self.rv_km_s, 0.0);
        drawing.line("found", (v, left.top), (v, left.bottom()));
        let right = Panel::new(ends(near), -DEPTH..0.06 * DEPTH, 44.0, LN_L).half(1);
        drawing.text((right.left(), 24.0), "start", "head", "around the peak");
        drawing.axes(&right, None, "velocity, km/s", "ln L - max");
        if self.rv_err_km_s.is_finite() {
            let (low, _) = right.place(self.rv_km_s - self.rv_err_km_s, 0.0);
            let (high, _) = right.place(self.rv_km_s + self.rv_err_km_s, 0.0);
            drawing.rect(
                "peak",
                (low.max(right.left()), right.top),
                (high.min(right.right()), right.bottom()),
                &format!("{:.3} +- {:.3} km/s", self.rv_km_s, self.rv_err_km_s),
            );
        }
        let (_, half) = right.place(0.0, -0.5);
        drawing.line("zero", (right.left(), half), (right.right(), half));
        let deep = near.rv_km_s.iter().zip(&near.ln_l).map(|(v, l)| {
            let l = l - top_near;
            (*v, if l < -1.02 * DEPTH { f64::NAN } else { l })
        });
        drawing.curve("seen", &right, deep);
        let (v, _) = right.place(self.rv_km_s, 0.0);
        drawing.line("found", (v, right.top), (v, right.bottom()));
        Some(drawing)
    }
}
