//! What kqueue is asked for, and what its events mean. No system calls: tested on every host.
//!
//! Rests on `kqueue(2)`, which FreeBSD, NetBSD, OpenBSD, DragonFly and Apple systems have in common:
//!
//! - "A kevent is identified by the (ident, filter) pair": reading and writing are two entries, with flags of their own.
//! - "The filter is executed upon the initial registration of a kevent in order to detect whether a preexisting condition
//!   is present." What re-adding an entry does to its flags and its state, the manuals leave open. So a registration that
//!   is to be replaced is deleted and added, in one call: that has the new flags and reports again what is ready.
//! - `EV_CLEAR` resets the state once an event was retrieved: an edge. `EV_DISPATCH` disables the entry then. What the two
//!   do together, the manuals leave open.
//! - `EV_RECEIPT` has every change answered, and no event retrieved beside the answers.
//! - `EV_EOF` says that the filter's direction is at its end, with the socket's error, if any, in `fflags`. It comes
//!   without `EV_ERROR`, which stands for a change that failed.

use std::fmt;
use std::ops::BitOr;
use std::time::Duration;

use crate::sys::selector::{fmt_names, Readiness, Wanted};
use crate::Trigger;

/// What an entry of the queue watches. Its number differs between systems.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Read,
    Write,
    /// Raised by the process itself.
    User,
    /// An asynchronous operation, which names the queue itself.
    Aio,
    /// A list of them.
    Lio,
    /// Something that the user has asked the queue's descriptor for.
    Other,
}

impl Filter {
    fn name(self) -> &'static str {
        match self {
            Filter::Read => "EVFILT_READ",
            Filter::Write => "EVFILT_WRITE",
            Filter::User => "EVFILT_USER",
            Filter::Aio => "EVFILT_AIO",
            Filter::Lio => "EVFILT_LIO",
            Filter::Other => "EVFILT_?",
        }
    }
}

/// The general flags of an entry. Their values are the same on all systems; `system.rs` has the compiler check that.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u16);

#[allow(dead_code)] // the backend needs fewer than its model does
impl Flags {
    pub(crate) const ADD: Flags = Flags(0x1);
    pub(crate) const DELETE: Flags = Flags(0x2);
    pub(crate) const ENABLE: Flags = Flags(0x4);
    pub(crate) const DISABLE: Flags = Flags(0x8);
    pub(crate) const ONESHOT: Flags = Flags(0x10);
    pub(crate) const CLEAR: Flags = Flags(0x20);
    pub(crate) const RECEIPT: Flags = Flags(0x40);
    pub(crate) const DISPATCH: Flags = Flags(0x80);
    /// Urgent data, on Apple systems. The others have it for flags of a filter's own, and set none for sockets.
    pub(crate) const OOBAND: Flags = Flags(0x2000);
    pub(crate) const ERROR: Flags = Flags(0x4000);
    pub(crate) const EOF: Flags = Flags(0x8000);

    const NAMES: [(Flags, &'static str); 11] = [
        (Flags::ADD, "EV_ADD"),
        (Flags::DELETE, "EV_DELETE"),
        (Flags::ENABLE, "EV_ENABLE"),
        (Flags::DISABLE, "EV_DISABLE"),
        (Flags::ONESHOT, "EV_ONESHOT"),
        (Flags::CLEAR, "EV_CLEAR"),
        (Flags::RECEIPT, "EV_RECEIPT"),
        (Flags::DISPATCH, "EV_DISPATCH"),
        (Flags::OOBAND, "EV_OOBAND"),
        (Flags::ERROR, "EV_ERROR"),
        (Flags::EOF, "EV_EOF"),
    ];

    #[inline]
    pub(crate) const fn from_bits(bits: u16) -> Flags {
        Flags(bits)
    }

    #[inline]
    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    #[inline]
    pub(crate) const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Flags;

    #[inline]
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// As long in whole microseconds that no wait is too short, for kernels that cut off what is over from the timeout and from
/// the time of day that they add it to. Zero stays zero: it asks for no wait.
pub(crate) fn for_microseconds(timeout: Duration) -> Duration {
    const MICROSECOND: Duration = Duration::from_micros(1);
    if timeout.is_zero() {
        return timeout;
    }
    let over = Duration::from_nanos(u64::from(timeout.subsec_nanos() % 1000));
    let whole = timeout - over;
    if over.is_zero() {
        whole + MICROSECOND
    } else {
        whole + 2 * MICROSECOND
    }
}

/// How an entry reports.
pub(crate) fn mode(trigger: Trigger) -> Flags {
    if trigger.is_oneshot() {
        // Not `EV_ONESHOT`, which deletes the entry: then nobody could tell a source that has reported from one that was
        // never registered. And not `EV_CLEAR` as well: what is disabled needs no reset, and NetBSD's kernel lets that
        // flag alone count, so that the entry stays enabled.
        Flags::DISPATCH
    } else if trigger.is_edge() {
        Flags::CLEAR
    } else {
        Flags::default()
    }
}

/// A change of one entry.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) filter: Filter,
    pub(crate) flags: Flags,
}

const DELETE: Flags = Flags::from_bits(Flags::DELETE.bits() | Flags::RECEIPT.bits());

/// What one call asks of the queue, each change with a receipt.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Changes {
    list: [Change; Changes::MOST],
    len: usize,
}

impl Changes {
    /// A deletion and an addition for each filter.
    pub(crate) const MOST: usize = 4;

    fn of(changes: impl IntoIterator<Item = (Filter, Flags)>) -> Changes {
        let none = Change {
            filter: Filter::Read,
            flags: DELETE,
        };
        let mut all = Changes {
            list: [none; Changes::MOST],
            len: 0,
        };
        for (filter, flags) in changes {
            all.list[all.len] = Change { filter, flags };
            all.len += 1;
        }
        all
    }

    /// Registers, or registers anew. What there was is deleted first, also for a source that should be new: if it is not,
    /// nothing of the old registration may be left, for its flags say what the `udata` of an event is.
    pub(crate) fn to_put(wanted: Wanted) -> Changes {
        let flags = Flags::ADD | Flags::RECEIPT | mode(wanted.trigger);
        let added = [
            (Filter::Read, wanted.interest.is_readable()),
            (Filter::Write, wanted.interest.is_writable()),
        ]
        .into_iter()
        .filter(|(_, is_wanted)| *is_wanted)
        .map(|(filter, _)| (filter, flags));
        Changes::of(BOTH.map(|filter| (filter, DELETE)).into_iter().chain(added))
    }

    pub(crate) fn to_remove() -> Changes {
        Changes::of(BOTH.map(|filter| (filter, DELETE)))
    }

    /// For the writing end of a pipe whose other end is gone, which cannot be watched for writing any more.
    pub(crate) fn to_watch_for_the_end() -> Changes {
        let flags = Flags::ADD | Flags::RECEIPT | Flags::DISPATCH;
        Changes::of([(Filter::Read, DELETE), (Filter::Read, flags)])
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[Change] {
        &self.list[..self.len]
    }

    /// What the receipts, each with the number of an error or 0, say of the whole.
    pub(crate) fn verdict(&self, receipts: impl IntoIterator<Item = i64>) -> Verdict {
        let mut verdict = Verdict::default();
        let mut is_open = false;
        for (change, errno) in self.as_slice().iter().zip(receipts) {
            let deleted = change.flags.contains(Flags::DELETE);
            is_open |= deleted && errno != EBADF;
            match errno {
                0 if deleted => verdict.found = true,
                0 => verdict.added = true,
                ENOENT if deleted => {}
                EPIPE if change.filter == Filter::Write => verdict.broken = true,
                // NetBSD's word for it. Of a number that is not open the deletions have said the same.
                EBADF if change.filter == Filter::Write && !deleted && is_open => {
                    verdict.broken = true;
                }
                errno => {
                    verdict.error.get_or_insert(errno);
                }
            }
        }
        verdict
    }
}

/// Of the numbers of errors, these are the same on all systems; `system.rs` has the compiler check that.
pub(crate) const ENOENT: i64 = 2;
pub(crate) const EBADF: i64 = 9;
pub(crate) const EPIPE: i64 = 32;

/// What became of some changes.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// There was something to delete.
    pub(crate) found: bool,
    /// Something was added.
    pub(crate) added: bool,
    /// Nobody is left to read what would be written, so writing cannot be watched.
    pub(crate) broken: bool,
    /// The first error that is one.
    pub(crate) error: Option<i64>,
}

const BOTH: [Filter; 2] = [Filter::Read, Filter::Write];

/// What an entry has reported.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) filter: Filter,
    pub(crate) flags: Flags,
    pub(crate) fflags: u32,
}

impl Report {
    /// The end of a direction says itself that there is an error: `EV_EOF` with a number in `fflags`. That is how a
    /// connection ends on which something waits to be sent; without looking at it a level would be asked for for ever.
    #[inline]
    pub(crate) fn readiness(self) -> Readiness {
        let Report {
            filter,
            flags,
            fflags,
        } = self;
        let end = flags.contains(Flags::EOF);
        let error = flags.contains(Flags::ERROR);
        match filter {
            Filter::Read => Readiness::default()
                .with(Readiness::READABLE, true)
                .with(Readiness::READ_CLOSED, end)
                .with(Readiness::ERROR, error || end && fflags != 0)
                .with(Readiness::PRIORITY, flags.contains(Flags::OOBAND)),
            Filter::Write => Readiness::default()
                .with(Readiness::WRITABLE, true)
                .with(Readiness::WRITE_CLOSED, end)
                .with(Readiness::ERROR, error || end && fflags != 0),
            Filter::User => Readiness::READABLE,
            Filter::Aio => Readiness::AIO,
            Filter::Lio => Readiness::LIO,
            Filter::Other => Readiness::default().with(Readiness::ERROR, error),
        }
    }

    pub(crate) fn fmt_flags(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = Flags::NAMES
            .iter()
            .filter(|(flag, _)| self.flags.contains(*flag))
            .map(|(_, name)| *name);
        fmt_names(f, [self.filter.name()].into_iter().chain(set))?;
        if self.fflags != 0 {
            write!(f, " | fflags {:#x}", self.fflags)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
