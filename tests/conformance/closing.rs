//! What a queue reports when something happens to a source: data, an end on one side or both, an error.
//!
//! A backend passes on what its system says, so it may differ from the others here. What each of them says stands in
//! `PLATFORMS.md`, and is read from there.

mod states;
mod table;

use std::time::Duration;

use mio::{Backend, Token, Trigger};

use crate::backends::is_measured;
#[cfg(all(unix, feature = "net"))]
use crate::backends::says_errors_of_datagrams;
use crate::bed::{during, Bed, PATIENCE, SILENCE};
use crate::links::Link;
use crate::ready::{Ready, Seen};
use states::{states, State};
use table::{rows, When};

const SOURCE: Token = Token(61);

/// The rows of a table that this build has sources for, and what the backend is to say. Without a word on it if nobody
/// has measured that.
fn expected(when: When, backend: Backend) -> Vec<(State, Ready)> {
    let states = states();
    let mut expected = Vec::new();
    for row in rows(when) {
        let is_named = |state: &&State| (state.source, state.state) == (row.source, row.state);
        if let Some(&state) = states.iter().find(is_named) {
            expected.extend(row.said_by(backend).map(|said| (state, said)));
        }
    }
    expected
}

/// The tables and the states that the suite knows are the same ones.
#[cfg(all(unix, feature = "net", feature = "os-ext"))]
pub(crate) fn tables_are_complete(backend: Backend) {
    let states: Vec<_> = states()
        .iter()
        .map(|state| (state.source, state.state))
        .collect();
    for when in [When::Before, When::Meanwhile] {
        let rows: Vec<_> = rows(when)
            .iter()
            .map(|row| (row.source, row.state))
            .collect();
        for row in &rows {
            // Some rows ask for priority, which not every system has.
            let is_absent = |state: &str| {
                state.contains("; asked for all three") || state.contains("asked for priority")
            };
            let priority = cfg!(any(target_os = "linux", target_os = "android"));
            let known = states.contains(row) || !priority && is_absent(row.1);
            assert!(known, "nothing brings about {row:?}");
            let times = rows.iter().filter(|other| *other == row).count();
            assert_eq!(times, 1, "{row:?} is there {times} times");
        }
        if when == When::Before {
            for state in &states {
                assert!(rows.contains(state), "{state:?} is missing");
            }
        }
    }
    if is_measured(backend) {
        assert!(!expected(When::Before, backend).is_empty());
        assert!(!expected(When::Meanwhile, backend).is_empty());
    }
}

/// The source is registered, and idle, when it happens.
pub(crate) fn it_happens_while_registered(backend: Backend) {
    for (state, said) in expected(When::Meanwhile, backend) {
        let mut link = state.begin();
        let _during = during((state.source, state.state));
        let mut bed = Bed::new(backend);
        let interest = link.interest;
        bed.registry()
            .register(link.source(), SOURCE, interest)
            .unwrap();
        if interest.is_writable() {
            bed.expect(SOURCE, Ready::WRITABLE);
        }
        if interest.is_readable() {
            link.drain();
        }
        state.reach(&mut link);
        assert_says(&mut bed, said);
    }
}

/// The end is an edge of its own: it is reported to whoever was told of all directions, and has read what there was, no
/// more and no less.
pub(crate) fn the_end_needs_no_would_block(backend: Backend) {
    for (state, said) in expected(When::Meanwhile, backend) {
        let mut link = state.begin();
        let _during = during((state.source, state.state));
        let mut bed = Bed::new(backend);
        let interest = link.interest;
        if interest.is_readable() {
            link.feed(3);
        }
        bed.registry()
            .register(link.source(), SOURCE, interest)
            .unwrap();
        if interest.is_readable() || interest.is_writable() {
            bed.expect(SOURCE, interest);
        }
        if interest.is_readable() {
            assert_eq!(link.near.read(&mut [0; 3]).unwrap(), 3);
        }
        state.reach(&mut link);
        if said.ends() != Ready::ANY {
            bed.expect(SOURCE, said.ends());
        }
    }
}

/// It has happened when the source is registered.
pub(crate) fn it_happened_before_registering(backend: Backend) {
    for (state, said) in expected(When::Before, backend) {
        let mut link = ended(state);
        let _during = during((state.source, state.state));
        let mut bed = Bed::new(backend);
        let interest = link.interest;
        bed.registry()
            .register(link.source(), SOURCE, interest)
            .unwrap();
        assert_says(&mut bed, said);
    }
}

/// The source when it has happened.
#[track_caller]
fn ended(state: State) -> Link {
    let mut link = state.begin();
    state.reach(&mut link);
    link
}

/// The events until there are no more say just this.
#[track_caller]
fn assert_says(bed: &mut Bed, expected: Ready) {
    let mut seen = bed.gather(&expected, |seen| said_by(seen).has(expected));
    seen.extend(bed.turn(Some(SILENCE)));
    assert_eq!(said_by(&seen), expected);
}

/// The other triggers need no edges, so nothing is read into what the system says: a level says it in each poll, a
/// one-shot once.
pub(crate) fn other_triggers_say_what_the_system_says(backend: Backend) {
    // Only the edges of `poll(2)` say more than the system does, which says the same to both.
    let plain = match backend {
        Backend::EventPorts | Backend::Poll if is_measured(backend) => Backend::Epoll,
        other => other,
    };
    for trigger in [Trigger::Level, Trigger::Oneshot, Trigger::EdgeOneshot] {
        for (state, said) in expected(When::Before, plain) {
            let mut link = ended(state);
            let _during = during((state.source, state.state, trigger));
            let mut bed = Bed::new(backend);
            let interest = link.interest;
            bed.with(trigger)
                .register(link.source(), SOURCE, interest)
                .unwrap();
            for turn in 0..3 {
                if said == Ready::ANY || turn > 0 && trigger.is_oneshot() {
                    assert_eq!(bed.turn(Some(Duration::from_millis(1))), []);
                } else {
                    assert_eq!(said_by(&bed.turn(Some(PATIENCE))), said);
                }
            }
        }
    }
}

/// A peer that accepts and resets at once: nothing that was said of the connection before hides its end, be it that the
/// connection is there, or data that nobody has read. The end names the directions that were reported before as well:
/// who asked for the peer's address in between, and was told that there is none, waits for just that.
#[cfg(feature = "net")]
pub(crate) fn reset_as_soon_as_connected(backend: Backend) {
    use std::io::{ErrorKind, Read as _, Write as _};

    use mio::net::TcpStream;
    use mio::Interest;

    use crate::bed::BOTH;

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for (interest, end) in [
        (Interest::READABLE, Ready::READ_CLOSED),
        (Interest::WRITABLE, Ready::WRITE_CLOSED),
        (BOTH, Ready::READ_CLOSED | Ready::WRITE_CLOSED),
    ] {
        for (connected, data) in [(false, false), (true, false), (true, true)] {
            let _during = during((interest, connected, data));
            let mut bed = Bed::new(backend);
            let mut near = TcpStream::connect(address).unwrap();
            bed.registry()
                .register(&mut near, SOURCE, interest)
                .unwrap();
            let (mut far, _) = listener.accept().unwrap();
            if connected && interest.is_writable() {
                bed.expect(SOURCE, Ready::WRITABLE);
            }
            if data {
                far.write_all(b"unread").unwrap();
                if interest.is_readable() {
                    bed.expect(SOURCE, Ready::READABLE);
                }
            }
            socket2::SockRef::from(&far)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
            drop(far);
            bed.expect(SOURCE, end | interest.into());
            match near.read_to_end(&mut Vec::new()) {
                Err(error) => assert_ne!(error.kind(), ErrorKind::WouldBlock),
                Ok(_) => assert!(near.read(&mut [0]).is_ok()),
            }
        }
    }
}

/// An error of a datagram socket is not its end: what comes after it is reported like anything else. (On Windows it is
/// no state of the socket at all, but the result of a read.)
#[cfg(all(unix, feature = "net"))]
pub(crate) fn life_goes_on_after_an_error(backend: Backend) {
    use std::io::ErrorKind;

    for trigger in [Trigger::Edge, Trigger::Level] {
        let _during = during(trigger);
        let mut bed = Bed::new(backend);
        let (mut near, far) = crate::links::udp_pair();
        let address = far.local_addr().unwrap();
        let drain = |near: &mio::net::UdpSocket| loop {
            match near.recv(&mut [0; 16]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
                Ok(n) => assert_eq!(n, 4),
            }
        };
        bed.with(trigger)
            .register(&mut near, SOURCE, crate::bed::BOTH)
            .unwrap();
        for _ in 0..3 {
            drain(&near);
            // Connected to itself, so it does not take what others send, and keeps its port from those who would.
            let deaf = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            let nobody = deaf.local_addr().unwrap();
            deaf.connect(nobody).unwrap();
            near.connect(nobody).unwrap();
            near.send(b"lost").unwrap();
            if says_errors_of_datagrams(backend) {
                bed.expect(SOURCE, Ready::ERROR);
            } else {
                bed.expect(SOURCE, Ready::READABLE);
            }

            drain(&near);
            near.connect(address).unwrap();
            far.send(b"data").unwrap();
            bed.expect(SOURCE, Ready::READABLE);
        }
    }
}

fn said_by(seen: &[Seen]) -> Ready {
    let said = seen.iter().map(|seen| seen.ready);
    said.fold(Ready::ANY, Ready::and)
}
