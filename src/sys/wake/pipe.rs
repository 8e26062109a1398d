//! A flag in the kernel that any thread can raise and a queue can watch: a pipe, for systems without `eventfd(2)`.
//!
//! A byte in the pipe says "raised". A full pipe (`EAGAIN`) is emptied and written again, so that a queue that watches
//! for edges sees the one it is owed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{read, write, Errno};

use crate::sys::create::pipe_pair;

#[derive(Debug)]
pub(crate) struct Signal {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Signal {
    /// Whether a queue can be woken by it.
    #[allow(dead_code)] // only `poll(2)` can do without
    pub(crate) const WAKES: bool = true;

    pub(crate) fn new() -> io::Result<Signal> {
        let (reader, writer) = pipe_pair()?;
        Ok(Signal { reader, writer })
    }

    #[inline]
    pub(crate) fn raise(&self) -> io::Result<()> {
        match write(&self.writer, &[1]) {
            Ok(_) => Ok(()),
            Err(errno) => self.raise_again(errno),
        }
    }

    #[cold]
    #[inline(never)]
    fn raise_again(&self, errno: Errno) -> io::Result<()> {
        match errno {
            Errno::AGAIN => self.lower()?,
            Errno::INTR => {}
            _ => return Err(errno.into()),
        }
        self.raise()
    }

    /// Undoes every [`raise`](Signal::raise) so far.
    pub(crate) fn lower(&self) -> io::Result<()> {
        let mut bytes = [0_u8; 4096];
        loop {
            match read(&self.reader, &mut bytes) {
                Ok(n) if n < bytes.len() => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
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
        self.reader.as_fd()
    }
}
