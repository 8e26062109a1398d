//! A system call under its number, through the C library's function for that.

use std::ffi::c_long;

use rustix::io::Errno;

use super::single::last_error;

/// Makes the system call.
///
/// # Safety
///
/// As the system call.
#[inline]
pub(super) unsafe fn call(number: c_long, arguments: [usize; 5]) -> Result<usize, Errno> {
    let [a, b, c, d, e] = arguments;
    // SAFETY: The caller's concern.
    let result = unsafe { libc::syscall(number, a, b, c, d, e) };
    usize::try_from(result).map_err(|_| last_error())
}
