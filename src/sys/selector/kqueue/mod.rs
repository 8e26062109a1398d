//! Readiness through `kqueue(2)`: Apple systems and the BSDs.
//!
//! What the manual pages promise stands in `rules.rs`, with the pure half of this backend. This file rests on three more
//! of their sentences:
//!
//! - "Calling `close` on a file descriptor will remove any kevents that reference the descriptor." So a source that is
//!   dropped is gone, even if a duplicate of it stays open.
//! - "When a filter is successfully added the `data` field will be zero": the answer to `EV_RECEIPT`.
//! - "The queue is not inherited by a child created with `fork`." Its number may then be that of another file.
//!
//! The kernel keeps all state, but for one-shots: see `oneshots.rs`. The flags of an entry come back with its events, and
//! `EV_DISPATCH` among them sends an event to that table.
//!
//! Registering and reregistering are the same here. Whether there was something to replace would be known with the answer
//! to the call that makes the new registration, too late: a poll on another thread may have reported the token by then of
//! a registration that was refused. Asking first would cost everybody a call.

mod event;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use self::event::Event;
use super::kernel::{Kevent, Queue};
use super::kqueue_signal::Signal;
use crate::sys::pure_kqueue::oneshots::{Fate, Kind, Lookups, Oneshots};
use crate::sys::pure_kqueue::rules::{Changes, Verdict, ENOENT};
use crate::sys::selector::{unsupported, Direction, Selector, Target, Wanted};
use crate::{Backend, Token};

/// The longest single wait: "The timeout value is limited to 24 hours; longer timeouts will be silently reinterpreted as
/// 24 hours" (OpenBSD). Apple systems refuse some that are longer still.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A kqueue.
#[derive(Debug)]
pub(crate) struct Kqueue {
    queue: Queue,
    oneshots: Lookups,
    /// The number of the next waker.
    next_signal: AtomicUsize,
}

impl Kqueue {
    /// Has the kernel apply `changes` to the entries of a descriptor, whose events are to carry `udata`.
    #[inline]
    fn apply(&self, fd: usize, changes: &Changes, udata: usize) -> io::Result<Verdict> {
        let mut list = [Kevent::default(); Changes::MOST];
        let wanted = changes.as_slice();
        for (change, kevent) in wanted.iter().zip(&mut list) {
            *kevent = Kevent::new(fd, change.filter, change.flags, 0, udata);
        }
        let mut receipts = [Kevent::default(); Changes::MOST];
        match self.queue.change(&list[..wanted.len()], &mut receipts) {
            Ok(answered) => Ok(changes.verdict(receipts[..answered].iter().map(Kevent::data))),
            // "When a `kevent` call fails with `EINTR` error, all changes in the changelist have been applied."
            Err(Errno::INTR) => Ok(changes.verdict([0; Changes::MOST])),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Makes a registration in the place of whatever there was, or leaves nothing.
    #[inline]
    fn put(&self, fd: usize, wanted: Wanted) -> io::Result<()> {
        if wanted.trigger.is_oneshot() {
            return self.put_oneshot(fd, wanted);
        }
        let changes = Changes::to_put(wanted);
        let verdict = self
            .oneshots
            .replace(fd, || self.apply(fd, &changes, wanted.token.0))?;
        self.check(fd, verdict)?;
        if verdict.broken {
            return self.put_end(&mut self.oneshots.begin(), fd, wanted);
        }
        Ok(())
    }

    #[inline(never)]
    fn put_oneshot(&self, fd: usize, wanted: Wanted) -> io::Result<()> {
        let mut oneshots = self.oneshots.begin();
        let made = oneshots.make(fd, wanted.token, Kind::Oneshot, |id| {
            let verdict = self.apply(fd, &Changes::to_put(wanted), id)?;
            self.check(fd, verdict)?;
            Ok(!verdict.broken)
        })?;
        if made {
            return Ok(());
        }
        self.put_end(&mut oneshots, fd, wanted)
    }

    #[inline]
    fn check(&self, fd: usize, verdict: Verdict) -> io::Result<()> {
        match verdict.error {
            None => Ok(()),
            Some(errno) => self.undo(fd, verdict, errno),
        }
    }

    /// Undoes a registration of which a part has failed.
    #[cold]
    #[inline(never)]
    fn undo(&self, fd: usize, verdict: Verdict, errno: i64) -> io::Result<()> {
        if verdict.added {
            self.apply(fd, &Changes::to_remove(), 0)?;
        }
        Err(error(errno))
    }

    /// Watches the writing end of a pipe that nobody reads any more. Systems refuse to watch it for writing (`EPIPE`, on
    /// NetBSD `EBADF`), and without more the registration would be silent for ever. For reading they take it, and report
    /// its end.
    #[cold]
    #[inline(never)]
    fn put_end(&self, oneshots: &mut Oneshots, fd: usize, wanted: Wanted) -> io::Result<()> {
        let kind = Kind::End {
            lasts: !wanted.trigger.is_edge() && !wanted.trigger.is_oneshot(),
            reads: wanted.interest.is_readable(),
        };
        let changes = Changes::to_watch_for_the_end();
        oneshots.make(fd, wanted.token, kind, |id| {
            match self.apply(fd, &changes, id)?.error {
                None => Ok(true),
                Some(errno) => Err(error(errno)),
            }
        })?;
        Ok(())
    }

    /// As [`select`](Selector::select), where events may be dropped or the time may be too long for one call.
    #[inline(never)]
    fn select_for_long(
        &self,
        events: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let is_over = |left: Option<Duration>| left.is_some_and(|left| left.is_zero());
        // An end that the clock cannot express is never reached.
        let end = match timeout {
            Some(timeout) if !timeout.is_zero() => Instant::now().checked_add(timeout),
            _ => None,
        };
        let mut left = timeout;
        loop {
            self.wait(events, left.map(|left| left.min(LONGEST)))?;
            let came = !events.is_empty();
            self.settle(events);
            if !events.is_empty() || !came && is_over(left) {
                return Ok(());
            }
            if let Some(end) = end {
                left = Some(end.saturating_duration_since(Instant::now()));
            }
        }
    }

    #[inline]
    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        Ok(self.queue.wait(events, timeout)?)
    }

    /// Looks up the events of one-shots: they get their token, join their other half, or go.
    #[inline(never)]
    fn settle(&self, events: &mut Vec<Event>) {
        if !events.iter().any(Kevent::is_looked_up) {
            return;
        }
        let mut oneshots = self.oneshots.lock();
        oneshots.begin_batch();
        let mut kept = 0;
        for index in 0..events.len() {
            let mut event = events[index];
            if event.is_looked_up() {
                match oneshots.event(event.ident(), event.udata(), kept) {
                    Fate::Report(token, Kind::Oneshot) => event.set_udata(token.0),
                    Fate::Report(token, Kind::End { lasts, reads }) => {
                        if lasts {
                            self.repeat(event);
                        }
                        event.set_udata(token.0);
                        event.become_end_of_writing(reads);
                    }
                    Fate::Join(place) => {
                        events[place].join(event);
                        continue;
                    }
                    Fate::Drop => continue,
                }
            }
            events[kept] = event;
            kept += 1;
        }
        events.truncate(kept);
    }

    /// Has an entry that was disabled with its event report again.
    #[cold]
    fn repeat(&self, event: Event) {
        // If it fails, the descriptor was closed meanwhile.
        let _ = self.queue.change(&event.to_repeat(), &mut []);
    }
}

impl Selector for Kqueue {
    const DEFAULT: Backend = Backend::Kqueue;

    const KNOWS_HANDLES: bool = false;

    type Event = Event;
    type State = ();
    type Signal = Signal;

    fn supports(backend: Backend) -> bool {
        backend == Backend::Kqueue
    }

    fn open(backend: Backend) -> io::Result<Kqueue> {
        if backend != Backend::Kqueue {
            return Err(unsupported(backend));
        }
        Ok(Kqueue {
            queue: Queue::open()?,
            oneshots: Lookups::default(),
            next_signal: AtomicUsize::new(1),
        })
    }

    fn backend(&self) -> Backend {
        Backend::Kqueue
    }

    #[inline]
    fn select(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let is_long = timeout.is_some_and(|timeout| timeout > LONGEST);
        if is_long || self.oneshots.any() {
            return self.select_for_long(events, timeout);
        }
        self.wait(events, timeout)?;
        if events.iter().any(Kevent::is_looked_up) {
            // The first one-shot of this queue was registered while it waited.
            self.settle(events);
            if events.is_empty() {
                // It was also replaced meanwhile. When this wait began is not known: time it anew, this once.
                return self.select_for_long(events, timeout);
            }
        }
        Ok(())
    }

    #[inline]
    fn register(&self, target: Target<'_, ()>, wanted: Wanted) -> io::Result<()> {
        self.put(ident(target), wanted)
    }

    #[inline]
    fn reregister(&self, target: Target<'_, ()>, wanted: Wanted) -> io::Result<()> {
        self.put(ident(target), wanted)
    }

    #[inline]
    fn deregister(&self, target: Target<'_, ()>) -> io::Result<()> {
        let fd = ident(target);
        let verdict = self
            .oneshots
            .replace(fd, || self.apply(fd, &Changes::to_remove(), 0))?;
        match verdict.error {
            None if verdict.found => Ok(()),
            errno => Err(error(errno.unwrap_or(ENOENT))),
        }
    }

    #[inline]
    fn tracks_sources() -> bool {
        false
    }

    #[inline]
    fn rearm(_: Target<'_, ()>, _: Direction) {}

    #[inline]
    fn closing(_: Target<'_, ()>) {}

    fn signal(&self, token: Token) -> io::Result<Signal> {
        let number = self.next_signal.fetch_add(1, Ordering::Relaxed);
        Signal::new(&self.queue, number, token)
    }

    #[inline]
    fn raise(&self, signal: &Signal) -> io::Result<()> {
        signal.raise(&self.queue)
    }

    fn retire(&self, signal: &Signal) {
        signal.retire(&self.queue);
    }
}

impl AsFd for Kqueue {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }
}

#[inline]
fn ident(target: Target<'_, ()>) -> usize {
    // A descriptor that can be borrowed is not negative.
    target.handle.as_raw_fd() as usize
}

#[cold]
fn error(errno: i64) -> io::Error {
    io::Error::from_raw_os_error(errno as i32)
}
