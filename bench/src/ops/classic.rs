//! The benchmark that came with libevent: many pairs of sockets, some of which are active, and who receives a byte hands
//! one on to the next pair, until enough have been handed on.

use std::os::fd::AsRawFd;
use std::rc::Rc;

use super::fds::{self, Pair};
use crate::harness::Task;
use crate::subject::{Source, Subject, Want};

const PAIRS: usize = 500;
const ACTIVE: usize = 100;
const HANDED_ON: usize = 1_000;

pub(crate) fn chain<S: Subject>() -> impl Task {
    let pairs = fds::pairs(PAIRS);
    Chain::<S> {
        queue: S::open(1024),
        sources: pairs
            .iter()
            .map(|(reader, _)| S::fd(reader.as_raw_fd()))
            .collect(),
        pairs,
    }
}

struct Chain<S: Subject> {
    queue: S,
    sources: Vec<S::Fd>,
    /// Of each, what is read from, and what is written to.
    pairs: Rc<Vec<Pair>>,
}

impl<S: Subject> Task for Chain<S> {
    fn prepare(&mut self, _: u64) {
        for (key, source) in self.sources.iter_mut().enumerate() {
            source.register(&self.queue, key, Want::Read);
        }
        // All of that has emptied the caches.
        self.run(1);
    }

    fn run(&mut self, times: u64) {
        let (pairs, queue) = (&self.pairs, &mut self.queue);
        for _ in 0..times {
            for index in 0..ACTIVE {
                fds::write(&pairs[index * (PAIRS / ACTIVE)].1, b"e");
            }
            let (mut written, mut received) = (ACTIVE, 0);
            while received < ACTIVE + HANDED_ON {
                queue.poll(None);
                queue.readable(|key| {
                    if fds::read(&pairs[key].0, &mut [0]) {
                        received += 1;
                        if written < ACTIVE + HANDED_ON {
                            written += 1;
                            fds::write(&pairs[(key + 1) % PAIRS].1, b"e");
                        }
                    }
                });
            }
        }
    }

    fn finish(&mut self) {
        for source in &mut self.sources {
            source.deregister(&self.queue);
        }
    }
}
