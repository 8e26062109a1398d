//! The queue as a descriptor that another loop watches.

use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use mio::{Backend, Interest, IoSource, Token, Trigger, Waker};
use rustix::event::PollFlags;

use crate::backends::queue_shows_readiness;
use crate::bed::{during, neighbours, Bed, SILENCE, TRIGGERS};
use crate::links::{is_ready, readers, wait_for, Link};
use crate::ready::Ready;

const SOURCE: Token = Token(81);
const WAKER: Token = Token(82);

#[track_caller]
fn assert_quiet(bed: &Bed) {
    assert!(
        !is_ready(&bed.poll, PollFlags::IN, Duration::ZERO),
        "the queue's descriptor is readable"
    );
}

/// Whatever makes a poll return makes the descriptor readable.
pub(crate) fn queue_is_readable_when_a_source_is_ready(backend: Backend) {
    if !queue_shows_readiness(backend) {
        return;
    }
    for trigger in TRIGGERS {
        for mut link in readers() {
            let _during = during((link.name, trigger));
            let mut bed = Bed::new(backend);
            let registry = bed.with(trigger);
            registry
                .register(link.source(), SOURCE, Interest::READABLE)
                .unwrap();
            assert_quiet(&bed);
            for _ in 0..2 {
                link.feed(1);
                wait_for(&bed.poll, PollFlags::IN);
                assert_eq!(bed.turn(Some(Duration::ZERO)).len(), 1);
                link.drain();
                assert_eq!(bed.turn(Some(Duration::ZERO)), []);
                assert_quiet(&bed);
                registry
                    .reregister(link.source(), SOURCE, Interest::READABLE)
                    .unwrap();
            }
        }
    }
}

/// A wake is an event like any other, so it is not kept from the kernel, whether the poller is awake or not.
pub(crate) fn queue_is_readable_when_a_waker_was_used(backend: Backend) {
    let mut bed = Bed::with_capacity(backend, 1);
    let wakers = [0, 1].map(|n| Waker::new(bed.registry(), Token(WAKER.0 + n)).unwrap());
    assert_quiet(&bed);
    for _ in 0..3 {
        wakers[0].wake().unwrap();
        wait_for(&bed.poll, PollFlags::IN);
        assert_eq!(bed.turn(Some(Duration::ZERO)).len(), 1);
        assert_eq!(bed.turn(Some(Duration::ZERO)), []);
        assert_quiet(&bed);
    }
    // One poll has room for one of two wakes: the other one still shows.
    wakers.iter().for_each(|waker| waker.wake().unwrap());
    for _ in 0..2 {
        wait_for(&bed.poll, PollFlags::IN);
        assert_eq!(bed.turn(Some(Duration::ZERO)).len(), 1);
    }
    assert_eq!(bed.turn(Some(Duration::ZERO)), []);
    assert_quiet(&bed);
    // Its registry is the same descriptor.
    assert_eq!(bed.registry().as_raw_fd(), bed.poll.as_raw_fd());
}

/// One loop as a source of another, of every backend.
pub(crate) fn queue_in_a_queue(backend: Backend) {
    for outer in neighbours() {
        for trigger in [Trigger::Edge, Trigger::Level] {
            let _during = during((outer, trigger));
            let mut inner = Bed::new(backend);
            let waker = Waker::new(inner.registry(), WAKER).unwrap();
            let mut link = Link::new();
            inner
                .registry()
                .register(link.source(), SOURCE, Interest::READABLE)
                .unwrap();

            let mut outer = Bed::new(outer);
            let queue = inner.poll.as_fd().try_clone_to_owned().unwrap();
            let mut queue = IoSource::new(queue);
            outer
                .with(trigger)
                .register(&mut queue, SOURCE, Interest::READABLE)
                .unwrap();
            assert_eq!(outer.turn(Some(SILENCE)), []);
            for _ in 0..3 {
                waker.wake().unwrap();
                outer.expect(SOURCE, Ready::READABLE);
                inner.expect(WAKER, Ready::READABLE);
                // Nothing is read from a queue's descriptor: an edge has to be asked for anew.
                outer
                    .with(trigger)
                    .reregister(&mut queue, SOURCE, Interest::READABLE)
                    .unwrap();
                if queue_shows_readiness(backend) {
                    link.feed(1);
                    outer.expect(SOURCE, Ready::READABLE);
                    inner.expect(SOURCE, Ready::READABLE);
                    link.drain();
                    outer
                        .with(trigger)
                        .reregister(&mut queue, SOURCE, Interest::READABLE)
                        .unwrap();
                }
                outer.expect_silence();
            }
        }
    }
}
