//! What the answers of `poll(2)` mean.

use std::fmt;

use rustix::event::PollFlags;

use super::Event;
use crate::sys::poll_flags::RDHUP;
use crate::sys::selector::{RawEvent as _, Readiness};
use crate::Token;

const IN: PollFlags = PollFlags::IN;
const PRI: PollFlags = crate::sys::poll_flags::PRI;
const OUT: PollFlags = PollFlags::OUT;
const ERR: PollFlags = PollFlags::ERR;
const HUP: PollFlags = PollFlags::HUP;

/// As in the tables of PLATFORMS.md, with a letter for each: r, w, e, c (read closed), d (write closed), p.
fn letters(flags: PollFlags) -> String {
    let readiness = Event::from((Token(0), flags)).readiness();
    [
        (Readiness::READABLE, 'r'),
        (Readiness::WRITABLE, 'w'),
        (Readiness::ERROR, 'e'),
        (Readiness::READ_CLOSED, 'c'),
        (Readiness::WRITE_CLOSED, 'd'),
        (Readiness::PRIORITY, 'p'),
        (Readiness::AIO, 'a'),
        (Readiness::LIO, 'l'),
    ]
    .into_iter()
    .filter(|(bit, _)| readiness.contains(*bit))
    .map(|(_, letter)| letter)
    .collect()
}

#[test]
fn each_set_of_flags_has_its_readiness() {
    for (flags, expected) in [
        (IN, "r"),
        (OUT, "w"),
        (IN | OUT, "rw"),
        (PRI, "rp"),
        (HUP, "cd"),
        (IN | HUP, "rcd"),
        (OUT | HUP, "wcd"),
        // A pipe that nobody reads.
        (ERR, "ed"),
        (OUT | ERR, "wed"),
        // An error of a datagram socket that is watched for reading.
        (IN | ERR, "re"),
        (IN | OUT | ERR | HUP, "rwecd"),
    ] {
        assert_eq!(letters(flags), expected, "{flags:?}");
    }
}

/// The end of what the peer writes is told by a flag of its own, or not before it is read.
#[test]
fn a_half_closed_stream() {
    let closed = if RDHUP.is_empty() { "r" } else { "rc" };
    assert_eq!(letters(IN | RDHUP), closed);
    assert_eq!(letters(OUT), "w");
}

#[test]
fn every_token_comes_back() {
    for token in [0, 1, usize::MAX / 2, usize::MAX] {
        assert_eq!(Event::from((Token(token), IN)).token(), Token(token));
    }
}

#[test]
fn flags_are_shown_by_their_names_in_the_manual() {
    struct Flags(PollFlags);
    impl fmt::Display for Flags {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            Event::from((Token(0), self.0)).fmt_flags(f)
        }
    }
    assert_eq!(Flags(PollFlags::empty()).to_string(), "0");
    assert_eq!(
        Flags(IN | OUT | HUP).to_string(),
        "POLLIN | POLLOUT | POLLHUP"
    );
    assert_eq!(Flags(PRI | ERR).to_string(), "POLLPRI | POLLERR");
}
