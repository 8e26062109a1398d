//! Sockets of Unix systems: creating, accepting, connecting, and what they carry.
//!
//! Everything that is made here is close-on-exec and non-blocking (`sys/create`), and nothing raises `SIGPIPE`. The
//! functions are inlined up to the user's loop: see "No `ret` after the kernel" in ARCHITECTURE.md.

pub(crate) mod local;

use std::io;
use std::net::{SocketAddr, SocketAddrV6};
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

/// An address as rustix takes it, or what rustix gives back. The standard library has the flow information of IPv6 in the
/// order of the wire, as `struct sockaddr_in6` has it; rustix swaps its bytes on the way there and back.
#[inline]
pub(crate) fn swapped(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(address) => SocketAddr::V6(swapped_v6(address)),
        v4 => v4,
    }
}

#[inline]
fn swapped_v6(mut address: SocketAddrV6) -> SocketAddrV6 {
    address.set_flowinfo(address.flowinfo().to_be());
    address
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
    net::bind(&socket, &swapped(address))?;
    Ok(socket)
}

pub(crate) fn udp_connect(socket: Handle<'_>, address: SocketAddr) -> io::Result<()> {
    Ok(net::connect(socket, &swapped(address))?)
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
    Ok(match address {
        SocketAddr::V4(address) => net::sendto(socket, bytes, sigpipe::SEND, &address)?,
        SocketAddr::V6(address) => net::sendto(socket, bytes, sigpipe::SEND, &swapped_v6(address))?,
    })
}

pub(crate) fn only_v6(socket: Handle<'_>) -> io::Result<bool> {
    Ok(net::sockopt::ipv6_v6only(socket)?)
}

#[inline(always)]
pub(crate) fn internet_address(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    match address {
        Some(address) => Ok(swapped(address.try_into()?)),
        None => Err(Errno::AFNOSUPPORT.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That what goes there is right can only be seen on the kernel's side: `tests/sockets/udp.rs`.
    #[test]
    fn an_address_comes_back_as_it_went() {
        let ip = std::net::Ipv6Addr::LOCALHOST;
        let v6 = SocketAddrV6::new(ip, 1, u32::from_ne_bytes([0x0a, 0xb0, 0, 0]), 2);
        for address in [v6.into(), "127.0.0.1:3".parse().unwrap()] {
            let there = match swapped(address) {
                SocketAddr::V4(v4) => SocketAddrAny::from(v4),
                SocketAddr::V6(v6) => SocketAddrAny::from(v6),
            };
            assert_eq!(internet_address(Some(there)).unwrap(), address);
        }
    }
}
