//! The contract between the portable front and a backend.
//!
//! A backend is one type that implements [`Selector`]; `sys/mod.rs` picks it at compile time (never `dyn`). The
//! front (`poll.rs`, `registry.rs`, `io_source.rs`, `waker.rs`, `event.rs`) is written against these traits alone,
//! so a new backend is a new file here and a line of wiring, and the compiler checks that nothing is missing.
//!
//! What every backend promises, beyond what the methods say:
//!
//! - Tokens are opaque: any `usize`, stored and handed back, shared by as many sources as the user likes.
//! - All methods may be called from any thread at any time, while another one is in [`Selector::select`].
//! - After `deregister` has returned, no later `select` yields the old token.
//! - Extra events are allowed (but never after a one-shot), missing ones are not.
//! - Nothing here allocates once the queue is open, except that a backend which keeps a table of its own may grow
//!   it when more sources are registered at once than ever before.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::sys::Handle;
use crate::{Backend, Interest, Token, Trigger};

/// A queue of the operating system. See the [module](self) for the promises that bind all of it.
pub(crate) trait Selector: fmt::Debug + Send + Sync + Sized + 'static {
    /// What [`Poll::new`](crate::Poll::new) opens.
    const DEFAULT: Backend;

    /// Whether [`register`](Selector::register) notices that the queue has the handle already, and
    /// [`reregister`](Selector::reregister) that it has not. Where neither the system nor a table can tell, both put the
    /// registration in the place of whatever there was, and in debug builds a source itself refuses to be registered twice.
    #[allow(dead_code)] // asked in debug builds only
    const KNOWS_HANDLES: bool = true;

    /// For how many events there may be room at most. Systems count it with an `int`, and some refuse to be offered as much.
    const MOST_EVENTS: usize = i32::MAX as usize;

    /// What the system writes for one event. The vector of them goes to the system as it is, so this is the
    /// system's own structure wherever it has one.
    type Event: RawEvent;

    /// What the backend keeps in each [`IoSource`](crate::IoSource), beside the handle. `()` for backends whose
    /// system keeps the registration.
    type State: fmt::Debug + Default + Send + Sync;

    /// The kernel's side of one waker.
    type Signal: fmt::Debug + Send + Sync;

    /// Whether [`open`](Selector::open) knows `backend`.
    fn supports(backend: Backend) -> bool;

    /// Opens a queue that is closed on `exec`. A backend that the system refuses is an error; there is no
    /// falling back to another one.
    fn open(backend: Backend) -> io::Result<Self>;

    /// The mechanism of this queue.
    fn backend(&self) -> Backend;

    /// Waits for events and appends them to `events`, which is empty and has room for at least one; never
    /// more than its capacity, the rest stays for the next call.
    ///
    /// `None` waits for ever, zero does not wait, and no timeout ends early: with nothing appended it ends after
    /// `timeout` or with an error, whatever other threads register meanwhile. A signal that interrupts the wait
    /// is [`ErrorKind::Interrupted`](io::ErrorKind::Interrupted).
    ///
    /// One thread at a time is here, since [`Poll::poll`](crate::Poll::poll) is exclusive.
    fn select(&self, events: &mut Vec<Self::Event>, timeout: Option<Duration>) -> io::Result<()>;

    /// Starts reporting on `target`; at once, also to a `select` that waits already.
    ///
    /// A handle that this queue has already is [`ErrorKind::AlreadyExists`](io::ErrorKind::AlreadyExists), where the
    /// system or a table can tell.
    fn register(&self, target: Target<'_, Self::State>, wanted: Wanted) -> io::Result<()>;

    /// Replaces everything that was wanted, and reports again what is ready now.
    ///
    /// A handle that this queue does not have is [`ErrorKind::NotFound`](io::ErrorKind::NotFound), where the system or a
    /// table can tell.
    fn reregister(&self, target: Target<'_, Self::State>, wanted: Wanted) -> io::Result<()>;

    /// Stops reporting on `target`.
    ///
    /// A handle that this queue does not have is [`ErrorKind::NotFound`](io::ErrorKind::NotFound).
    fn deregister(&self, target: Target<'_, Self::State>) -> io::Result<()>;

    /// Whether some source of this process may need [`rearm`](Selector::rearm) or [`closing`](Selector::closing).
    /// Asked on hot paths: constant, or one relaxed load.
    fn tracks_sources() -> bool;

    /// An operation on the source would have blocked in `direction`, or has moved less than it was asked for: edges in that
    /// direction are wanted anew. Cheap when they are armed already, for who drains a source says so twice.
    fn rearm(target: Target<'_, Self::State>, direction: Direction);

    /// The source is about to be closed, registered or not.
    fn closing(target: Target<'_, Self::State>);

    /// Makes the kernel's side of a waker, whose events carry `token` and are readable.
    fn signal(&self, token: Token) -> io::Result<Self::Signal>;

    /// Makes the running or the next `select` return with the signal's event. The queue's own handle shows it,
    /// too: no signal is kept in user space, where a loop that watches the handle would miss it.
    ///
    /// Does not block and does not fail in ordinary operation, however often it is called between two polls.
    fn raise(&self, signal: &Self::Signal) -> io::Result<()>;

    /// Ends the signal: its token never comes again.
    fn retire(&self, signal: &Self::Signal);
}

/// An event as the system reports it.
pub(crate) trait RawEvent: Clone + Send + Sync {
    /// The token of the registration.
    fn token(&self) -> Token;

    /// What happened, in the terms that all backends share. The one place where a backend interprets the
    /// system's flags.
    fn readiness(&self) -> Readiness;

    /// The system's flags by their names in its manual.
    fn fmt_flags(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// The source that a registration is about.
pub(crate) struct Target<'a, S> {
    /// Borrowed from the source, so open for as long as the call lasts.
    pub(crate) handle: Handle<'a>,
    /// The state of the [`IoSource`](crate::IoSource), which reports through [`Selector::rearm`] when an operation
    /// would block. `None` for a bare handle ([`SourceFd`](crate::unix::SourceFd)), of whose operations a backend
    /// learns nothing.
    #[allow(dead_code)] // a system that keeps the registration needs none
    pub(crate) state: Option<&'a S>,
}

impl<S> Clone for Target<'_, S> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Target<'_, S> {}

/// What a registration asks for.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) token: Token,
    pub(crate) interest: Interest,
    pub(crate) trigger: Trigger,
}

/// The direction in which a source was drained, or filled.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
    /// The operation was the user's own ([`IoSource::do_io`](crate::IoSource::do_io)).
    Unknown,
}

/// What an event says, as a set of bits: the vocabulary of [`Event`](crate::event::Event).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readiness(u8);

#[allow(dead_code)] // AIO and LIO are used on some systems only
impl Readiness {
    pub(crate) const READABLE: Readiness = Readiness(1);
    pub(crate) const WRITABLE: Readiness = Readiness(1 << 1);
    pub(crate) const ERROR: Readiness = Readiness(1 << 2);
    pub(crate) const READ_CLOSED: Readiness = Readiness(1 << 3);
    pub(crate) const WRITE_CLOSED: Readiness = Readiness(1 << 4);
    pub(crate) const PRIORITY: Readiness = Readiness(1 << 5);
    pub(crate) const AIO: Readiness = Readiness(1 << 6);
    pub(crate) const LIO: Readiness = Readiness(1 << 7);

    /// `self`, and `other` too if `condition` holds.
    #[inline]
    #[must_use]
    pub(crate) const fn with(self, other: Readiness, condition: bool) -> Readiness {
        if condition {
            Readiness(self.0 | other.0)
        } else {
            self
        }
    }

    #[inline]
    pub(crate) const fn contains(self, other: Readiness) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The error of [`Selector::open`] for a backend that the build does not have.
#[cold]
pub(crate) fn unsupported(backend: Backend) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("the backend `{backend}` is not part of this build (see mio::Backend::available)"),
    )
}

/// Writes the names of flags as C spells a set of them.
pub(crate) fn fmt_names<'a>(
    f: &mut fmt::Formatter<'_>,
    names: impl Iterator<Item = &'a str>,
) -> fmt::Result {
    let mut separator = "";
    for name in names {
        write!(f, "{separator}{name}")?;
        separator = " | ";
    }
    if separator.is_empty() {
        f.write_str("0")?;
    }
    Ok(())
}

/// A timeout as the kernel takes it. What does not fit is longer than 292 billion years.
#[cfg(not(windows))]
#[allow(dead_code)] // the parts that would use it may not be there
#[inline]
pub(super) fn timespec(timeout: std::time::Duration) -> rustix::event::Timespec {
    rustix::event::Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos() as _,
    }
}
