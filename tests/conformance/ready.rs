//! What an event said, as a value that can be kept, joined and compared.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use mio::event::Event;
use mio::{Interest, Token};

/// An event that was returned.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) token: Token,
    pub(crate) ready: Ready,
}

impl From<&Event> for Seen {
    fn from(event: &Event) -> Seen {
        let said = [
            (event.is_readable(), Ready::READABLE),
            (event.is_writable(), Ready::WRITABLE),
            (event.is_read_closed(), Ready::READ_CLOSED),
            (event.is_write_closed(), Ready::WRITE_CLOSED),
            (event.is_error(), Ready::ERROR),
            (event.is_priority(), Ready::PRIORITY),
        ];
        Seen {
            token: event.token(),
            ready: said
                .iter()
                .filter(|(set, _)| *set)
                .fold(Ready::ANY, |all, &(_, one)| all | one),
        }
    }
}

/// A set of what the `is_*` methods of an event return.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(crate) struct Ready(u8);

impl Ready {
    /// The empty set: every event is that.
    pub(crate) const ANY: Ready = Ready(0);
    pub(crate) const READABLE: Ready = Ready(1);
    pub(crate) const WRITABLE: Ready = Ready(1 << 1);
    pub(crate) const READ_CLOSED: Ready = Ready(1 << 2);
    pub(crate) const WRITE_CLOSED: Ready = Ready(1 << 3);
    pub(crate) const ERROR: Ready = Ready(1 << 4);
    pub(crate) const PRIORITY: Ready = Ready(1 << 5);

    const NAMES: [(Ready, &'static str); 6] = [
        (Ready::READABLE, "readable"),
        (Ready::WRITABLE, "writable"),
        (Ready::READ_CLOSED, "read_closed"),
        (Ready::WRITE_CLOSED, "write_closed"),
        (Ready::ERROR, "error"),
        (Ready::PRIORITY, "priority"),
    ];

    pub(crate) const fn and(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }

    /// What of this says that something is over.
    pub(crate) fn ends(self) -> Ready {
        let ends = Ready::READ_CLOSED | Ready::WRITE_CLOSED | Ready::ERROR;
        Ready(self.0 & ends.0)
    }

    pub(crate) fn has(self, other: Ready) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Ready {
    type Output = Ready;

    fn bitor(self, other: Ready) -> Ready {
        self.and(other)
    }
}

impl BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Ready) {
        *self = *self | other;
    }
}

/// What a source has to become so that the whole interest is served.
impl From<Interest> for Ready {
    fn from(interest: Interest) -> Ready {
        let mut ready = Ready::ANY;
        if interest.is_readable() {
            ready |= Ready::READABLE;
        }
        if interest.is_writable() {
            ready |= Ready::WRITABLE;
        }
        ready
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Ready::NAMES
            .iter()
            .filter(|(one, _)| self.has(*one))
            .map(|(_, name)| *name)
            .collect();
        f.pad(&names.join(", "))
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}
