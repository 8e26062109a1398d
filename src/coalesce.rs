//! Coalescing of wakes: how a waker knows that the kernel need not be told again.
//!
//! One signal in the kernel makes the next poll return; a second one before that poll adds nothing and costs a system
//! call. So:
//!
//! - The queue counts the polls that returned events: its [`Epoch`].
//! - Each waker remembers in which epoch it last signalled the kernel: [`Signalled`]. In that epoch it need not do so
//!   again: the signal is still there, or it is being fetched by a poll that has not advanced the epoch yet.
//!
//! In the second case, whatever the waking thread wrote before it woke must be visible to the polling thread once that has
//! its events. That is why the waker reads the epoch with a read-modify-write, never a plain load: either the poller's
//! advance comes first, then the waker reads the new epoch and signals; or the waker's comes first, then the poller's
//! advance acquires what the waker released. A plain load could read the old epoch after the poller had moved on.
//!
//! The first wake of an epoch reaches the kernel even if the poller is known to be awake: an outer loop may be waiting on
//! the queue's descriptor. A poll that returned nothing leaves the epoch alone, so it pays nothing.
//!
//! The tests below run on a model checker: `cargo xtask loom`.

use std::io;

#[cfg(loom)]
use loom::sync::atomic::{AtomicUsize, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of polls that returned events. It may wrap around: only neighbours are ever compared, unless a waker rests
/// for exactly as many polls as there are values.
#[derive(Debug)]
pub(crate) struct Epoch(AtomicUsize);

impl Epoch {
    pub(crate) fn new() -> Epoch {
        Epoch(AtomicUsize::new(0))
    }

    /// To be called after the kernel returned events, and before the user sees them.
    #[inline]
    pub(crate) fn advance(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// The epoch in which a waker last signalled the kernel.
#[derive(Debug)]
pub(crate) struct Signalled(AtomicUsize);

impl Signalled {
    /// Not yet in the present epoch, nor in any near it.
    pub(crate) fn new(epoch: &Epoch) -> Signalled {
        Signalled(AtomicUsize::new(
            epoch.0.load(Ordering::Relaxed).wrapping_sub(1),
        ))
    }

    /// Runs `signal`, which tells the kernel, unless that was done in this epoch.
    #[inline]
    pub(crate) fn once_per<F>(&self, epoch: &Epoch, signal: F) -> io::Result<()>
    where
        F: FnOnce() -> io::Result<()>,
    {
        let now = epoch.0.fetch_add(0, Ordering::AcqRel);
        // Relaxed: the epoch alone carries what the threads have written.
        if self.0.swap(now, Ordering::Relaxed) == now {
            return Ok(());
        }
        let result = signal();
        if result.is_err() {
            // The kernel was not told, so the next wake has to.
            self.0.store(now.wrapping_sub(1), Ordering::Relaxed);
        }
        result
    }
}

#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    /// A queue with one waker. The kernel is a counter of signals; work is handed over beside it.
    struct Model {
        epoch: Epoch,
        signalled: Signalled,
        kernel: AtomicUsize,
        /// How often the kernel was told.
        told: AtomicUsize,
        work: [AtomicUsize; 2],
    }

    impl Model {
        fn new() -> Model {
            let epoch = Epoch::new();
            let signalled = Signalled::new(&epoch);
            Model {
                epoch,
                signalled,
                kernel: AtomicUsize::new(0),
                told: AtomicUsize::new(0),
                work: [AtomicUsize::new(0), AtomicUsize::new(0)],
            }
        }

        /// Hands work over, then wakes: what every user of a waker does. The work itself is relaxed, so that only the
        /// protocol can make it visible.
        fn submit(&self, slot: usize) {
            self.work[slot].store(1, Ordering::Relaxed);
            self.signalled
                .once_per(&self.epoch, || {
                    self.told.fetch_add(1, Ordering::Relaxed);
                    self.kernel.fetch_add(1, Ordering::AcqRel);
                    Ok(())
                })
                .unwrap();
        }

        /// A poll that does not wait; adds to `done` what work it finds if there was an event.
        fn poll(&self, done: &mut [bool; 2]) {
            if self.kernel.swap(0, Ordering::AcqRel) != 0 {
                self.epoch.advance();
                for (done, work) in done.iter_mut().zip(&self.work) {
                    *done |= work.load(Ordering::Relaxed) == 1;
                }
            }
        }
    }

    #[test]
    fn no_work_is_stranded() {
        loom::model(|| {
            let model = Arc::new(Model::new());
            let wakers: Vec<_> = (0..2)
                .map(|slot| {
                    let model = Arc::clone(&model);
                    thread::spawn(move || model.submit(slot))
                })
                .collect();

            // Polls race with the wakes; one that would wait is not modelled, it would only wait longer.
            let mut done = [false; 2];
            model.poll(&mut done);
            model.poll(&mut done);
            for waker in wakers {
                waker.join().unwrap();
            }
            // Nobody wakes any more. What is not done must be announced by the kernel.
            model.poll(&mut done);
            assert_eq!(done, [true; 2]);
        });
    }

    #[test]
    fn one_thread_wakes_twice_while_the_other_polls() {
        loom::model(|| {
            let model = Arc::new(Model::new());
            let waker = {
                let model = Arc::clone(&model);
                thread::spawn(move || {
                    model.submit(0);
                    model.submit(1);
                })
            };
            let mut done = [false; 2];
            model.poll(&mut done);
            model.poll(&mut done);
            waker.join().unwrap();
            model.poll(&mut done);
            assert_eq!(done, [true; 2]);
        });
    }

    #[test]
    fn wakes_without_a_poll_tell_the_kernel_once() {
        loom::model(|| {
            let model = Arc::new(Model::new());
            let waker = {
                let model = Arc::clone(&model);
                thread::spawn(move || model.submit(0))
            };
            model.submit(1);
            waker.join().unwrap();
            assert_eq!(model.told.load(Ordering::Relaxed), 1);
        });
    }

    #[test]
    fn a_failed_signal_is_tried_again() {
        loom::model(|| {
            let model = Model::new();
            let failed = model
                .signalled
                .once_per(&model.epoch, || Err(io::ErrorKind::Other.into()));
            assert!(failed.is_err());
            model.submit(0);
            let mut done = [false; 2];
            model.poll(&mut done);
            assert_eq!(done, [true, false]);
        });
    }
}
