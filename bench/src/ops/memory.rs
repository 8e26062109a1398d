//! What a registered source takes of a process's memory.

use std::mem;
use std::os::fd::AsRawFd;

use super::fds;
use crate::alloc;
use crate::subject::{Source, Subject, Want};

const SOURCES: usize = 1_000;

/// Bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Of a TCP stream itself.
    pub(crate) stream: usize,
    /// What the queue allocates for each source.
    pub(crate) registration: f64,
}

pub(crate) fn memory<S: Subject>() -> Memory {
    let fds = fds::eventfds(SOURCES);
    let mut sources: Vec<S::Fd> = fds.iter().map(|fd| S::fd(fd.as_raw_fd())).collect();
    let queue = S::open(64);
    let before = alloc::live();
    for (key, source) in sources.iter_mut().enumerate() {
        source.register(&queue, key, Want::Read);
    }
    let registration = (alloc::live() - before) as f64 / SOURCES as f64;
    for source in &mut sources {
        source.deregister(&queue);
    }
    Memory {
        stream: mem::size_of::<S::Tcp>(),
        registration,
    }
}
