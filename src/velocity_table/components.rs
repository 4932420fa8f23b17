//! The components of a table's exposures, in the table's own words.

use super::input::{Input, Shape};
use super::names::Groups;
use super::products::{push_arm, push_fields, text_or_int};
use crate::calibrate::links::{Component, Links};
use crate::catalogue::component::{GROUPS, NEAREST, NEAREST_GROUPS, Named, SHARED, SIZE};
use crate::table::Table;

/// One row per component of each arm; `links` are those of each arm.
pub fn components(input: &Input, links: &[Links]) -> Table {
    let of_arm = |(arm, links): (usize, &Links)| -> Vec<(usize, Component)> {
        let all = links.components.iter().cloned();
        all.map(|component| (arm, component)).collect()
    };
    let rows: Vec<(usize, Component)> = links.iter().enumerate().flat_map(of_arm).collect();
    let found: Vec<Component> = rows.iter().map(|(_, found)| found.clone()).collect();
    let name = |group: u32| input.groups.name(group);
    let named: Vec<Named> = rows
        .iter()
        .map(|(arm, found)| Named::of(found, &links[*arm], &name))
        .collect();
    let has_groups = !matches!(input.groups, Groups::None);

    let mut table = Table::new();
    push_arm(&mut table, input, rows.iter().map(|(arm, _)| *arm));
    push_fields(&mut table, input, &SIZE, &found);
    if has_groups {
        push_fields(&mut table, input, &GROUPS, &named);
    }
    push_ends(&mut table, input, &found);
    push_fields(&mut table, input, &NEAREST, &found);
    if has_groups {
        push_fields(&mut table, input, &NEAREST_GROUPS, &named);
    }
    push_fields(&mut table, input, &SHARED, &found);
    table
}

/// The first and the last exposure of each.
fn push_ends(table: &mut Table, input: &Input, found: &[Component]) {
    let name = match input.shape {
        Shape::Long => "exposure",
        Shape::Wide => "lmjm",
    };
    let exposure = |number: Option<u32>| {
        let text = number.map_or("", |number| input.exposures.of(number));
        text.to_owned()
    };
    let ends = || found.iter().map(Component::first_and_last);
    let first = ends().map(|ends| exposure(ends.map(|e| e.0))).collect();
    let last = ends().map(|ends| exposure(ends.map(|e| e.1))).collect();
    table.push(
        &format!("{name}_first"),
        "",
        "its first exposure",
        text_or_int(first),
    );
    table.push(
        &format!("{name}_last"),
        "",
        "its last exposure",
        text_or_int(last),
    );
}
