//! One star about the model: its mean, its residuals, and how probable they are if it is constant.

use rayon::prelude::*;

use super::graph::Graph;
use crate::numbers::statistics::{chi2_p_value, median};

/// Normal quantile of the p-value 0.1. A star with a smaller p-value gets a jitter of its own that brings it up to 0.1: so a star near
/// the limit for constants ([`JointOptions::p_min`](super::joint::JointOptions)) has less weight. Chosen by hand.
const Z_JITTER: f64 = 1.2816;
/// Steps of the robust mean.
const MEAN_STEPS: usize = 3;

/// The zero points that the velocities of stars are corrected with, to see which stars are constant.
pub(super) struct Model<'a> {
    pub(super) graph: &'a Graph,
    /// Zero points, NaN where there is none.
    pub(super) zp: &'a [f64],
    /// Their variances, 0 where not known.
    pub(super) zp_var: &'a [f64],
    /// Component of each zero point; empty before the first solution: all are one.
    pub(super) component: &'a [Option<u32>],
    /// Stars that determined these zero points.
    pub(super) is_constant: &'a [bool],
    /// Outlier threshold in sigma.
    pub(super) cut: f64,
}

/// An observation with a zero point.
pub(super) struct Edge {
    /// Index in the graph.
    pub(super) k: usize,
    /// Corrected RV less the star's mean.
    pub(super) residual: f64,
    /// Robust weight, at most 1.
    pub(super) robust: f64,
}

/// A star compared with the model; the fields mean what they mean in [`super::StarFit`].
pub(super) struct Fit {
    pub(super) edges: Vec<Edge>,
    pub(super) chi2: f64,
    pub(super) dof: f64,
    pub(super) p_value: f64,
    pub(super) own_jitter: f64,
}

impl Model<'_> {
    /// All stars, with the square of the common jitter.
    pub(super) fn fits(&self, jitter2: f64) -> Vec<Fit> {
        (0..self.graph.n_stars())
            .into_par_iter()
            .map(|star| self.fit(star, jitter2))
            .collect()
    }

    /// One star. Its mean is taken per component: between components there is no common scale, and a star that
    /// links them must not look variable for it.
    pub(super) fn fit(&self, star: usize, jitter2: f64) -> Fit {
        let mut found: Vec<(u32, Edge)> = self
            .graph
            .counted(star)
            .filter_map(|k| {
                let z = self.graph.zp[k] as usize;
                let component = match self.component.get(z) {
                    Some(c) => (*c)?,
                    None => 0,
                };
                let residual = self.graph.rv[k] - self.zp[z];
                residual.is_finite().then_some((
                    component,
                    Edge {
                        k,
                        residual,
                        robust: 1.0,
                    },
                ))
            })
            .collect();
        found.sort_by_key(|(c, _)| *c);
        // A constant helped to determine the zero points, which makes its residuals smaller (`absorbed` below). For other stars the
        // zero points' errors add to their own.
        let in_solution = self.is_constant.get(star).copied().unwrap_or(false);
        let var_of = |k: usize| {
            let own = self.graph.var[k] + jitter2;
            let zp = self.zp_var[self.graph.zp[k] as usize];
            if in_solution { own } else { own + zp }
        };
        let mut dof = 0.0;
        for part in found.chunk_by_mut(|a, b| a.0 == b.0) {
            self.centre(part, &var_of);
            dof += part.len() as f64 - 1.0;
        }
        let mut chi2 = 0.0;
        let mut absorbed = 0.0;
        for (_, edge) in &found {
            let var = var_of(edge.k);
            let u2 = edge.residual * edge.residual / var;
            chi2 += u2.min(self.cut * self.cut);
            if in_solution {
                absorbed += edge.robust * self.zp_var[self.graph.zp[edge.k] as usize] / var;
            }
        }
        // A star that outweighs all others in its exposures leaves no residual. It keeps a twentieth of its degrees of freedom, so
        // that `dof` stays positive.
        dof = (dof - absorbed).max(0.05 * dof);
        let p_value = chi2_p_value(chi2, dof);
        let edges: Vec<Edge> = found.into_iter().map(|(_, e)| e).collect();
        let own_jitter = own_jitter(&edges, chi2, dof, self.cut, var_of);
        Fit {
            edges,
            chi2,
            dof,
            p_value,
            own_jitter,
        }
    }

    /// Makes the corrected RVs of one component residuals about their robust mean.
    fn centre(&self, part: &mut [(u32, Edge)], var_of: &impl Fn(usize) -> f64) {
        let mut values: Vec<f64> = part.iter().map(|(_, e)| e.residual).collect();
        let mut mean = median(&mut values);
        for step in 0..=MEAN_STEPS {
            let (mut sum, mut total) = (0.0, 0.0);
            for (_, edge) in part.iter_mut() {
                let var = var_of(edge.k);
                let u = (edge.residual - mean).abs() / var.sqrt();
                edge.robust = if u > self.cut {
                    (self.cut / u).powi(2)
                } else {
                    1.0
                };
                sum += edge.robust / var * edge.residual;
                total += edge.robust / var;
            }
            if step < MEAN_STEPS {
                mean = sum / total;
            }
        }
        for (_, edge) in part {
            edge.residual -= mean;
        }
    }
}

/// Jitter that brings the star's chi^2 down to where p = 0.1 (quantile after Wilson & Hilferty 1931).
fn own_jitter(
    edges: &[Edge],
    chi2_now: f64,
    dof: f64,
    cut: f64,
    var_of: impl Fn(usize) -> f64,
) -> f64 {
    let ninth = 2.0 / (9.0 * dof);
    // Below one degree of freedom the formula runs out (and below 0.2 under zero); the quantile is above dof there.
    let goal = (dof * (1.0 - ninth + Z_JITTER * ninth.sqrt()).powi(3)).max(dof);
    if dof.is_nan() || dof <= 0.0 || chi2_now.is_nan() || chi2_now <= goal {
        return 0.0;
    }
    let chi2 = |jitter2: f64| -> f64 {
        edges
            .iter()
            .map(|e| (e.residual * e.residual / (var_of(e.k) + jitter2)).min(cut * cut))
            .sum()
    };
    let (mut low, mut high) = (0.0, edges.iter().map(|e| e.residual * e.residual).sum());
    for _ in 0..100 {
        if chi2(high) <= goal {
            break;
        }
        high *= 4.0;
    }
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if chi2(middle) > goal {
            low = middle;
        } else {
            high = middle;
        }
    }
    high.sqrt()
}
