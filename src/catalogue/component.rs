//! The exposures that common stars link, and what would link them to others.

use std::borrow::Cow;
use std::sync::Arc;

use super::exposure::{LARGEST_MINUTE, arm_named};
use crate::Arm;
use crate::calibrate::links::{Apart, Component, GroupSpan, Links};
use crate::calibrate::{by_groups, told_links};
use crate::table::{Cell, Field, Table, field};

/// The plates and spectrographs of a component and of its nearest one, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// How many the component spans.
    pub n_groups: i32,
    /// Names of the first of them.
    pub groups: String,
    /// Names of the first ones that the nearest component spans; empty where there is none.
    pub nearest_groups: String,
}

impl Named {
    /// The groups of a component of an arm with these links; `name` names a group.
    pub fn of(component: &Component, links: &Links, name: &dyn Fn(u32) -> String) -> Self {
        let nearest = component.apart.and_then(|apart| apart.nearest);
        let nearest = nearest.and_then(|b| links.components.get(b as usize));
        let nearest: &[GroupSpan] = nearest.map_or(&[], |b| &b.groups);
        Named {
            n_groups: component.groups.len() as i32,
            groups: by_groups(&component.groups, name),
            nearest_groups: by_groups(nearest, name),
        }
    }
}

/// A row of `components`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentRow {
    /// Arm.
    pub arm: Arm,
    /// Local Modified Julian Minute of its first exposure's start.
    pub lmjm_first: i64,
    /// The same of its last exposure.
    pub lmjm_last: i64,
    /// Its plates and spectrographs.
    pub named: Named,
    /// What was found.
    pub found: Component,
}

/// Which arm.
pub static ARM: [Field<ComponentRow>; 1] = [Field::new(
    "arm",
    "",
    "arm of the spectrograph",
    Cell::Text(
        |c: &ComponentRow| Cow::Borrowed(c.arm.name()),
        |c, text: &Arc<str>| {
            c.arm = arm_named(text)?;
            Ok(())
        },
    ),
)
.page("`red` or `blue`")
.ucd("instr.bandpass")];

/// Which component, and how large.
pub static SIZE: [Field<Component>; 2] = [
    Field::new(
        "component",
        "",
        "number of the component: exposures of an arm that common stars link",
        Cell::I32(
            |c: &Component| c.number as i32,
            |c, x| c.number = x.max(0) as u32,
        ),
    )
    .page("number of the component, as in `zeropoints`: its exposures are linked by common stars and are on one scale")
    .ucd("meta.id.part"),
    Field::new(
        "n_exposures",
        "",
        "its zero points",
        Cell::I32(
            |c: &Component| c.n_exposures as i32,
            |c, x| c.n_exposures = x.max(0) as u32,
        ),
    )
    .page("its zero points: exposures, each once for every plate and spectrograph")
    .ucd("meta.number;obs.exposure"),
];

/// Its plates and spectrographs.
pub static GROUPS: [Field<Named>; 2] = [
    field!(
        i32,
        Named,
        n_groups,
        "n_groups",
        "",
        "plates and spectrographs (groups) that it spans"
    )
    .ucd("meta.number"),
    field!(
        text,
        Named,
        groups,
        "groups",
        "",
        "names of the first of them, and how many more there are"
    )
    .page("names of the first five of them, as `PLANID_spSPID`, and how many more there are")
    .ucd("meta.id;obs.field"),
];

/// When its exposures were.
pub static WHEN: [Field<ComponentRow>; 2] = [
    field!(
        i64,
        ComponentRow,
        lmjm_first,
        "lmjm_first",
        "min",
        "local (UTC+8) modified Julian minute of its first exposure's start"
    )
    .page("local (UTC+8) Modified Julian Minute of its first exposure's start")
    .ucd("time.start;obs.exposure")
    .up_to(LARGEST_MINUTE),
    field!(
        i64,
        ComponentRow,
        lmjm_last,
        "lmjm_last",
        "min",
        "the same of its last exposure"
    )
    .ucd("time.start;obs.exposure")
    .up_to(LARGEST_MINUTE),
];

/// Its stars, and the component that is nearest.
pub static NEAREST: [Field<Component>; 2] = [
    Field::new(
        "n_constants",
        "",
        "constant stars seen in it",
        Cell::I32(
            |c: &Component| c.n_constants as i32,
            |c, x| c.n_constants = x.max(0) as u32,
        ),
    )
    .ucd("meta.number;src"),
    Field::new(
        "nearest",
        "",
        "component that it shares most stars with; missing where it shares none or is alone",
        Cell::Count(|c: &Component| of_apart(c, |a| a.nearest)),
    )
    .page("component of the same arm that it shares most stars with; missing where it shares none, or is the only one")
    .ucd("meta.id.cross"),
];

/// Where that is.
pub static NEAREST_GROUPS: [Field<Named>; 1] = [field!(
    text,
    Named,
    nearest_groups,
    "nearest_groups",
    "",
    "names of the first plates and spectrographs (groups) of that one"
)
.page("names of the first five plates and spectrographs of that one, as in `groups`; empty where there is none")
.ucd("meta.id.cross;obs.field")
.may_be_empty()];

/// What would join the two.
pub static SHARED: [Field<Component>; 3] = [
    Field::new(
        "n_shared_stars",
        "",
        "stars with a usable velocity in both; missing where it is the only component",
        Cell::Count(|c: &Component| of_apart(c, |a| Some(a.n_shared))),
    )
    .ucd("meta.number;src"),
    Field::new(
        "n_shared_quiet",
        "",
        "those of them that are quiet enough to link",
        Cell::Count(|c: &Component| of_apart(c, |a| Some(a.n_quiet))),
    )
    .page("those of them that are quiet enough to link: seldom any, because they link")
    .ucd("meta.number;src"),
    Field::new(
        "stars_needed",
        "",
        "quiet stars seen in both that would join the two; missing where it is the only component, or none could",
        Cell::Count(|c: &Component| of_apart(c, |a| a.stars_needed)),
    )
    .page("quiet stars more, seen in both, that would join the two (without a nearest one: this and any other). Missing where it is the only component, and where no star could because each group is calibrated alone")
    .ucd("meta.number;src"),
];

fn of_apart(component: &Component, value: impl Fn(&Apart) -> Option<u32>) -> Option<i32> {
    let value = component.apart.as_ref().and_then(value)?;
    i32::try_from(value).ok()
}

/// The components as a table.
pub fn to_table(rows: &[ComponentRow]) -> Table {
    let found = rows.iter().map(|c| &c.found);
    let named = rows.iter().map(|c| &c.named);
    let mut table = Table::new();
    table
        .push_fields(&ARM, rows.iter())
        .push_fields(&SIZE, found.clone())
        .push_fields(&GROUPS, named.clone())
        .push_fields(&WHEN, rows.iter())
        .push_fields(&NEAREST, found.clone())
        .push_fields(&NEAREST_GROUPS, named)
        .push_fields(&SHARED, found);
    table
}

/// Name of a plate and spectrograph in a list.
pub fn unit_name(planid: &str, spid: i32) -> String {
    format!("{planid}_sp{spid:0>2}")
}

/// What would link the parts of an arm, in sentences; `unit` gives plate and spectrograph of a group.
pub fn told(links: &Links, unit: &dyn Fn(u32) -> (Arc<str>, i32)) -> Vec<String> {
    told_links(links, &|group| {
        let (planid, spid) = unit(group);
        Some(format!("plate {planid} spectrograph {spid}"))
    })
}
