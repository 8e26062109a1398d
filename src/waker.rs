//! [`Waker`]: ends a poll from another thread.
//!
//! # The protocol
//!
//! One signal in the kernel makes the next poll return; a second one before that poll adds nothing and costs a system
//! call. So wakes are coalesced:
//!
//! - The queue counts the polls that returned events: its *epoch*.
//! - Each waker remembers in which epoch it last signalled the kernel. In that epoch it need not do so again: the signal
//!   is still there, or it is being fetched by a poll that has not advanced the epoch yet.
//!
//! In the second case, whatever the waking thread wrote before `wake` must be visible to the polling thread once it has
//! the event. That is why the waker reads the epoch with a read-modify-write, never a plain load: either the poller's
//! advance comes first, then the waker reads the new epoch and signals; or the waker's comes first, then the poller's
//! advance acquires what the waker released. A plain load could read the old epoch after the poller had moved on.
//!
//! The first wake of an epoch reaches the kernel even if the poller is known to be awake: an outer loop may be waiting
//! on the queue's descriptor.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use crate::queue::Queue;
use crate::sys::selector::Selector as _;
use crate::sys::WakeSignal;
use crate::{Registry, Token};

/// Wakes a [`Poll`](crate::Poll) from any thread.
///
/// A wake makes the running [`poll`](crate::Poll::poll), or the next one, return with a readable event that carries the
/// waker's token. Any number of wakes before that poll amount to one event, and cost one system call together.
///
/// What a thread wrote before it called [`wake`](Waker::wake) is visible to the polling thread when it has the event. So
/// the pattern is: put work into a queue, then wake; on the event, empty the queue.
///
/// There may be any number of wakers per `Poll`, each with its own token. Share one among threads with an
/// [`Arc`](std::sync::Arc). A waker that is dropped takes its pending wake with it.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use mio::{Events, Poll, Token, Waker};
/// use std::sync::mpsc;
/// use std::thread;
///
/// const WORK: Token = Token(0);
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let waker = Waker::new(poll.registry(), WORK)?;
/// let (sender, work) = mpsc::channel();
///
/// let worker = thread::spawn(move || {
///     sender.send("done").unwrap();
///     waker.wake().unwrap();
///     waker // dropping it here could end the wake before it was seen
/// });
///
/// poll.poll(&mut events, None)?;
/// assert_eq!(events.iter().next().unwrap().token(), WORK);
/// assert_eq!(work.try_recv(), Ok("done"));
/// # drop(worker.join().unwrap());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Waker {
    queue: Arc<Queue>,
    signal: WakeSignal,
    /// The epoch in which the kernel was last signalled.
    signalled: AtomicUsize,
}

impl Waker {
    /// Makes a waker for the queue of `registry`, whose events carry `token`.
    ///
    /// # Errors
    ///
    /// The system's: on Linux a waker is an `eventfd(2)`, so it counts as an open file.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Waker> {
        let queue = Arc::clone(registry.queue());
        let signal = queue.selector.signal(token)?;
        // Any epoch but the current one will do.
        let signalled = AtomicUsize::new(queue.epoch.load(Ordering::Relaxed).wrapping_sub(1));
        Ok(Waker {
            queue,
            signal,
            signalled,
        })
    }

    /// Makes the running or the next poll return with an event of this waker.
    ///
    /// Does not block. Callable from any thread, and from a signal handler: it takes no lock with the default backend of
    /// any system.
    ///
    /// # Errors
    ///
    /// None in ordinary operation.
    #[inline]
    pub fn wake(&self) -> io::Result<()> {
        let epoch = self.queue.epoch.fetch_add(0, Ordering::AcqRel);
        if self.signalled.swap(epoch, Ordering::AcqRel) == epoch {
            return Ok(());
        }
        match self.queue.selector.raise(&self.signal) {
            Ok(()) => Ok(()),
            Err(error) => {
                // The kernel was not told, so the next wake has to.
                self.signalled
                    .store(epoch.wrapping_sub(1), Ordering::Release);
                Err(error)
            }
        }
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.queue.selector.retire(&self.signal);
    }
}
