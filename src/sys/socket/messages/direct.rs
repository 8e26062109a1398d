//! `sendmmsg(2)`, `recvmmsg(2)` and their relatives for one message, without the C library: on Linux.
//!
//! On x86-64 and AArch64 the instruction stands in the caller's own code (see `sys/syscall`). On other processors this goes
//! around the C library because musl makes of `sendmmsg` a call for each datagram, where words have 64 bits.
//!
//! Where rustix goes through libc, for the sake of tools that stand in between, so does this: `many.rs`.

use std::os::fd::AsRawFd;

use rustix::io::Errno;

use super::header::Header;
use super::many;
use crate::sys::{sigpipe, syscall, Handle, DIRECT};

pub(crate) use super::many::HEADERS;

/// Whether to go around the C library.
const AROUND: bool = DIRECT && NUMBERED;

/// Whether each call has a number of its own on every kernel. On i686 and s390x they were parts of `socketcall` before Linux
/// 4.3, and Android's sandbox knows them as that only. The C library knows what is to be done, and with 32 bits musl's
/// `sendmmsg` is the system call.
const NUMBERED: bool = cfg!(all(target_pointer_width = "64", not(target_arch = "s390x")));

/// Whether a system call takes more than one here: asked of the kernel, for musl would say so without asking.
pub(crate) fn takes_many(handle: Handle<'_>) -> bool {
    send(handle, &mut []).is_ok()
}

/// Sends the messages from the first one on. Returns how many were sent.
#[inline(always)]
pub(crate) fn send(handle: Handle<'_>, headers: &mut [Header<'_>]) -> Result<usize, Errno> {
    if !AROUND {
        return many::send(handle, headers);
    }
    let flags = sigpipe::SEND.bits() as usize;
    let fd = handle.as_raw_fd() as usize;
    let (first, count) = (headers.as_mut_ptr(), headers.len());
    if count == 1 {
        // SAFETY: A header begins with the structure that the call takes. What it points to is borrowed for as long as it
        // exists, and is as long as it says. Of what is sent, the kernel writes to nothing.
        let result = unsafe { syscall::call4(libc::SYS_sendmsg, [fd, first as usize, flags, 0]) };
        // A datagram goes as a whole.
        return result.map(|_| 1);
    }
    // SAFETY: As above, for as many headers as there are.
    unsafe { syscall::call4(libc::SYS_sendmmsg, [fd, first as usize, count, flags]) }
}

/// Receives into the headers from the first one on. Returns how many messages were received.
#[inline(always)]
pub(crate) fn receive(handle: Handle<'_>, headers: &mut [Header<'_>]) -> Result<usize, Errno> {
    if !AROUND {
        return many::receive(handle, headers);
    }
    let flags = libc::MSG_DONTWAIT as usize;
    let fd = handle.as_raw_fd() as usize;
    let (first, count) = (headers.as_mut_ptr(), headers.len());
    if let [header] = headers {
        // SAFETY: As for sending. What the kernel writes to is borrowed for writing, and is as long as the header says.
        let result = unsafe { syscall::call4(libc::SYS_recvmsg, [fd, first as usize, flags, 0]) };
        header.set_length(result?);
        return Ok(1);
    }
    // SAFETY: As above, for as many headers as there are. There is no timeout.
    unsafe { syscall::call6(libc::SYS_recvmmsg, [fd, first as usize, count, flags, 0, 0]) }
}
