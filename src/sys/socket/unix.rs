//! Sockets of Unix systems: creating, accepting, connecting, and what they carry.
//!
//! Everything that is made here is close-on-exec and non-blocking (`sys/create`), and nothing raises `SIGPIPE`. The
//! functions are inlined up to the user's loop: see "No `ret` after the kernel" in ARCHITECTURE.md.

pub(crate) mod local;

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SocketAddrAny, SocketType};

pub(crate) use crate::sys::buffers::{recv_datagram, recv_vectored, send_datagram, send_vectored};
use crate::sys::{create, sigpipe, Handle, BACKLOG};

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
    match net::connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(errno) => Err(errno.into()),
    }
}

pub(crate) fn tcp_listen(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = create::socket(family_of(&address), SocketType::STREAM)?;
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    net::bind(&socket, &address)?;
    net::listen(&socket, BACKLOG)?;
    Ok(socket)
}

#[inline(always)]
pub(crate) fn tcp_accept(listener: Handle<'_>) -> io::Result<(OwnedFd, SocketAddr)> {
    match create::accept(listener)? {
        (socket, Some(address)) => Ok((socket, internet_address(Some(address))?)),
        // On Apple systems: the peer was gone before it was accepted.
        (_, None) => Err(Errno::CONNABORTED.into()),
    }
}

pub(crate) fn udp_bind(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = create::socket(family_of(&address), SocketType::DGRAM)?;
    net::bind(&socket, &address)?;
    Ok(socket)
}

pub(crate) fn udp_connect(socket: Handle<'_>, address: SocketAddr) -> io::Result<()> {
    Ok(net::connect(socket, &address)?)
}

#[inline]
pub(crate) fn recv(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let (n, _) = net::recv(socket, buffer, RecvFlags::empty())?;
    Ok(n)
}

#[inline]
pub(crate) fn peek(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let (n, _) = net::recv(socket, buffer, RecvFlags::PEEK)?;
    Ok(n)
}

#[inline]
pub(crate) fn send(socket: Handle<'_>, bytes: &[u8]) -> io::Result<usize> {
    Ok(net::send(socket, bytes, sigpipe::SEND)?)
}

#[inline(always)]
pub(crate) fn recv_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let (n, _, address) = net::recvfrom(socket, buffer, RecvFlags::empty())?;
    Ok((n, internet_address(address)?))
}

#[inline(always)]
pub(crate) fn peek_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let (n, _, address) = net::recvfrom(socket, buffer, RecvFlags::PEEK)?;
    Ok((n, internet_address(address)?))
}

#[inline(always)]
pub(crate) fn send_to(socket: Handle<'_>, bytes: &[u8], address: SocketAddr) -> io::Result<usize> {
    // Which family it is decided here, or the two calls together would be too much code to be inlined.
    Ok(match &address {
        SocketAddr::V4(address) => net::sendto(socket, bytes, sigpipe::SEND, address)?,
        SocketAddr::V6(address) => net::sendto(socket, bytes, sigpipe::SEND, address)?,
    })
}

pub(crate) fn only_v6(socket: Handle<'_>) -> io::Result<bool> {
    Ok(net::sockopt::ipv6_v6only(socket)?)
}

#[inline(always)]
pub(crate) fn internet_address(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    match address {
        Some(address) => Ok(address.try_into()?),
        None => Err(Errno::AFNOSUPPORT.into()),
    }
}
