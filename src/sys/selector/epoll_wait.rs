//! `epoll_wait(2)`, with the instruction in the caller's own code.
//!
//! rustix has `epoll_pwait(2)` only, which other architectures have nothing beside. That one also sees to
//! the mask of signals, which takes a tenth of the time of a poll without events.
//!
//! Where rustix goes through libc, for the sake of tools that stand in between, this goes through rustix.

use std::arch::asm;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::event::epoll::Event;
use rustix::io::Errno;

use super::epoll_pwait;
use crate::sys::DIRECT;

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
    let result: isize;
    // SAFETY: The arguments are those of the manual page, and the registers those of syscall(2). The kernel writes to no
    // memory but `spare`, at most as many events as it has room for.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") libc::SYS_epoll_wait as isize => result,
            in("rdi") epoll.as_raw_fd() as isize,
            in("rsi") spare.as_mut_ptr(),
            in("rdx") spare.len(),
            in("r10") millis as isize,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, preserves_flags),
        );
    }
    // An error is a number from −4095 to −1.
    usize::try_from(result).map_err(|_| Errno::from_raw_os_error(-result as i32))
}
