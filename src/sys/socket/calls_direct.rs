//! What a loop does with sockets, without rustix: Linux with 64 bits.
//!
//! A call through `sys/syscall` also covers the return stack behind it. And rustix keeps 128 bytes for an address of any
//! kind, and copies them on the way to the caller: most of what an `accept` or a `recv_from` took more than one of libc.
//!
//! Where rustix goes through libc, for the sake of tools that stand in between, this goes through rustix.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::RecvFlags;

use crate::sys::datagram::address::{decode, Name};
use crate::sys::{create, plain_calls, sigpipe, syscall, Handle, DIRECT};

#[inline(always)]
pub(crate) fn accept(listener: Handle<'_>) -> io::Result<(OwnedFd, SocketAddr)> {
    if !DIRECT {
        return plain_calls::accept(listener);
    }
    let mut peer = Room::new();
    let (name, length) = peer.pointers();
    let (fd, flags) = (listener.as_raw_fd() as usize, create::FLAGS.bits() as usize);
    // SAFETY: The kernel writes an address to the room, and its length, and keeps neither.
    let socket = unsafe { syscall::call4(libc::SYS_accept4, [fd, name, length, flags])? };
    // SAFETY: The descriptor is new, and nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(socket as i32) };
    Ok((socket, peer.address()?))
}

#[inline(always)]
pub(crate) fn recv_with_flags(
    socket: Handle<'_>,
    buffer: &mut [u8],
    flags: RecvFlags,
) -> io::Result<usize> {
    if !DIRECT {
        return plain_calls::recv_with_flags(socket, buffer, flags);
    }
    let fd = socket.as_raw_fd() as usize;
    let (first, count) = (buffer.as_mut_ptr() as usize, buffer.len());
    let arguments = [fd, first, count, flags.bits() as usize, 0, 0];
    // SAFETY: The kernel writes to the buffer, which is as long as it says, and no address.
    Ok(unsafe { syscall::call6(libc::SYS_recvfrom, arguments)? })
}

#[inline(always)]
pub(crate) fn send(socket: Handle<'_>, bytes: &[u8]) -> io::Result<usize> {
    if !DIRECT {
        return plain_calls::send(socket, bytes);
    }
    let fd = socket.as_raw_fd() as usize;
    let (first, count) = (bytes.as_ptr() as usize, bytes.len());
    let arguments = [fd, first, count, sigpipe::SEND.bits() as usize, 0, 0];
    // SAFETY: The kernel reads the bytes, which are as many as it says. There is no address.
    Ok(unsafe { syscall::call6(libc::SYS_sendto, arguments)? })
}

#[inline(always)]
pub(crate) fn recv_with_address(
    socket: Handle<'_>,
    buffer: &mut [u8],
    flags: RecvFlags,
) -> io::Result<(usize, SocketAddr)> {
    if !DIRECT {
        return plain_calls::recv_with_address(socket, buffer, flags);
    }
    let mut sender = Room::new();
    let (name, length) = sender.pointers();
    let fd = socket.as_raw_fd() as usize;
    let (first, count) = (buffer.as_mut_ptr() as usize, buffer.len());
    let arguments = [fd, first, count, flags.bits() as usize, name, length];
    // SAFETY: The kernel writes to the buffer, which is as long as it says, and as above.
    let n = unsafe { syscall::call6(libc::SYS_recvfrom, arguments)? };
    Ok((n, sender.address()?))
}

#[inline(always)]
pub(crate) fn send_to(socket: Handle<'_>, bytes: &[u8], address: SocketAddr) -> io::Result<usize> {
    if !DIRECT {
        return plain_calls::send_to(socket, bytes, address);
    }
    let mut name = Name::EMPTY;
    name.set(&address);
    let name = name.bytes();
    let fd = socket.as_raw_fd() as usize;
    let (first, count) = (bytes.as_ptr() as usize, bytes.len());
    let flags = sigpipe::SEND.bits() as usize;
    let arguments = [fd, first, count, flags, name.as_ptr() as usize, name.len()];
    // SAFETY: The kernel reads the bytes and the address, which are as long as they say.
    Ok(unsafe { syscall::call6(libc::SYS_sendto, arguments)? })
}

/// Where the kernel writes an address. It begins as one of no family, which it stays if there is none.
struct Room {
    name: Name,
    length: libc::socklen_t,
}

impl Room {
    #[inline(always)]
    fn new() -> Room {
        Room {
            name: Name::EMPTY,
            length: Name::CAPACITY as libc::socklen_t,
        }
    }

    /// Where the address goes, and its length.
    #[inline(always)]
    fn pointers(&mut self) -> (usize, usize) {
        let name = self.name.room().as_mut_ptr() as usize;
        (name, &mut self.length as *mut libc::socklen_t as usize)
    }

    /// An address has the length that belongs to its family: the kernel says no other, and there is room for each.
    #[inline(always)]
    fn address(mut self) -> io::Result<SocketAddr> {
        decode(self.name.room()).ok_or_else(|| Errno::AFNOSUPPORT.into())
    }
}
