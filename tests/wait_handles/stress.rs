//! Sources dropped by the thousand with waits in flight, under an allocator that overwrites what is freed: a packet that
//! still pointed to such memory would lead astray.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mio::windows::WaitHandle;
use mio::{Events, Poll, Registry, Token, Trigger};

use crate::bed::{Bed, Flag, Semaphore, PATIENCE, READ, TRIGGERS};

struct Poisoning;

static LIVE: AtomicIsize = AtomicIsize::new(0);

#[global_allocator]
static ALLOCATOR: Poisoning = Poisoning;

// SAFETY: Memory is the system's, and goes back to it as it came.
unsafe impl GlobalAlloc for Poisoning {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(1, Ordering::Relaxed);
        // SAFETY: The caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: The memory is the caller's to give, so nobody else uses it.
        unsafe { memory.write_bytes(0xD5, layout.size()) };
        // SAFETY: The caller keeps the contract.
        unsafe { System.dealloc(memory, layout) };
    }
}

/// Leaves waits in all their phases, and drops.
fn drop_busy(registry: &Registry, flag: &Flag, round: usize) {
    let registry = registry.with_trigger(TRIGGERS[round % 4]);
    let token = Token(round);
    let mut source = WaitHandle::new(flag).unwrap();
    registry.register(&mut source, token, READ).unwrap();
    match round / 4 % 5 {
        // It may or may not be signalled meanwhile, by another thread.
        0 => {}
        1 => flag.set(),
        2 => {
            flag.set();
            registry.deregister(&mut source).unwrap();
            registry.register(&mut source, token, READ).unwrap();
        }
        3 => {
            flag.set();
            registry.deregister(&mut source).unwrap();
        }
        _ => {
            flag.set();
            let _ = source.try_wait();
            registry.reregister(&mut source, token, READ).unwrap();
        }
    }
}

/// One thread polls, four make sources and drop them busy.
#[test]
fn dropped_with_waits_in_flight() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 1_000;

    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(16);
    let running = AtomicUsize::new(THREADS);
    let shared = Flag::auto();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let registry = poll.registry().try_clone().unwrap();
            let (running, shared) = (&running, &shared);
            scope.spawn(move || {
                let own = Flag::manual();
                for round in 0..ROUNDS {
                    drop_busy(&registry, shared, thread + round);
                    drop_busy(&registry, &own, round);
                    own.reset();
                }
                running.fetch_sub(1, Ordering::Relaxed);
            });
        }
        while running.load(Ordering::Relaxed) > 0 {
            poll.poll(&mut events, Some(Duration::from_millis(5)))
                .unwrap();
        }
    });
    // Nobody is left to say anything.
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(events.is_empty(), "{events:?}");
}

/// The queue goes first, or is never polled: nothing is left.
#[test]
fn nothing_is_left_of_a_queue() {
    let once = |rounds: usize| {
        let flag = Flag::auto();
        let poll = Poll::new().unwrap();
        for round in 0..rounds {
            drop_busy(poll.registry(), &flag, round);
        }
        let mut source = WaitHandle::new(&flag).unwrap();
        poll.registry()
            .register(&mut source, Token(0), READ)
            .unwrap();
        drop(poll);
    };
    // The harness runs other tests meanwhile, so a leak shows as growth that does not end.
    once(8);
    let start = Instant::now();
    let mut growth = Vec::new();
    for _ in 0..20 {
        let before = LIVE.load(Ordering::Relaxed);
        once(100);
        growth.push(LIVE.load(Ordering::Relaxed) - before);
        if start.elapsed() > Duration::from_secs(60) {
            break;
        }
    }
    // Each source that was left would be two allocations at least.
    growth.sort_unstable();
    let median = growth[growth.len() / 2];
    assert!(median < 50, "{growth:?}");
}

/// Four threads release semaphores, one polls: every count is an event, or taken by hand.
#[test]
fn every_count_arrives() {
    const THREADS: usize = 4;
    const COUNTS: usize = 2_000;

    for trigger in [Trigger::Edge, Trigger::Level, Trigger::Oneshot] {
        let mut bed = Bed::new();
        let semaphores: Vec<Semaphore> = (0..8).map(|_| Semaphore::new()).collect();
        let mut sources: Vec<WaitHandle> = (0..8)
            .map(|n| bed.watch(&semaphores[n], Token(n), trigger))
            .collect();
        let registry = bed.registry().with_trigger(trigger);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let semaphores = &semaphores;
                scope.spawn(move || {
                    for n in 0..COUNTS {
                        semaphores[(thread * 3 + n) % 8].release(1);
                    }
                });
            }
            let mut got = 0;
            while got < THREADS * COUNTS {
                let events = bed.turn(PATIENCE);
                assert!(
                    !events.is_empty(),
                    "{got} of {} ({trigger:?})",
                    THREADS * COUNTS
                );
                for event in events {
                    assert!(event.is_readable());
                    got += 1;
                    let source = &mut sources[event.token().0];
                    if trigger.is_edge() {
                        while source.try_wait().is_ok() {
                            got += 1;
                        }
                    }
                    if trigger.is_oneshot() {
                        registry.reregister(source, event.token(), READ).unwrap();
                    }
                }
            }
        });
        bed.expect_silence();
    }
}
