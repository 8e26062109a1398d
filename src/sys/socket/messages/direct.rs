//! `sendmmsg(2)`, `recvmmsg(2)` and their relatives for one message, without the C library: on Linux.
//!
//! On x86-64 the instruction stands in the caller's own code (see `syscall.rs`). On other processors this goes around the C
//! library because musl makes of `sendmmsg` a call for each datagram.
//!
//! Where rustix goes through libc, for the sake of tools that stand in between, so does this: `many.rs`.

use std::os::fd::AsRawFd;

use rustix::io::Errno;

use super::header::Header;
use super::{many, syscall};
use crate::sys::{sigpipe, Handle, DIRECT};

pub(crate) use super::many::{takes_many, HEADERS};

/// Sends the messages from the first one on. Returns how many were sent.
#[inline(always)]
pub(crate) fn send(handle: Handle<'_>, headers: &mut [Header<'_>]) -> Result<usize, Errno> {
    if !DIRECT {
        return many::send(handle, headers);
    }
    let flags = sigpipe::SEND.bits() as usize;
    let fd = handle.as_raw_fd() as usize;
    let (first, count) = (headers.as_mut_ptr(), headers.len());
    if count == 1 {
        // SAFETY: A header begins with the structure that the call takes. What it points to is borrowed for as long as it
        // exists, and is as long as it says. Of what is sent, the kernel writes to nothing.
        let result = unsafe { syscall::call(libc::SYS_sendmsg, [fd, first as usize, flags, 0, 0]) };
        // A datagram goes as a whole.
        return result.map(|_| 1);
    }
    // SAFETY: As above, for as many headers as there are.
    unsafe { syscall::call(libc::SYS_sendmmsg, [fd, first as usize, count, flags, 0]) }
}

/// Receives into the headers from the first one on. Returns how many messages were received.
#[inline(always)]
pub(crate) fn receive(handle: Handle<'_>, headers: &mut [Header<'_>]) -> Result<usize, Errno> {
    if !DIRECT {
        return many::receive(handle, headers);
    }
    let flags = libc::MSG_DONTWAIT as usize;
    let fd = handle.as_raw_fd() as usize;
    let (first, count) = (headers.as_mut_ptr(), headers.len());
    if let [header] = headers {
        // SAFETY: As for sending. What the kernel writes to is borrowed for writing, and is as long as the header says.
        let result = unsafe { syscall::call(libc::SYS_recvmsg, [fd, first as usize, flags, 0, 0]) };
        header.set_length(result?);
        return Ok(1);
    }
    // SAFETY: As above, for as many headers as there are. There is no timeout.
    unsafe { syscall::call(libc::SYS_recvmmsg, [fd, first as usize, count, flags, 0]) }
}
