//! Which star may be begun.

use super::super::bites::ToDo;
use super::super::memory::Budget;

/// What bounds the work at one time.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub budget: Budget,
    /// Pieces of work, at most.
    pub most: usize,
}

/// What has been begun.
#[derive(Default)]
pub(super) struct Begun {
    stars: usize,
    /// Units whose water lines have been looked for, or are.
    units: usize,
    /// Pieces of work that are not at their end and do not wait for others.
    at_work: usize,
    /// Memory of all that are not at their end.
    bytes: f64,
}

/// What is to be begun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Next {
    /// The look for the water lines of this unit.
    Look(usize),
    /// This star.
    Star(usize),
}

impl Begun {
    /// What can be begun now, which counts as begun then. A unit's water lines are looked for one unit ahead of its stars, and its stars
    /// wait until they `is_known`; `to_look` is the memory that the look takes.
    pub fn next(
        &mut self,
        stars: &[ToDo<'_>],
        n_units: usize,
        room: Room,
        is_known: impl Fn(usize) -> bool,
        to_look: impl Fn(usize) -> f64,
    ) -> Option<Next> {
        let star = stars.get(self.stars)?;
        let is_ahead = self.units > star.unit + 1 || self.units == n_units;
        let (next, bytes) = match is_ahead {
            false => (Next::Look(self.units), to_look(self.units)),
            true if is_known(star.unit) => (Next::Star(self.stars), star.bytes),
            true => return None,
        };
        let has_room = self.at_work < room.most && room.budget.holds_both(self.bytes, bytes);
        // Whatever it takes, one piece of work is always begun: what waits may wait for that.
        if self.at_work > 0 && !has_room {
            return None;
        }
        self.at_work += 1;
        self.bytes += bytes;
        match next {
            Next::Look(_) => self.units += 1,
            Next::Star(_) => self.stars += 1,
        }
        Some(next)
    }

    /// A star waits for the others of its bite.
    pub fn wait(&mut self) {
        self.at_work -= 1;
    }

    /// So many stars that waited go on.
    pub fn go_on(&mut self, n: usize) {
        self.at_work += n;
    }

    /// A piece of work of so many bytes is at its end.
    pub fn end(&mut self, bytes: f64) {
        self.at_work -= 1;
        self.bytes -= bytes;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lamost::raw::StarNames;
    use crate::lamost::stars::Star;

    /// A machine that ends one of its pieces of work at a time, whichever the numbers in `luck` say.
    struct Machine<'a> {
        stars: Vec<ToDo<'a>>,
        looks: Vec<f64>,
        room: Room,
        begun: Begun,
        known: Vec<bool>,
        at_work: Vec<Next>,
        /// Stars that wait, and how many of each bite are not read.
        waiting: Vec<usize>,
        unread: Vec<usize>,
        order: Vec<usize>,
    }

    impl Machine<'_> {
        fn bytes(&self, piece: Next) -> f64 {
            match piece {
                Next::Look(unit) => self.looks[unit],
                Next::Star(i) => self.stars[i].bytes,
            }
        }

        fn begin(&mut self) {
            let (known, looks) = (&self.known, &self.looks);
            while let Some(next) = self.begun.next(
                &self.stars,
                looks.len(),
                self.room,
                |unit| known[unit],
                |unit| looks[unit],
            ) {
                self.at_work.push(next);
                if let Next::Star(i) = next {
                    assert!(known[self.stars[i].unit]);
                    self.order.push(i);
                }
            }
            let held = |i: &usize| self.stars[*i].bytes;
            let bytes: f64 = self.at_work.iter().map(|p| self.bytes(*p)).sum();
            let bytes = bytes + self.waiting.iter().map(held).sum::<f64>();
            assert!(self.at_work.len() <= self.room.most);
            let largest = self.stars.iter().map(|s| s.bytes).chain(self.looks.clone());
            assert!(bytes <= self.room.budget.0 + largest.fold(0.0, f64::max));
        }

        /// Ends a piece of work. A star of a bite that is not whole waits; the last one of a bite ends them all.
        fn end(&mut self, luck: usize) {
            let piece = self.at_work.remove(luck % self.at_work.len());
            match piece {
                Next::Look(unit) => {
                    self.known[unit] = true;
                    self.begun.end(self.looks[unit]);
                }
                Next::Star(i) => {
                    let bite = self.stars[i].bite;
                    self.waiting.push(i);
                    self.begun.wait();
                    self.unread[bite] -= 1;
                    if self.unread[bite] == 0 {
                        let stars = &self.stars;
                        let is_of = |i: &usize| stars[*i].bite == bite;
                        let (of, others) = self.waiting.iter().copied().partition(is_of);
                        let of: Vec<usize> = of;
                        self.waiting = others;
                        self.begun.go_on(of.len());
                        of.iter().for_each(|i| self.begun.end(stars[*i].bytes));
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_star_is_begun_in_its_order_whatever_the_memory(
            sizes in prop::collection::vec((0.0..1.5f64, 0..3usize, 0..2usize), 1..40),
            looks in prop::collection::vec(0.0..1.5f64, 40),
            most in 1..6usize,
            luck in prop::collection::vec(0..100usize, 100),
        ) {
            let star = Star {
                designation: String::new(),
                ra_deg: 0.0,
                dec_deg: 0.0,
                names: StarNames::default(),
                members: Vec::new(),
            };
            let budget = Budget(1.0);
            let mut stars: Vec<ToDo<'_>> = Vec::new();
            let (mut unit, mut bite, mut of_bite) = (0, 0, 0.0);
            for (i, (bytes, new_unit, new_bite)) in sizes.iter().enumerate() {
                unit += usize::from(i > 0 && *new_unit == 0);
                if i > 0 && (*new_bite == 0 || !budget.holds_bite(of_bite + bytes)) {
                    (bite, of_bite) = (bite + 1, 0.0);
                }
                of_bite += bytes;
                stars.push(ToDo { unit, place: i, number: i as i64, star: &star, bytes: *bytes, bite });
            }
            let mut unread = vec![0; bite + 1];
            stars.iter().for_each(|s| unread[s.bite] += 1);
            let n = stars.len();
            let mut machine = Machine {
                stars,
                looks: looks[..=unit].to_vec(),
                room: Room { budget, most },
                begun: Begun::default(),
                known: vec![false; unit + 1],
                at_work: Vec::new(),
                waiting: Vec::new(),
                unread,
                order: Vec::new(),
            };
            let mut luck = luck.into_iter().cycle();
            machine.begin();
            while !machine.at_work.is_empty() {
                machine.end(luck.next().unwrap_or(0));
                machine.begin();
            }
            prop_assert_eq!(machine.order, (0..n).collect::<Vec<_>>());
            prop_assert!(machine.waiting.is_empty());
            prop_assert_eq!(machine.begun.at_work, 0);
        }
    }
}
