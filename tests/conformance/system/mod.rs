//! What cases need of the system beside the queue: to use a handle past it, and to ask the system itself.
//!
//! The names are those of Unix. On Windows a `BorrowedFd` is a socket.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;
