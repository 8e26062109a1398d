//! `sendmmsg(2)` and `recvmmsg(2)`: many messages for each system call, through the C library.
//!
//! One message alone goes through `sendmsg` or `recvmsg`. That is cheaper for the kernel, and it makes no difference:
//! nothing can be hidden behind a success.

use std::ffi::{c_int, c_uint};
use std::mem::{align_of, size_of};
use std::os::fd::AsRawFd;
use std::ptr;

use rustix::io::Errno;

use super::header::Header;
use super::single;
use crate::sys::errno::last_error;
use crate::sys::{sigpipe, Handle};

/// How many messages a system call takes. Kernels take 1,024; the headers have to be somewhere.
#[allow(dead_code)] // where a file above this one says so
pub(crate) const HEADERS: usize = 32;

const _: () = assert!(
    size_of::<Header<'_>>() == size_of::<libc::mmsghdr>()
        && align_of::<Header<'_>>() == align_of::<libc::mmsghdr>()
);

/// Whether a system call takes more than one here. A sandbox may not know it.
#[allow(dead_code)] // as above
pub(crate) fn takes_many(handle: Handle<'_>) -> bool {
    send_many(handle, &mut []).is_ok()
}

/// Sends the messages from the first one on. Returns how many were sent.
pub(crate) fn send(handle: Handle<'_>, headers: &mut [Header<'_>]) -> Result<usize, Errno> {
    match headers {
        [_] => single::send(handle, headers),
        headers => send_many(handle, headers),
    }
}

pub(super) fn send_many(handle: Handle<'_>, headers: &mut [Header<'_>]) -> Result<usize, Errno> {
    let (first, count) = (headers.as_mut_ptr().cast(), headers.len() as c_uint);
    let flags = sigpipe::SEND.bits() as c_int;
    // SAFETY: The headers have the layout that the system expects. What they point to is borrowed for as long as they
    // exist, and is as long as they say.
    let result = unsafe { libc::sendmmsg(handle.as_raw_fd(), first, count, flags as _) };
    usize::try_from(result).map_err(|_| last_error())
}

/// Receives into the headers from the first one on. Returns how many messages were received.
pub(crate) fn receive(handle: Handle<'_>, headers: &mut [Header<'_>]) -> Result<usize, Errno> {
    if let [_] = headers {
        return single::receive(handle, headers);
    }
    let (first, count) = (headers.as_mut_ptr().cast(), headers.len() as c_uint);
    let flags = libc::MSG_DONTWAIT;
    let no_timeout = ptr::null_mut();
    // SAFETY: As for `sendmmsg`; what the kernel writes to is borrowed for writing.
    let result =
        unsafe { libc::recvmmsg(handle.as_raw_fd(), first, count, flags as _, no_timeout) };
    usize::try_from(result).map_err(|_| last_error())
}
