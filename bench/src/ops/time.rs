//! Timeouts: how long a poll without events really takes.

use std::time::{Duration, Instant};

use crate::harness::Task;
use crate::subject::Subject;

pub(crate) fn micros_50<S: Subject>() -> impl Task {
    Timeout::<S>::new(Duration::from_micros(50))
}

pub(crate) fn milli_1<S: Subject>() -> impl Task {
    Timeout::<S>::new(Duration::from_millis(1))
}

struct Timeout<S> {
    queue: S,
    timeout: Duration,
    taken: Vec<f64>,
}

impl<S: Subject> Timeout<S> {
    fn new(timeout: Duration) -> Timeout<S> {
        Timeout {
            queue: S::open(64),
            timeout,
            taken: Vec::new(),
        }
    }
}

impl<S: Subject> Task for Timeout<S> {
    fn run(&mut self, times: u64) {
        for _ in 0..times {
            let start = Instant::now();
            assert_eq!(self.queue.poll(Some(self.timeout)), 0);
            let taken = start.elapsed();
            assert!(taken >= self.timeout, "{} ended early: {taken:?}", S::NAME);
            self.taken.push(taken.as_nanos() as f64);
        }
    }

    fn taken(&mut self) -> Vec<f64> {
        std::mem::take(&mut self.taken)
    }
}
