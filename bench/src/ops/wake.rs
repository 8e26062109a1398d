//! Wakers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::harness::Task;
use crate::subject::{Subject, Wake};

const CAPACITY: usize = 64;

pub(crate) fn wake_and_poll<S: Subject>() -> impl Task {
    let mut queue = S::open(CAPACITY);
    let waker = queue.waker(1);
    move |times: u64| {
        for _ in 0..times {
            waker.wake();
            queue.poll(None);
        }
    }
}

pub(crate) fn repeated<S: Subject>() -> impl Task {
    let mut queue = S::open(CAPACITY);
    let waker = queue.waker(1);
    move |times: u64| {
        let _ = &queue;
        for _ in 0..times {
            waker.wake();
        }
    }
}

/// Two threads, each with a queue of its own, wake each other in turn.
pub(crate) fn across<S: Subject>() -> impl Task {
    let mut queue = S::open(CAPACITY);
    let (here, there) = (queue.waker(1), mpsc::channel());
    let shared = Arc::new(Shared {
        start: Instant::now(),
        woken: AtomicU64::new(0),
        over: AtomicBool::new(false),
    });
    let other = Arc::clone(&shared);
    let to_here: Sender<S::Waker> = there.0;
    let from_there: Receiver<S::Waker> = there.1;
    let thread = thread::spawn(move || {
        let mut queue = S::open(CAPACITY);
        to_here.send(queue.waker(1)).unwrap();
        loop {
            queue.poll(None);
            other.woken.store(other.now(), Ordering::Release);
            if other.over.load(Ordering::Acquire) {
                return;
            }
            here.wake();
        }
    });
    Across {
        queue,
        waker: from_there.recv().unwrap(),
        shared,
        thread: Some(thread),
        taken: Vec::new(),
    }
}

struct Shared {
    start: Instant,
    /// When the other thread's poll returned, in nanoseconds since `start`.
    woken: AtomicU64,
    over: AtomicBool,
}

impl Shared {
    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

struct Across<S: Subject> {
    queue: S,
    waker: S::Waker,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    taken: Vec<f64>,
}

impl<S: Subject> Task for Across<S> {
    fn run(&mut self, times: u64) {
        for _ in 0..times {
            let before = self.shared.now();
            self.waker.wake();
            self.queue.poll(None);
            let woken = self.shared.woken.load(Ordering::Acquire);
            self.taken.push((woken - before) as f64);
        }
    }

    fn taken(&mut self) -> Vec<f64> {
        std::mem::take(&mut self.taken)
    }
}

impl<S: Subject> Drop for Across<S> {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
