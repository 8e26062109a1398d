//! Making descriptors.
//!
//! This file is for systems whose calls take no flags: close-on-exec and non-blocking mode are set afterwards, by
//! `fcntl(2)` and `ioctl(2)`. The others have `flags.rs` in its place.
//!
//! A program that another thread starts just in between inherits the descriptor. Nothing can be done about that here:
//! it takes a lock around every `fork` of the process.

use std::io;
use std::os::fd::OwnedFd;

#[cfg(feature = "net")]
use rustix::io::Errno;
use rustix::io::{fcntl_setfd, ioctl_fionbio, FdFlags};
#[cfg(feature = "net")]
use rustix::net::{self, AddressFamily, SocketAddrAny, SocketFlags, SocketType};
use rustix::pipe::pipe;

#[cfg(feature = "net")]
use crate::sys::sigpipe::set_socket_nosigpipe;
#[cfg(feature = "net")]
use crate::sys::Handle;
use crate::sys::STARTS_PROGRAMS;

#[cfg(feature = "net")]
#[inline]
pub(crate) fn socket(family: AddressFamily, kind: SocketType) -> io::Result<OwnedFd> {
    let socket = prepared(net::socket(family, kind, None)?)?;
    set_socket_nosigpipe(&socket, true)?;
    Ok(socket)
}

#[cfg(feature = "net")]
pub(crate) fn socket_pair(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
    let (left, right) = net::socketpair(AddressFamily::UNIX, kind, SocketFlags::empty(), None)?;
    let (left, right) = (prepared(left)?, prepared(right)?);
    set_socket_nosigpipe(&left, true)?;
    set_socket_nosigpipe(&right, true)?;
    Ok((left, right))
}

#[cfg(feature = "net")]
#[inline]
pub(crate) fn accept(listener: Handle<'_>) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    let (socket, address) = net::acceptfrom(listener)?;
    Ok((accepted(socket)?, address))
}

/// The last step after a call that accepts. Some systems let a socket inherit its listener's mode, and some do not. This
/// works on both.
#[cfg(feature = "net")]
pub(crate) fn accepted(socket: OwnedFd) -> io::Result<OwnedFd> {
    let socket = prepared(socket)?;
    match set_socket_nosigpipe(&socket, true) {
        Ok(()) => Ok(socket),
        // What Apple's kernel says of any option of a connection that both sides have ended already.
        Err(Errno::INVAL) => Err(Errno::CONNABORTED.into()),
        Err(errno) => Err(errno.into()),
    }
}

/// The reading end, then the writing end.
pub(crate) fn pipe_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe()?;
    Ok((prepared(reader)?, prepared(writer)?))
}

fn prepared(fd: OwnedFd) -> io::Result<OwnedFd> {
    if STARTS_PROGRAMS {
        fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    }
    ioctl_fionbio(&fd, true)?;
    Ok(fd)
}
