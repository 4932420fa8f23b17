//! The progress of a test, for whoever wants to show it.

/// Is told how far a test has come.
pub trait Progress {
    /// `done` of the `total` steps of the test `test` are done, the last of them `what`; 0 and no word at the beginning.
    fn steps(&self, test: &str, done: usize, total: usize, what: &str);
}

impl Progress for () {
    fn steps(&self, _: &str, _: usize, _: usize, _: &str) {}
}

/// Counts the steps of one test.
pub struct Steps<'a> {
    progress: &'a dyn Progress,
    test: &'static str,
    done: usize,
    total: usize,
}

impl<'a> Steps<'a> {
    /// `total` steps of the test `test`.
    pub fn new(progress: &'a dyn Progress, test: &'static str, total: usize) -> Self {
        progress.steps(test, 0, total, "");
        Steps {
            progress,
            test,
            done: 0,
            total,
        }
    }

    /// One more step, `what`, is done.
    pub fn step(&mut self, what: &str) {
        self.done += 1;
        self.progress.steps(self.test, self.done, self.total, what);
    }
}
