//! A hundred of many: whether the cost of a poll depends on how much is registered.
//!
//! One descriptor for each source leaves room for 15,000 of them below a limit of 20,000. The subjects share them:
//! each registers all of them before its sample, and deregisters them afterwards.

use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use super::fds;
use crate::harness::Task;
use crate::subject::{Source, Subject, Want};

const ACTIVE: usize = 100;

pub(crate) fn active_1_000<S: Subject>() -> impl Task {
    Active::<S>::new(1_000)
}

pub(crate) fn active_10_000<S: Subject>() -> impl Task {
    Active::<S>::new(10_000)
}

pub(crate) fn active_15_000<S: Subject>() -> impl Task {
    Active::<S>::new(15_000)
}

struct Active<S: Subject> {
    queue: S,
    fds: Rc<Vec<OwnedFd>>,
    sources: Vec<S::Fd>,
}

impl<S: Subject> Active<S> {
    fn new(registered: usize) -> Active<S> {
        let fds = fds::eventfds(registered);
        Active {
            queue: S::open(1024),
            sources: fds.iter().map(|fd| S::fd(fd.as_raw_fd())).collect(),
            fds,
        }
    }
}

impl<S: Subject> Task for Active<S> {
    fn prepare(&mut self, _: u64) {
        for (key, source) in self.sources.iter_mut().enumerate() {
            source.register(&self.queue, key, Want::Read);
        }
        // All of that has emptied the caches.
        self.run(1);
    }

    fn run(&mut self, times: u64) {
        let (fds, queue) = (&self.fds, &mut self.queue);
        let stride = fds.len() / ACTIVE;
        for _ in 0..times {
            for index in 0..ACTIVE {
                fds::write(&fds[index * stride], &1_u64.to_ne_bytes());
            }
            let mut seen = 0;
            while seen < ACTIVE {
                queue.poll(None);
                queue.readable(|key| {
                    if fds::read(&fds[key], &mut [0; 8]) {
                        seen += 1;
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
