//! Waiting on epoll for a time that is no whole number of milliseconds: with `epoll_pwait2(2)`, since Linux 5.11.
//!
//! Kernels without it say `ENOSYS`; sandboxes that do not know its number say `EPERM`. Both are asked once and get
//! [`ppoll`](super::epoll_ppoll) from then on.
//!
//! Where rustix goes through libc, for the sake of tools that stand in between, it is `ppoll` at once. They do not know what
//! the function `syscall` does: MemorySanitizer would take the events for memory that nobody has written.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::epoll::{Epoll, Event};
use super::epoll_ppoll;
use crate::sys::{syscall, DIRECT};

/// `struct __kernel_timespec`: 64 bits each, on every architecture.
#[repr(C)]
struct KernelTimespec {
    tv_sec: i64,
    tv_nsec: i64,
}

pub(super) fn wait(epoll: &Epoll, events: &mut Vec<Event>, timeout: Duration) -> io::Result<()> {
    static MISSING: AtomicBool = AtomicBool::new(false);

    if DIRECT && !MISSING.load(Ordering::Relaxed) {
        match epoll_pwait2(epoll, events, timeout) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
                MISSING.store(true, Ordering::Relaxed);
            }
            result => return result,
        }
    }
    epoll_ppoll::wait(epoll, events, timeout)
}

fn epoll_pwait2(epoll: &Epoll, events: &mut Vec<Event>, timeout: Duration) -> io::Result<()> {
    let timeout = KernelTimespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    };
    let fd = epoll.as_fd().as_raw_fd() as usize;
    let timeout = &timeout as *const KernelTimespec as usize;
    epoll.fill(events, |spare| {
        let (first, count) = (spare.as_mut_ptr() as usize, spare.len());
        // SAFETY: The arguments are those of the manual page; there is no mask of signals. The kernel writes at most as
        // many events to `spare` as it has room for. It lives until the call returns, as `timeout` does.
        let filled =
            unsafe { syscall::call6(libc::SYS_epoll_pwait2, [fd, first, count, timeout, 0, 0]) };
        Ok(filled?)
    })
}
