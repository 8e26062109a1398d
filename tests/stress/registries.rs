//! Threads that use their registries while the queue is opened, polled and dropped again and again: no call fails, and no
//! descriptor is left open.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Backend, Events, Interest, Poll, Registry, Token, Waker};

use crate::common::{
    in_child, on_each_backend, open, open_descriptors, pair, span, Random, TRIGGERS,
};

const THREADS: usize = 6;

#[test]
fn outlive_their_poll() {
    in_child("registries::outlive_their_poll", || {
        on_each_backend(|poll| {
            let backend = poll.backend();
            drop(poll);
            let before = open_descriptors();
            scenario(backend);
            assert_eq!(open_descriptors(), before, "descriptors");
        });
    });
}

fn scenario(backend: Backend) {
    let deadline = Instant::now() + span();
    let mut random = Random::new(THREADS);
    let (mut rounds, used) = (0, AtomicU64::new(0));
    while rounds < 2 || Instant::now() < deadline {
        let poll = open(backend);
        let dropped = AtomicBool::new(false);
        thread::scope(|scope| {
            for number in 0..THREADS {
                let registry = poll.registry().try_clone().unwrap();
                let random = Random::new(rounds * THREADS + number);
                let (dropped, used) = (&dropped, &used);
                scope.spawn(move || use_registry(registry, random, dropped, used));
            }
            serve(poll, Duration::from_micros(random.below(10_000) as u64));
            dropped.store(true, SeqCst);
        });
        rounds += 1;
    }
    println!("{rounds} queues, used {} times", used.load(SeqCst));
}

/// Polls for a while, then drops the queue. Nobody reads, so the events are of no interest.
fn serve(mut poll: Poll, span: Duration) {
    let mut events = Events::with_capacity(8);
    let deadline = Instant::now() + span;
    while Instant::now() < deadline {
        poll.poll_until(&mut events, deadline).unwrap();
    }
}

/// Does all that a registry is for, and goes on with it for a while when the queue is `dropped`.
fn use_registry(registry: Registry, mut random: Random, dropped: &AtomicBool, used: &AtomicU64) {
    let mut left = 1 + random.below(20);
    let mut kept = Vec::new();
    while left > 0 {
        left -= usize::from(dropped.load(SeqCst));
        let registry = registry.with_trigger(random.of(&TRIGGERS));
        let (mut one, mut other) = pair();
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut one, Token(1), both).unwrap();
        registry
            .register(&mut other, Token(2), Interest::READABLE)
            .unwrap();
        registry
            .reregister(&mut one, Token(3), Interest::WRITABLE)
            .unwrap();
        let waker = Waker::new(&registry, Token(4)).unwrap();
        waker.wake().unwrap();
        if random.one_in(2) {
            registry.deregister(&mut one).unwrap();
        }
        if random.one_in(4) {
            // Outlives this registry, the last of which closes the queue.
            kept.push((one, waker));
        }
        used.fetch_add(1, SeqCst);
    }
    drop(registry);
    for (source, waker) in kept {
        waker.wake().unwrap();
        drop(source);
    }
}
