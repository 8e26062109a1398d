//! The kernel's side of a waker: a flag with a descriptor, which the queue watches.
//!
//! For the systems whose kqueue has no `EVFILT_USER`, or has it in new versions only: NetBSD, OpenBSD. `EV_CLEAR` reports
//! each time it is raised, so it is never lowered for the queue's sake.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use super::kernel::{Kevent, Queue};
use crate::sys::pure_kqueue::rules::{Filter, Flags};
use crate::sys::signal;
use crate::Token;

#[derive(Debug)]
pub(crate) struct Signal(signal::Signal);

impl Signal {
    pub(crate) fn new(queue: &Queue, _number: usize, token: Token) -> io::Result<Signal> {
        let signal = signal::Signal::new()?;
        let change = Kevent::new(
            signal.as_fd().as_raw_fd() as usize,
            Filter::Read,
            Flags::ADD | Flags::CLEAR,
            0,
            token.0,
        );
        queue.change(&[change], &mut [])?;
        Ok(Signal(signal))
    }

    #[inline]
    pub(crate) fn raise(&self, _queue: &Queue) -> io::Result<()> {
        self.0.raise()
    }

    pub(crate) fn retire(&self, _queue: &Queue) {
        // Closing it is enough, and right in a forked child.
    }
}
