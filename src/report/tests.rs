use super::plot::{running_median, violin};
use super::tick::tick;

#[test]
fn ticks_have_no_needless_digits() {
    for (x, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (0.25, "0.25"),
        (-1.5, "-1.5"),
        (100.0, "100"),
    ] {
        assert_eq!(tick(&x), text);
    }
}

#[test]
fn violins_are_widest_where_most_values_are() {
    let values: Vec<f64> = (0..200)
        .map(|i| if i % 4 == 0 { 3.0 } else { 0.0 } + 1e-3 * f64::from(i))
        .collect();
    let outline = violin(&values, 10.0, 0.4);
    let (x, y) = outline
        .iter()
        .copied()
        .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
    assert!((x - 10.4).abs() < 1e-9 && (y - 0.1).abs() < 0.5, "{x} {y}");
    assert!(outline.iter().all(|(x, _)| (x - 10.0).abs() <= 0.4 + 1e-9));
}

#[test]
fn running_medians_follow_the_points() {
    let points: Vec<(f64, f64)> = (1..=1000)
        .map(|i| (f64::from(i), 1.0 / f64::from(i)))
        .collect();
    for (x, y) in running_median(&points, 10) {
        assert!((x * y - 1.0).abs() < 0.02, "{x} {y}");
    }
    assert!(running_median(&[(1.0, 2.0)], 10).is_empty());
}
