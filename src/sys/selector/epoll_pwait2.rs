//! Waiting on epoll for a time that is no whole number of milliseconds: with `epoll_pwait2(2)`, since Linux 5.11.
//!
//! Kernels without it say `ENOSYS`; sandboxes that do not know its number say `EPERM`. Both are asked once and get
//! [`ppoll`](super::epoll_ppoll) from then on.
//!
//! Where rustix goes through libc, for the sake of tools that stand in between, it is `ppoll` at once. They do not know what
//! the function `syscall` does: MemorySanitizer would take the events for memory that nobody has written.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::epoll::{Epoll, Event};
use super::epoll_ppoll;
use crate::sys::DIRECT;

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
    epoll.fill(events, |spare| {
        let capacity = libc::c_int::try_from(spare.len()).unwrap_or(libc::c_int::MAX);
        // SAFETY: The arguments are those of the manual page. The kernel writes at most `capacity` events to `spare`,
        // which lives until the call returns, as `timeout` does.
        let filled = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                epoll.as_fd().as_raw_fd(),
                spare.as_mut_ptr(),
                capacity,
                &timeout,
                ptr::null::<libc::sigset_t>(),
                0_usize,
            )
        };
        usize::try_from(filled).map_err(|_| io::Error::last_os_error())
    })
}
