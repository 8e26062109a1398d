//! [`Waker`]: ends a poll from another thread.
//!
//! Which wakes need the kernel is decided in `coalesce.rs`; how the kernel is told is the backend's.

use std::io;
use std::sync::Arc;

use crate::coalesce::Signalled;
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
/// [`Arc`](std::sync::Arc). A waker that is dropped takes its pending wake with it, unless a forked child holds a copy of
/// its descriptor at that moment (epoll): then the token may come once more.
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
    signalled: Signalled,
}

impl Waker {
    /// Makes a waker for the queue of `registry`, whose events carry `token`.
    ///
    /// # Errors
    ///
    /// The system's: with epoll a waker is an `eventfd(2)`, so it counts as an open file; with kqueue it is a pipe on NetBSD
    /// and OpenBSD.
    /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(target_os = "wasi"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll, Token, Waker};
    /// use std::sync::Arc;
    /// use std::thread;
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// let waker = Arc::new(Waker::new(poll.registry(), Token(0))?);
    ///
    /// let shared = Arc::clone(&waker); // `waker` stays, so that the wake does
    /// thread::spawn(move || shared.wake().unwrap());
    /// poll.poll(&mut events, None)?;
    /// assert!(events.iter().all(|event| event.token() == Token(0) && event.is_readable()));
    /// # Ok(())
    /// # }
    /// # #[cfg(target_os = "wasi")]
    /// # fn main() {}
    /// ```
    pub fn new(registry: &Registry, token: Token) -> io::Result<Waker> {
        let queue = Arc::clone(registry.queue());
        let signal = queue.selector.signal(token)?;
        let signalled = Signalled::new(&queue.epoch);
        Ok(Waker {
            queue,
            signal,
            signalled,
        })
    }

    /// Makes the running or the next poll return with an event of this waker.
    ///
    /// Does not block. Callable from any thread, and from a signal handler: it takes no lock with the default backend of
    /// any system. (One case is [not promised](crate::guide::wakers#in-a-signal-handler): an event port that is full.)
    ///
    /// # Errors
    ///
    /// None in ordinary operation.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(target_os = "wasi"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll, Token, Waker};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// let waker = Waker::new(poll.registry(), Token(0))?;
    ///
    /// // Nobody polls yet, and the wake is not lost. Many of them are one event.
    /// waker.wake()?;
    /// waker.wake()?;
    /// poll.poll(&mut events, None)?;
    /// assert_eq!(events.len(), 1);
    /// # Ok(())
    /// # }
    /// # #[cfg(target_os = "wasi")]
    /// # fn main() {}
    /// ```
    #[inline(always)]
    pub fn wake(&self) -> io::Result<()> {
        let Waker {
            queue,
            signal,
            signalled,
        } = self;
        signalled.once_per(&queue.epoch, || queue.selector.raise(signal))
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.queue.selector.retire(&self.signal);
    }
}
