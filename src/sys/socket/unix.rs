//! Sockets of Unix systems: creating, accepting, connecting, and what they carry.
//!
//! Everything that is made here is close-on-exec and non-blocking (`sys/create`), and nothing raises `SIGPIPE`. The
//! functions are inlined up to the user's loop: see "No `ret` after the kernel" in ARCHITECTURE.md.

pub(crate) mod local;

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SocketType};

pub(crate) use crate::sys::buffers::{recv_datagram, recv_vectored, send_datagram, send_vectored};
pub(crate) use crate::sys::calls::{accept as tcp_accept, send, send_to};
use crate::sys::calls::{recv_with_address, recv_with_flags};
use crate::sys::plain_calls::swapped;
use crate::sys::{create, Handle, BACKLOG};

#[inline]
fn family_of(address: &SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}

#[inline]
pub(crate) fn tcp_connect(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = create::socket(family_of(&address), SocketType::STREAM)?;
    match net::connect(&socket, &swapped(address)) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(errno) => Err(errno.into()),
    }
}

pub(crate) fn tcp_listen(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = create::socket(family_of(&address), SocketType::STREAM)?;
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    net::bind(&socket, &swapped(address))?;
    net::listen(&socket, BACKLOG)?;
    Ok(socket)
}

pub(crate) fn udp_bind(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = create::socket(family_of(&address), SocketType::DGRAM)?;
    net::bind(&socket, &swapped(address))?;
    Ok(socket)
}

pub(crate) fn udp_connect(socket: Handle<'_>, address: SocketAddr) -> io::Result<()> {
    Ok(net::connect(socket, &swapped(address))?)
}

#[inline(always)]
pub(crate) fn recv(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    recv_with_flags(socket, buffer, RecvFlags::empty())
}

#[inline(always)]
pub(crate) fn peek(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    recv_with_flags(socket, buffer, RecvFlags::PEEK)
}

#[inline(always)]
pub(crate) fn recv_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    recv_with_address(socket, buffer, RecvFlags::empty())
}

#[inline(always)]
pub(crate) fn peek_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    recv_with_address(socket, buffer, RecvFlags::PEEK)
}

pub(crate) fn only_v6(socket: Handle<'_>) -> io::Result<bool> {
    Ok(net::sockopt::ipv6_v6only(socket)?)
}
