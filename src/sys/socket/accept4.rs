//! `accept4(2)` in the shape of `accept(2)`, which takes its place where there are no flags.

use libc::{c_int, sockaddr, socklen_t, SOCK_CLOEXEC, SOCK_NONBLOCK};

/// # Safety
///
/// That of `accept(2)`: `len` points to the number of bytes that may be written to `address`.
pub(crate) unsafe fn accept(fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int {
    // SAFETY: The caller vouches for the pointers.
    unsafe { libc::accept4(fd, address, len, SOCK_CLOEXEC | SOCK_NONBLOCK) }
}
