//! How a thread that waits in `poll(2)` learns that what it waits for has changed.
//!
//! The waiting thread asks the system about a copy of the table, made under a lock that it does not hold while it waits.
//! So whoever changes the table in between raises a flag in the kernel, `notify`, which the wait includes; the poller
//! lowers it and asks anew. One flag is enough for any number of changes.
//!
//! Wakers use the same flag. A waker notes that it is pending and then raises it; the poller lowers it and then looks who
//! is pending. In this order none is overlooked.
//!
//! The tests below run on a model checker: `cargo xtask loom`.

use std::io;

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, Ordering};

/// Kept under the lock of the table.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    /// A thread has copied the table, and has not come back with the answers.
    asking: bool,
    /// `notify` was raised because of a change, and not lowered since.
    notified: bool,
}

impl Handshake {
    /// The poller copies the table.
    pub(super) fn ask(&mut self) {
        self.asking = true;
    }

    /// The table has changed. Runs `raise`, unless nobody waits or it was done already.
    pub(super) fn change(&mut self, raise: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if self.asking && !self.notified {
            raise()?;
            self.notified = true;
        }
        Ok(())
    }

    /// The poller is back. Runs `lower` if it saw the flag raised, by whomever.
    pub(super) fn answer(
        &mut self,
        raised: bool,
        lower: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        self.asking = false;
        if raised {
            lower()?;
            self.notified = false;
        }
        Ok(())
    }
}

/// Whether a waker was used since its last event.
#[derive(Debug)]
pub(super) struct Pending(AtomicBool);

impl Pending {
    pub(super) fn new() -> Pending {
        Pending(AtomicBool::new(false))
    }

    /// To be called before `notify` is raised.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// To be called after `notify` was lowered.
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Acquire)
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use loom::sync::atomic::AtomicUsize;
    use loom::sync::{Arc, Mutex};
    use loom::thread;

    /// The kernel's side of `notify` is a counter; the table is a number of changes.
    struct Model {
        table: Mutex<(Handshake, usize)>,
        notify: AtomicUsize,
        pending: Pending,
    }

    impl Model {
        fn new() -> Arc<Model> {
            Arc::new(Model {
                table: Mutex::new((Handshake::default(), 0)),
                notify: AtomicUsize::new(0),
                pending: Pending::new(),
            })
        }

        fn raise(&self) -> io::Result<()> {
            self.notify.fetch_add(1, Ordering::AcqRel);
            Ok(())
        }

        fn raised(&self) -> bool {
            self.notify.load(Ordering::Acquire) != 0
        }

        fn change(&self) {
            let mut table = self.table.lock().unwrap();
            table.1 += 1;
            table.0.change(|| self.raise()).unwrap();
        }

        fn wake(&self) {
            self.pending.set();
            self.raise().unwrap();
        }

        /// Copies the table. What the copy misses has to end the wait.
        fn ask(&self) -> usize {
            let mut table = self.table.lock().unwrap();
            table.0.ask();
            table.1
        }

        /// Comes back from a wait that ended with what the flag was. Whether a wake was found.
        fn answer(&self, raised: bool) -> bool {
            let mut table = self.table.lock().unwrap();
            table
                .0
                .answer(raised, || {
                    self.notify.swap(0, Ordering::AcqRel);
                    Ok(())
                })
                .unwrap();
            self.pending.take()
        }
    }

    #[test]
    fn a_wait_never_misses_a_change() {
        loom::model(|| {
            let model = Model::new();
            let changing: Vec<_> = (0..2)
                .map(|_| {
                    let model = Arc::clone(&model);
                    thread::spawn(move || model.change())
                })
                .collect();
            // A round that races with the changes, and the beginning of the next one.
            model.ask();
            model.answer(model.raised());
            let copied = model.ask();
            for thread in changing {
                thread.join().unwrap();
            }
            assert!(copied == 2 || model.raised(), "would wait without knowing");
        });
    }

    #[test]
    fn a_wait_never_misses_a_wake() {
        loom::model(|| {
            let model = Model::new();
            let waker = {
                let model = Arc::clone(&model);
                thread::spawn(move || model.wake())
            };
            model.ask();
            let woken = model.answer(model.raised());
            model.ask();
            waker.join().unwrap();
            assert!(
                woken || model.raised(),
                "would wait for a wake that was made"
            );
        });
    }

    #[test]
    fn a_wake_beside_a_change_is_found() {
        loom::model(|| {
            let model = Model::new();
            let threads = [
                {
                    let model = Arc::clone(&model);
                    thread::spawn(move || model.wake())
                },
                {
                    let model = Arc::clone(&model);
                    thread::spawn(move || model.change())
                },
            ];
            model.ask();
            let woken = model.answer(model.raised());
            let copied = model.ask();
            for thread in threads {
                thread.join().unwrap();
            }
            assert!((woken && copied == 1) || model.raised());
        });
    }
}
