use super::*;
use crate::{Interest, Token};

const R: Interest = Interest::READABLE;
const W: Interest = Interest::WRITABLE;
const TRIGGERS: [Trigger; 4] = [
    Trigger::Edge,
    Trigger::Level,
    Trigger::Oneshot,
    Trigger::EdgeOneshot,
];

fn wanted(interest: Interest, trigger: Trigger) -> Wanted {
    Wanted {
        token: Token(5),
        interest,
        trigger,
    }
}

#[test]
fn a_wait_of_whole_microseconds_is_long_enough() {
    let cut = |time: Duration| Duration::from_micros(time.as_micros() as u64);
    for timeout in [
        1,
        999,
        1000,
        1001,
        50_000,
        1_000_000_001,
        86_400_000_000_000,
    ] {
        let timeout = Duration::from_nanos(timeout);
        for now in [0, 1, 500, 999, 1000] {
            let now = Duration::from_nanos(now);
            let end = cut(now) + cut(for_microseconds(timeout));
            assert!(end >= now + timeout, "{timeout:?} from {now:?}");
            assert!(end <= now + timeout + Duration::from_micros(2));
        }
    }
    assert_eq!(for_microseconds(Duration::ZERO), Duration::ZERO);
}

/// The changes as signs: `+` for an addition, `-` for a deletion.
fn signs(changes: &Changes) -> String {
    changes
        .as_slice()
        .iter()
        .map(|change| {
            assert!(change.flags.contains(Flags::RECEIPT));
            let (add, delete) = (
                change.flags.contains(Flags::ADD),
                change.flags.contains(Flags::DELETE),
            );
            let sign = match (add, delete) {
                (true, false) => "+",
                (false, true) => "-",
                _ => panic!("{change:?}"),
            };
            let filter = match change.filter {
                Filter::Read => "r",
                Filter::Write => "w",
                filter => panic!("{filter:?}"),
            };
            format!("{sign}{filter}")
        })
        .collect()
}

fn report(filter: Filter, flags: Flags, fflags: u32) -> Report {
    Report {
        filter,
        flags,
        fflags,
    }
}

#[test]
fn a_registration_deletes_everything_first() {
    for trigger in TRIGGERS {
        for (interest, expected) in [(R | W, "-r-w+r+w"), (R, "-r-w+r"), (W, "-r-w+w")] {
            assert_eq!(signs(&Changes::to_put(wanted(interest, trigger))), expected);
        }
    }
    assert_eq!(signs(&Changes::to_remove()), "-r-w");
}

/// They are not registered with `kevent`, but name the queue themselves.
#[test]
fn asynchronous_operations_are_not_registered() {
    use crate::interest::of_some_systems::{AIO, LIO};

    for interest in [AIO, LIO, AIO | LIO] {
        let wanted = wanted(interest, Trigger::Edge);
        assert_eq!(signs(&Changes::to_put(wanted)), "-r-w");
    }
}

#[test]
fn a_trigger_is_a_mode_of_each_entry() {
    for (trigger, expected) in [
        (Trigger::Level, Flags::default()),
        (Trigger::Edge, Flags::CLEAR),
        (Trigger::Oneshot, Flags::DISPATCH),
        (Trigger::EdgeOneshot, Flags::DISPATCH),
    ] {
        assert_eq!(mode(trigger), expected);
        for change in &Changes::to_put(wanted(R | W, trigger)).as_slice()[2..] {
            assert_eq!(change.flags, Flags::ADD | Flags::RECEIPT | expected);
        }
    }
}

/// Its events are looked up in the table, whatever the trigger.
#[test]
fn an_end_is_watched_for_with_a_dispatch() {
    let changes = Changes::to_watch_for_the_end();
    assert_eq!(signs(&changes), "-r+r");
    let flags = changes.as_slice()[1].flags;
    assert_eq!(flags, Flags::ADD | Flags::RECEIPT | Flags::DISPATCH);
}

#[test]
fn receipts_make_a_verdict() {
    const ENOMEM: i64 = 12;

    let both = Changes::to_put(wanted(R | W, Trigger::Edge));
    let good = Verdict {
        added: true,
        ..Verdict::default()
    };
    for (receipts, expected) in [
        (
            [0, 0, 0, 0],
            Verdict {
                found: true,
                ..good
            },
        ),
        (
            [0, ENOENT, 0, 0],
            Verdict {
                found: true,
                ..good
            },
        ),
        (
            [ENOENT, 0, 0, 0],
            Verdict {
                found: true,
                ..good
            },
        ),
        ([ENOENT, ENOENT, 0, 0], good),
        (
            [0, 0, 0, EPIPE],
            Verdict {
                found: true,
                broken: true,
                ..good
            },
        ),
        (
            [ENOENT, ENOENT, 0, EBADF],
            Verdict {
                broken: true,
                ..good
            },
        ),
        (
            [0, 0, 0, ENOMEM],
            Verdict {
                found: true,
                error: Some(ENOMEM),
                ..good
            },
        ),
        (
            [EBADF; 4],
            Verdict {
                error: Some(EBADF),
                ..Verdict::default()
            },
        ),
    ] {
        assert_eq!(both.verdict(receipts), expected, "{receipts:?}");
    }
    // Only writing can be broken so, and only what is open.
    let one = |interest| Changes::to_put(wanted(interest, Trigger::Edge));
    assert_eq!(one(R).verdict([ENOENT, ENOENT, EBADF]).error, Some(EBADF));
    assert_eq!(one(W).verdict([EBADF; 3]).error, Some(EBADF));
    assert!(!one(W).verdict([EBADF; 3]).broken);
    // That an addition finds nothing is an error, unlike that a deletion does.
    let reading = Changes::to_put(wanted(R, Trigger::Edge));
    assert_eq!(reading.verdict([ENOENT; 3]).error, Some(ENOENT));
    assert_eq!(reading.verdict([ENOENT, ENOENT, EPIPE]).error, Some(EPIPE));
    assert_eq!(reading.verdict([ENOENT, ENOENT, 0]), good);
}

#[test]
fn a_filter_is_a_direction() {
    let plain = |filter| report(filter, Flags::ADD | Flags::CLEAR, 0).readiness();
    assert_eq!(plain(Filter::Read), Readiness::READABLE);
    assert_eq!(plain(Filter::Write), Readiness::WRITABLE);
    assert_eq!(plain(Filter::User), Readiness::READABLE);
    assert_eq!(plain(Filter::Aio), Readiness::AIO);
    assert_eq!(plain(Filter::Lio), Readiness::LIO);
    assert_eq!(plain(Filter::Other), Readiness::default());
}

#[test]
fn the_end_of_a_filter_is_the_end_of_its_direction() {
    let read = report(Filter::Read, Flags::EOF, 0).readiness();
    assert_eq!(read, Readiness::READABLE.with(Readiness::READ_CLOSED, true));
    let write = report(Filter::Write, Flags::EOF, 0).readiness();
    assert_eq!(
        write,
        Readiness::WRITABLE.with(Readiness::WRITE_CLOSED, true)
    );
}

/// A reset behind data that waits to be sent: the end of writing, with an error. Whoever has a level on it must be able
/// to tell it from room to write.
#[test]
fn an_end_with_a_number_is_an_error() {
    const ECONNRESET: u32 = 54;

    for (filter, closed) in [
        (Filter::Read, Readiness::READ_CLOSED),
        (Filter::Write, Readiness::WRITE_CLOSED),
    ] {
        let readiness = report(filter, Flags::EOF, ECONNRESET).readiness();
        assert!(readiness.contains(closed));
        assert!(readiness.contains(Readiness::ERROR));
        // Without an end, `fflags` is something else.
        let readiness = report(filter, Flags::CLEAR, ECONNRESET).readiness();
        assert!(!readiness.contains(Readiness::ERROR));
        assert!(report(filter, Flags::ERROR, 0)
            .readiness()
            .contains(Readiness::ERROR));
    }
}

#[test]
fn urgent_data_is_priority() {
    let readiness = report(Filter::Read, Flags::OOBAND, 0).readiness();
    assert_eq!(
        readiness,
        Readiness::READABLE.with(Readiness::PRIORITY, true)
    );
}

#[test]
fn flags_have_their_names() {
    struct Shown(Report);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt_flags(f)
        }
    }

    let event = report(Filter::Read, Flags::ADD | Flags::CLEAR | Flags::EOF, 54);
    assert_eq!(
        Shown(event).to_string(),
        "EVFILT_READ | EV_ADD | EV_CLEAR | EV_EOF | fflags 0x36"
    );
    assert_eq!(
        Shown(report(Filter::User, Flags::default(), 0)).to_string(),
        "EVFILT_USER"
    );
    for (filter, name) in [
        (Filter::Aio, "EVFILT_AIO"),
        (Filter::Lio, "EVFILT_LIO"),
        (Filter::Other, "EVFILT_?"),
    ] {
        let event = report(filter, Flags::default(), 0);
        assert_eq!(Shown(event).to_string(), name);
    }
    for (flag, name) in Flags::NAMES {
        assert_eq!(
            Shown(report(Filter::Write, flag, 0)).to_string(),
            format!("EVFILT_WRITE | {name}")
        );
        assert_eq!(Flags::from_bits(flag.bits()), flag);
    }
}
