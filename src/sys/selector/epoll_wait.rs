//! `epoll_wait(2)`, with the instruction in the caller's own code.
//!
//! rustix has `epoll_pwait(2)` only, which other architectures have nothing beside. That one also sees to
//! the mask of signals, which takes a tenth of the time of a poll without events.
//!
//! Where rustix goes through libc, for the sake of tools that stand in between, this goes through rustix.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::event::epoll::Event;
use rustix::io::Errno;

use super::epoll_pwait;
use crate::sys::{syscall, DIRECT};

/// Waits for so many milliseconds, −1 for ever, and returns how many events there are at the start of `spare`.
#[inline]
pub(super) fn wait(
    epoll: BorrowedFd<'_>,
    spare: &mut [MaybeUninit<Event>],
    millis: i32,
) -> Result<usize, Errno> {
    if !DIRECT {
        return epoll_pwait::wait(epoll, spare, millis);
    }
    let fd = epoll.as_raw_fd() as usize;
    let (first, count) = (spare.as_mut_ptr() as usize, spare.len());
    // `Poll::poll` covers the return stack if there are events.
    // SAFETY: The arguments are those of the manual page. The kernel writes to no memory but `spare`, at most as many
    // events as it has room for.
    unsafe { syscall::uncovered_call4(libc::SYS_epoll_wait, [fd, first, count, millis as usize]) }
}
