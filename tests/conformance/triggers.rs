//! What each trigger means, for every kind of source and each direction. Edges have a file of their own.

use std::net::Shutdown;
use std::time::Duration;

use mio::{Backend, Interest, Token, Trigger, Waker};

use crate::backends::shows_ends_behind_data;
use crate::bed::{during, said_of, Bed, BOTH, PATIENCE, SILENCE, TRIGGERS};
use crate::facts::tells_ends_of_streams;
use crate::links::{links, readers, wait_for, writers, Link};
use crate::ready::Ready;
use crate::system::{shutdown, PEER_WROTE_ALL};

const SOURCE: Token = Token(21);
const WAKER: Token = Token(22);

const ONESHOTS: [Trigger; 2] = [Trigger::Oneshot, Trigger::EdgeOneshot];

/// The interests of a source: each direction that it has, and both together.
fn interests(link: &Link) -> Vec<Interest> {
    [Interest::READABLE, Interest::WRITABLE, BOTH]
        .into_iter()
        .filter(|interest| interest.remove(link.interest).is_none())
        .collect()
}

/// A level is reported by each poll while there is something to read, and by none after.
pub(crate) fn level_while_readable(backend: Backend) {
    for mut link in readers() {
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.with(Trigger::Level)
            .register(link.source(), SOURCE, Interest::READABLE)
            .unwrap();
        bed.expect_silence();
        for _ in 0..2 {
            link.feed(2);
            for _ in 0..4 {
                assert_reported(&mut bed, Ready::READABLE);
            }
            // Windows refuses to read a part of a datagram.
            let part = if link.is_datagram() { 2 } else { 1 };
            assert_eq!(link.near.read(&mut [0; 2][..part]).unwrap(), part);
            if !link.is_datagram() {
                assert_reported(&mut bed, Ready::READABLE);
            }
            link.drain();
            bed.expect_silence();
        }
    }
}

/// The same for room to write.
pub(crate) fn level_while_writable(backend: Backend) {
    for mut link in writers() {
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.with(Trigger::Level)
            .register(link.source(), SOURCE, Interest::WRITABLE)
            .unwrap();
        for _ in 0..2 {
            for _ in 0..4 {
                assert_reported(&mut bed, Ready::WRITABLE);
            }
            link.fill();
            bed.expect_silence();
            link.relieve();
        }
        assert_reported(&mut bed, Ready::WRITABLE);
    }
}

/// Each direction comes and goes by itself.
pub(crate) fn level_of_both_directions(backend: Backend) {
    for mut link in writers() {
        if !link.interest.is_readable() {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.with(Trigger::Level)
            .register(link.source(), SOURCE, BOTH)
            .unwrap();
        assert_eq!(assert_reported(&mut bed, Ready::WRITABLE), Ready::WRITABLE);
        link.feed(1);
        for _ in 0..3 {
            assert_reported(&mut bed, BOTH.into());
        }
        link.fill();
        for _ in 0..3 {
            assert_eq!(assert_reported(&mut bed, Ready::READABLE), Ready::READABLE);
        }
        link.drain();
        bed.expect_silence();
    }
}

/// What waits to be sent is not ready because the peer has ended its side: a level of writing must not spin on that.
pub(crate) fn level_of_writing_outlasts_the_peer_s_end(backend: Backend) {
    for mut link in writers() {
        if !link.interest.is_readable() || link.is_datagram() {
            continue; // the peer ends nothing but itself
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        link.fill();
        bed.with(Trigger::Level)
            .register(link.source(), SOURCE, Interest::WRITABLE)
            .unwrap();
        bed.expect_silence();
        shutdown(link.far(), Shutdown::Write);
        wait_for(link.near.fd(), PEER_WROTE_ALL);
        let turns = (0..3).flat_map(|_| bed.turn(Some(SILENCE)));
        let said: Vec<_> = turns.collect();
        // That it has ended may be told to whoever has not asked, but once.
        assert!(said.len() <= 1, "{said:?}");
        assert!(
            said.iter().all(|seen| !seen.ready.has(Ready::WRITABLE)),
            "{said:?}"
        );

        // Whoever asks for both is told of the end each time, and of room when there is some.
        bed.registry().deregister(link.source()).unwrap();
        bed.with(Trigger::Level)
            .register(link.source(), SOURCE, BOTH)
            .unwrap();
        let said = assert_reported(&mut bed, Ready::READABLE);
        assert!(!said.has(Ready::WRITABLE), "{said}");
        link.relieve();
        assert_reported(&mut bed, BOTH.into());
    }
}

/// The next poll reports the source, and all of `ready` at once.
#[track_caller]
fn assert_reported(bed: &mut Bed, ready: Ready) -> Ready {
    let seen = bed.turn(Some(PATIENCE));
    let said = said_of(SOURCE, &seen);
    assert!(
        said.is_some_and(|said| said.has(ready)),
        "expected {ready:?} in one poll, but there was {seen:?}"
    );
    said.unwrap_or(Ready::ANY)
}

/// Room for one event is room for every source in turn, the waker included.
pub(crate) fn level_with_capacity_one(backend: Backend) {
    let mut bed = Bed::with_capacity(backend, 1);
    let waker = Waker::new(bed.registry(), WAKER).unwrap();
    let mut links: Vec<Link> = readers();
    let tokens: Vec<Token> = (0..links.len()).map(Token).collect();
    for (link, &token) in links.iter_mut().zip(&tokens) {
        link.feed(1);
        bed.with(Trigger::Level)
            .register(link.source(), token, Interest::READABLE)
            .unwrap();
    }
    for _ in 0..4 {
        waker.wake().unwrap();
        let polls = 2 * (tokens.len() + 1);
        let seen: Vec<_> = (0..polls).flat_map(|_| bed.turn(Some(PATIENCE))).collect();
        for token in tokens.iter().chain([&WAKER]) {
            assert!(said_of(*token, &seen).is_some(), "{token:?} in {seen:?}");
        }
        assert_eq!(seen.len(), polls);
    }
}

/// One event, and then silence in both directions until the source is registered anew.
pub(crate) fn oneshot_is_silent_until_reregistered(backend: Backend) {
    for trigger in ONESHOTS {
        for mut link in links() {
            for interest in interests(&link) {
                let _during = during((link.name, trigger, interest));
                let mut bed = Bed::new(backend);
                let registry = bed.with(trigger);
                registry.register(link.source(), SOURCE, interest).unwrap();
                for round in 0..3 {
                    if interest.is_readable() {
                        link.feed(1);
                    }
                    let seen = bed.gather(&interest, |seen| !seen.is_empty());
                    assert_eq!(seen.len(), 1, "{seen:?}");
                    if round > 0 {
                        // In the first round it was writable before there was something to read.
                        assert!(seen[0].ready.has(interest.into()), "{seen:?}");
                    }
                    stir(&link);
                    bed.expect_silence();
                    registry
                        .reregister(link.source(), SOURCE, interest)
                        .unwrap();
                    if interest == Interest::READABLE {
                        link.drain();
                    }
                }
                registry.deregister(link.source()).unwrap();
                if link.interest.is_readable() {
                    link.drain();
                }
            }
        }
    }
}

/// Whatever an edge could come from: new data, an operation that would block, new room.
fn stir(link: &Link) {
    if link.fills {
        link.fill();
        link.relieve();
    }
    if link.interest.is_readable() {
        link.feed(1);
        link.drain();
        link.feed(1);
    }
}

/// The one event of a registration for both directions may be of either. The other one waits, too.
pub(crate) fn oneshot_disarms_the_other_direction(backend: Backend) {
    for trigger in ONESHOTS {
        for mut link in readers() {
            if !link.interest.is_writable() {
                continue;
            }
            let _during = during((link.name, trigger));
            let mut bed = Bed::new(backend);
            let registry = bed.with(trigger);
            registry.register(link.source(), SOURCE, BOTH).unwrap();
            assert_eq!(bed.expect(SOURCE, Ready::ANY), Ready::WRITABLE);
            link.feed(1);
            bed.expect_silence();

            registry.reregister(link.source(), SOURCE, BOTH).unwrap();
            assert_eq!(bed.turn(Some(PATIENCE))[0].ready, BOTH.into());
            bed.expect_silence();
        }
    }
}

/// A hang-up is reported unasked, but not to a registration that has had its event.
pub(crate) fn oneshot_and_hang_up(backend: Backend) {
    for trigger in ONESHOTS {
        for mut link in readers() {
            if link.is_datagram() {
                continue; // nobody hangs up
            }
            let _during = during((link.name, trigger));
            let mut bed = Bed::new(backend);
            let registry = bed.with(trigger);
            link.feed(1);
            registry
                .register(link.source(), SOURCE, Interest::READABLE)
                .unwrap();
            bed.expect(SOURCE, Ready::READABLE);
            link.hang_up();
            bed.expect_silence();

            if !shows_ends_behind_data(backend) {
                assert_eq!(link.near.read(&mut [0; 1]).unwrap(), 1);
            }
            registry
                .reregister(link.source(), SOURCE, Interest::READABLE)
                .unwrap();
            let seen = bed.gather(&"the hang-up", |seen| !seen.is_empty());
            assert_eq!(seen.len(), 1, "{seen:?}");
            let end = match tells_ends_of_streams(backend) {
                true => Ready::READ_CLOSED,
                false => Ready::READABLE,
            };
            assert!(seen[0].ready.has(end), "{seen:?}");
            bed.expect_silence();
        }
    }
}

/// A change of trigger takes effect with the registration, in any order.
pub(crate) fn trigger_can_be_changed(backend: Backend) {
    for before in TRIGGERS {
        for after in TRIGGERS {
            let _during = during((before, after));
            let mut link = Link::new();
            let mut bed = Bed::new(backend);
            link.feed(1);
            bed.with(before)
                .register(link.source(), SOURCE, Interest::READABLE)
                .unwrap();
            bed.expect(SOURCE, Interest::READABLE);
            bed.with(after)
                .reregister(link.source(), SOURCE, Interest::READABLE)
                .unwrap();
            bed.expect(SOURCE, Interest::READABLE);
            if after == Trigger::Level {
                assert_reported(&mut bed, Ready::READABLE);
            } else {
                bed.expect_silence();
            }
            link.drain();
            link.feed(1);
            if after.is_oneshot() {
                bed.expect_silence();
            } else {
                bed.expect(SOURCE, Interest::READABLE);
            }
        }
    }
}

/// A registry keeps its trigger when it is cloned, and that of another handle does not change.
pub(crate) fn registry_carries_its_trigger(backend: Backend) {
    let bed = Bed::new(backend);
    assert_eq!(bed.registry().trigger(), Trigger::Edge);
    for trigger in TRIGGERS {
        let registry = bed.with(trigger);
        assert_eq!(registry.trigger(), trigger);
        assert_eq!(registry.try_clone().unwrap().trigger(), trigger);
        assert_eq!(
            registry.with_trigger(Trigger::Edge).trigger(),
            Trigger::Edge
        );
        assert_eq!(bed.registry().trigger(), Trigger::Edge);
    }
}

/// Sources of all triggers and a waker in one queue: none disturbs another.
pub(crate) fn triggers_side_by_side(backend: Backend) {
    for make in 0..readers().len() {
        let mut bed = Bed::new(backend);
        let waker = Waker::new(bed.registry(), WAKER).unwrap();
        let mut links: Vec<Link> = TRIGGERS
            .iter()
            .map(|_| readers().swap_remove(make))
            .collect();
        let _during = during(links[0].name);
        let tokens: Vec<Token> = (0..links.len()).map(Token).collect();
        for ((link, &trigger), &token) in links.iter_mut().zip(&TRIGGERS).zip(&tokens) {
            bed.with(trigger)
                .register(link.source(), token, Interest::READABLE)
                .unwrap();
        }
        waker.wake().unwrap();
        bed.expect(WAKER, Ready::READABLE);
        links.iter().for_each(|link| link.feed(1));
        bed.expect_each(&tokens);
        waker.wake().unwrap();
        let seen = bed.gather(&WAKER, |seen| said_of(WAKER, seen).is_some());
        for (&trigger, &token) in TRIGGERS.iter().zip(&tokens) {
            if trigger.is_oneshot() {
                assert_eq!(said_of(token, &seen), None, "{trigger:?} in {seen:?}");
            }
        }
        links.iter().for_each(|link| assert_eq!(link.drain(), 1));
        waker.wake().unwrap();
        assert_eq!(bed.expect(WAKER, Ready::READABLE), Ready::READABLE);
        for _ in 0..3 {
            let seen = bed.turn(Some(Duration::ZERO));
            assert_eq!(seen, []);
        }
    }
}
