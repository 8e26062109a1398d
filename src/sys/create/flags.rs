//! Making descriptors where the call that makes one takes flags: `SOCK_CLOEXEC`, `SOCK_NONBLOCK`, `accept4(2)`,
//! `pipe2(2)`.
//!
//! So a descriptor is close-on-exec and non-blocking from its first moment, and no program that another thread starts
//! meanwhile can inherit it.

use std::io;
use std::os::fd::OwnedFd;

#[cfg(feature = "net")]
use rustix::net::{self, AddressFamily, SocketAddrAny, SocketFlags, SocketType};
use rustix::pipe::{pipe_with, PipeFlags};

#[cfg(feature = "net")]
use crate::sys::{return_stack::covered, Handle};

#[cfg(feature = "net")]
pub(crate) const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

#[cfg(feature = "net")]
#[inline]
pub(crate) fn socket(family: AddressFamily, kind: SocketType) -> io::Result<OwnedFd> {
    Ok(net::socket_with(family, kind, FLAGS, None)?)
}

#[cfg(feature = "net")]
pub(crate) fn socket_pair(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(net::socketpair(AddressFamily::UNIX, kind, FLAGS, None)?)
}

#[cfg(feature = "net")]
#[inline]
pub(crate) fn accept(listener: Handle<'_>) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    Ok(covered(net::acceptfrom_with(listener, FLAGS))?)
}

/// The last step after a call that accepts: there is none, its flags have done it.
#[cfg(feature = "net")]
pub(crate) fn accepted(socket: OwnedFd) -> io::Result<OwnedFd> {
    Ok(socket)
}

/// The reading end, then the writing end.
pub(crate) fn pipe_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?)
}
