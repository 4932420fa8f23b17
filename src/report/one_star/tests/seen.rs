use ndarray::Array1;

use super::*;

/// A spectrum of 200 pixels, the first and last 10 of them outside of the window; pixel 50 has a spike.
pub fn spectrum(place: &str) -> Spectrum {
    use crate::{ComparedSpectrum, Curve, PixelFlags};
    let n = 200;
    let mut mask = vec![PixelFlags::empty(); n];
    mask[..10].fill(PixelFlags::OUTSIDE);
    mask[190..].fill(PixelFlags::OUTSIDE);
    mask[50] = PixelFlags::SPIKE;
    // The reference is worse known at pixel 120 than the exposure.
    let mut reference_err = vec![0.0; n];
    reference_err[120] = 0.12;
    let mut stored = vec![1.0; n];
    stored[50] = 7.0;
    let curve = |step: f64| Curve {
        rv_km_s: (-20..=20).map(|i| step * f64::from(i)).collect(),
        ln_l: (-20..=20)
            .map(|i| -0.5 * (step * f64::from(i)).powi(2))
            .collect(),
    };
    Spectrum {
        arm: Arm::Red,
        place: place.to_owned(),
        lmjm: 84_420_148,
        fibre: (2, 12),
        rv_km_s: 0.4,
        rv_err_km_s: 0.3,
        chi2_red: 1.1,
        n_pix: 179,
        n_reference: 3,
        compared: ComparedSpectrum {
            pixel: (0..n).collect(),
            wave_aa: (0..n).map(|k| 6400.0 + 0.15 * k as f64).collect(),
            flux: Array1::from_elem(n, 1.02),
            ivar: Array1::from_elem(n, 400.0),
            continuum: Array1::from_elem(n, 1.0),
            mask: Array1::from(mask),
            reference: Array1::from_elem(n, 1.0),
            reference_err: Array1::from(reference_err),
            rv_km_s: 0.4,
        },
        stored,
        water: Some(vec![0.97; n]),
        water_mm: Some(4.25),
        curves: Some([curve(10.0), curve(0.1)]),
    }
}

#[test]
fn a_spectrum_is_drawn_with_what_does_not_count_and_why() {
    let s = spectrum("a.fits [R-1]");
    let residuals = s.residuals_sigma();
    assert!((residuals[100] - 0.4).abs() < 1e-9, "{}", residuals[100]);
    assert!(
        (residuals[120] - 0.02 / 0.13).abs() < 1e-9,
        "{}",
        residuals[120]
    );
    assert!(residuals[50].is_nan() && residuals[5].is_nan());
    assert_eq!(
        s.reasons(),
        [(
            "spike",
            "in a spike or dip narrower than the line-spread function",
            1
        )]
    );
    let svg = s.figure().inline();
    for says in [
        "class=\"band spike\"",
        "spike 1",
        "narrower than the line-spread function; 6407.50 to 6407.50 A",
        "class=\"water\"",
        "class=\"reference\"",
        "sigma",
    ] {
        assert!(svg.contains(says), "{says}");
    }
    assert!(!svg.contains("NaN"));
    // The line and its name.
    assert_eq!(svg.matches("class=\"water\"").count(), 2);
    // What is seen is what the water has left, over that.
    let mut dry = spectrum("a.fits [R-1]");
    dry.stored.iter_mut().for_each(|f| *f /= 0.97);
    dry.water = Some(vec![1.0; 200]);
    let seen = |svg: &str| {
        svg.split("class=\"seen\" d=\"")
            .nth(2)
            .map(|d| d[..2000].to_owned())
    };
    assert!(seen(&svg).is_some() && seen(&svg) == seen(&dry.figure().inline()));
    let likelihood = s.likelihood().unwrap().inline();
    assert!(likelihood.contains("0.400 +- 0.300 km/s") && likelihood.contains("around the peak"));
    // The shade is as wide as the error to both sides: 0.6 of 4 km/s in a panel of 380.
    let shade = likelihood.split("class=\"peak\"").nth(1).unwrap();
    assert!(
        shade.split('>').next().unwrap().contains(" width=\"57.0\""),
        "{shade}"
    );
    // Moonlight has moved the run's velocity.
    let mut products = run();
    products.catalogue.rows[4].arms[0].rv_km_s = s.rv_km_s - 0.125;
    let (html, figures) = page(
        products,
        &Spectra::Seen {
            spectra: vec![s],
            rejected: vec!["b.fits [B-2]: low_snr".to_owned()],
        },
    );
    for says in [
        "b.fits [B-2]: low_snr",
        "a coadd of the star's other exposures (3 agree)",
        "blue arm: the run measured it",
        "<th class=\"text\">taken off</th>",
        "<td class=\"text\">water 4.2 mm, sky and detector -0.125 km/s</td>",
        "the run has 0.275: -0.125 from moonlight and the detector",
        "water lines of 4.2 mm of water were divided out, 3.0 % of the light at the deepest",
    ] {
        assert!(html.contains(says), "{says}\n{html}");
    }
    assert_eq!(figures.len(), 3);
    // As many cells as headings in the line of the arm.
    let cells = |text: &str| text.matches("<td").count() + text.matches("<th").count();
    let head = html
        .split("<thead>")
        .nth(1)
        .unwrap()
        .split("</thead>")
        .next()
        .unwrap();
    let line = html
        .split("<tr class=\"first\">")
        .nth(1)
        .unwrap()
        .split("</tr>")
        .next()
        .unwrap();
    assert_eq!(cells(head), cells(line), "{head}\n{line}");
}
