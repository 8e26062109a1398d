//! What AFD is asked for and what it answers: interests to flags, and flags to readiness.
//!
//! Nothing here makes a system call, so it is tested on every host.
//!
//! AFD reports states, all at once, in the answer to one poll:
//!
//! | flag | says |
//! | --- | --- |
//! | `RECEIVE` | there is data, or a connection to accept on some systems |
//! | `ACCEPT` | there is a connection to accept |
//! | `SEND` | there is room to send; a connection attempt has succeeded |
//! | `DISCONNECT` | the peer has shut down writing |
//! | `ABORT` | the connection was reset |
//! | `CONNECT_FAIL` | a connection attempt has failed |
//! | `LOCAL_CLOSE` | somebody has closed the socket that the poll is about |
//!
//! Microsoft documents none of them. What is known is what programs for Windows find: Wine's tests of AFD run there, too. By
//! these, a socket that its own program has shut down in both directions has none of the flags of an end: it stays writable.

use std::fmt;

use crate::sys::selector::{fmt_names, Direction, Readiness};
use crate::Interest;

/// A set of AFD's poll flags.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u32);

impl Flags {
    pub(crate) const RECEIVE: Flags = Flags(1);
    pub(crate) const RECEIVE_EXPEDITED: Flags = Flags(1 << 1);
    pub(crate) const SEND: Flags = Flags(1 << 2);
    pub(crate) const DISCONNECT: Flags = Flags(1 << 3);
    pub(crate) const ABORT: Flags = Flags(1 << 4);
    pub(crate) const LOCAL_CLOSE: Flags = Flags(1 << 5);
    pub(crate) const ACCEPT: Flags = Flags(1 << 7);
    pub(crate) const CONNECT_FAIL: Flags = Flags(1 << 8);

    /// Ours, not AFD's: the connection is broken, and there is an interest in reading. Trying to read tells how.
    const TRY_READ: Flags = Flags(1 << 30);
    /// Ours, too: the same for writing.
    const TRY_WRITE: Flags = Flags(1 << 31);

    /// What ends a connection for both directions.
    pub(crate) const BROKEN: Flags = Flags::ABORT.and(Flags::CONNECT_FAIL);
    pub(crate) const ALL: Flags = Flags(u32::MAX);
    const READ: Flags = Flags::RECEIVE.and(Flags::ACCEPT);

    pub(crate) const fn from_bits(bits: u32) -> Flags {
        Flags(bits)
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    #[must_use]
    pub(crate) const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    #[must_use]
    pub(crate) const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    #[must_use]
    pub(crate) const fn common(self, other: Flags) -> Flags {
        Flags(self.0 & other.0)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn intersects(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// What AFD is asked for on behalf of `interest`. The end of the stream is asked for beside reading.
    pub(crate) fn requested(interest: Interest) -> Flags {
        let mut flags = Flags::BROKEN;
        if interest.is_readable() {
            flags = flags.and(Flags::READ).and(Flags::DISCONNECT);
        }
        if interest.is_priority() {
            flags = flags.and(Flags::RECEIVE_EXPEDITED);
        }
        if interest.is_writable() {
            flags = flags.and(Flags::SEND);
        }
        flags
    }

    /// What an operation asks for anew, if it would have blocked in `direction`.
    pub(crate) fn of(direction: Direction) -> Flags {
        let [read, write] = Flags::DIRECTIONS;
        match direction {
            Direction::Read => read,
            Direction::Write => write,
            Direction::Unknown => read.and(write),
        }
    }

    /// The flags of a direction, of which each has a pace of its own if nobody tells of its operations.
    pub(crate) const DIRECTIONS: [Flags; 2] = [
        Flags::READ
            .and(Flags::RECEIVE_EXPEDITED)
            .and(Flags::DISCONNECT)
            .and(Flags::BROKEN),
        Flags::SEND.and(Flags::BROKEN),
    ];

    /// What an edge-triggered registration is not asked for any more once `self` was reported. The end of the stream is
    /// also an edge of its own: it comes although reading was reported before.
    pub(crate) fn disarmed(self) -> Flags {
        let mut flags = self;
        if self.intersects(Flags::BROKEN) {
            // There is nothing beyond this.
            flags = Flags::ALL;
        }
        if self.intersects(Flags::READ.and(Flags::DISCONNECT)) {
            flags = flags.and(Flags::READ);
        }
        flags
    }

    /// The flags of an event, from the answer to a poll: those of a broken connection stand for each direction that
    /// there is an interest in.
    pub(crate) fn event(self, interest: Interest) -> Flags {
        if self.intersects(Flags::BROKEN) {
            self.and(Flags::to_try(interest))
        } else {
            self
        }
    }

    /// An event that says nothing but that operations may be tried.
    pub(crate) fn to_try(interest: Interest) -> Flags {
        let mut flags = Flags::default();
        if interest.is_readable() || interest.is_priority() {
            flags = flags.and(Flags::TRY_READ);
        }
        if interest.is_writable() {
            flags = flags.and(Flags::TRY_WRITE);
        }
        flags
    }

    /// The flags of the event of a waker.
    pub(crate) const WAKE: Flags = Flags::RECEIVE;

    #[inline]
    pub(crate) fn readiness(self) -> Readiness {
        let broken = self.intersects(Flags::BROKEN);
        let readable = Flags::READ
            .and(Flags::RECEIVE_EXPEDITED)
            .and(Flags::DISCONNECT)
            .and(Flags::TRY_READ);
        Readiness::default()
            .with(Readiness::READABLE, self.intersects(readable))
            .with(
                Readiness::WRITABLE,
                self.intersects(Flags::SEND.and(Flags::TRY_WRITE)),
            )
            .with(Readiness::ERROR, broken)
            .with(
                Readiness::READ_CLOSED,
                broken || self.contains(Flags::DISCONNECT),
            )
            .with(Readiness::WRITE_CLOSED, broken)
            .with(Readiness::PRIORITY, self.contains(Flags::RECEIVE_EXPEDITED))
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(Flags, &str); 8] = [
            (Flags::RECEIVE, "POLL_RECEIVE"),
            (Flags::RECEIVE_EXPEDITED, "POLL_RECEIVE_EXPEDITED"),
            (Flags::SEND, "POLL_SEND"),
            (Flags::DISCONNECT, "POLL_DISCONNECT"),
            (Flags::ABORT, "POLL_ABORT"),
            (Flags::LOCAL_CLOSE, "POLL_LOCAL_CLOSE"),
            (Flags::ACCEPT, "POLL_ACCEPT"),
            (Flags::CONNECT_FAIL, "POLL_CONNECT_FAIL"),
        ];
        fmt_names(
            f,
            NAMES
                .iter()
                .filter(|(flag, _)| self.contains(*flag))
                .map(|(_, name)| *name),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interest::of_some_systems::PRIORITY;

    const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

    #[test]
    fn interests_ask_for_flags() {
        let read = 0x1 | 0x80 | 0x8 | 0x10 | 0x100;
        let write = 0x4 | 0x10 | 0x100;
        assert_eq!(Flags::requested(Interest::READABLE).bits(), read);
        assert_eq!(Flags::requested(Interest::WRITABLE).bits(), write);
        assert_eq!(Flags::requested(BOTH).bits(), read | write);
        assert_eq!(Flags::requested(PRIORITY).bits(), 0x2 | 0x10 | 0x100);
    }

    #[test]
    fn blocking_asks_for_its_own_direction() {
        let all = Flags::requested(BOTH);
        let read = all.common(Flags::of(Direction::Read));
        assert_eq!(read, Flags::requested(Interest::READABLE));
        let write = all.common(Flags::of(Direction::Write));
        assert_eq!(write, Flags::requested(Interest::WRITABLE));
        assert_eq!(all.common(Flags::of(Direction::Unknown)), all);
    }

    #[test]
    fn reports_disarm() {
        let all = Flags::requested(BOTH);
        let left = |reported: Flags| all.without(reported.disarmed());
        assert_eq!(left(Flags::SEND), all.without(Flags::SEND));
        let no_read = all.without(Flags::RECEIVE).without(Flags::ACCEPT);
        assert_eq!(left(Flags::RECEIVE), no_read);
        assert_eq!(left(Flags::ACCEPT), no_read);
        assert_eq!(left(Flags::DISCONNECT), no_read.without(Flags::DISCONNECT));
        assert_eq!(left(Flags::ABORT), Flags::default());
        assert_eq!(left(Flags::CONNECT_FAIL), Flags::default());
    }

    #[test]
    fn flags_mean_readiness() {
        const R: Readiness = Readiness::READABLE;
        const W: Readiness = Readiness::WRITABLE;
        const E: Readiness = Readiness::ERROR;
        const RC: Readiness = Readiness::READ_CLOSED;
        const WC: Readiness = Readiness::WRITE_CLOSED;
        const P: Readiness = Readiness::PRIORITY;

        let abort = Flags::ABORT;
        let cases: [(Flags, &[Readiness]); 11] = [
            (Flags::default(), &[]),
            (Flags::RECEIVE, &[R]),
            (Flags::ACCEPT, &[R]),
            (Flags::RECEIVE_EXPEDITED, &[R, P]),
            (Flags::SEND, &[W]),
            (Flags::SEND.and(Flags::RECEIVE), &[R, W]),
            (Flags::DISCONNECT, &[R, RC]),
            (abort.event(Interest::READABLE), &[R, RC, WC, E]),
            (abort.event(Interest::WRITABLE), &[W, RC, WC, E]),
            (abort.event(BOTH), &[R, W, RC, WC, E]),
            (Flags::CONNECT_FAIL.event(BOTH), &[R, W, RC, WC, E]),
        ];
        for (flags, said) in cases {
            let expected = said
                .iter()
                .fold(Readiness::default(), |all, &one| all.with(one, true));
            assert_eq!(flags.readiness(), expected, "{flags}");
        }
    }

    #[test]
    fn events_without_an_end_are_the_answer() {
        let flags = Flags::RECEIVE.and(Flags::SEND).and(Flags::DISCONNECT);
        assert_eq!(flags.event(BOTH), flags);
    }

    #[test]
    fn flags_have_names() {
        let flags = Flags::RECEIVE.and(Flags::ABORT).event(BOTH);
        assert_eq!(flags.to_string(), "POLL_RECEIVE | POLL_ABORT");
        assert_eq!(Flags::default().to_string(), "0");
    }
}
