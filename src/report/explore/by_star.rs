//! Which rows of the products are of which star: numbers alone, and no copy of the rows.

use std::collections::HashMap;

use crate::report::finished::Finished;

/// Numbers of things, by the group they are of.
pub struct Grouped {
    /// Where each group begins in `members`, and where the last one ends.
    starts: Vec<u32>,
    /// The things of the first group, of the second, and so on; within a group in their order.
    members: Vec<u32>,
}

impl Grouped {
    /// Groups things by their groups, each told as a number below `n`; things without one are left out.
    pub fn new(n: usize, group: impl Iterator<Item = Option<usize>> + Clone) -> Self {
        let mut starts = vec![0; n + 1];
        for g in group.clone().flatten() {
            starts[g + 1] += 1;
        }
        for g in 0..n {
            starts[g + 1] += starts[g];
        }
        let mut next = starts.clone();
        let mut members = vec![0; starts[n] as usize];
        for (i, g) in (0..).zip(group) {
            if let Some(g) = g {
                members[next[g] as usize] = i;
                next[g] += 1;
            }
        }
        Grouped { starts, members }
    }

    /// The things of a group.
    pub fn of(&self, group: usize) -> impl ExactSizeIterator<Item = usize> + '_ {
        let (from, to) = (self.starts[group], self.starts[group + 1]);
        self.members[from as usize..to as usize]
            .iter()
            .map(|i| *i as usize)
    }

    /// How many a group has.
    pub fn len(&self, group: usize) -> usize {
        (self.starts[group + 1] - self.starts[group]) as usize
    }
}

/// The rows of the catalogue and those of `stars`, by star.
pub struct ByStar {
    pub rows: Grouped,
    pub found: Grouped,
}

impl ByStar {
    pub fn new(products: &Finished) -> Self {
        let c = &products.catalogue;
        let names = || c.stars.iter().map(|name| &**name);
        let numbers: HashMap<&str, usize> = names().zip(0..).collect();
        let found = products.stars.iter();
        ByStar {
            rows: Grouped::new(c.stars.len(), c.star.iter().map(|star| Some(*star))),
            found: Grouped::new(
                c.stars.len(),
                found.map(|row| numbers.get(&*row.designation).copied()),
            ),
        }
    }
}
