//! Long work: done by threads of its own without Python's lock, while the thread that asked for it looks for Ctrl-C and tells how far it
//! is.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use pyo3::prelude::*;
use relrv::{Error, Progress};

use super::raise::{Failed, exception};

/// Time between two looks.
const STEP: Duration = Duration::from_millis(50);

/// Most threads that can be asked for, as on the command line.
const MOST_THREADS: usize = 1024;

/// How far the work is, and whether it is to end.
#[derive(Default)]
pub struct Watch {
    ended: AtomicBool,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Watch {
    fn note(&self, done: usize, total: usize) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
    }

    fn noted(&self) -> (usize, usize) {
        let done = self.done.load(Ordering::Relaxed);
        (done, self.total.load(Ordering::Relaxed))
    }
}

impl Progress for Watch {
    fn files(&self, done: usize, total: usize) {
        self.note(done, total);
    }

    fn spectra(&self, done: usize, total: usize) {
        self.note(done, total);
    }

    fn cancelled(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

/// Does the work with so many threads (0: one per core) and gives its result. `tell` is called with what is done and how much there is,
/// by the calling thread. Where a signal's handler or `tell` raises an exception the work is asked to end, and the exception is raised
/// once it has.
pub fn watched<T: Send>(
    py: Python<'_>,
    threads: usize,
    tell: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Watch) -> Result<T, Failed> + Send,
) -> PyResult<T> {
    let watch = Watch::default();
    let (ending, ended) = mpsc::channel::<()>();
    let (result, raised) = std::thread::scope(|scope| {
        let watch = &watch;
        let worker = scope.spawn(move || {
            // Dropped when the work ends, however it does.
            let _ending = ending;
            in_pool(threads, || work(watch))
        });
        let raised = wait(py, watch, ended, tell);
        (py.detach(|| worker.join()), raised)
    });
    if let Some(raised) = raised {
        return Err(raised);
    }
    match result {
        Ok(result) => result.map_err(|failed| failed.raise(py)),
        Err(_) => Err(exception(
            py,
            "RelrvError",
            "a defect of relrv: its work ended with a panic, which standard error tells",
        )),
    }
}

/// Waits for the end of the work. Gives the exception that a signal or `tell` raised meanwhile.
fn wait(
    py: Python<'_>,
    watch: &Watch,
    mut ended: mpsc::Receiver<()>,
    tell: Option<&Bound<'_, PyAny>>,
) -> Option<PyErr> {
    let (mut raised, mut told) = (None, (0, 0));
    loop {
        let lent = &mut ended;
        let has_ended =
            py.detach(move || lent.recv_timeout(STEP) != Err(RecvTimeoutError::Timeout));
        if raised.is_none() {
            let now = watch.noted();
            let is_news = now != told && now.1 > 0;
            told = now;
            let step = || -> PyResult<()> {
                py.check_signals()?;
                if let (Some(tell), true) = (tell, is_news) {
                    tell.call1(now)?;
                }
                Ok(())
            };
            if let Err(error) = step() {
                watch.ended.store(true, Ordering::Relaxed);
                raised = Some(error);
            }
        }
        if has_ended {
            return raised;
        }
    }
}

/// Runs the work in a pool of threads of its own: nothing is shared with other calls, and a process that is forked later finds no pool
/// whose threads it lacks.
fn in_pool<T: Send>(
    threads: usize,
    work: impl FnOnce() -> Result<T, Failed> + Send,
) -> Result<T, Failed> {
    if threads > MOST_THREADS {
        let text = format!("threads is {threads}, expected 0 to {MOST_THREADS}");
        return Err(Error::Config(text).into());
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| Error::Config(format!("{threads} threads: {e}")))?;
    pool.install(work)
}
