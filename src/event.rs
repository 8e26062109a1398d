//! [`Event`]: what a source is ready for.

use std::fmt;

use crate::sys::selector::{RawEvent as _, Readiness};
use crate::sys::RawEvent;
use crate::Token;

pub use crate::events::{Events, Iter};
pub use crate::source::Source;

/// What the system reports about one source.
///
/// Several `is_*` methods can be true of one event, and any of them may be true without need: an event is a hint to try.
/// What is reported in which situation differs between systems; the tables in `PLATFORMS.md` list it.
///
/// `{:?}` shows the token and the system's own flags.
#[derive(Clone)]
#[repr(transparent)]
pub struct Event(RawEvent);

impl Event {
    #[inline]
    pub(crate) fn from_raw(raw: &RawEvent) -> &Event {
        let raw: *const RawEvent = raw;
        // SAFETY: `Event` is a transparent wrapper around `RawEvent`, and the lifetime is that of the argument.
        unsafe { &*raw.cast::<Event>() }
    }

    /// The token under which the source is registered.
    #[inline]
    #[must_use]
    pub fn token(&self) -> Token {
        self.0.token()
    }

    /// There may be something to read: data, a connection to accept, or the end of the stream.
    ///
    /// An end or an error may come without this: look at [`is_read_closed`](Event::is_read_closed) and
    /// [`is_error`](Event::is_error), too, if nothing else would make you read.
    #[inline]
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.has(Readiness::READABLE)
    }

    /// There may be room to write, or a connection attempt has ended: then
    /// [`take_error`](crate::net::TcpStream::take_error) and [`peer_addr`](crate::net::TcpStream::peer_addr) tell how.
    #[inline]
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.has(Readiness::WRITABLE)
    }

    /// The source has an error, which the next operation or `take_error` returns.
    ///
    /// | epoll, poll | kqueue | event ports | Windows |
    /// | --- | --- | --- | --- |
    /// | `EPOLLERR`, `POLLERR` | `EV_ERROR`, or `EV_EOF` with an error in `fflags` | `POLLERR` | `POLL_CONNECT_FAIL` |
    ///
    /// It may come alone: from a full pipe whose reader is gone, or a datagram socket that only waits to read.
    /// Not every system reports it; an error of the next operation is the sure sign.
    #[inline]
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.has(Readiness::ERROR)
    }

    /// Nothing more will arrive: the peer has shut down writing, this side has shut down reading, or the source has
    /// failed. What arrived before can still be read.
    ///
    /// | epoll, poll | kqueue | event ports | Windows |
    /// | --- | --- | --- | --- |
    /// | `HUP`, or `IN` with `RDHUP` | `EV_EOF` of the read filter | `POLLHUP` | `POLL_DISCONNECT`, `POLL_ABORT`, `POLL_CONNECT_FAIL` |
    ///
    /// Not every system reports it; a read of zero bytes is the sure sign.
    #[inline]
    #[must_use]
    pub fn is_read_closed(&self) -> bool {
        self.has(Readiness::READ_CLOSED)
    }

    /// Nothing more can be sent: this side has shut down writing, nobody is left to read, or the source has failed.
    ///
    /// | epoll, poll | kqueue | event ports | Windows |
    /// | --- | --- | --- | --- |
    /// | `HUP`, `OUT` with `ERR`, or `ERR` alone | `EV_EOF` of the write filter | `POLLHUP` | `POLL_ABORT`, `POLL_CONNECT_FAIL` |
    ///
    /// Not every system reports it; an error of the next write is the sure sign. A datagram socket with a pending error
    /// reports it with some backends, and can be used again once the error was taken.
    #[inline]
    #[must_use]
    pub fn is_write_closed(&self) -> bool {
        self.has(Readiness::WRITE_CLOSED)
    }

    /// There is priority data, such as TCP's out-of-band byte.
    ///
    /// | epoll, poll | kqueue | event ports | Windows |
    /// | --- | --- | --- | --- |
    /// | `PRI` | `EV_OOBAND` (Apple systems) | `POLLPRI` | `POLL_RECEIVE_EXPEDITED` |
    #[inline]
    #[must_use]
    pub fn is_priority(&self) -> bool {
        self.has(Readiness::PRIORITY)
    }

    /// A POSIX asynchronous operation has completed (FreeBSD, DragonFly and Apple systems; elsewhere always `false`).
    #[inline]
    #[must_use]
    pub fn is_aio(&self) -> bool {
        self.has(Readiness::AIO)
    }

    /// A list of asynchronous operations has completed (FreeBSD; elsewhere always `false`).
    #[inline]
    #[must_use]
    pub fn is_lio(&self) -> bool {
        self.has(Readiness::LIO)
    }

    #[inline]
    fn has(&self, readiness: Readiness) -> bool {
        self.0.readiness().contains(readiness)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Flags<'a>(&'a RawEvent);

        impl fmt::Debug for Flags<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt_flags(f)
            }
        }

        f.debug_struct("Event")
            .field("token", &self.token())
            .field("flags", &Flags(&self.0))
            .finish()
    }
}
