//! Readiness through `epoll(7)`.
//!
//! Rests on these promises of the manual pages `epoll(7)` and `epoll_ctl(2)`:
//!
//! - `EPOLLET` reports a change; adding or modifying an entry whose condition holds already counts as one.
//! - `EPOLLONESHOT` disables the whole entry, both directions, until `EPOLL_CTL_MOD`.
//! - `EPOLL_CTL_DEL` takes effect before it returns: no later wait reports the entry.
//! - Closing the last descriptor of an open file removes its entries. A duplicate keeps them alive.
//! - Descriptors that can always be read (regular files) are refused with `EPERM`.
//!
//! The kernel keeps all state, so there is none here.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use super::{epoll_precise, epoll_wait};
use crate::sys::return_stack::covered;
use crate::sys::selector::{
    fmt_names, unsupported, Direction, RawEvent, Readiness, Selector, Target, Wanted,
};
use crate::sys::signal::Signal;
use crate::{Backend, Token};

/// An epoll instance.
#[derive(Debug)]
pub(crate) struct Epoll {
    fd: OwnedFd,
}

/// `struct epoll_event`, written by the kernel.
#[derive(Clone)]
#[repr(transparent)]
pub(crate) struct Event(epoll::Event);

/// What `epoll_wait` takes for no timeout.
const FOR_EVER: i32 = -1;

// SAFETY: What keeps `epoll::Event` on one thread is the pointer in the union of its `data`. Here the union only ever
// holds the integer that `data` puts there.
unsafe impl Send for Event {}
// SAFETY: As for `Send`.
unsafe impl Sync for Event {}

impl Epoll {
    /// `epoll_wait` with its milliseconds; −1 waits for ever.
    #[inline]
    pub(super) fn wait(&self, events: &mut Vec<Event>, millis: i32) -> io::Result<()> {
        self.fill(events, |spare| {
            Ok(epoll_wait::wait(self.as_fd(), spare, millis)?)
        })
    }

    /// Appends the events that `wait` writes to the start of the given memory, and whose number it returns.
    #[inline]
    pub(super) fn fill<F>(&self, events: &mut Vec<Event>, wait: F) -> io::Result<()>
    where
        F: FnOnce(&mut [MaybeUninit<epoll::Event>]) -> io::Result<usize>,
    {
        let old = events.len();
        let spare: *mut [MaybeUninit<Event>] = events.spare_capacity_mut();
        // SAFETY: `Event` is a transparent wrapper, so the memory is laid out alike; it stays borrowed from `events`
        // until the reference was last used, in `wait`.
        let spare = unsafe { &mut *(spare as *mut [MaybeUninit<epoll::Event>]) };
        let new = wait(spare)?;
        // SAFETY: `wait` has initialised this many elements behind the old end, within the capacity.
        unsafe { events.set_len(old + new) };
        Ok(())
    }
}

impl Selector for Epoll {
    const DEFAULT: Backend = Backend::Epoll;
    /// `EP_MAX_EVENTS`.
    const MOST_EVENTS: usize = i32::MAX as usize / std::mem::size_of::<epoll::Event>();

    type Event = Event;
    type State = ();
    type Signal = Signal;

    fn supports(backend: Backend) -> bool {
        backend == Backend::Epoll
    }

    fn open(backend: Backend) -> io::Result<Epoll> {
        if backend != Backend::Epoll {
            return Err(unsupported(backend));
        }
        Ok(Epoll {
            fd: epoll::create(CreateFlags::CLOEXEC)?,
        })
    }

    fn backend(&self) -> Backend {
        Backend::Epoll
    }

    #[inline]
    fn select(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        match timeout.map_or(Some(FOR_EVER), whole_millis) {
            Some(millis) => self.wait(events, millis),
            None => epoll_precise::wait(self, events, timeout.unwrap_or_default()),
        }
    }

    #[inline]
    fn register(&self, target: Target<'_, ()>, wanted: Wanted) -> io::Result<()> {
        Ok(epoll::add(
            &self.fd,
            target.handle,
            data(wanted.token),
            mask(wanted),
        )?)
    }

    #[inline]
    fn reregister(&self, target: Target<'_, ()>, wanted: Wanted) -> io::Result<()> {
        Ok(covered(epoll::modify(
            &self.fd,
            target.handle,
            data(wanted.token),
            mask(wanted),
        ))?)
    }

    #[inline]
    fn deregister(&self, target: Target<'_, ()>) -> io::Result<()> {
        Ok(epoll::delete(&self.fd, target.handle)?)
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
        let signal = Signal::new()?;
        // Edge-triggered: each write is an edge, so the counter never has to be read back.
        epoll::add(
            &self.fd,
            signal.as_fd(),
            data(token),
            EventFlags::IN | EventFlags::ET,
        )?;
        Ok(signal)
    }

    #[inline]
    fn raise(&self, signal: &Signal) -> io::Result<()> {
        signal.raise()
    }

    fn retire(&self, _: &Signal) {
        // Closing it is enough. Deleting the entry would be wrong in a forked child, which shares it with its parent.
    }
}

impl AsFd for Epoll {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[inline]
fn data(token: Token) -> EventData {
    EventData::new_u64(token.0 as u64)
}

/// What `epoll_ctl` is asked for.
#[inline]
fn mask(wanted: Wanted) -> EventFlags {
    let Wanted {
        interest, trigger, ..
    } = wanted;
    let mut flags = EventFlags::empty();
    if interest.is_readable() {
        flags |= EventFlags::IN | EventFlags::RDHUP;
    }
    if interest.is_writable() {
        flags |= EventFlags::OUT;
    }
    if interest.is_priority() {
        flags |= EventFlags::PRI;
    }
    // `EPOLLET` and `EPOLLONESHOT`: no branch, for the trigger is not known where this is compiled.
    flags | EventFlags::from_bits_retain((trigger as u32) << 30)
}

/// The timeout as `epoll_wait` takes it, if its 32-bit number of milliseconds expresses it exactly.
#[inline]
fn whole_millis(timeout: Duration) -> Option<i32> {
    let exact = timeout.subsec_nanos() % 1_000_000 == 0;
    if exact && timeout.as_secs() < i32::MAX as u64 / 1000 {
        Some(timeout.as_secs() as i32 * 1000 + timeout.subsec_millis() as i32)
    } else {
        None
    }
}

/// An event that `poll(2)` found, where it stands beside epoll in one build. `eventpoll.h` gives the flags the values
/// that they have in `poll.h`.
#[cfg(feature = "poll-backend")]
impl From<(Token, rustix::event::PollFlags)> for Event {
    fn from((token, flags): (Token, rustix::event::PollFlags)) -> Event {
        Event(epoll::Event {
            flags: EventFlags::from_bits_retain(flags.bits() as u32),
            data: data(token),
        })
    }
}

impl RawEvent for Event {
    #[inline]
    fn token(&self) -> Token {
        // Registered as a `usize`, so it fits.
        let data = self.0.data;
        Token(data.u64() as usize)
    }

    /// A stream whose peer has shut down writing reports `RDHUP` beside `IN`. `HUP` means that both directions
    /// are shut down. The writing end of a pipe without readers reports `ERR`, alone or beside `OUT`.
    #[inline]
    fn readiness(&self) -> Readiness {
        let flags = self.0.flags;
        let has = |wanted: EventFlags| flags.contains(wanted);
        let hang_up = has(EventFlags::HUP);
        Readiness::default()
            .with(
                Readiness::READABLE,
                flags.intersects(EventFlags::IN | EventFlags::PRI),
            )
            .with(Readiness::WRITABLE, has(EventFlags::OUT))
            .with(Readiness::ERROR, has(EventFlags::ERR))
            .with(
                Readiness::READ_CLOSED,
                hang_up || has(EventFlags::IN | EventFlags::RDHUP),
            )
            .with(
                Readiness::WRITE_CLOSED,
                hang_up || has(EventFlags::OUT | EventFlags::ERR) || flags == EventFlags::ERR,
            )
            .with(Readiness::PRIORITY, has(EventFlags::PRI))
    }

    fn fmt_flags(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.0.flags;
        const NAMES: [(EventFlags, &str); 8] = [
            (EventFlags::IN, "EPOLLIN"),
            (EventFlags::PRI, "EPOLLPRI"),
            (EventFlags::OUT, "EPOLLOUT"),
            (EventFlags::RDNORM, "EPOLLRDNORM"),
            (EventFlags::WRNORM, "EPOLLWRNORM"),
            (EventFlags::ERR, "EPOLLERR"),
            (EventFlags::HUP, "EPOLLHUP"),
            (EventFlags::RDHUP, "EPOLLRDHUP"),
        ];
        fmt_names(
            f,
            NAMES
                .iter()
                .filter(|(flag, _)| flags.contains(*flag))
                .map(|(_, name)| *name),
        )
    }
}

#[cfg(test)]
#[path = "epoll_tests.rs"]
mod tests;
