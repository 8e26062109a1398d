//! A flag in the kernel that any thread can raise and a queue can watch: `eventfd(2)`.
//!
//! Its counter only says "raised". Writing fails, with `EAGAIN`, when the counter is at its maximum; then it is reset
//! and written again, so that the watching queue sees the edge it is owed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{eventfd, EventfdFlags};
use rustix::io::{read, write, Errno};

use crate::sys::return_stack::covered;

#[derive(Debug)]
pub(crate) struct Signal(OwnedFd);

impl Signal {
    /// Whether a queue can be woken by it.
    #[allow(dead_code)] // only `poll(2)` can do without
    pub(crate) const WAKES: bool = true;

    pub(crate) fn new() -> io::Result<Signal> {
        Ok(Signal(eventfd(
            0,
            EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK,
        )?))
    }

    #[inline]
    pub(crate) fn raise(&self) -> io::Result<()> {
        match covered(write(&self.0, &1_u64.to_ne_bytes())) {
            Ok(_) => Ok(()),
            Err(errno) => self.raise_again(errno),
        }
    }

    #[cold]
    #[inline(never)]
    fn raise_again(&self, errno: Errno) -> io::Result<()> {
        match errno {
            Errno::AGAIN => self.lower()?,
            // No manual page allows it for a write that does not block; an emulated kernel might.
            Errno::INTR => {}
            _ => return Err(errno.into()),
        }
        self.raise()
    }

    /// Undoes every [`raise`](Signal::raise) so far.
    pub(crate) fn lower(&self) -> io::Result<()> {
        match read(&self.0, &mut [0_u8; 8]) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Signal {
    /// What a queue watches.
    #[allow(dead_code)] // only `poll(2)` asks
    pub(crate) fn watched(&self) -> Option<BorrowedFd<'_>> {
        Some(self.as_fd())
    }
}

impl AsFd for Signal {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
