//! One thread polls, others do everything else to the same queue.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Backend, Interest, IoSource, Registry, Token, Trigger, Waker};

use crate::bed::{during, said_of, Bed, BOTH, PATIENCE};
use crate::links::{links, readers, wait_for, wait_for_hang_up, write_whole, Link};
use crate::ready::Seen;
use crate::system::{self, asleep, socket_pair, this_thread, OwnedFd, PollFlags};

const SOURCE: Token = Token(1);
const DONE: Token = Token(2);

/// Runs `poll`, and wakes it from another thread once it sleeps. A poll that no wake can end is ended by a source, so
/// that it fails and does not hang.
pub(crate) fn woken<T>(bed: &mut Bed, waker: &Waker, poll: impl FnOnce(&mut Bed) -> T) -> T {
    let mut rescue = Link::new();
    bed.registry()
        .register(rescue.source(), Token(usize::MAX), Interest::READABLE)
        .unwrap();
    let poller = this_thread();
    let (polling, over) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            asleep(poller);
            waker.wake().unwrap();
            if over.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                rescue.feed(1);
            }
        });
        let result = poll(bed);
        drop(polling);
        result
    })
}

/// Runs `act` on another thread while this one waits in a poll without end, and returns what that poll returns.
fn during_a_poll(bed: &mut Bed, act: impl FnOnce(&Registry) + Send) -> Vec<Seen> {
    let registry = bed.registry().try_clone().unwrap();
    let poller = this_thread();
    thread::scope(|scope| {
        scope.spawn(move || {
            asleep(poller);
            act(&registry);
        });
        bed.turn(Some(PATIENCE))
    })
}

/// A source that is ready when it is registered ends a poll that waits already, and one that becomes ready later too.
pub(crate) fn registration_reaches_a_running_poll(backend: Backend) {
    for mut link in readers() {
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        for ready_before in [true, false] {
            let link = &mut link;
            let seen = during_a_poll(&mut bed, |registry| {
                if ready_before {
                    link.feed(1);
                }
                let interest = Interest::READABLE;
                registry.register(link.source(), SOURCE, interest).unwrap();
                if !ready_before {
                    write_whole(link.far(), 1);
                }
            });
            assert!(said_of(SOURCE, &seen).is_some(), "{seen:?}");
            bed.registry().deregister(link.source()).unwrap();
            wait_for(link.near.fd(), PollFlags::IN);
            link.drain();
        }
    }
}

/// A thread that drained a source expects the next byte to reach the poller, which waits already.
pub(crate) fn rearming_reaches_a_running_poll(backend: Backend) {
    for mut link in readers() {
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        let interest = Interest::READABLE;
        bed.registry()
            .register(link.source(), SOURCE, interest)
            .unwrap();
        for _ in 0..3 {
            link.feed(1);
            bed.expect(SOURCE, interest);
            if !link.bare {
                // An edge may be reported twice. Then the poll below would not wait.
                bed.exhaust();
            }
            let link = &link;
            let seen = during_a_poll(&mut bed, |_| {
                link.drain();
                write_whole(link.far(), 1);
            });
            assert!(said_of(SOURCE, &seen).is_some(), "{seen:?}");
            wait_for(link.near.fd(), PollFlags::IN);
            link.drain();
        }
    }
}

/// The same for a thread that read less than it asked for, and leaves it at that.
pub(crate) fn short_read_reaches_a_running_poll(backend: Backend) {
    for mut link in readers() {
        if !link.is_stream {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(link.source(), SOURCE, Interest::READABLE)
            .unwrap();
        for _ in 0..3 {
            link.feed(10);
            bed.expect(SOURCE, Interest::READABLE);
            bed.exhaust();
            let link = &link;
            let seen = during_a_poll(&mut bed, |_| {
                assert_eq!(link.near.read(&mut [0; 64]).unwrap(), 10);
                write_whole(link.far(), 1);
            });
            assert!(said_of(SOURCE, &seen).is_some(), "{seen:?}");
            wait_for(link.near.fd(), PollFlags::IN);
            assert_eq!(link.near.read(&mut [0; 64]).unwrap(), 1);
        }
    }
}

/// A one-shot registration is renewed by whoever is done with the source, while the poller waits.
pub(crate) fn reregistration_reaches_a_running_poll(backend: Backend) {
    for trigger in [Trigger::Oneshot, Trigger::EdgeOneshot] {
        for mut link in links() {
            let _during = during((link.name, trigger));
            let mut bed = Bed::new(backend);
            let interest = link.interest;
            if interest.is_readable() {
                link.feed(1);
            }
            bed.with(trigger)
                .register(link.source(), SOURCE, interest)
                .unwrap();
            bed.expect(SOURCE, interest);
            for round in 0..3 {
                let token = Token(SOURCE.0 + round);
                let link = &mut link;
                let seen = during_a_poll(&mut bed, |registry| {
                    let registry = registry.with_trigger(trigger);
                    registry.reregister(link.source(), token, interest).unwrap();
                });
                assert_eq!(seen.len(), 1, "{seen:?}");
                assert_eq!(said_of(token, &seen), Some(interest.into()));
            }
        }
    }
}

/// The one event of a registration must be about that registration: not about what an earlier one saw, and what its
/// user has read before registering anew.
pub(crate) fn oneshot_is_not_spent_on_the_past(backend: Backend) {
    let mut bed = Bed::new(backend);
    let registries = [Trigger::Oneshot, Trigger::EdgeOneshot].map(|trigger| bed.with(trigger));
    let fed = AtomicUsize::new(0);
    let done = AtomicBool::new(false);
    let end = Instant::now() + Duration::from_millis(600);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut link = Link::new();
            let interest = Interest::READABLE;
            registries[0]
                .register(link.source(), Token(0), interest)
                .unwrap();
            // A queue that has to look at each source takes its time between looking at the first one and returning.
            let mut idle: Vec<Link> = (0..100).map(|_| Link::new()).collect();
            for link in &mut idle {
                let never = Token(usize::MAX);
                registries[0]
                    .register(link.source(), never, interest)
                    .unwrap();
            }
            for round in 0.. {
                if Instant::now() > end {
                    break;
                }
                fed.store(round, Ordering::SeqCst);
                link.feed(1);
                for _ in 0..round % 64 {
                    std::hint::spin_loop();
                }
                link.drain();
                let registry = &registries[round % registries.len()];
                let token = Token(round + 1);
                registry.reregister(link.source(), token, interest).unwrap();
                for _ in 0..round % 4 {
                    thread::yield_now();
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) && Instant::now() < end + PATIENCE {
            for seen in bed.turn(Some(Duration::from_millis(1))) {
                let fed = fed.load(Ordering::SeqCst);
                assert!(seen.token.0 <= fed, "{seen:?} before there was something");
            }
        }
    });
}

/// A source is closed while a poll waits that watches it. The other end sees it closed, though that poll goes on.
fn closes_at_once(backend: Backend, deregisters: bool) {
    for trigger in [Trigger::Edge, Trigger::Level, Trigger::Oneshot] {
        for mut link in readers() {
            if link.is_datagram() || (link.bare && !deregisters) {
                // Closing one end is nothing to the other. And a bare descriptor is deregistered before it is closed.
                continue;
            }
            let _during = during((link.name, trigger));
            let mut bed = Bed::new(backend);
            let waker = Waker::new(bed.registry(), DONE).unwrap();
            bed.with(trigger)
                .register(link.source(), SOURCE, Interest::READABLE)
                .unwrap();
            let far = link.far().try_clone_to_owned().unwrap();
            let seen = during_a_poll(&mut bed, |registry| {
                if deregisters {
                    registry.deregister(link.source()).unwrap();
                }
                drop(link);
                wait_for_hang_up(&far);
                waker.wake().unwrap();
            });
            assert_eq!(said_of(SOURCE, &seen), None);
            assert!(said_of(DONE, &seen).is_some());
        }
    }
}

/// Dropping a source ends its registration and closes it, for good.
pub(crate) fn dropping_during_a_poll_closes_at_once(backend: Backend) {
    closes_at_once(backend, false);
}

pub(crate) fn deregistering_during_a_poll_closes_at_once(backend: Backend) {
    closes_at_once(backend, true);
}

/// A connection that the poller reads, and what it was to read.
struct Connection {
    source: Mutex<IoSource<OwnedFd>>,
    received: AtomicUsize,
}

/// Eight threads connect, write, register anew, deregister and drop for a while; one polls and reads. It reads every
/// byte.
pub(crate) fn every_byte_arrives(backend: Backend) {
    const THREADS: usize = 8;
    let mut bed = Bed::with_capacity(backend, 8);
    let connections: Mutex<HashMap<usize, Arc<Connection>>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let lost = AtomicBool::new(false);
    let running = AtomicUsize::new(THREADS);
    let registry = bed.registry().try_clone().unwrap();
    let waker = Waker::new(&registry, Token(usize::MAX)).unwrap();
    let end = Instant::now() + Duration::from_millis(1500);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (connections, next, lost) = (&connections, &next, &lost);
            let (running, registry, waker) = (&running, &registry, &waker);
            scope.spawn(move || {
                let mut round = thread;
                while (round == thread || Instant::now() < end) && !lost.load(Ordering::Relaxed) {
                    round += 1;
                    let token = Token(next.fetch_add(1, Ordering::Relaxed));
                    if !one_connection(registry, connections, token, round) {
                        lost.store(true, Ordering::Relaxed);
                    }
                }
                running.fetch_sub(1, Ordering::Relaxed);
                waker.wake().unwrap();
            });
        }
        while running.load(Ordering::Relaxed) > 0 && Instant::now() < end + 2 * PATIENCE {
            for seen in bed.turn(Some(Duration::from_millis(100))) {
                let connection = connections.lock().unwrap().get(&seen.token.0).cloned();
                if let Some(connection) = connection {
                    serve(&connection);
                }
            }
        }
    });
    assert!(!lost.load(Ordering::Relaxed), "a byte was lost");
    let served = next.load(Ordering::Relaxed);
    assert!(served >= THREADS, "{served} connections");
}

/// Reads all there is, as one does after an edge.
fn serve(connection: &Connection) {
    let source = connection.source.lock().unwrap();
    while let Ok(n) = source.do_read(|fd| system::read(fd, &mut [0; 128])) {
        connection.received.fetch_add(n, Ordering::Relaxed);
        if n == 0 {
            return;
        }
    }
}

/// The life of one connection. Returns whether everything that was sent was received.
fn one_connection(
    registry: &Registry,
    connections: &Mutex<HashMap<usize, Arc<Connection>>>,
    token: Token,
    round: usize,
) -> bool {
    let (near, far) = socket_pair();
    let connection = Arc::new(Connection {
        source: Mutex::new(IoSource::new(near)),
        received: AtomicUsize::new(0),
    });
    connections
        .lock()
        .unwrap()
        .insert(token.0, Arc::clone(&connection));
    let registry = if round % 3 == 0 {
        registry.with_trigger(Trigger::Level)
    } else {
        registry.with_trigger(Trigger::Edge)
    };
    let mut sent = 0;
    if round % 2 == 0 {
        write_whole(&far, 10);
        sent += 10;
    }
    let interest = if round % 5 == 0 {
        BOTH
    } else {
        Interest::READABLE
    };
    let register = |again: bool| {
        let source = &mut *connection.source.lock().unwrap();
        if again {
            registry.reregister(source, token, interest)
        } else {
            registry.register(source, token, interest)
        }
    };
    register(false).unwrap();
    for n in 1..=round % 7 {
        write_whole(&far, n);
        sent += n;
        if (round + n) % 4 == 0 {
            register(true).unwrap();
        }
    }

    let start = Instant::now();
    let mut complete = false;
    while !complete && start.elapsed() < PATIENCE {
        complete = connection.received.load(Ordering::Relaxed) == sent;
        thread::yield_now();
    }
    connections.lock().unwrap().remove(&token.0);
    if round % 4 != 0 {
        let source = &mut *connection.source.lock().unwrap();
        registry.deregister(source).unwrap();
    }
    complete
}
