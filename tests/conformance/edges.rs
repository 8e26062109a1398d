//! When an edge-triggered source is reported, and when not.

use std::io::ErrorKind;
use std::time::Duration;

use mio::{Backend, Interest, IoSource, Token};

use crate::backends::{rearms_on_wouldblock, repeats_bare_edges};
use crate::bed::{during, Bed, BOTH, TRIGGERS};
use crate::links::{self, links, readers, wait_for, writers};
use crate::ready::Ready;
use crate::system::{self, PollFlags};

const SOURCE: Token = Token(11);

/// What is ready already when it is registered is reported, whatever the trigger.
pub(crate) fn ready_when_registered(backend: Backend) {
    for trigger in TRIGGERS {
        for mut link in links() {
            let _during = during((link.name, trigger));
            let mut bed = Bed::new(backend);
            if link.interest.is_readable() {
                link.feed(1);
            }
            let interest = link.interest;
            bed.with(trigger)
                .register(link.source(), SOURCE, interest)
                .unwrap();
            bed.expect(SOURCE, interest);
        }
    }
}

/// Not reading everything is no reason to miss what comes. (Some kernels say so of sockets only.)
pub(crate) fn left_undrained_then_new_byte(backend: Backend) {
    if rearms_on_wouldblock(backend) {
        return;
    }
    for mut link in readers() {
        if link.name.contains("pipe") {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(link.source(), SOURCE, Interest::READABLE)
            .unwrap();
        link.feed(10);
        bed.expect(SOURCE, Interest::READABLE);
        link.near.read(&mut [0; 4]).unwrap();
        link.feed(1);
        bed.expect(SOURCE, Interest::READABLE);
    }
}

/// Empty and ready again since the last poll is an edge, though the poll could not see it.
pub(crate) fn drained_and_refilled(backend: Backend) {
    for mut link in readers() {
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(link.source(), SOURCE, Interest::READABLE)
            .unwrap();
        link.feed(5);
        for _ in 0..3 {
            bed.expect(SOURCE, Interest::READABLE);
            assert_eq!(link.drain(), 5);
            link.feed(3);
            assert_eq!(link.drain(), 3);
            link.feed(5);
        }
        bed.expect(SOURCE, Interest::READABLE);
    }
}

/// The same for writing.
pub(crate) fn full_and_writable_again(backend: Backend) {
    for mut link in writers() {
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(link.source(), SOURCE, Interest::WRITABLE)
            .unwrap();
        for _ in 0..3 {
            bed.expect(SOURCE, Interest::WRITABLE);
            link.fill();
            link.relieve();
        }
        bed.expect(SOURCE, Interest::WRITABLE);
    }
}

/// Every edge comes, not just the first, also when nothing is ready in between.
pub(crate) fn edges_come_again_and_again(backend: Backend) {
    for mut link in links() {
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        let interest = link.interest;
        bed.registry()
            .register(link.source(), SOURCE, interest)
            .unwrap();
        for round in 0..6 {
            let _during = during(round);
            if interest.is_readable() {
                link.feed(1);
                bed.expect(SOURCE, Interest::READABLE);
                assert_eq!(link.drain(), 1);
            }
            if link.fills {
                link.fill();
                bed.turn(Some(Duration::ZERO));
                link.relieve();
                bed.expect(SOURCE, Interest::WRITABLE);
            }
        }
    }
}

/// A source that stays ready is not reported by poll after poll. More events than one are allowed, a spinning loop is
/// not.
pub(crate) fn an_edge_is_no_level(backend: Backend) {
    for mut link in links() {
        if link.bare && repeats_bare_edges(backend) {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        if link.interest.is_readable() {
            link.feed(1);
        }
        let interest = link.interest;
        bed.registry()
            .register(link.source(), SOURCE, interest)
            .unwrap();
        let events: usize = (0..50)
            .map(|_| bed.turn(Some(Duration::from_micros(50))).len())
            .sum();
        assert!((1..=3).contains(&events), "{events} events");
    }
}

/// A descriptor that is writable and left alone, as most are, must not keep its user's loop busy.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) fn idle_bare_descriptor_does_not_spin(backend: Backend) {
    use std::time::Instant;

    for mut link in links::bare_links() {
        if !link.interest.is_writable() {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        let interest = link.interest;
        bed.registry()
            .register(link.source(), SOURCE, interest)
            .unwrap();
        let end = Instant::now() + Duration::from_millis(200);
        let mut events = 0;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            events += bed.turn(Some(left)).len();
        }
        if repeats_bare_edges(backend) {
            assert!(events < 150, "{events} events");
            // Another one comes, also if all of the time was gone when the machine came back to this thread.
            bed.expect(SOURCE, Interest::WRITABLE);
        } else {
            assert_eq!(events, 1);
        }
    }
}

/// Whoever reads until it would block must not be told of room to write each time.
pub(crate) fn blocked_read_leaves_writing_alone(backend: Backend) {
    for mut link in readers() {
        if !link.interest.is_writable() || (link.bare && repeats_bare_edges(backend)) {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(link.source(), SOURCE, BOTH)
            .unwrap();
        bed.expect(SOURCE, Interest::WRITABLE);
        for _ in 0..2 {
            assert_eq!(link.drain(), 0);
            bed.expect_silence();
        }
    }
}

/// Whoever writes until it would block must not be told again of what there is to read.
pub(crate) fn blocked_write_leaves_reading_alone(backend: Backend) {
    for mut link in writers() {
        if !link.interest.is_readable() || (link.bare && repeats_bare_edges(backend)) {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        link.feed(1);
        bed.registry()
            .register(link.source(), SOURCE, BOTH)
            .unwrap();
        bed.expect(SOURCE, BOTH);
        link.fill();
        bed.expect_silence_of(SOURCE, Interest::READABLE);
    }
}

/// After an operation of the user's own that would block, edges come in the direction that it was of.
pub(crate) fn unknown_direction_rearms(backend: Backend) {
    let mut bed = Bed::new(backend);
    let (near, far) = system::socket_pair();
    let mut source = IoSource::new(near);
    bed.registry().register(&mut source, SOURCE, BOTH).unwrap();
    bed.expect(SOURCE, Interest::WRITABLE);
    for _ in 0..3 {
        links::write_whole(&far, 1);
        wait_for(&*source, PollFlags::IN);
        bed.expect(SOURCE, Interest::READABLE);
        while source.do_io(|fd| system::read(fd, &mut [0; 16])).is_ok() {}

        let full = loop {
            match source.do_io(|fd| system::write(fd, &[7; 4096])) {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        while system::read(&far, &mut [0; 4096]).is_ok() {}
        wait_for(&*source, PollFlags::OUT);
        bed.expect(SOURCE, Interest::WRITABLE);
    }
}

/// Looking at what has come is reading, as far as edges are concerned.
#[cfg(feature = "net")]
pub(crate) fn blocked_peek_rearms(backend: Backend) {
    use std::io;

    /// Peeks once, and takes whatever there is without the queue's knowledge.
    fn rounds<S>(
        backend: Backend,
        (mut near, far): (S, impl system::AsFd),
        peek: impl Fn(&S) -> io::Result<usize>,
    ) where
        S: mio::event::Source + system::AsFd,
    {
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(&mut near, SOURCE, Interest::READABLE)
            .unwrap();
        for _ in 0..3 {
            links::write_whole(&far, 3);
            wait_for(&near, PollFlags::IN);
            bed.expect(SOURCE, Interest::READABLE);
            assert_eq!(peek(&near).unwrap(), 3);
            assert_eq!(system::read(&near, &mut [0; 16]).unwrap(), 3);
            assert_eq!(peek(&near).unwrap_err().kind(), ErrorKind::WouldBlock);
        }
    }

    rounds(backend, links::tcp_pair(), |stream| {
        stream.peek(&mut [0; 16])
    });
    rounds(backend, links::udp_pair(), |socket| {
        socket.peek(&mut [0; 16])
    });
    rounds(backend, links::udp_pair(), |socket| {
        Ok(socket.peek_from(&mut [0; 16])?.0)
    });
}

/// Only the last of several changes counts, when no poll came in between.
pub(crate) fn last_interest_counts(backend: Backend) {
    for trigger in TRIGGERS {
        for mut link in readers() {
            if !link.interest.is_writable() {
                continue;
            }
            let _during = during((link.name, trigger));
            let mut bed = Bed::new(backend);
            link.feed(1);
            let registry = bed.with(trigger);
            let source = link.source();
            registry.register(source, SOURCE, BOTH).unwrap();
            for interest in [Interest::READABLE, Interest::WRITABLE] {
                registry.reregister(source, SOURCE, interest).unwrap();
            }
            let said = bed.expect(SOURCE, Interest::WRITABLE);
            assert!(!said.has(Ready::READABLE), "{said}");
            bed.expect_silence_of(SOURCE, Interest::READABLE);

            let source = link.source();
            for interest in [BOTH, Interest::WRITABLE, Interest::READABLE] {
                registry.reregister(source, SOURCE, interest).unwrap();
            }
            let said = bed.expect(SOURCE, Interest::READABLE);
            assert!(!said.has(Ready::WRITABLE), "{said}");
            bed.expect_silence_of(SOURCE, Interest::WRITABLE);
        }
    }
}

/// A source that is still ready when it is registered anew is reported anew, under the new token alone.
pub(crate) fn reregister_reports_again(backend: Backend) {
    for trigger in TRIGGERS {
        for mut link in links() {
            let _during = during((link.name, trigger));
            let mut bed = Bed::new(backend);
            if link.interest.is_readable() {
                link.feed(1);
            }
            let interest = link.interest;
            let registry = bed.with(trigger);
            registry.register(link.source(), SOURCE, interest).unwrap();
            bed.expect(SOURCE, interest);
            for round in 1..4 {
                let token = Token(SOURCE.0 + round);
                registry.reregister(link.source(), token, interest).unwrap();
                let seen = bed.gather(&token, |seen| {
                    crate::bed::said_of(token, seen).is_some_and(|said| said.has(interest.into()))
                });
                assert!(seen.iter().all(|seen| seen.token == token), "{seen:?}");
            }
        }
    }
}
