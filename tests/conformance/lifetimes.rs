//! What is closed or dropped first, and what becomes of the rest.

use mio::{Backend, Interest, IoSource, Poll, Registry, Token, Waker};

use crate::alone::alone;
use crate::backends::duplicates_keep_registrations;
#[cfg(all(unix, feature = "os-ext"))]
use crate::backends::{numbers_outlive_descriptors, Outlives};
use crate::bed::{during, neighbours, Bed, BOTH, TRIGGERS};
use crate::links::{links, write_whole, Link};
use crate::ready::Ready;
use crate::system::socket_pair;

const OLD: Token = Token(41);
const NEW: Token = Token(42);
const WAKER: Token = Token(43);

/// A source that was dropped while it had an event pending is not spoken of again.
pub(crate) fn closed_without_deregistering(backend: Backend) {
    alone(|| {
        for trigger in TRIGGERS {
            for mut link in links() {
                let _during = during((link.name, trigger));
                let mut bed = Bed::new(backend);
                let interest = link.interest;
                bed.with(trigger)
                    .register(link.source(), OLD, interest)
                    .unwrap();
                if interest.is_readable() {
                    link.feed(1);
                }
                drop(link);
                bed.expect_silence();
            }
        }
    });
}

/// The system hands out the lowest number that is free, so the next source soon has the one of the last.
pub(crate) fn number_reused_by_a_new_source(backend: Backend) {
    alone(|| {
        for trigger in TRIGGERS {
            let mut bed = Bed::new(backend);
            for round in 0..20 {
                let _during = during((trigger, round));
                let registry = bed.with(trigger);
                let mut old = Link::new();
                let number = old.near.number();
                old.feed(1);
                registry.register(old.source(), OLD, BOTH).unwrap();
                if round % 2 == 0 {
                    bed.expect(OLD, BOTH);
                }
                drop(old);

                let mut new = with_number(number);
                let registry = bed.with(trigger);
                registry
                    .register(new.source(), NEW, Interest::READABLE)
                    .unwrap();
                assert_eq!(bed.turn(Some(crate::bed::SILENCE / 4)), []);
                new.feed(1);
                let said = bed.gather(&NEW, |seen| !seen.is_empty());
                assert!(said.iter().all(|seen| seen.token == NEW), "{said:?}");
            }
        }
    });
}

/// A link whose source has the number that was given back just now. On Unix this is the first one. Windows promises
/// nothing, so if it does not come back to it soon, any will do.
#[track_caller]
fn with_number(number: i64) -> Link {
    let mut others = Vec::new();
    for _ in 0..8 {
        let link = Link::new();
        if link.near.number() == number {
            return link;
        }
        if cfg!(unix) {
            panic!("{number} is not used again");
        }
        others.push(link);
    }
    Link::new()
}

/// The same when the new source belongs to another queue.
pub(crate) fn number_reused_in_another_queue(backend: Backend) {
    alone(|| {
        for other in neighbours() {
            let _during = during(other);
            let (mut first, mut second) = (Bed::new(backend), Bed::new(other));
            for _ in 0..10 {
                let mut old = Link::new();
                let number = old.near.number();
                old.feed(1);
                first.registry().register(old.source(), OLD, BOTH).unwrap();
                first.expect(OLD, BOTH);
                drop(old);

                let mut new = with_number(number);
                new.feed(1);
                second.registry().register(new.source(), NEW, BOTH).unwrap();
                assert_eq!(second.expect(NEW, BOTH), BOTH.into());
                new.drain();
                new.feed(1);
                first.expect_silence();
                second.expect(NEW, Interest::READABLE);
            }
        }
    });
}

/// Closing one of two descriptors of a file: some systems watch the file, some the descriptor. None crashes or hangs,
/// and closing both ends it everywhere.
pub(crate) fn duplicate_of_a_registered_descriptor(backend: Backend) {
    alone(|| {
        for trigger in TRIGGERS {
            for watched_first in [true, false] {
                let _during = during((trigger, watched_first));
                let mut bed = Bed::new(backend);
                let (near, far) = socket_pair();
                let duplicate = near.try_clone().unwrap();
                let mut source = IoSource::new(near);
                bed.with(trigger)
                    .register(&mut source, OLD, Interest::READABLE)
                    .unwrap();
                if watched_first {
                    drop(source);
                    write_whole(&far, 1);
                    if duplicates_keep_registrations(backend) {
                        bed.expect(OLD, Interest::READABLE);
                    } else {
                        bed.expect_silence();
                    }
                    drop(duplicate);
                } else {
                    drop(duplicate);
                    write_whole(&far, 1);
                    bed.expect(OLD, Interest::READABLE);
                    drop(source);
                }
                drop(far);
                bed.expect_silence();
            }
        }
    });
}

/// The same for a descriptor that nobody tells the queue about: what the closed number stood for is either forgotten,
/// or goes on under its token and cannot be ended but by closing the duplicate.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) fn duplicate_of_a_bare_descriptor(backend: Backend) {
    use std::os::fd::AsRawFd;

    use mio::unix::SourceFd;

    alone(|| {
        for trigger in TRIGGERS {
            let _during = during(trigger);
            let mut bed = Bed::new(backend);
            let (near, far) = socket_pair();
            let duplicate = near.try_clone().unwrap();
            let number = near.as_raw_fd();
            bed.with(trigger)
                .register(&mut SourceFd(&number), OLD, Interest::READABLE)
                .unwrap();
            drop(near);
            write_whole(&far, 1);
            if duplicates_keep_registrations(backend) {
                bed.expect(OLD, Interest::READABLE);
            } else {
                bed.expect_silence();
            }
            bed.registry()
                .deregister(&mut SourceFd(&number))
                .unwrap_err();
            drop(duplicate);
            bed.expect_silence();
        }
    });
}

/// The number of a bare descriptor that was closed without a word, for a new source. A queue that knows numbers alone takes
/// the one for the other, until it is told; then the new source is as good as any.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) fn number_of_a_bare_descriptor_reused(backend: Backend) {
    use std::io::ErrorKind;
    use std::os::fd::AsRawFd;

    use mio::unix::SourceFd;

    alone(|| {
        for trigger in TRIGGERS {
            let _during = during(trigger);
            let mut bed = Bed::new(backend);
            let registry = bed.with(trigger);
            let (near, _far) = socket_pair();
            let number = near.as_raw_fd();
            registry
                .register(&mut SourceFd(&number), OLD, Interest::READABLE)
                .unwrap();
            drop(near);

            let mut new = with_number(number.into());
            new.feed(1);
            match numbers_outlive_descriptors(backend) {
                Some(Outlives::Watched) => drop(bed.expect(OLD, Interest::READABLE)),
                Some(Outlives::Taken) | None => bed.expect_silence(),
            }
            let old = registry.deregister(&mut SourceFd(&number));
            match numbers_outlive_descriptors(backend) {
                Some(_) => old.unwrap(),
                None => assert_eq!(old.unwrap_err().kind(), ErrorKind::NotFound),
            }
            registry
                .register(new.source(), NEW, Interest::READABLE)
                .unwrap();
            let seen = bed.gather(&NEW, |seen| !seen.is_empty());
            assert!(seen.iter().all(|seen| seen.token == NEW), "{seen:?}");
        }
    });
}

/// Every order in which the parts of a queue can be dropped, with an event and a wake pending. What is left goes on
/// working as far as it can.
pub(crate) fn dropped_in_any_order(backend: Backend) {
    let mut order = [0, 1, 2, 3];
    permute(&mut order, 0, &mut |order| {
        let _during = during(order);
        let mut parts = Parts::new(backend);
        for part in order {
            match part {
                0 => parts.bed = None,
                1 => parts.link = None,
                2 => parts.registry = None,
                _ => parts.waker = None,
            }
            parts.work();
        }
    });
}

/// What a queue consists of. Each part can be gone.
struct Parts {
    bed: Option<Bed>,
    link: Option<Link>,
    registry: Option<Registry>,
    waker: Option<Waker>,
}

impl Parts {
    fn new(backend: Backend) -> Parts {
        let bed = Bed::new(backend);
        let mut link = Link::new();
        let registry = bed.registry().try_clone().unwrap();
        registry
            .register(link.source(), OLD, Interest::READABLE)
            .unwrap();
        link.feed(1);
        let waker = Waker::new(&registry, WAKER).unwrap();
        waker.wake().unwrap();
        Parts {
            bed: Some(bed),
            link: Some(link),
            registry: Some(registry),
            waker: Some(waker),
        }
    }

    /// Uses everything that is left.
    fn work(&mut self) {
        if let (Some(link), Some(registry)) = (&mut self.link, &self.registry) {
            registry
                .reregister(link.source(), NEW, Interest::READABLE)
                .unwrap();
        }
        if let Some(link) = &self.link {
            link.drain();
            link.feed(1);
        }
        if let Some(waker) = &self.waker {
            waker.wake().unwrap();
        }
        if let Some(bed) = &mut self.bed {
            if let (Some(_), Some(_)) = (&self.link, &self.registry) {
                bed.expect(NEW, Ready::READABLE);
            }
            if let Some(waker) = &self.waker {
                waker.wake().unwrap();
                bed.expect(WAKER, Ready::READABLE);
            }
        }
    }
}

/// Calls `visit` with every order of the elements from `start` on.
fn permute(order: &mut [usize; 4], start: usize, visit: &mut dyn FnMut([usize; 4])) {
    if start == order.len() {
        return visit(*order);
    }
    for other in start..order.len() {
        order.swap(start, other);
        permute(order, start + 1, visit);
        order.swap(start, other);
    }
}

/// The registrations of a queue go with it: its sources are free for another one.
pub(crate) fn sources_outlive_the_queue(backend: Backend) {
    for other in neighbours() {
        for mut link in links() {
            let _during = during((link.name, other));
            let interest = link.interest;
            let first = Bed::new(backend);
            first
                .registry()
                .register(link.source(), OLD, interest)
                .unwrap();
            if interest.is_readable() {
                link.feed(1);
            }
            drop(first);
            let mut second = Bed::new(other);
            second
                .registry()
                .register(link.source(), NEW, interest)
                .unwrap();
            second.expect(NEW, interest);
        }
    }
}

/// A thread that registers or wakes need not know that the queue is gone.
pub(crate) fn registry_and_waker_outlive_the_queue(backend: Backend) {
    let poll = Poll::builder().backend(backend).build().unwrap();
    let registry = poll.registry().try_clone().unwrap();
    let waker = Waker::new(&registry, WAKER).unwrap();
    waker.wake().unwrap();
    drop(poll);

    let mut links = links();
    for link in &mut links {
        let interest = link.interest;
        registry.register(link.source(), OLD, interest).unwrap();
        registry.reregister(link.source(), NEW, interest).unwrap();
        if interest.is_readable() {
            link.feed(1);
            link.drain();
        }
    }
    for link in links.iter_mut().step_by(2) {
        registry.deregister(link.source()).unwrap();
    }
    for _ in 0..3 {
        waker.wake().unwrap();
    }
    let late = Waker::new(&registry, OLD).unwrap();
    late.wake().unwrap();
    drop(registry);
    late.wake().unwrap();
    waker.wake().unwrap();
}
