//! Panics of another crate that are caught without a word on standard error.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// True while panics of this thread are caught, so that they are not printed: the caller reports what is wrong.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives; `None` where it panics, which is told nowhere.
///
/// `work` must leave nothing behind that a panic in its middle would spoil.
pub(in crate::table) fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    // The panic hook is one for the whole program. Ours is installed once, and calls the one that was there before for panics of all
    // other threads and at all other times.
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let told = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_QUIET.try_with(Cell::get).unwrap_or(false) {
                told(panic);
            }
        }));
    });
    let before = IS_QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_QUIET.set(before);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_and_ends_with_its_work() {
        assert_eq!(catch(|| 7), Some(7));
        assert_eq!(catch(|| -> i32 { panic!("not told") }), None);
        let inner = catch(|| {
            assert_eq!(catch(|| -> i32 { panic!("not told") }), None);
            IS_QUIET.get()
        });
        assert_eq!(inner, Some(true));
        assert!(!IS_QUIET.get());
    }
}
