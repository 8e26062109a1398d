//! Eight threads that hand over work and wake, and one that works: no item is stranded.
//!
//! Four share a waker and a queue, the others have their own. A queue is emptied only when its waker says so.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use crate::common::{in_child, on_each_backend, span, wait_until, Random, Rounds, PATIENCE};

const THREADS: usize = 8;

/// How many of them share the first waker.
const SHARING: usize = 4;

#[test]
fn no_item_is_stranded() {
    in_child("wakers::no_item_is_stranded", || on_each_backend(scenario));
}

fn scenario(mut poll: Poll) {
    let queues: Vec<Queue> = (0..=THREADS - SHARING)
        .map(|number| Queue {
            waker: Waker::new(poll.registry(), Token(number)).unwrap(),
            items: Mutex::default(),
        })
        .collect();
    let workers: Vec<Worker> = (0..THREADS).map(|_| Worker::default()).collect();
    let running = AtomicUsize::new(THREADS);
    let rounds = Rounds::of(THREADS);
    thread::scope(|scope| {
        for (number, worker) in workers.iter().enumerate() {
            let queue = &queues[(number + 1).saturating_sub(SHARING)];
            let (running, rounds) = (&running, &rounds);
            scope.spawn(move || {
                worker.submit(number, queue, rounds);
                running.fetch_sub(1, SeqCst);
                queue.waker.wake().unwrap();
            });
        }
        work(&mut poll, &queues, &workers, &running);
    });
    let items: u64 = workers.iter().map(|worker| worker.done.load(SeqCst)).sum();
    println!("{items} items");
    for worker in &workers {
        let (submitted, done) = (worker.submitted.load(SeqCst), worker.done.load(SeqCst));
        assert_eq!(submitted, done);
        assert!(done > 0, "it did nothing");
    }
}

/// One thread wakes and waits for the answer, the other one polls and answers: a wake that is lost stops both. The timeouts
/// are such that many wakes come just when one ends, and none is so long that it could hide anything.
#[test]
#[ignore = "a million rounds for each backend: `cargo xtask stress` has them"]
fn a_million_are_answered() {
    const MANY: u64 = 1_000_000;

    on_each_backend(|mut poll| {
        let waker = Waker::new(poll.registry(), Token(0)).unwrap();
        let (asked, answered) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=MANY {
                    asked.store(round, Relaxed);
                    waker.wake().unwrap();
                    let start = Instant::now();
                    while answered.load(Relaxed) < round {
                        thread::yield_now();
                        assert!(start.elapsed() < PATIENCE, "no answer to {round}");
                    }
                }
            });
            let mut random = Random::new(0);
            let mut events = Events::with_capacity(1);
            let mut last = 0;
            while last < MANY {
                let wait = random.of(&[Duration::ZERO, Duration::from_micros(1), PATIENCE]);
                poll.poll(&mut events, Some(wait)).unwrap();
                assert!(!events.is_empty() || wait < PATIENCE, "after {last}");
                if !events.is_empty() {
                    // A wake may be reported twice, so this may be nothing new.
                    last = asked.load(Relaxed);
                    answered.store(last, Relaxed);
                }
            }
        });
    });
}

struct Queue {
    waker: Waker,
    /// Who has submitted it, and its number.
    items: Mutex<VecDeque<(usize, u64)>>,
}

#[derive(Default)]
struct Worker {
    thread: OnceLock<Thread>,
    submitted: AtomicU64,
    done: AtomicU64,
}

impl Worker {
    fn submit(&self, number: usize, queue: &Queue, rounds: &Rounds) {
        self.thread.get_or_init(thread::current);
        let mut random = Random::new(number);
        while rounds.next() {
            for _ in 0..random.below(4) {
                for _ in 0..1 + random.below(8) {
                    let item = self.submitted.fetch_add(1, SeqCst) + 1;
                    queue.items.lock().unwrap().push_back((number, item));
                    queue.waker.wake().unwrap();
                }
                let submitted = self.submitted.load(SeqCst);
                wait_until("work", || self.done.load(SeqCst) == submitted);
            }
        }
    }
}

/// Empties the queues whose wakers report, with all kinds of timeouts: a wake may come just when one ends.
fn work(poll: &mut Poll, queues: &[Queue], workers: &[Worker], running: &AtomicUsize) {
    let mut random = Random::new(THREADS);
    // With room for one, the others have to wait for their turn.
    let mut rooms = [Events::with_capacity(1), Events::with_capacity(16)];
    while running.load(SeqCst) > 0 {
        let events = &mut rooms[random.below(2)];
        let start = Instant::now();
        let wait = [Duration::ZERO, Duration::from_micros(50), PATIENCE][random.below(3)];
        if random.one_in(2) {
            poll.poll(events, Some(wait)).unwrap();
        } else {
            poll.poll_until(events, start + wait).unwrap();
        }
        if events.is_empty() {
            assert!(start.elapsed() >= wait, "too early");
            assert!(wait < PATIENCE, "nobody has woken us");
        }
        for event in events.iter() {
            let queue = &queues[event.token().0];
            loop {
                let item = queue.items.lock().unwrap().pop_front();
                let Some((number, item)) = item else { break };
                let worker = &workers[number];
                assert_eq!(worker.done.fetch_add(1, SeqCst) + 1, item, "in order");
                worker.thread.get().unwrap().unpark();
            }
        }
    }
}

/// What was written before a wake is there after its event: in plain memory, which nothing else protects. A sanitizer
/// says more of this than the values do.
#[test]
fn carry_what_was_written() {
    in_child("wakers::carry_what_was_written", || {
        on_each_backend(|mut poll| {
            let letters: Vec<Letter> = (0..THREADS)
                .map(|number| Letter::new(&poll, number))
                .collect();
            let running = AtomicUsize::new(THREADS);
            thread::scope(|scope| {
                for letter in &letters {
                    scope.spawn(|| {
                        letter.write_many();
                        running.fetch_sub(1, SeqCst);
                        letter.waker.wake().unwrap();
                    });
                }
                let mut events = Events::with_capacity(THREADS);
                while running.load(SeqCst) > 0 {
                    poll.poll(&mut events, Some(PATIENCE)).unwrap();
                    assert!(!events.is_empty(), "nobody has woken us");
                    for event in &events {
                        letters[event.token().0].read();
                    }
                }
            });
            assert!(letters.iter().all(|letter| letter.read.load(SeqCst) > 0));
        });
    });
}

struct Letter {
    waker: Waker,
    text: UnsafeCell<u64>,
    /// How many were written. Relaxed, so it orders nothing.
    written: AtomicU64,
    /// How many were read. This hands the memory back to the writer.
    read: AtomicU64,
    writer: OnceLock<Thread>,
}

// SAFETY: The writer has the text until it wakes, the reader from its event on until it says that it has read it.
unsafe impl Sync for Letter {}

impl Letter {
    fn new(poll: &Poll, number: usize) -> Letter {
        Letter {
            waker: Waker::new(poll.registry(), Token(number)).unwrap(),
            text: UnsafeCell::new(0),
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            writer: OnceLock::new(),
        }
    }

    fn write_many(&self) {
        self.writer.get_or_init(thread::current);
        let deadline = Instant::now() + span();
        let mut number = 0;
        while number == 0 || Instant::now() < deadline {
            number += 1;
            // SAFETY: The reader has handed it back.
            unsafe { *self.text.get() = number };
            self.written.store(number, Relaxed);
            self.waker.wake().unwrap();
            wait_until("the reader", || self.read.load(SeqCst) == number);
        }
    }

    fn read(&self) {
        let number = self.written.load(Relaxed);
        if number > self.read.load(SeqCst) {
            // SAFETY: There was one wake since the last time, and this is its event.
            let text = unsafe { *self.text.get() };
            assert_eq!(text, number);
            self.read.store(number, SeqCst);
            self.writer.get().unwrap().unpark();
        }
    }
}
