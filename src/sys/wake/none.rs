//! No signal at all: where there is one thread, and nothing in the system that it could use to wake itself.

use std::io;
use std::os::fd::BorrowedFd;

#[derive(Debug)]
pub(crate) struct Signal;

impl Signal {
    /// Whether a queue can be woken by it.
    pub(crate) const WAKES: bool = false;

    pub(crate) fn new() -> io::Result<Signal> {
        Ok(Signal)
    }

    /// Nobody waits while this is called, so nobody has to be told.
    pub(crate) fn raise(&self) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn lower(&self) -> io::Result<()> {
        Ok(())
    }

    /// What a queue watches.
    pub(crate) fn watched(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
