//! Things that are dear to make and that one thread needs at a time, kept between their uses.

use std::sync::{Mutex, PoisonError};

/// As many of them as were ever in use at one time.
#[derive(Debug, Default)]
pub(super) struct Shelf<T>(Mutex<Vec<T>>);

impl<T: Default> Shelf<T> {
    /// Runs `work` with one that nobody else uses.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let mut one = self.lock().pop().unwrap_or_default();
        let result = work(&mut one);
        self.lock().push(one);
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<T>> {
        // What a thread left behind that panicked was never in the list.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_used_by_one_at_a_time_and_kept() {
        let shelf = Shelf::<Vec<u8>>::default();
        shelf.with(|outer| {
            outer.push(1);
            shelf.with(|inner| {
                assert!(inner.is_empty());
                inner.extend([2, 3]);
            });
        });
        let mut lengths = Vec::new();
        shelf.with(|a| {
            shelf.with(|b| lengths.extend([a.len(), b.len()]));
        });
        lengths.sort_unstable();
        assert_eq!(lengths, [1, 2]);
        assert_eq!(shelf.lock().len(), 2);
    }
}
