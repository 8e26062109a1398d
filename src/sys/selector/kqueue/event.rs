//! Events: `struct kevent` as the kernel writes it, or two of them in one.
//!
//! The two halves of a one-shot, reading and writing, are one event for its user. There is room for that: an event that
//! has its token needs no `ident` any more, and the amount in `data` is of no use to anybody here. So an event of both
//! has a filter that no system has, the flags of the read filter in their place, those of the write filter in `ident` and
//! its `fflags` in `data`.

use std::fmt;

use super::super::kernel::Kevent;
use crate::sys::pure_kqueue::rules::{Filter, Flags, Report};
use crate::sys::selector::{RawEvent, Readiness};
use crate::Token;

pub(crate) type Event = Kevent;

/// The number of the filter of an event of both directions. The systems' own are small: negative, or from 0 on.
const BOTH: i64 = i16::MAX as i64;

impl Kevent {
    /// Whether the table knows what this is an event of. Entries with `EV_DISPATCH` are made for that.
    #[inline]
    pub(super) fn is_looked_up(&self) -> bool {
        self.flags().contains(Flags::DISPATCH)
            && matches!(self.filter(), Filter::Read | Filter::Write)
    }

    /// Takes in the other half.
    pub(super) fn join(&mut self, other: Event) {
        let (read, write) = match self.filter() {
            Filter::Read => (*self, other),
            _ => (other, *self),
        };
        let udata = self.udata();
        *self = read;
        self.set_number(BOTH);
        self.set_ident(write.flags().bits().into());
        self.set_data(write.fflags().into());
        self.set_udata(udata);
    }

    /// The end was found by reading, and is one of writing: nobody is left to read. Or one of both, if reading is wanted.
    pub(super) fn become_end_of_writing(&mut self, reads: bool) {
        let end = Kevent::new(
            self.ident(),
            Filter::Write,
            self.flags() | Flags::EOF,
            self.fflags(),
            self.udata(),
        );
        if reads {
            self.join(end);
        } else {
            *self = end;
        }
    }

    /// The changes that make the entry of this event anew.
    pub(super) fn to_repeat(self) -> [Kevent; 2] {
        [Flags::DELETE, Flags::ADD | Flags::DISPATCH]
            .map(|flags| Kevent::new(self.ident(), self.filter(), flags, 0, self.udata()))
    }

    #[inline]
    fn reports(&self) -> (Report, Option<Report>) {
        let mut first = Report {
            filter: self.filter(),
            flags: self.flags(),
            fflags: self.fflags(),
        };
        if self.number() != BOTH {
            return (first, None);
        }
        first.filter = Filter::Read;
        // Both were widened to be put there.
        let second = Report {
            filter: Filter::Write,
            flags: Flags::from_bits(self.ident() as u16),
            fflags: self.data() as u32,
        };
        (first, Some(second))
    }
}

impl RawEvent for Kevent {
    #[inline]
    fn token(&self) -> Token {
        Token(self.udata())
    }

    #[inline]
    fn readiness(&self) -> Readiness {
        let (first, second) = self.reports();
        let readiness = first.readiness();
        match second {
            Some(second) => readiness.with(second.readiness(), true),
            None => readiness,
        }
    }

    fn fmt_flags(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.reports();
        first.fmt_flags(f)?;
        if let Some(second) = second {
            f.write_str(", ")?;
            second.fmt_flags(f)?;
        }
        Ok(())
    }
}
