//! Tokens, and what a registration begins and ends.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Backend, Interest, Token, Trigger, Waker};

use crate::backends::knows_handles;
use crate::bed::{during, neighbours, said_of, Bed, BOTH, PATIENCE, TRIGGERS};
use crate::links::{links, readers, Link};
use crate::ready::Ready;

const SOURCE: Token = Token(31);

/// Where the system knows, release builds say so too. Where it does not, the new registration takes the old one's place.
pub(crate) fn registered_twice(backend: Backend) {
    for (trigger, second) in TRIGGERS
        .iter()
        .flat_map(|&one| TRIGGERS.map(|two| (one, two)))
    {
        for mut link in links() {
            let _during = during((link.name, trigger, second));
            let mut bed = Bed::new(backend);
            let registry = bed.with(trigger);
            let interest = link.interest;
            registry.register(link.source(), SOURCE, interest).unwrap();
            let again = bed.with(second).register(link.source(), Token(1), interest);
            let knows = knows_handles(backend) || cfg!(debug_assertions) && !link.bare;
            let token = if knows {
                assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
                // The first registration is as good as before.
                SOURCE
            } else {
                again.unwrap();
                Token(1)
            };
            if link.interest.is_readable() {
                link.feed(1);
            }
            let seen = bed.gather(&token, |seen| !seen.is_empty());
            assert!(seen.iter().all(|seen| seen.token == token), "{seen:?}");
            registry.deregister(link.source()).unwrap();
            registry
                .register(link.source(), Token(1), interest)
                .unwrap();
            bed.expect(Token(1), interest);
        }
    }
}

pub(crate) fn not_registered(backend: Backend) {
    /// Neither call finds the source. Or the first one registers it.
    #[track_caller]
    fn absent(bed: &mut Bed, link: &mut Link) {
        let interest = link.interest;
        let registry = bed.registry();
        let result = registry.reregister(link.source(), SOURCE, interest);
        if knows_handles(bed.poll.backend()) {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
        } else {
            result.unwrap();
            if interest.is_readable() {
                link.feed(1);
            }
            bed.expect(SOURCE, interest);
            bed.registry().deregister(link.source()).unwrap();
            if interest.is_readable() {
                link.drain();
            }
        }
        let error = bed.registry().deregister(link.source());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    }

    for mut link in links() {
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        let interest = link.interest;
        absent(&mut bed, &mut link);
        let registry = bed.registry();
        registry.register(link.source(), SOURCE, interest).unwrap();
        registry.deregister(link.source()).unwrap();
        absent(&mut bed, &mut link);
        bed.expect_silence();
    }
}

/// A token is the user's: an index, a pointer, anything.
pub(crate) fn every_token_is_allowed(backend: Backend) {
    let mut bed = Bed::new(backend);
    let mut link = Link::new();
    bed.registry()
        .register(link.source(), Token(0), Interest::WRITABLE)
        .unwrap();
    bed.expect(Token(0), Interest::WRITABLE);
    let powers = (0..usize::BITS).map(|bit| 1 << bit);
    for value in powers.flat_map(|power: usize| [power - 1, power, !power, usize::MAX]) {
        let token = Token(value);
        bed.registry()
            .reregister(link.source(), token, Interest::WRITABLE)
            .unwrap();
        bed.expect(token, Interest::WRITABLE);

        let waker = Waker::new(bed.registry(), token).unwrap();
        waker.wake().unwrap();
        assert_eq!(bed.expect(token, Ready::READABLE), Ready::READABLE);
    }
}

/// One name for several sources, and for a waker: each still has events of its own.
pub(crate) fn shared_token(backend: Backend) {
    let mut bed = Bed::new(backend);
    let waker = Waker::new(bed.registry(), SOURCE).unwrap();
    let mut links = readers();
    for link in &mut links {
        link.feed(1);
        bed.registry()
            .register(link.source(), SOURCE, Interest::READABLE)
            .unwrap();
    }
    waker.wake().unwrap();
    let count = links.len() + 1;
    let seen = bed.gather(&count, |seen| seen.len() >= count);
    assert!(seen.iter().all(|seen| seen.token == SOURCE), "{seen:?}");

    // One of them goes, the others stay.
    let mut gone = links.remove(0);
    bed.registry().deregister(gone.source()).unwrap();
    for link in &mut links {
        link.drain();
        link.feed(1);
    }
    gone.feed(1);
    waker.wake().unwrap();
    let count = links.len() + 1;
    bed.gather(&count, |seen| seen.len() >= count);
}

/// While a batch of events is worked through, one of its sources is replaced by another that is not ready. The batch is
/// the user's affair; later polls speak of the new source only.
pub(crate) fn token_reused_within_a_batch(backend: Backend) {
    for trigger in TRIGGERS {
        let _during = during(trigger);
        let mut bed = Bed::new(backend);
        let registry = bed.with(trigger);
        let mut links = [Link::new(), Link::new()];
        for (index, link) in links.iter_mut().enumerate() {
            link.feed(1);
            registry
                .register(link.source(), Token(index), Interest::READABLE)
                .unwrap();
        }
        bed.expect_each(&[Token(0), Token(1)]);

        registry.deregister(links[1].source()).unwrap();
        links[1] = Link::new();
        registry
            .register(links[1].source(), Token(1), Interest::READABLE)
            .unwrap();
        bed.expect_silence_of(Token(1), Ready::ANY);
        links[1].feed(1);
        bed.expect(Token(1), Interest::READABLE);
    }
}

/// An event that has happened, but was not polled yet, goes with the registration.
pub(crate) fn deregistered_with_an_event_pending(backend: Backend) {
    for trigger in TRIGGERS {
        for mut link in links() {
            let _during = during((link.name, trigger));
            let mut bed = Bed::new(backend);
            let registry = bed.with(trigger);
            let interest = link.interest;
            registry.register(link.source(), SOURCE, interest).unwrap();
            if interest.is_readable() {
                link.feed(1);
            }
            registry.deregister(link.source()).unwrap();
            assert_eq!(bed.turn(Some(Duration::from_millis(1))), []);
        }
    }
}

/// A poll that begins after a deregistration has ended is silent about it, whatever the poller did meanwhile. Users
/// free what a token points to.
pub(crate) fn deregistered_on_another_thread(backend: Backend) {
    let mut bed = Bed::new(backend);
    let dead = AtomicUsize::new(0);
    let done = AtomicBool::new(false);
    let registries = TRIGGERS.map(|trigger| bed.with(trigger));
    let end = Instant::now() + Duration::from_millis(600);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut link = Link::new();
            for round in 1.. {
                let registry = &registries[round % registries.len()];
                let token = Token(round);
                if round % 2 == 0 {
                    // The poller finds it ready at once; otherwise it is ready while the poller waits.
                    link.feed(1);
                }
                registry.register(link.source(), token, BOTH).unwrap();
                if round % 2 != 0 {
                    link.feed(1);
                }
                for _ in 0..round % 5 {
                    thread::yield_now();
                }
                registry.deregister(link.source()).unwrap();
                dead.store(round, Ordering::Release);
                link.drain();
                if Instant::now() > end {
                    break;
                }
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) && Instant::now() < end + PATIENCE {
            let dead = dead.load(Ordering::Acquire);
            for seen in bed.turn(Some(Duration::from_millis(1))) {
                assert!(
                    seen.token.0 > dead,
                    "{seen:?} after {dead} was deregistered"
                );
            }
        }
    });
}

/// Debug builds notice what a release build leaves to the system.
#[cfg(debug_assertions)]
pub(crate) fn second_queue_is_an_error(backend: Backend) {
    let mut bed = Bed::new(backend);
    for other in neighbours() {
        let other = Bed::new(other);
        for mut link in links() {
            if link.bare {
                continue; // made anew for each call, so it knows nothing
            }
            let _during = during((link.name, other.poll.backend()));
            let interest = link.interest;
            let source = link.source();
            bed.registry().register(source, SOURCE, interest).unwrap();
            let registry = other.registry();
            let error = registry.register(source, SOURCE, interest).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            let error = registry.reregister(source, SOURCE, interest).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            let error = registry.deregister(source).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);

            // It still belongs to the first one, and can move once that has let it go.
            if interest.is_readable() {
                link.feed(1);
            }
            bed.expect(SOURCE, interest);
            bed.registry().deregister(link.source()).unwrap();
            registry.register(link.source(), SOURCE, interest).unwrap();
        }
    }
}

/// Release builds leave it to the system, which lets a source be registered with several queues: each reports it. With AFD
/// a registration is the source's.
#[cfg(not(debug_assertions))]
pub(crate) fn second_queue_reports_too(backend: Backend) {
    for other in neighbours() {
        for mut link in readers() {
            let _during = during((link.name, other));
            let mut beds = [Bed::new(backend), Bed::new(other)];
            let interest = Interest::READABLE;
            let [first, second] = [&beds[0], &beds[1]].map(|bed| {
                let registry = bed.registry();
                registry.register(link.source(), SOURCE, interest)
            });
            first.unwrap();
            if backend == Backend::Afd {
                assert_eq!(second.unwrap_err().kind(), ErrorKind::AlreadyExists);
                continue;
            }
            second.unwrap();
            for _ in 0..3 {
                link.feed(1);
                for bed in &mut beds {
                    bed.expect(SOURCE, interest);
                }
                link.drain();
            }
            beds[0].registry().deregister(link.source()).unwrap();
            link.feed(1);
            beds[0].expect_silence();
            beds[1].expect(SOURCE, interest);
        }
    }
}

/// Queues have nothing to do with each other, even if they share tokens and backends.
pub(crate) fn two_queues_of_one_process(backend: Backend) {
    for other in neighbours() {
        let _during = during(other);
        let mut beds = [Bed::new(backend), Bed::new(other)];
        let mut links = [Link::new(), Link::new()];
        let wakers = [0, 1].map(|index| Waker::new(beds[index].registry(), Token(9)).unwrap());
        for (bed, link) in beds.iter().zip(&mut links) {
            bed.with(Trigger::Edge)
                .register(link.source(), SOURCE, Interest::READABLE)
                .unwrap();
        }
        for turn in [0, 1, 0] {
            links[turn].feed(1);
            beds[1 - turn].expect_silence();
            beds[turn].expect(SOURCE, Interest::READABLE);
            links[turn].drain();

            wakers[turn].wake().unwrap();
            beds[1 - turn].expect_silence();
            let seen = beds[turn].turn(Some(PATIENCE));
            assert_eq!(said_of(Token(9), &seen), Some(Ready::READABLE));
        }
    }
}

/// A descriptor may be watched by several queues, if it is not one of this crate's sources. Each reports it.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) fn bare_descriptor_in_two_queues(backend: Backend) {
    use crate::backends::directions_are_apart;

    for other in neighbours() {
        for mut link in crate::links::bare_links() {
            let _during = during((link.name, other));
            let mut beds = [Bed::new(backend), Bed::new(other)];
            let interest = link.interest;
            for bed in &beds {
                bed.registry()
                    .register(link.source(), SOURCE, interest)
                    .unwrap();
            }
            for round in 0..3 {
                if interest.is_readable() {
                    link.feed(1);
                }
                for bed in &mut beds {
                    if round > 0 && directions_are_apart(bed.poll.backend()) {
                        let begun = interest.remove(Interest::WRITABLE).unwrap_or(interest);
                        bed.expect(SOURCE, begun);
                    } else {
                        bed.expect(SOURCE, interest);
                    }
                }
                if interest.is_readable() {
                    link.drain();
                } else {
                    link.fill();
                    link.relieve();
                }
            }
            beds[0].registry().deregister(link.source()).unwrap();
            if interest.is_readable() {
                link.feed(1);
            }
            beds[0].expect_silence();
            let begun = interest.remove(Interest::WRITABLE).unwrap_or(interest);
            beds[1].expect(SOURCE, begun);
        }
    }
}
