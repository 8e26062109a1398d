//! `sendmsg(2)` and `recvmsg(2)`: one message for each system call, through the C library.
//!
//! Where the system has nothing for many messages this is all there is. On Linux, sockets without batches
//! ([`Config::batching`](crate::net::udp::Config::batching)) go this way in a build whose system calls go through libc, so
//! the tests run it (`cargo xtask libc`).

use std::ffi::c_int;
use std::os::fd::AsRawFd;

use rustix::io::Errno;

use super::header::Header;
use crate::sys::errno::last_error;
use crate::sys::{sigpipe, Handle};

/// How many messages a system call takes.
#[allow(dead_code)] // where there is more than this file
pub(crate) const HEADERS: usize = 1;

/// Whether a system call takes more than one here.
#[allow(dead_code)] // as above
pub(crate) fn takes_many(_: Handle<'_>) -> bool {
    false
}

/// Sends the first message. Returns how many were sent.
pub(crate) fn send(handle: Handle<'_>, headers: &mut [Header<'_>]) -> Result<usize, Errno> {
    let Some(header) = headers.first_mut() else {
        return Ok(0);
    };
    let flags = sigpipe::SEND.bits() as c_int;
    // SAFETY: What the header points to is borrowed for as long as it exists, and is as long as it says.
    let result = unsafe { libc::sendmsg(handle.as_raw_fd(), header.as_message(), flags) };
    match result {
        // A datagram goes as a whole.
        0.. => Ok(1),
        _ => Err(last_error()),
    }
}

/// Receives into the first header. Returns how many messages were received.
pub(crate) fn receive(handle: Handle<'_>, headers: &mut [Header<'_>]) -> Result<usize, Errno> {
    let Some(header) = headers.first_mut() else {
        return Ok(0);
    };
    let message = header.as_message();
    // SAFETY: As for `sendmsg`; what the kernel writes to is borrowed for writing.
    let result = unsafe { libc::recvmsg(handle.as_raw_fd(), message, libc::MSG_DONTWAIT) };
    let length = usize::try_from(result).map_err(|_| last_error())?;
    header.set_length(length);
    Ok(1)
}
