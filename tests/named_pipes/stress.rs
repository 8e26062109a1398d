//! Pipes dropped by the thousand with operations in flight, under an allocator that overwrites what is freed: a kernel
//! that still wrote to such memory would spoil what the system hands out next, and be noticed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use mio::windows::NamedPipe;
use mio::{Events, Poll, Registry, Token, Trigger};

use crate::bed::{ends, name, BOTH};

/// Counts what is allocated, and poisons what is freed. What was freed is kept for a while, and must still be poisoned
/// when it is let go.
struct Checking;

const POISON: u8 = 0xD5;

/// Freed memory that waits, by size: buffers and the pipes themselves are large enough to be worth it.
const KEPT: usize = 512;
const WORTH: usize = 512;

static LIVE: AtomicIsize = AtomicIsize::new(0);
static SPOILT: AtomicUsize = AtomicUsize::new(0);
static LOCKED: AtomicBool = AtomicBool::new(false);
static mut RING: [(*mut u8, usize, usize); KEPT] = [(std::ptr::null_mut(), 0, 0); KEPT];
static mut NEXT: usize = 0;

#[global_allocator]
static ALLOCATOR: Checking = Checking;

// SAFETY: Memory is the system's, and goes back to it as it came.
unsafe impl GlobalAlloc for Checking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(1, Ordering::Relaxed);
        // SAFETY: The caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: The memory is the caller's to give, so nobody else uses it.
        unsafe { memory.write_bytes(POISON, layout.size()) };
        if layout.size() < WORTH {
            // SAFETY: The caller keeps the contract.
            return unsafe { System.dealloc(memory, layout) };
        }
        while LOCKED.swap(true, Ordering::Acquire) {
            std::hint::spin_loop();
        }
        // SAFETY: Under the lock.
        let next = unsafe { NEXT };
        // SAFETY: Under the lock.
        unsafe { NEXT = (next + 1) % KEPT };
        let entry = (memory, layout.size(), layout.align());
        let ring = std::ptr::addr_of_mut!(RING).cast::<(*mut u8, usize, usize)>();
        // SAFETY: Within the ring, and under the lock.
        let place = unsafe { ring.add(next) };
        // SAFETY: As above.
        let (old, size, align) = unsafe { place.replace(entry) };
        LOCKED.store(false, Ordering::Release);
        if !old.is_null() {
            // SAFETY: It was freed, and is this allocator's until the next line but one.
            let bytes = unsafe { std::slice::from_raw_parts(old, size) };
            if bytes.iter().any(|byte| *byte != POISON) {
                SPOILT.fetch_add(1, Ordering::Relaxed);
            }
            // SAFETY: It came with this size and alignment.
            let layout = unsafe { Layout::from_size_align_unchecked(size, align) };
            // SAFETY: As it came, and once.
            unsafe { System.dealloc(old, layout) };
        }
    }
}

/// Held by tests that make pipes by the hundred and leave them to the queue: what one of them counts must not be the
/// other one's.
static PIPES: Mutex<()> = Mutex::new(());

fn spoilt() -> usize {
    SPOILT.load(Ordering::Relaxed)
}

/// Leaves operations of every kind in flight, and drops.
fn drop_busy(registry: &Registry, round: usize) {
    let trigger = [Trigger::Edge, Trigger::Level, Trigger::Oneshot][round % 3];
    let registry = registry.with_trigger(trigger);
    match round % 4 {
        0 => {
            // Waiting for a client.
            let mut server = NamedPipe::new(name()).unwrap();
            registry.register(&mut server, Token(round), BOTH).unwrap();
            server.connect().unwrap_err();
        }
        1 => {
            // Reading on both sides.
            let (mut server, mut client) = ends();
            registry.register(&mut server, Token(round), BOTH).unwrap();
            registry.register(&mut client, Token(round), BOTH).unwrap();
            server.read(&mut [0; 1]).unwrap_err();
            client.read(&mut [0; 1]).unwrap_err();
        }
        2 => {
            // Writing more than fits, while reading.
            let (mut server, mut client) = ends();
            registry.register(&mut server, Token(round), BOTH).unwrap();
            registry.register(&mut client, Token(round), BOTH).unwrap();
            while client.write(&[1; 40_000]).is_ok() {}
            let _ = server.write(&[2; 100]);
            if round % 8 == 2 {
                drop(server);
                let _ = client.write(b"x");
            } else {
                drop(client);
            }
        }
        _ => {
            // Data has come and was not read.
            let (mut server, mut client) = ends();
            registry.register(&mut server, Token(round), BOTH).unwrap();
            registry.register(&mut client, Token(round), BOTH).unwrap();
            server.write_all(&[3; 600]).unwrap();
            let _ = client.read(&mut [0; 10]);
            registry.deregister(&mut server).unwrap();
            server.disconnect().unwrap();
        }
    }
}

/// One thread polls, four make pipes and drop them busy.
#[test]
fn dropped_with_operations_in_flight() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 600;

    let _pipes = PIPES.lock().unwrap_or_else(PoisonError::into_inner);
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(16);
    let running = AtomicUsize::new(THREADS);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let registry = poll.registry().try_clone().unwrap();
            let running = &running;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    drop_busy(&registry, thread + round);
                }
                running.fetch_sub(1, Ordering::Relaxed);
            });
        }
        while running.load(Ordering::Relaxed) > 0 {
            poll.poll(&mut events, Some(Duration::from_millis(5)))
                .unwrap();
        }
    });
    drop((poll, events));
    assert_eq!(spoilt(), 0, "freed memory was written to");
}

/// The queue goes first, or is never polled: what is in flight is waited for, and nothing is left.
#[test]
fn nothing_is_left_of_a_queue() {
    let _pipes = PIPES.lock().unwrap_or_else(PoisonError::into_inner);
    let once = |rounds: usize| {
        let poll = Poll::new().unwrap();
        for round in 0..rounds {
            drop_busy(poll.registry(), round);
        }
        let (mut server, mut client) = ends();
        poll.registry()
            .register(&mut server, Token(0), BOTH)
            .unwrap();
        poll.registry()
            .register(&mut client, Token(0), BOTH)
            .unwrap();
        client.read(&mut [0; 1]).unwrap_err();
        drop(poll);
        drop(server);
    };
    // The harness runs other tests meanwhile, so a leak shows as growth that does not end.
    once(8);
    let start = Instant::now();
    let mut growth = Vec::new();
    for _ in 0..20 {
        let before = LIVE.load(Ordering::Relaxed);
        once(40);
        growth.push(LIVE.load(Ordering::Relaxed) - before);
        if start.elapsed() > Duration::from_secs(60) {
            break;
        }
    }
    // Each pipe that was left would be three allocations at least, 60 of them for each round.
    growth.sort_unstable();
    let median = growth[growth.len() / 2];
    assert!(median < 60, "{growth:?}");
    assert_eq!(spoilt(), 0, "freed memory was written to");
}

/// Eight pipes, each written on one thread and read on another.
#[test]
fn eight_threads_and_every_byte() {
    const THREADS: usize = 8;
    const BYTES: usize = 200_000;

    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let mut poll = Poll::new().unwrap();
                let mut events = Events::with_capacity(8);
                let (mut server, mut client) = ends();
                poll.registry()
                    .register(&mut server, Token(0), BOTH)
                    .unwrap();
                poll.registry()
                    .register(&mut client, Token(1), BOTH)
                    .unwrap();
                let writer = thread::spawn(move || {
                    let mut sent = 0;
                    let mut chunk = [0; 3_000];
                    while sent < BYTES {
                        for (at, byte) in chunk.iter_mut().enumerate() {
                            *byte = ((sent + at) * (thread + 1) % 251) as u8;
                        }
                        let n = (BYTES - sent).min(chunk.len());
                        match client.write(&chunk[..n]) {
                            Ok(n) => sent += n,
                            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                                thread::yield_now();
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
                let mut received = 0;
                let mut buffer = [0; 700];
                while received < BYTES {
                    match server.read(&mut buffer) {
                        Ok(0) => panic!("the end after {received} bytes"),
                        Ok(n) => {
                            for byte in &buffer[..n] {
                                assert_eq!(*byte, (received * (thread + 1) % 251) as u8);
                                received += 1;
                            }
                        }
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                            poll.poll(&mut events, Some(Duration::from_secs(10)))
                                .unwrap();
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                writer.join().unwrap();
            });
        }
    });
    assert_eq!(spoilt(), 0, "freed memory was written to");
}
