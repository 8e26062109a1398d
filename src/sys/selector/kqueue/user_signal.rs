//! The kernel's side of a waker: an entry with `EVFILT_USER`, which the process itself raises.
//!
//! For Apple systems, FreeBSD and DragonFly. It takes no descriptor. `EV_CLEAR` lowers it with its event.

use std::io;

use super::kernel::{Kevent, Queue, TRIGGER};
use crate::sys::pure_kqueue::rules::{Filter, Flags};
use crate::Token;

#[derive(Debug)]
pub(crate) struct Signal {
    /// Distinguishes the wakers of a queue. Also a change that only raises an entry may replace the entry's token, so
    /// that is kept, too.
    number: usize,
    token: Token,
}

impl Signal {
    /// `number` is that of no other signal of this queue.
    pub(crate) fn new(queue: &Queue, number: usize, token: Token) -> io::Result<Signal> {
        let signal = Signal { number, token };
        signal.change(queue, Flags::ADD | Flags::CLEAR, 0)?;
        Ok(signal)
    }

    #[inline]
    pub(crate) fn raise(&self, queue: &Queue) -> io::Result<()> {
        self.change(queue, Flags::default(), TRIGGER)
    }

    pub(crate) fn retire(&self, queue: &Queue) {
        // In a forked child the queue is not there, and its number may be another one's.
        if queue.is_own() {
            // Nobody could be told, and what is not there need not be deleted.
            let _ = self.change(queue, Flags::DELETE, 0);
        }
    }

    /// Without room for an answer, the call itself fails if the change does.
    #[inline]
    fn change(&self, queue: &Queue, flags: Flags, fflags: u32) -> io::Result<()> {
        let change = Kevent::new(self.number, Filter::User, flags, fflags, self.token.0);
        queue.change(&[change], &mut [])?;
        Ok(())
    }
}
