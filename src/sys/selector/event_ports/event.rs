//! The events of a port: as the kernel writes them, and as they are given to the user.

use std::fmt;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::poll_event::{fmt_flags, readiness};
use super::port::{Port, PortEvent, SOURCE_ALERT, SOURCE_FD, SOURCE_USER};
use crate::sys::selector::timespec;
use crate::sys::selector::{RawEvent, Readiness};
use crate::sys::{poll, PollFd};
use crate::Token;

/// How many events are fetched at most. The manual does not say how long a list the system takes.
const MOST: usize = 4096;

/// `struct port_event`, written by the kernel. What the user sees has the token where the kernel has put our number.
#[derive(Clone)]
#[repr(transparent)]
pub(crate) struct Event(PortEvent);

// SAFETY: What keeps `port_event` on one thread is a pointer that is never followed: it holds a number.
unsafe impl Send for Event {}
// SAFETY: As for `Send`.
unsafe impl Sync for Event {}

/// What an event is about.
pub(super) enum Source {
    Descriptor {
        fd: RawFd,
        ticket: usize,
        flags: PollFlags,
    },
    /// Sent by `port_send`.
    User(usize),
    Alert,
    /// We have asked for nothing else.
    Unknown,
}

/// What [`fetch`] has appended.
pub(super) struct Fetched {
    /// Where that begins.
    pub(super) start: usize,
    /// The port was seen empty.
    pub(super) emptied: bool,
}

/// Waits for events and appends them to `events`, which has room. Says what the system call said, too; there can be
/// events even so if that was an error.
pub(super) fn fetch(
    port: &Port,
    events: &mut Vec<Event>,
    wait: Option<Duration>,
) -> (Fetched, Result<(), Errno>) {
    let start = events.len();
    let spare: *mut [MaybeUninit<Event>] = events.spare_capacity_mut();
    // SAFETY: `Event` is a transparent wrapper, so the memory is laid out alike; it stays borrowed from `events` until
    // the reference was last used, below.
    let spare = unsafe { &mut *(spare as *mut [MaybeUninit<PortEvent>]) };
    let room = spare.len().min(MOST);
    let list = &mut spare[..room];
    // With an error the manual leaves it open whether the number of events was written. No event has this source.
    list[0].write(PortEvent {
        portev_events: 0,
        portev_source: 0,
        portev_pad: 0,
        portev_object: 0,
        portev_user: std::ptr::null_mut(),
    });
    let mut number = 1;
    let result = port.getn(list, &mut number, wait.map(timespec).as_ref());
    // SAFETY: It was written above.
    let first = unsafe { list[0].assume_init_ref() };
    let number = match result {
        Err(_) if first.portev_source == 0 => 0,
        Err(_) => (number as usize).clamp(1, room),
        Ok(()) => (number as usize).min(room),
    };
    // SAFETY: `getn` has initialised this many elements behind the old end, within the capacity.
    unsafe { events.set_len(start + number) };
    let emptied = number < room;
    (Fetched { start, emptied }, result)
}

/// What a descriptor is ready for at this moment, as far as the system says so.
#[cold]
pub(super) fn look(fd: RawFd, asked: PollFlags) -> Option<PollFlags> {
    // SAFETY: The number goes to `poll(2)` and nowhere else, which says so if it is no descriptor.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let mut fds = [PollFd::from_borrowed_fd(fd, asked)];
    poll(&mut fds, Some(&timespec(Duration::ZERO))).ok()?;
    Some(fds[0].revents())
}

impl Event {
    #[inline]
    pub(super) fn source(&self) -> Source {
        match self.0.portev_source {
            SOURCE_FD => Source::Descriptor {
                // The number of a descriptor, as it was given.
                fd: self.0.portev_object as RawFd,
                ticket: self.0.portev_user as usize,
                flags: self.flags(),
            },
            SOURCE_USER => Source::User(self.0.portev_user as usize),
            SOURCE_ALERT => Source::Alert,
            _ => Source::Unknown,
        }
    }

    /// Makes it an event for the user; always `true`.
    #[inline]
    pub(super) fn report(&mut self, token: Token, flags: PollFlags) -> bool {
        self.0.portev_user = token.0 as *mut _;
        self.0.portev_events = flags.bits().into();
        true
    }

    #[inline]
    fn flags(&self) -> PollFlags {
        // Those of `poll(2)`, which are a `short`.
        PollFlags::from_bits_retain(self.0.portev_events as _)
    }
}

impl From<(Token, PollFlags)> for Event {
    fn from((token, flags): (Token, PollFlags)) -> Event {
        Event(PortEvent {
            portev_events: flags.bits().into(),
            portev_source: SOURCE_USER,
            portev_pad: 0,
            portev_object: 0,
            portev_user: token.0 as *mut _,
        })
    }
}

impl RawEvent for Event {
    #[inline]
    fn token(&self) -> Token {
        Token(self.0.portev_user as usize)
    }

    #[inline]
    fn readiness(&self) -> Readiness {
        readiness(self.flags())
    }

    fn fmt_flags(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_flags(self.flags(), f)
    }
}
