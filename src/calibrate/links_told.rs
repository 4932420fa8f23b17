//! What keeps the parts of an arm apart, in sentences.

use super::links::{Apart, Component, GroupSpan, Lack, Links};
use crate::text::count::count;

/// Sentences of each kind, at most: the largest components, and the groups with most exposures without a zero point.
const MOST_LINES: usize = 5;
/// Groups that a list of a component's groups names, at most.
const MOST_NAMED: usize = 5;

/// The groups as a list of names; of many the first ones, and how many there are beside them.
pub fn by_groups(spans: &[GroupSpan], name: &dyn Fn(u32) -> String) -> String {
    let named = spans.iter().take(MOST_NAMED).map(|span| name(span.group));
    let list = named.collect::<Vec<_>>().join(", ");
    match spans.len().saturating_sub(MOST_NAMED) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

/// What would link the largest components, and where stars are wanting. `name` tells what a group is called, None where there are no groups.
pub fn told_links(links: &Links, name: &dyn Fn(u32) -> Option<String>) -> Vec<String> {
    let mut largest: Vec<&Component> = links.components.iter().collect();
    largest.sort_by_key(|c| std::cmp::Reverse(c.n_exposures));
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    let mut out = Vec::new();
    for component in largest {
        let Some(apart) = component.apart else {
            continue;
        };
        // Of two that are each other's nearest one sentence says it all.
        let nearest = apart.nearest.unwrap_or(component.number);
        let is_told = pairs.contains(&(nearest, component.number));
        if let Some(needed) = apart.stars_needed.filter(|_| !is_told) {
            pairs.push((component.number, nearest));
            out.push(told_apart(component, &apart, needed, name));
        }
        if out.len() == MOST_LINES {
            break;
        }
    }
    let mut poorest: Vec<&Lack> = links.lacks.iter().collect();
    poorest.sort_by_key(|lack| std::cmp::Reverse(lack.n_exposures));
    out.extend(poorest.into_iter().take(MOST_LINES).map(|lack| {
        let group = name(lack.group).map_or(String::new(), |group| format!("{group}: "));
        format!(
            "{group}{} without a zero point; the poorest of them lacks {} of {}",
            count(lack.n_exposures as usize, "exposure"),
            lack.n_stars,
            count(lack.needed as usize, "star")
        )
    }));
    out
}

fn told_apart(
    component: &Component,
    apart: &Apart,
    needed: u32,
    name: &dyn Fn(u32) -> Option<String>,
) -> String {
    let number = component.number;
    let what = what(component, name);
    let stars = match needed {
        1 => "one quiet star".to_owned(),
        n => format!("{n} quiet stars"),
    };
    let Some(nearest) = apart.nearest else {
        return format!(
            "component {number} ({what}) shares no star with another: {stars} seen in both would join it to one"
        );
    };
    let quiet = match (apart.n_shared, apart.n_quiet) {
        (1, 0) => "which is not quiet".to_owned(),
        (_, 0) => "none of them quiet".to_owned(),
        (1, _) => "which is quiet but did not link them".to_owned(),
        (_, n) => format!("{n} of them quiet without linking them"),
    };
    let shared = count(apart.n_shared as usize, "star");
    format!(
        "component {number} ({what}) shares {shared} with component {nearest}, {quiet}: {stars} seen in both would join them"
    )
}

/// `plate X spectrograph 3 and 4 more, 24 exposures`.
fn what(component: &Component, name: &dyn Fn(u32) -> Option<String>) -> String {
    let exposures = count(component.n_exposures as usize, "exposure");
    // The first of those with most exposures.
    let largest = component.groups.iter().rev().max_by_key(|g| g.n_exposures);
    match (
        largest.and_then(|g| name(g.group)),
        component.groups.len().saturating_sub(1),
    ) {
        (None, _) => exposures,
        (Some(group), 0) => format!("{group}, {exposures}"),
        (Some(group), more) => format!("{group} and {more} more, {exposures}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(number: u32, groups: &[(u32, u32)], apart: Option<Apart>) -> Component {
        let span = |&(group, n_exposures): &(u32, u32)| GroupSpan {
            group,
            n_exposures,
            first: 0,
            last: 0,
        };
        Component {
            number,
            n_exposures: groups.iter().map(|g| g.1).sum(),
            n_constants: 0,
            groups: groups.iter().map(span).collect(),
            apart,
        }
    }

    fn apart(nearest: Option<u32>, n_shared: u32, n_quiet: u32) -> Option<Apart> {
        Some(Apart {
            nearest,
            n_shared,
            n_quiet,
            stars_needed: Some(1),
        })
    }

    fn told(components: Vec<Component>, lacks: Vec<Lack>) -> Vec<String> {
        let links = Links { components, lacks };
        told_links(&links, &|group| Some(format!("group {group}")))
    }

    #[test]
    fn the_largest_components_are_told_and_mutual_neighbours_once() {
        let components = vec![
            component(0, &[(0, 1)], apart(None, 0, 0)),
            component(1, &[(1, 2), (2, 4), (3, 4)], apart(Some(2), 3, 0)),
            component(2, &[(4, 2)], apart(Some(1), 3, 0)),
        ];
        assert_eq!(
            told(components.clone(), vec![]),
            [
                "component 1 (group 2 and 2 more, 10 exposures) shares 3 stars with component 2, none of them quiet: one quiet star seen in \
                 both would join them",
                "component 0 (group 0, 1 exposure) shares no star with another: one quiet star seen in both would join it to one",
            ]
        );
        let links = Links {
            components,
            lacks: vec![],
        };
        let without_groups = &told_links(&links, &|_| None)[1];
        assert!(without_groups.starts_with("component 0 (1 exposure) shares no star"));
    }

    #[test]
    fn quiet_stars_and_single_ones_are_told() {
        let of = |n_shared, n_quiet| {
            let one = component(0, &[(0, 2)], apart(Some(1), n_shared, n_quiet));
            told(vec![one], vec![]).remove(0)
        };
        assert!(of(1, 0).contains("shares 1 star with component 1, which is not quiet: "));
        assert!(of(1, 1).contains("1 star with component 1, which is quiet but did not link them"));
        assert!(of(4, 2).contains("shares 4 stars with component 1, 2 of them quiet without"));
    }

    #[test]
    fn few_lines_are_told_and_none_where_nothing_can_join() {
        let many = |apart: Option<Apart>| {
            let all = (0..9).map(|c| component(c, &[(c, c + 1)], apart));
            told(all.collect(), vec![])
        };
        assert_eq!(many(apart(None, 0, 0)).len(), 5);
        assert!(many(apart(None, 0, 0))[0].contains("group 8"));
        assert_eq!(many(None), Vec::<String>::new());
        let never = apart(None, 0, 0).map(|apart| Apart {
            stars_needed: None,
            ..apart
        });
        assert_eq!(many(never), Vec::<String>::new());
        let lack = |group| Lack {
            group,
            n_exposures: group + 1,
            n_stars: 2,
            needed: 3,
        };
        let lacks = told(vec![], (0..9).map(lack).collect());
        assert_eq!(lacks.len(), 5);
        assert_eq!(
            lacks[0],
            "group 8: 9 exposures without a zero point; the poorest of them lacks 2 of 3 stars"
        );
    }

    #[test]
    fn long_lists_of_groups_are_cut() {
        let spans = component(0, &[(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1)], None).groups;
        let name = |group: u32| format!("g{group}");
        assert_eq!(by_groups(&spans, &name), "g0, g1, g2, g3, g4 and 1 more");
        assert_eq!(by_groups(&spans[..5], &name), "g0, g1, g2, g3, g4");
        assert_eq!(by_groups(&[], &name), "");
    }
}
