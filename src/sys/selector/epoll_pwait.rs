//! `epoll_pwait(2)` in place of `epoll_wait(2)`, which newer architectures do not have: rustix has it everywhere.

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::epoll::{self, Event};
use rustix::io::Errno;

use crate::sys::selector::timespec;

/// Waits for so many milliseconds, −1 for ever, and returns how many events there are at the start of `spare`.
#[inline]
pub(super) fn wait(
    epoll: BorrowedFd<'_>,
    spare: &mut [MaybeUninit<Event>],
    millis: i32,
) -> Result<usize, Errno> {
    let timeout = u64::try_from(millis).map(|millis| timespec(Duration::from_millis(millis)));
    let (filled, _) = epoll::wait(epoll, spare, timeout.ok().as_ref())?;
    Ok(filled.len())
}
