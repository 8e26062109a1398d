//! The pure half of the epoll backend: what is asked of the kernel, and what its answers mean.

use std::fmt;
use std::time::Duration;

use rustix::event::epoll::{self, EventFlags};

use super::{data, mask, whole_millis, Event};
use crate::sys::selector::{RawEvent as _, Readiness, Wanted};
use crate::{Interest, Token, Trigger};

const IN: EventFlags = EventFlags::IN;
const PRI: EventFlags = EventFlags::PRI;
const OUT: EventFlags = EventFlags::OUT;
const ERR: EventFlags = EventFlags::ERR;
const HUP: EventFlags = EventFlags::HUP;
const RDHUP: EventFlags = EventFlags::RDHUP;
const ET: EventFlags = EventFlags::ET;
const ONESHOT: EventFlags = EventFlags::ONESHOT;
const NONE: EventFlags = EventFlags::empty();

const R: Interest = Interest::READABLE;
const W: Interest = Interest::WRITABLE;
const P: Interest = Interest::PRIORITY;

/// Every interest that Linux has, and what the kernel is asked for. `RDHUP` comes with reading alone: without it a
/// half-closed stream would be told of only by a read of zero bytes.
const INTERESTS: [(Interest, EventFlags); 7] = [
    (R, IN.union(RDHUP)),
    (W, OUT),
    (P, PRI),
    (R.add(W), IN.union(RDHUP).union(OUT)),
    (R.add(P), IN.union(RDHUP).union(PRI)),
    (W.add(P), OUT.union(PRI)),
    (R.add(W).add(P), IN.union(RDHUP).union(OUT).union(PRI)),
];

const TRIGGERS: [(Trigger, EventFlags); 4] = [
    (Trigger::Edge, ET),
    (Trigger::Level, NONE),
    (Trigger::Oneshot, ONESHOT),
    (Trigger::EdgeOneshot, ET.union(ONESHOT)),
];

fn event(flags: EventFlags, token: Token) -> Event {
    Event(epoll::Event {
        flags,
        data: data(token),
    })
}

#[test]
fn each_interest_and_trigger_has_its_mask() {
    for (interest, asked) in INTERESTS {
        for (trigger, mode) in TRIGGERS {
            let wanted = Wanted {
                token: Token(0),
                interest,
                trigger,
            };
            assert_eq!(mask(wanted), asked | mode, "{wanted:?}");
        }
    }
}

/// One letter for each property: `r`eadable, `w`ritable, `e`rror, `R`ead-closed, `W`rite-closed, `p`riority.
fn letters(flags: EventFlags) -> String {
    const LETTERS: [(Readiness, char); 8] = [
        (Readiness::READABLE, 'r'),
        (Readiness::WRITABLE, 'w'),
        (Readiness::ERROR, 'e'),
        (Readiness::READ_CLOSED, 'R'),
        (Readiness::WRITE_CLOSED, 'W'),
        (Readiness::PRIORITY, 'p'),
        (Readiness::AIO, 'a'),
        (Readiness::LIO, 'l'),
    ];
    let readiness = event(flags, Token(0)).readiness();
    LETTERS
        .iter()
        .filter(|(bit, _)| readiness.contains(*bit))
        .map(|(_, letter)| letter)
        .collect()
}

/// What each set of flags means, by what the kernel can say beside it: nothing, `RDHUP`, `ERR`, `HUP`, and so on.
///
/// Written out rather than computed, because every line of it is a promise to users. Three lines are not obvious:
/// `RDHUP` counts beside `IN` only; `ERR` closes writing beside `OUT` or alone (a pipe without readers), not beside `IN`;
/// `PRI` is readable.
#[rustfmt::skip] // a table
const READINESS: [(EventFlags, [&str; 8]); 8] = [
    // beside:                     -       RDHUP    ERR      RDHUP+ERR HUP       RDHUP+HUP ERR+HUP   all three
    (NONE,                       ["",      "",      "eW",    "e",      "RW",     "RW",     "eRW",    "eRW"]),
    (IN,                         ["r",     "rR",    "re",    "reR",    "rRW",    "rRW",    "reRW",   "reRW"]),
    (OUT,                        ["w",     "w",     "weW",   "weW",    "wRW",    "wRW",    "weRW",   "weRW"]),
    (PRI,                        ["rp",    "rp",    "rep",   "rep",    "rRWp",   "rRWp",   "reRWp",  "reRWp"]),
    (IN.union(OUT),              ["rw",    "rwR",   "rweW",  "rweRW",  "rwRW",   "rwRW",   "rweRW",  "rweRW"]),
    (IN.union(PRI),              ["rp",    "rRp",   "rep",   "reRp",   "rRWp",   "rRWp",   "reRWp",  "reRWp"]),
    (OUT.union(PRI),             ["rwp",   "rwp",   "rweWp", "rweWp",  "rwRWp",  "rwRWp",  "rweRWp", "rweRWp"]),
    (IN.union(OUT).union(PRI),   ["rwp",   "rwRp",  "rweWp", "rweRWp", "rwRWp",  "rwRWp",  "rweRWp", "rweRWp"]),
];

#[test]
fn each_set_of_flags_has_its_readiness() {
    const BESIDE: [EventFlags; 8] = [
        NONE,
        RDHUP,
        ERR,
        RDHUP.union(ERR),
        HUP,
        RDHUP.union(HUP),
        ERR.union(HUP),
        RDHUP.union(ERR).union(HUP),
    ];
    for (flags, row) in READINESS {
        for (beside, expected) in BESIDE.into_iter().zip(row) {
            assert_eq!(
                letters(flags | beside),
                expected,
                "{flags:?} and {beside:?}"
            );
        }
    }
}

#[test]
fn flags_that_nobody_asked_for_mean_nothing() {
    let extra = EventFlags::RDNORM | EventFlags::RDBAND | EventFlags::WRNORM | EventFlags::WRBAND;
    assert_eq!(letters(extra), "");
    assert_eq!(letters(extra | IN), "r");
    assert_eq!(letters(extra | OUT), "w");
    assert_eq!(letters(EventFlags::from_bits_retain(1 << 20)), "");
}

#[test]
fn every_token_comes_back() {
    for token in [0, 1, usize::MAX, usize::MAX / 2, usize::MAX - 1, 1 << 31] {
        assert_eq!(event(IN, Token(token)).token(), Token(token));
    }
}

#[test]
fn flags_are_shown_by_their_names_in_the_manual() {
    struct Shown(EventFlags);

    impl fmt::Debug for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            event(self.0, Token(0)).fmt_flags(f)
        }
    }

    let shown = |flags| format!("{:?}", Shown(flags));
    assert_eq!(shown(NONE), "0");
    assert_eq!(shown(IN), "EPOLLIN");
    assert_eq!(
        shown(IN | PRI | OUT | ERR | HUP | RDHUP),
        "EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDHUP"
    );
    assert_eq!(shown(EventFlags::from_bits_retain(1 << 20)), "0");
}

#[test]
fn an_event_shows_token_and_flags() {
    let event = event(IN | RDHUP, Token(7));
    assert_eq!(
        format!("{:?}", crate::event::Event::from_raw(&event)),
        "Event { token: Token(7), flags: EPOLLIN | EPOLLRDHUP }"
    );
}

/// `epoll_wait` may be asked for exactly these; the others have to go where nanoseconds count.
#[test]
fn whole_milliseconds_that_fit_are_told_apart() {
    let longest = Duration::from_secs(i32::MAX as u64 / 1000);
    let just_below = longest - Duration::from_millis(1);
    for whole in [
        Duration::ZERO,
        Duration::from_millis(1),
        Duration::from_secs(1),
        Duration::from_millis(86_400_001),
        just_below,
    ] {
        let millis = u64::try_from(whole_millis(whole).unwrap()).unwrap();
        assert_eq!(Duration::from_millis(millis), whole);
    }
    for other in [
        Duration::from_nanos(1),
        Duration::from_micros(50),
        Duration::from_micros(1001),
        Duration::from_nanos(999_999_999),
        longest + Duration::from_secs(1),
        Duration::from_secs(u64::MAX),
        Duration::MAX,
    ] {
        assert_eq!(whole_millis(other), None, "{other:?}");
    }
}

/// What `poll(2)` found goes into the same structure, so its flags must have the same values.
#[cfg(feature = "poll-backend")]
#[test]
fn answers_of_poll_become_events_bit_by_bit() {
    use rustix::event::PollFlags;

    for (poll, epoll) in [
        (PollFlags::IN, IN),
        (PollFlags::PRI, PRI),
        (PollFlags::OUT, OUT),
        (PollFlags::ERR, ERR),
        (PollFlags::HUP, HUP),
        (PollFlags::RDHUP, RDHUP),
        (
            PollFlags::IN | PollFlags::OUT | PollFlags::HUP,
            IN | OUT | HUP,
        ),
    ] {
        let event = Event::from((Token(usize::MAX), poll));
        let flags = event.0.flags;
        assert_eq!(flags, epoll, "{poll:?}");
        assert_eq!(event.token(), Token(usize::MAX));
    }
}
