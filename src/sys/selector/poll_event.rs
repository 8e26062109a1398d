//! The event of a queue that has nothing but `poll(2)`.

use std::fmt;

use rustix::event::PollFlags;

use crate::sys::poll_flags::{PRI, RDHUP};
use crate::sys::selector::{fmt_names, RawEvent, Readiness};
use crate::Token;

/// What `poll(2)` said of a source.
#[derive(Clone, Debug)]
#[allow(dead_code)] // event ports have an event of their own, and only its flags mean the same
pub(crate) struct Event {
    token: Token,
    flags: PollFlags,
}

impl From<(Token, PollFlags)> for Event {
    fn from((token, flags): (Token, PollFlags)) -> Event {
        Event { token, flags }
    }
}

impl RawEvent for Event {
    #[inline]
    fn token(&self) -> Token {
        self.token
    }

    #[inline]
    fn readiness(&self) -> Readiness {
        readiness(self.flags)
    }

    fn fmt_flags(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_flags(self.flags, f)
    }
}

/// As with epoll, whose flags mean the same. A system without `POLLRDHUP` reports the end of a stream as readable, or
/// as `POLLHUP`.
#[inline]
pub(super) fn readiness(flags: PollFlags) -> Readiness {
    let has = |wanted: PollFlags| flags.contains(wanted);
    let hang_up = has(PollFlags::HUP);
    Readiness::default()
        .with(Readiness::READABLE, flags.intersects(PollFlags::IN | PRI))
        .with(Readiness::WRITABLE, has(PollFlags::OUT))
        .with(Readiness::ERROR, has(PollFlags::ERR))
        .with(
            Readiness::READ_CLOSED,
            hang_up || (has(PollFlags::IN) && flags.intersects(RDHUP)),
        )
        .with(
            Readiness::WRITE_CLOSED,
            hang_up || has(PollFlags::OUT | PollFlags::ERR) || flags == PollFlags::ERR,
        )
        .with(Readiness::PRIORITY, flags.intersects(PRI))
}

pub(super) fn fmt_flags(flags: PollFlags, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const NAMES: [(PollFlags, &str); 6] = [
        (PollFlags::IN, "POLLIN"),
        (PRI, "POLLPRI"),
        (PollFlags::OUT, "POLLOUT"),
        (PollFlags::ERR, "POLLERR"),
        (PollFlags::HUP, "POLLHUP"),
        (RDHUP, "POLLRDHUP"),
    ];
    fmt_names(
        f,
        NAMES
            .iter()
            .filter(|(flag, _)| flags.intersects(*flag))
            .map(|(_, name)| *name),
    )
}

#[cfg(test)]
#[path = "poll_event_tests.rs"]
mod tests;
