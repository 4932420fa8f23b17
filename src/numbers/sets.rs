//! Disjoint sets (union-find).

/// Numbers from 0 in disjoint sets. The smallest number of a set stands for it, so that nothing depends on the order of the joins.
#[derive(Clone, Debug)]
pub struct Sets {
    parent: Vec<u32>,
}

impl Sets {
    /// Numbers below `n`, each in a set of its own.
    pub fn new(n: u32) -> Self {
        Sets {
            parent: (0..n).collect(),
        }
    }

    /// The smallest number of this number's set.
    pub fn root(&mut self, mut i: u32) -> u32 {
        while self.parent[i as usize] != i {
            // Halving the path keeps it short.
            let up = self.parent[self.parent[i as usize] as usize];
            self.parent[i as usize] = up;
            i = up;
        }
        i
    }

    /// Makes one set of the sets of two numbers.
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_stands_for_its_set_in_any_order() {
        let links = [(4, 5), (5, 1), (3, 2), (0, 6)];
        for turn in 0..links.len() {
            let mut sets = Sets::new(7);
            for k in 0..links.len() {
                let (a, b) = links[(k + turn) % links.len()];
                sets.join(a, b);
            }
            let roots: Vec<u32> = (0..7).map(|i| sets.root(i)).collect();
            assert_eq!(roots, [0, 1, 2, 2, 1, 1, 0]);
        }
    }
}
