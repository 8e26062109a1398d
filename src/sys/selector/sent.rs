//! A waker's packet in the kernel's queue: one is enough, however often it is used before that is fetched.
//!
//! This comes after the epochs of `coalesce.rs`, for kernels that keep each packet apart. A queue that is polled with too
//! little room fetches some and leaves others; those that are left must not grow in number.
//!
//! The tests below run on a model checker: `cargo xtask loom`.

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the packet is in the kernel, or on its way.
#[derive(Debug)]
pub(crate) struct Sent(AtomicBool);

impl Sent {
    pub(crate) fn new() -> Sent {
        Sent(AtomicBool::new(false))
    }

    /// Runs `send`, unless there is a packet already.
    #[inline]
    pub(crate) fn raise<E>(&self, send: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        // Release: what this thread has written is seen by the one that fetches the packet, also if that is an older one.
        if self.0.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let result = send();
        if result.is_err() {
            // The kernel was not told, so the next one has to.
            self.0.store(false, Ordering::Release);
        }
        result
    }

    /// The packet was fetched. Whether there was a wake since the last time.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use loom::sync::atomic::AtomicUsize;
    use loom::sync::Arc;
    use loom::thread;

    /// The kernel's queue is a number of packets.
    struct Model {
        sent: Sent,
        packets: AtomicUsize,
        /// Items that wait for the poller. A wake follows each.
        work: [AtomicUsize; 2],
    }

    impl Model {
        fn new() -> Arc<Model> {
            Arc::new(Model {
                sent: Sent::new(),
                packets: AtomicUsize::new(0),
                work: [AtomicUsize::new(0), AtomicUsize::new(0)],
            })
        }

        fn submit(&self, thread: usize) {
            // As weak as it can be: the wake itself has to make it visible.
            self.work[thread].store(1, Ordering::Relaxed);
            self.sent
                .raise(|| {
                    let before = self.packets.fetch_add(1, Ordering::AcqRel);
                    assert_eq!(before, 0, "one packet is enough");
                    Ok::<(), ()>(())
                })
                .unwrap();
        }

        /// Fetches the packet, if there is one, and adds to `done` what work it finds then.
        fn poll(&self, done: &mut [bool; 2]) {
            if self.packets.load(Ordering::Acquire) == 0 {
                return;
            }
            self.packets.fetch_sub(1, Ordering::AcqRel);
            assert!(self.sent.take(), "a packet that nobody has sent");
            for (done, work) in done.iter_mut().zip(&self.work) {
                *done |= work.load(Ordering::Relaxed) == 1;
            }
        }
    }

    #[test]
    fn no_work_is_stranded() {
        loom::model(|| {
            let model = Model::new();
            let threads = [0, 1].map(|thread| {
                let model = Arc::clone(&model);
                thread::spawn(move || model.submit(thread))
            });
            let mut done = [false; 2];
            model.poll(&mut done);
            for thread in threads {
                thread.join().unwrap();
            }
            model.poll(&mut done);
            assert_eq!(done, [true; 2]);
            assert_eq!(model.packets.load(Ordering::Relaxed), 0);
        });
    }

    /// A wake that fails is no wake, and the next one is.
    #[test]
    fn a_failure_leaves_nothing_behind() {
        loom::model(|| {
            let model = Model::new();
            assert!(model.sent.raise(|| Err(())).is_err());
            model.submit(0);
            let mut done = [false; 2];
            model.poll(&mut done);
            assert_eq!(done, [true, false]);
        });
    }
}
