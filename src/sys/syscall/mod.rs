//! System calls under their numbers, through the C library's function for that. The processors that have a file of their
//! own here make the call in place.

use std::ffi::c_long;

use rustix::io::Errno;

use super::errno::last_error;

#[path = "no_return_stack.rs"]
pub(crate) mod return_stack;

/// Makes a system call of up to four arguments.
///
/// # Safety
///
/// As the system call.
#[inline]
pub(super) unsafe fn call4(number: c_long, arguments: [usize; 4]) -> Result<usize, Errno> {
    let [a, b, c, d] = arguments;
    // SAFETY: The caller's concern.
    returned(unsafe { libc::syscall(number, a, b, c, d) })
}

/// Makes a system call of up to six arguments.
///
/// # Safety
///
/// As the system call.
#[inline]
pub(super) unsafe fn call6(number: c_long, arguments: [usize; 6]) -> Result<usize, Errno> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: The caller's concern.
    returned(unsafe { libc::syscall(number, a, b, c, d, e, f) })
}

#[inline]
fn returned(result: c_long) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| last_error())
}
