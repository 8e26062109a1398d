//! Timeouts and deadlines: never early, and not much late.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mio::{Backend, Interest, IoSource, Token, Trigger, Waker};

use crate::bed::{during, said_of, Bed, PATIENCE};
use crate::links::{readers, write_whole, Link};
use crate::ready::Ready;
use crate::system::{self, asleep, socket_pair, this_thread};
use crate::threads::woken;

const WAKER: Token = Token(71);

const MILLISECOND: Duration = Duration::from_millis(1);

/// What would hold up every attempt does not: the rest is other work of the machine, of which there may be much.
#[track_caller]
fn some_attempt_takes_less_than(limit: Duration, mut attempt: impl FnMut() -> Duration) {
    let deadline = Instant::now() + PATIENCE;
    let mut best = Duration::MAX;
    while best >= limit {
        assert!(Instant::now() < deadline, "{best:?} at best");
        best = best.min(attempt());
    }
}

/// How long an empty poll takes.
#[track_caller]
fn empty_poll(bed: &mut Bed, timeout: Duration) -> Duration {
    let start = Instant::now();
    let seen = bed.turn(Some(timeout));
    let took = start.elapsed();
    assert_eq!(seen, []);
    took
}

pub(crate) fn zero_does_not_wait(backend: Backend) {
    let mut bed = Bed::new(backend);
    some_attempt_takes_less_than(MILLISECOND, || empty_poll(&mut bed, Duration::ZERO));

    // Also if there is something to watch, and if there is something to return.
    let mut link = Link::new();
    bed.registry()
        .register(link.source(), Token(1), Interest::READABLE)
        .unwrap();
    some_attempt_takes_less_than(MILLISECOND, || empty_poll(&mut bed, Duration::ZERO));
    link.feed(1);
    assert_eq!(bed.turn(Some(Duration::ZERO)).len(), 1);
}

/// However long it is, and whether or not the kernel counts in its unit.
pub(crate) fn never_early(backend: Backend) {
    let mut bed = Bed::new(backend);
    let mut link = Link::new();
    bed.registry()
        .register(link.source(), Token(1), Interest::READABLE)
        .unwrap();
    for nanos in [
        1, 999, 1_000, 50_000, 999_999, 1_000_000, 1_000_001, 1_500_000, 1_999_999, 5_000_000,
        20_000_001,
    ] {
        let timeout = Duration::from_nanos(nanos);
        let _during = during(timeout);
        for _ in 0..5 {
            let took = empty_poll(&mut bed, timeout);
            assert!(took >= timeout, "{took:?}");
            assert!(took < PATIENCE, "{took:?}");
        }
    }
}

/// Fractions of a millisecond are not rounded up.
pub(crate) fn microseconds(backend: Backend) {
    let mut bed = Bed::new(backend);
    for micros in [1, 50, 250] {
        let timeout = Duration::from_micros(micros);
        some_attempt_takes_less_than(timeout + MILLISECOND / 2, || empty_poll(&mut bed, timeout));
    }
    let almost_two = Duration::from_micros(1900);
    some_attempt_takes_less_than(almost_two, || empty_poll(&mut bed, MILLISECOND));
}

/// What does not fit the kernel's types waits for as long as they can express, not for no time at all.
pub(crate) fn longest_timeouts(backend: Backend) {
    let mut bed = Bed::new(backend);
    let waker = Waker::new(bed.registry(), WAKER).unwrap();
    const DAY: u64 = 24 * 60 * 60;
    for timeout in [
        None,
        Some(Duration::from_millis(i32::MAX as u64)),
        Some(Duration::from_millis(i32::MAX as u64 + 1)),
        Some(Duration::from_millis(u32::MAX.into())),
        Some(Duration::from_secs(25 * DAY)),
        Some(Duration::new(25 * DAY, 1)),
        Some(Duration::from_secs(365 * DAY)),
        Some(Duration::from_secs(i64::MAX as u64)),
        Some(Duration::from_secs(u64::MAX)),
        Some(Duration::MAX),
    ] {
        let _during = during(timeout);
        let seen = woken(&mut bed, &waker, |bed| bed.turn(timeout));
        assert_eq!(said_of(WAKER, &seen), Some(Ready::READABLE));
    }
}

/// A deadline may be near, past, far or none.
pub(crate) fn deadlines(backend: Backend) {
    let mut bed = Bed::new(backend);
    for micros in [0, 1, 300, 2_000] {
        let deadline = Instant::now() + Duration::from_micros(micros);
        bed.poll.poll_until(&mut bed.events, deadline).unwrap();
        assert!(bed.events.is_empty());
        assert!(Instant::now() >= deadline);
    }
    let past = Instant::now();
    some_attempt_takes_less_than(MILLISECOND, || {
        let start = Instant::now();
        bed.poll.poll_until(&mut bed.events, past).unwrap();
        start.elapsed()
    });

    let waker = Waker::new(bed.registry(), WAKER).unwrap();
    let far = Instant::now() + Duration::from_secs(100_000);
    for deadline in [None, Some(far)] {
        let tokens: Vec<Token> = woken(&mut bed, &waker, |bed| {
            bed.poll.poll_until(&mut bed.events, deadline).unwrap();
            bed.events.iter().map(|event| event.token()).collect()
        });
        assert_eq!(tokens, [WAKER]);
    }
}

/// Whatever other threads do with the registry, an idle poll ends when it was to end, and without events.
pub(crate) fn busy_registry_does_not_move_the_end(backend: Backend) {
    const TIMEOUT: Duration = Duration::from_millis(200);
    for timeout in [TIMEOUT, TIMEOUT + Duration::from_micros(1)] {
        let mut bed = Bed::new(backend);
        let registry = bed.registry().try_clone().unwrap();
        let ended = AtomicBool::new(false);
        let (ready, started) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut link = Link::new();
                let (near, _far) = socket_pair();
                let mut source = IoSource::new(near);
                registry
                    .register(&mut source, Token(1), Interest::READABLE)
                    .unwrap();
                ready.send(()).unwrap();
                let give_up = Instant::now() + PATIENCE;
                while !ended.load(Ordering::Relaxed) && Instant::now() < give_up {
                    let registry = registry.with_trigger(Trigger::Level);
                    registry
                        .register(link.source(), Token(2), Interest::READABLE)
                        .unwrap();
                    let again = Interest::READABLE;
                    registry.reregister(link.source(), Token(3), again).unwrap();
                    // What would block arms an edge, and some backends have to tell the poller so.
                    source.do_read(|fd| system::read(fd, &mut [0])).unwrap_err();
                    registry.deregister(link.source()).unwrap();
                    drop(Waker::new(&registry, WAKER).unwrap());
                }
            });
            started.recv().unwrap();
            let took = empty_poll(&mut bed, timeout);
            ended.store(true, Ordering::Relaxed);
            assert!(took >= timeout, "{took:?}");
            assert!(took < PATIENCE / 2, "{took:?}");
        });
    }
}

/// The other way round: an event does not wait for the time to pass. Nor does it wait for its turn, on a backend that
/// pauses between reports of the same source, if that was seen empty meanwhile.
pub(crate) fn events_end_a_wait(backend: Backend) {
    for mut link in readers() {
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        let interest = Interest::READABLE;
        bed.registry()
            .register(link.source(), Token(1), interest)
            .unwrap();
        let (link, poller) = (&link, this_thread());
        let (polling, poll) = mpsc::channel::<()>();
        thread::scope(|scope| {
            // A thread for all attempts: to start one takes longer than an event.
            scope.spawn(move || {
                for () in poll {
                    asleep(poller);
                    write_whole(link.far(), 1);
                }
            });
            let polling = polling;
            let mut last = Instant::now();
            let mut from_event_to_event = || {
                polling.send(()).unwrap();
                let seen = bed.turn(Some(PATIENCE));
                assert!(said_of(Token(1), &seen).is_some(), "{seen:?}");
                assert_eq!(link.drain(), 1);
                let took = last.elapsed();
                last = Instant::now();
                took
            };
            // Pauses would grow to 4 ms.
            for _ in 0..5 {
                from_event_to_event();
            }
            some_attempt_takes_less_than(Duration::from_millis(3), from_event_to_event);
        });
    }
}
